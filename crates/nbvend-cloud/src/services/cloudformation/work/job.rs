//! A stack and its resources in hand for one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::super::announce;
use super::super::plan::{self, Plan};
use super::super::resolver::StackResolver;
use super::super::state::{Operation, Resource, ResourceStatus, Stack, StackStatus, Stage};
use super::Step;
use crate::context::Cx;
use crate::error::EngineError;
use crate::store::{Record, StoreError};

/// Provider calls in one transaction: the writer is everybody's.
const SHARE: usize = 16;

pub struct Job<'a, 'c> {
    pub cx: &'a mut Cx<'c>,
    pub stack: Stack,
    pub plan: Option<Arc<Plan>>,
    /// By logical id.
    pub rows: BTreeMap<String, Resource>,
    /// What replacements and rollbacks left, by key.
    pub leftovers: BTreeMap<String, Resource>,
    stored: BTreeMap<String, Resource>,
    calls: usize,
    /// How often anything went on.
    pub moves: usize,
}

impl<'a, 'c> Job<'a, 'c> {
    pub fn load(cx: &'a mut Cx<'c>, stack: Stack, plan: Option<Arc<Plan>>) -> Result<Self, StoreError> {
        let all = cx.tx.list::<Resource>(cx.region(), &format!("{}/", stack.uuid), None, usize::MAX)?;
        let stored = all.iter().map(|row| (row.key(), row.clone())).collect();
        let (rows, leftovers): (Vec<_>, Vec<_>) = all.into_iter().partition(|row| row.leftover.is_none());
        Ok(Self {
            cx,
            stack,
            plan,
            rows: rows.into_iter().map(|row| (row.logical_id.clone(), row)).collect(),
            leftovers: leftovers.into_iter().map(|row| (row.key(), row)).collect(),
            stored,
            calls: 0,
            moves: 0,
        })
    }

    /// Writes what changed.
    pub fn store(self) -> Result<Step, EngineError> {
        let mut gone: BTreeSet<&String> = self.stored.keys().collect();
        for row in self.rows.values().chain(self.leftovers.values()) {
            let key = row.key();
            gone.remove(&key);
            if self.stored.get(&key) != Some(row) {
                self.cx.put(row)?;
            }
        }
        for key in gone {
            self.cx.delete::<Resource>(key)?;
        }
        let finished = !self.stack.status.in_progress();
        if self.moves > 0 || finished {
            self.cx.put(&self.stack)?;
        }
        if finished {
            plan::forget(self.cx, &self.stack);
            return Ok(Step::Finished);
        }
        if self.moves > 0 && !self.only_waits() {
            return Ok(Step::Moved);
        }
        Ok(Step::Waiting(self.stack.operation.as_ref().and_then(|operation| operation.deadline)))
    }

    /// Whether nothing can go on before a provider is done. Whoever ends its wait rings.
    fn only_waits(&self) -> bool {
        let towards =
            matches!(self.stack.status, StackStatus::CreateInProgress | StackStatus::UpdateInProgress);
        let stages = || self.rows.values().map(|row| row.stage);
        towards
            && self.calls <= SHARE
            && stages().any(|stage| matches!(stage, Stage::Waiting(_)))
            && stages().all(|stage| matches!(stage, Stage::Idle | Stage::Waiting(_)))
    }

    /// The work on a version has its plan.
    pub fn the_plan(&self) -> Arc<Plan> {
        Arc::clone(self.plan.as_ref().expect("a step towards a version is given its plan"))
    }

    pub fn operation(&mut self) -> &mut Operation {
        self.stack.operation.as_mut().expect("a stack under way has its operation")
    }

    /// Takes one of the provider calls this transaction may make.
    pub fn spend(&mut self) -> bool {
        self.calls += 1;
        self.calls <= SHARE
    }

    pub fn resolver(&self) -> StackResolver<'_, 'c> {
        StackResolver { cx: self.cx, rows: &self.rows }
    }

    /// Puts the stack into a status.
    pub fn announce(&mut self, status: StackStatus, reason: Option<&str>) -> Result<(), StoreError> {
        self.moves += 1;
        announce::stack(self.cx, &mut self.stack, status, reason)
    }

    /// Puts a row into a status.
    pub fn announce_row(
        &mut self,
        row: &mut Resource,
        status: ResourceStatus,
        reason: Option<&str>,
        properties: Option<&Value>,
    ) -> Result<(), StoreError> {
        self.moves += 1;
        announce::resource(self.cx, &mut self.stack, row, status, reason, properties)
    }

    pub fn put(&mut self, row: Resource) {
        self.moves += 1;
        match row.leftover {
            None => self.rows.insert(row.logical_id.clone(), row),
            Some(_) => self.leftovers.insert(row.key(), row),
        };
    }

    /// Keeps the physical resource of `row` as one to be deleted.
    pub fn leave(&mut self, row: &Resource, body: super::super::state::Before) {
        self.stack.leftovers += 1;
        let left = Resource {
            leftover: Some(self.stack.leftovers),
            stage: Stage::Idle,
            at: None,
            body,
            before: None,
            from: None,
            replaced: false,
            ..row.clone()
        };
        self.put(left);
    }
}
