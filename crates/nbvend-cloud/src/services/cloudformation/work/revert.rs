//! Back to the version before: what an update changed is changed back, what it replaced is taken up again.

use super::super::properties;
use super::super::state::{Before, Resource, ResourceStatus, Stage, Work};
use super::call::{self, Outcome};
use super::finish;
use super::job::Job;
use crate::error::EngineError;
use crate::provider::Progress;

type Done<T = ()> = Result<T, EngineError>;

pub fn step(job: &mut Job<'_, '_>) -> Done {
    if job.operation().abort.take().is_some() {
        return finish::revert_failed(job);
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
    if job.rows.values().any(|row| row.stage.in_flight()) {
        return Ok(());
    }
    if job.rows.values().any(|row| row.stage == Stage::Failed(Work::Revert)) {
        return finish::revert_failed(job);
    }
    if job.rows.values().all(|row| row.before.is_none()) {
        finish::reverted(job)?;
    }
    Ok(())
}

fn start_ready(job: &mut Job<'_, '_>) -> Done {
    let touched = |row: &&Resource| row.before.is_some();
    let waiting: Vec<Resource> = job
        .rows
        .values()
        .filter(touched)
        .filter(|row| !row.stage.in_flight() && row.stage != Stage::Failed(Work::Revert))
        .cloned()
        .collect();
    for row in waiting {
        let before = row.before.clone().unwrap_or_default();
        // What it needs goes back first.
        if before.depends_on.iter().any(|id| job.rows.get(id).is_some_and(|row| row.before.is_some())) {
            continue;
        }
        start(job, row, before)?;
    }
    Ok(())
}

fn start(job: &mut Job<'_, '_>, mut row: Resource, before: Before) -> Done {
    let skipped = job.operation().skip.contains(&row.logical_id);
    let same = properties::changed(&row.body.properties, &before.properties).is_empty()
        && row.body.tags == before.tags;
    let untouched = same && row.status != ResourceStatus::UpdateFailed;
    if row.replaced {
        let newer = std::mem::take(&mut row.body);
        // Whatever the new version said of replaced resources, what it made itself is taken away.
        job.leave(&row, Before { replace_policy: None, ..newer });
    }
    if row.replaced || skipped || untouched {
        let silent = untouched && !row.replaced;
        restore(job, &mut row, before);
        if !silent {
            job.announce_row(&mut row, ResourceStatus::UpdateInProgress, None, None)?;
            job.announce_row(&mut row, ResourceStatus::UpdateComplete, None, None)?;
        }
        job.put(row);
        return Ok(());
    }
    row.stage = Stage::Started(Work::Revert);
    job.announce_row(&mut row, ResourceStatus::UpdateInProgress, None, None)?;
    job.put(row);
    Ok(())
}

/// The row is as it was before the update.
fn restore(job: &Job<'_, '_>, row: &mut Resource, before: Before) {
    row.body = before;
    row.before = None;
    row.from = None;
    row.replaced = false;
    row.stage = Stage::Idle;
    row.at.clone_from(&job.stack.current);
}

fn perform(job: &mut Job<'_, '_>) -> Done {
    let started: Vec<Resource> =
        job.rows.values().filter(|row| row.stage == Stage::Started(Work::Revert)).cloned().collect();
    for row in started {
        if !job.spend() {
            return Ok(());
        }
        let before = row.before.clone().unwrap_or_default();
        let outcome = call::update(job, &row, &row.body.clone(), &before)?;
        advance(job, row, outcome)?;
    }
    Ok(())
}

fn poll(job: &mut Job<'_, '_>) -> Done {
    let waiting: Vec<Resource> =
        job.rows.values().filter(|row| row.stage == Stage::Waiting(Work::Revert)).cloned().collect();
    for row in waiting {
        let physical_id = row.body.physical_id.clone();
        let asked = Before { physical_id, ..row.before.clone().unwrap_or_default() };
        let outcome = call::stabilize(job, &row, &asked)?;
        if !matches!(outcome, Ok(Progress::Pending { .. })) {
            advance(job, row, outcome)?;
        }
    }
    Ok(())
}

fn advance(job: &mut Job<'_, '_>, mut row: Resource, outcome: Outcome<Progress>) -> Done {
    let reason = match outcome {
        Ok(Progress::Done { physical_id, attributes }) => {
            let before = row.before.clone().unwrap_or_default();
            restore(job, &mut row, Before { physical_id: Some(physical_id), attributes, ..before });
            job.announce_row(&mut row, ResourceStatus::UpdateComplete, None, None)?;
            job.put(row);
            return Ok(());
        }
        Ok(Progress::Pending { physical_id }) => {
            row.body.physical_id = Some(physical_id);
            row.stage = Stage::Waiting(Work::Revert);
            job.put(row);
            return Ok(());
        }
        Ok(Progress::Failed { reason, .. }) => call::explain(job, &reason, "GeneralServiceException"),
        Err(reason) => reason,
    };
    row.stage = Stage::Failed(Work::Revert);
    job.announce_row(&mut row, ResourceStatus::UpdateFailed, Some(&reason), None)?;
    job.put(row);
    Ok(())
}
