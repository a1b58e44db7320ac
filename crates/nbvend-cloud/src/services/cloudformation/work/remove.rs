//! Deleting: a whole stack, what a failed creation made, or what an update left behind. What needs a resource goes
//! before it.

use std::collections::BTreeSet;

use super::super::state::{OperationKind, Resource, ResourceStatus, StackStatus, Stage, Work};
use super::call;
use super::finish::{self, is_gone};
use super::job::Job;
use crate::error::EngineError;
use crate::provider::Deletion;
use crate::store::Record;

type Done<T = ()> = Result<T, EngineError>;

pub fn step(job: &mut Job<'_, '_>) -> Done {
    if let Some(reason) = job.operation().abort.take() {
        return refuse(job, &reason);
    }
    poll(job)?;
    loop {
        let before = job.moves;
        start_ready(job)?;
        perform(job)?;
        if job.moves == before {
            break;
        }
    }
    let left = remaining(job);
    if left.iter().any(|row| row.stage.in_flight()) {
        return Ok(());
    }
    let failed = left.iter().filter(|row| row.stage == Stage::Failed(Work::Delete));
    let mut names: Vec<String> = failed.map(|row| row.logical_id.clone()).collect();
    names.dedup();
    finish::removed(job, &names)
}

/// Nothing can be deleted at all: the stack's role is not to be had.
fn refuse(job: &mut Job<'_, '_>, reason: &str) -> Done {
    let status = match job.stack.status {
        StackStatus::RollbackInProgress => StackStatus::RollbackFailed,
        StackStatus::DeleteInProgress => StackStatus::DeleteFailed,
        _ => return finish::removed(job, &[]),
    };
    job.announce(status, Some(reason))?;
    Ok(())
}

/// What is to be deleted and is still there.
fn remaining(job: &Job<'_, '_>) -> Vec<Resource> {
    let kept = match job.stack.status {
        StackStatus::UpdateCompleteCleanupInProgress
        | StackStatus::UpdateRollbackCompleteCleanupInProgress => job.plan.as_ref(),
        _ => None,
    };
    let doomed =
        job.rows.values().filter(|row| kept.is_none_or(|plan| !plan.graph.contains(&row.logical_id)));
    doomed.chain(job.leftovers.values()).filter(|row| !is_gone(row)).cloned().collect()
}

fn start_ready(job: &mut Job<'_, '_>) -> Done {
    let left = remaining(job);
    let needed: BTreeSet<(String, String)> =
        left.iter().flat_map(|row| row.body.depends_on.iter().map(|id| (id.clone(), row.key()))).collect();
    let free = |row: &Resource| {
        let id = &row.logical_id;
        // Its own leftover does not hold it, nor the other way round.
        !needed.iter().any(|(on, by)| on == id && *by != row.key())
    };
    let idle = |row: &&Resource| !row.stage.in_flight() && row.stage != Stage::Failed(Work::Delete);
    let mut ready: Vec<Resource> = left.iter().filter(idle).filter(|row| free(row)).cloned().collect();
    let stuck = ready.is_empty() && left.iter().all(|row| idle(&row));
    if stuck {
        // Two versions' orders can contradict each other; then there is none to keep.
        ready = left;
    }
    for row in ready {
        start(job, row)?;
    }
    // What was under way when the deletion came has no more than an id at best.
    let flying: Vec<Resource> = remaining(job)
        .into_iter()
        .filter(|row| {
            row.stage.in_flight()
                && !matches!(row.stage, Stage::Started(Work::Delete) | Stage::Waiting(Work::Delete))
        })
        .collect();
    for mut row in flying {
        row.stage = Stage::Idle;
        job.put(row);
    }
    Ok(())
}

fn start(job: &mut Job<'_, '_>, mut row: Resource) -> Done {
    if row.body.physical_id.is_none() {
        row.stage = Stage::Idle;
        job.announce_row(&mut row, ResourceStatus::DeleteComplete, None, None)?;
        job.put(row);
        return Ok(());
    }
    if kept(job, &row) {
        row.stage = Stage::Idle;
        job.announce_row(&mut row, ResourceStatus::DeleteSkipped, None, None)?;
        job.put(row);
        return Ok(());
    }
    row.stage = Stage::Started(Work::Delete);
    job.announce_row(&mut row, ResourceStatus::DeleteInProgress, None, None)?;
    job.put(row);
    Ok(())
}

/// Whether a policy or the caller wants it left alone.
fn kept(job: &mut Job<'_, '_>, row: &Resource) -> bool {
    let policy = match row.leftover {
        Some(_) => &row.body.replace_policy,
        None => &row.body.deletion_policy,
    };
    let rollback = job.stack.status == StackStatus::RollbackInProgress;
    let retain = match policy.as_deref() {
        Some("Retain") => true,
        Some("RetainExceptOnCreate") => !rollback,
        _ => false,
    };
    let operation = job.operation();
    retain || (operation.kind == OperationKind::Delete && operation.skip.contains(&row.logical_id))
}

fn perform(job: &mut Job<'_, '_>) -> Done {
    for row in remaining(job).into_iter().filter(|row| row.stage == Stage::Started(Work::Delete)) {
        if !job.spend() {
            return Ok(());
        }
        ask(job, row)?;
    }
    Ok(())
}

fn poll(job: &mut Job<'_, '_>) -> Done {
    for row in remaining(job).into_iter().filter(|row| row.stage == Stage::Waiting(Work::Delete)) {
        ask(job, row)?;
    }
    Ok(())
}

fn ask(job: &mut Job<'_, '_>, mut row: Resource) -> Done {
    match call::delete(job, &row)? {
        Ok(Deletion::Done) => {
            row.stage = Stage::Idle;
            job.announce_row(&mut row, ResourceStatus::DeleteComplete, None, None)?;
        }
        Ok(Deletion::Pending) if row.stage == Stage::Waiting(Work::Delete) => return Ok(()),
        Ok(Deletion::Pending) => row.stage = Stage::Waiting(Work::Delete),
        Err(reason) if job.operation().force => {
            row.stage = Stage::Idle;
            job.announce_row(&mut row, ResourceStatus::DeleteSkipped, Some(&reason), None)?;
        }
        Err(reason) => {
            row.stage = Stage::Failed(Work::Delete);
            job.announce_row(&mut row, ResourceStatus::DeleteFailed, Some(&reason), None)?;
        }
    }
    job.put(row);
    Ok(())
}
