//! Calling providers, and what their answers make of a resource.

use super::super::super::state::{Resource, ResourceStatus, Stage, Work};
use super::super::call::{self, Outcome};
use super::super::job::Job;
use super::Done;
use crate::provider::Progress;

const INITIATED: &str = "Resource creation Initiated";

/// Calls the providers of what was announced.
pub fn perform(job: &mut Job<'_, '_>) -> Done {
    let started: Vec<Resource> =
        job.rows.values().filter(|row| matches!(row.stage, Stage::Started(_))).cloned().collect();
    for mut row in started {
        let Stage::Started(work) = row.stage else { continue };
        if !job.spend() {
            return Ok(());
        }
        let outcome = match (work, row.from.clone()) {
            (Work::Update, Some(from)) => {
                let to = row.body.clone();
                call::update(job, &row, &from, &to)?
            }
            _ => call::create(job, &row)?,
        };
        advance(job, &mut row, work, outcome)?;
        let failed = matches!(row.stage, Stage::Failed(_));
        job.put(row);
        if failed {
            return Ok(());
        }
    }
    Ok(())
}

/// Looks at what is on its way.
pub fn poll(job: &mut Job<'_, '_>) -> Done {
    let waiting: Vec<Resource> =
        job.rows.values().filter(|row| matches!(row.stage, Stage::Waiting(_))).cloned().collect();
    for mut row in waiting {
        let Stage::Waiting(work) = row.stage else { continue };
        let outcome = call::stabilize(job, &row, &row.body)?;
        if matches!(outcome, Ok(Progress::Pending { .. })) {
            continue;
        }
        advance(job, &mut row, work, outcome)?;
        job.put(row);
    }
    Ok(())
}

/// Notes what a provider said.
fn advance(job: &mut Job<'_, '_>, row: &mut Resource, work: Work, outcome: Outcome<Progress>) -> Done {
    let first = row.stage == Stage::Started(work);
    match outcome {
        Ok(Progress::Done { physical_id, attributes }) => {
            made_physical(job, row, work, first, physical_id)?;
            row.body.attributes = attributes;
            row.stage = Stage::Made(work);
        }
        Ok(Progress::Pending { physical_id }) => {
            made_physical(job, row, work, first, physical_id)?;
            row.stage = Stage::Waiting(work);
        }
        Ok(Progress::Failed { physical_id, reason }) => {
            if physical_id.is_some() {
                row.replaced = row.replaced || (work == Work::Replace && first);
                row.body.physical_id = physical_id;
            } else if work != Work::Update && first {
                undo(row, work);
            }
            let reason = call::explain(job, &reason, "GeneralServiceException");
            fail(job, row, work, &reason)?;
        }
        Err(reason) => {
            if first && work != Work::Update {
                undo(row, work);
            }
            fail(job, row, work, &reason)?;
        }
    }
    Ok(())
}

fn made_physical(job: &mut Job<'_, '_>, row: &mut Resource, work: Work, first: bool, id: String) -> Done {
    row.body.physical_id = Some(id);
    if !first {
        return Ok(());
    }
    match work {
        Work::Create => job.announce_row(row, ResourceStatus::CreateInProgress, Some(INITIATED), None)?,
        Work::Replace => {
            row.replaced = true;
            job.announce_row(row, ResourceStatus::UpdateInProgress, Some(INITIATED), None)?;
        }
        _ => {}
    }
    Ok(())
}

/// Nothing came to exist: the row is as it was.
fn undo(row: &mut Resource, work: Work) {
    match (work, row.from.take()) {
        (Work::Replace, Some(from)) => row.body = from,
        _ => row.body.physical_id = None,
    }
}

pub fn fail(job: &mut Job<'_, '_>, row: &mut Resource, work: Work, reason: &str) -> Done {
    row.stage = Stage::Failed(work);
    row.from = None;
    let status = match work {
        Work::Create => ResourceStatus::CreateFailed,
        _ => ResourceStatus::UpdateFailed,
    };
    job.announce_row(row, status, Some(reason), None)?;
    Ok(())
}
