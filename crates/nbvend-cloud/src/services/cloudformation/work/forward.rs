//! Towards a version: making what is new, changing what differs, replacing what cannot be changed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::properties;
use super::super::state::{Before, Resource, ResourceStatus, StackStatus, Stage, Work};
use super::call::{self, Outcome};
use super::finish;
use super::job::Job;
use crate::error::EngineError;
use crate::provider::Progress;
use crate::services;

type Done<T = ()> = Result<T, EngineError>;

const INITIATED: &str = "Resource creation Initiated";
const REPLACING: &str =
    "Requested update requires the creation of a new physical resource; hence creating one.";

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

/// Begins with every resource whose dependencies are settled.
fn start_ready(job: &mut Job<'_, '_>) -> Done {
    let plan = job.the_plan();
    let done: BTreeSet<String> = job
        .rows
        .values()
        .filter(|row| row.stage == Stage::Idle && row.at.as_ref() == Some(&plan.version.id))
        .map(|row| row.logical_id.clone())
        .collect();
    for id in plan.graph.ready(&done) {
        if job.rows.get(id).is_some_and(|row| row.stage != Stage::Idle) {
            continue;
        }
        start(job, id)?;
        if matches!(job.rows.get(id).map(|row| row.stage), Some(Stage::Failed(_))) {
            return Ok(());
        }
    }
    Ok(())
}

fn start(job: &mut Job<'_, '_>, id: &str) -> Done {
    let plan = job.the_plan();
    let Some(resource) = plan.template.resource(id) else { return Ok(()) };
    let properties = Value::Object(resource.properties().clone());
    let resolved = plan.resolve(&properties, &job.resolver());
    let shown = match plan.hides() {
        true => plan.resolve_shown(&properties, &job.resolver()).ok().flatten(),
        false => None,
    };
    let metadata = resource.metadata().and_then(|value| plan.resolve(value, &job.resolver()).ok().flatten());
    let mut wanted = Before {
        metadata,
        tags: plan.version.face.tags.clone(),
        depends_on: plan.graph.dependencies(id).to_vec(),
        deletion_policy: resource.deletion_policy().map(str::to_owned),
        replace_policy: resource.update_replace_policy().map(str::to_owned),
        ..Before::default()
    };
    let mut row = match job.rows.remove(id) {
        Some(row) => row,
        None => blank(job, id, resource.resource_type),
    };
    let checked = resolved.map_err(|error| error.message).and_then(|value| {
        let value = value.unwrap_or_else(|| Value::Object(Map::new()));
        match services::provider(&row.type_name) {
            Some(provider) => {
                let none = Map::new();
                properties::check(provider.schema(), value.as_object().unwrap_or(&none))
                    .map(|()| (provider, value))
            }
            None => Err(format!("Unrecognized resource types: [{}]", row.type_name)),
        }
    });
    let fresh = row.body.physical_id.is_none();
    let (provider, value) = match checked {
        Ok(found) => found,
        Err(reason) => {
            row.stage = Stage::Failed(if fresh { Work::Create } else { Work::Update });
            let status = if fresh { ResourceStatus::CreateFailed } else { ResourceStatus::UpdateFailed };
            job.announce_row(&mut row, status, Some(&reason), None)?;
            job.put(row);
            return Ok(());
        }
    };
    let schema = provider.schema();
    let shown = shown.unwrap_or_else(|| value.clone());
    wanted.properties = value;
    if fresh {
        row.body = wanted;
        row.stage = Stage::Started(Work::Create);
        job.announce_row(&mut row, ResourceStatus::CreateInProgress, None, Some(&shown))?;
        job.put(row);
        return Ok(());
    }
    wanted.physical_id.clone_from(&row.body.physical_id);
    wanted.attributes.clone_from(&row.body.attributes);
    let changed = properties::changed(&row.body.properties, &wanted.properties);
    let broken = row.status == ResourceStatus::CreateFailed;
    let retry = broken || row.status == ResourceStatus::UpdateFailed;
    let tags = schema.tags.is_some() && row.body.tags != wanted.tags;
    if changed.is_empty() && !tags && !retry {
        settle_unchanged(row, wanted, job);
        return Ok(());
    }
    let replace = broken || properties::replaces(schema, &changed);
    let old = std::mem::replace(&mut row.body, wanted);
    if row.before.is_none() {
        row.before = Some(old.clone());
    } else if replace && row.replaced {
        // The one in between belongs to no version that anybody goes back to.
        job.leave(&row, old.clone());
    }
    row.from = Some(old);
    let (work, reason) = if replace { (Work::Replace, Some(REPLACING)) } else { (Work::Update, None) };
    if replace {
        row.body.attributes = Map::new();
    }
    row.stage = Stage::Started(work);
    job.announce_row(&mut row, ResourceStatus::UpdateInProgress, reason, Some(&shown))?;
    job.put(row);
    Ok(())
}

/// Nothing that its provider would care about differs.
fn settle_unchanged(mut row: Resource, wanted: Before, job: &mut Job<'_, '_>) {
    if row.body != wanted {
        let old = std::mem::replace(&mut row.body, wanted);
        row.before.get_or_insert(old);
    }
    row.at = Some(job.the_plan().version.id.clone());
    job.put(row);
}

fn blank(job: &Job<'_, '_>, id: &str, type_name: &str) -> Resource {
    Resource {
        stack: job.stack.uuid.clone(),
        logical_id: id.to_owned(),
        leftover: None,
        type_name: type_name.to_owned(),
        status: ResourceStatus::CreateInProgress,
        reason: None,
        updated: job.cx.now(),
        stage: Stage::Idle,
        at: None,
        body: Before { properties: Value::Object(Map::new()), ..Before::default() },
        before: None,
        from: None,
        replaced: false,
    }
}

/// Calls the providers of what was announced.
fn perform(job: &mut Job<'_, '_>) -> Done {
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
fn poll(job: &mut Job<'_, '_>) -> Done {
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

fn fail(job: &mut Job<'_, '_>, row: &mut Resource, work: Work, reason: &str) -> Done {
    row.stage = Stage::Failed(work);
    row.from = None;
    let status = match work {
        Work::Create => ResourceStatus::CreateFailed,
        _ => ResourceStatus::UpdateFailed,
    };
    job.announce_row(row, status, Some(reason), None)?;
    Ok(())
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
        if !called {
            match (work, row.from.take()) {
                (Work::Update | Work::Replace, Some(from)) => row.body = from,
                _ => {}
            }
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
