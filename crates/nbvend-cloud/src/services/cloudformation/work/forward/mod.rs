//! Towards a version: making what is new, changing what differs, replacing what cannot be changed.

mod advance;
mod start;

use self::advance::{fail, perform, poll};
use self::start::start_ready;
use super::super::state::{Resource, ResourceStatus, StackStatus, Stage, Work};
use super::finish;
use super::job::Job;
use crate::error::EngineError;

type Done<T = ()> = Result<T, EngineError>;

pub fn step(job: &mut Job<'_, '_>) -> Done {
    poll(job)?;
    loop {
        let before = job.moves;
        announce_made(job)?;
        if failing(job) {
            cancel(job)?;
        } else {
            start_ready(job)?;
            perform(job)?;
        }
        if job.moves == before {
            break;
        }
    }
    if job.rows.values().any(|row| row.stage.in_flight()) {
        return Ok(());
    }
    if failing(job) {
        return finish::failed(job);
    }
    let plan = job.the_plan();
    let settled = |id: &String| job.rows.get(id).is_some_and(|row| row.at.as_ref() == Some(&plan.version.id));
    if plan.graph.ids().iter().all(settled) {
        finish::made(job)?;
    }
    Ok(())
}

/// Whether the version cannot be reached any more.
fn failing(job: &mut Job<'_, '_>) -> bool {
    job.operation().abort.is_some() || job.rows.values().any(|row| matches!(row.stage, Stage::Failed(_)))
}

/// Says of what is made that it is.
fn announce_made(job: &mut Job<'_, '_>) -> Done {
    let made: Vec<Resource> =
        job.rows.values().filter(|row| matches!(row.stage, Stage::Made(_))).cloned().collect();
    let version = made.first().map(|_| job.the_plan().version.id.clone());
    for mut row in made {
        let created = row.stage == Stage::Made(Work::Create);
        let status = if created { ResourceStatus::CreateComplete } else { ResourceStatus::UpdateComplete };
        row.stage = Stage::Idle;
        row.at.clone_from(&version);
        row.from = None;
        job.announce_row(&mut row, status, None, None)?;
        job.put(row);
    }
    Ok(())
}

/// Gives up what is under way. A change in place is waited for: it can only be taken back once it is done.
fn cancel(job: &mut Job<'_, '_>) -> Done {
    let flying: Vec<Resource> = job.rows.values().filter(|row| row.stage.in_flight()).cloned().collect();
    for mut row in flying {
        let (work, called) = match row.stage {
            Stage::Started(work) => (work, false),
            Stage::Waiting(work) if work != Work::Update => (work, true),
            _ => continue,
        };
        if !called && let (Work::Update | Work::Replace, Some(from)) = (work, row.from.take()) {
            row.body = from;
        }
        let reason =
            if work == Work::Create { "Resource creation cancelled" } else { "Resource update cancelled" };
        fail(job, &mut row, work, reason)?;
        job.put(row);
    }
    Ok(())
}

/// `The following resource(s) failed to create: [A, B]. `, in template order; empty if none failed.
pub fn failures(job: &Job<'_, '_>) -> String {
    let order = job.plan.as_ref().map(|plan| plan.graph.ids().to_vec()).unwrap_or_default();
    let reverting = job.stack.status == StackStatus::UpdateRollbackInProgress;
    let failed = |creating: bool| -> Vec<String> {
        let is = |row: &&Resource| match row.stage {
            // What failed on the way there is not what fails on the way back.
            Stage::Failed(work) if reverting => work == Work::Revert && !creating,
            Stage::Failed(Work::Create) => creating,
            Stage::Failed(_) => !creating,
            _ => false,
        };
        let mut ids: Vec<String> = job.rows.values().filter(is).map(|row| row.logical_id.clone()).collect();
        ids.sort_by_key(|id| order.iter().position(|other| other == id));
        ids
    };
    let mut text = String::new();
    for (ids, verb) in [(failed(true), "create"), (failed(false), "update")] {
        if !ids.is_empty() {
            text += &format!("The following resource(s) failed to {verb}: [{}]. ", ids.join(", "));
        }
    }
    text
}

/// Whether the stack is being made for the first time.
pub fn creating(job: &Job<'_, '_>) -> bool {
    job.stack.status == StackStatus::CreateInProgress
}
