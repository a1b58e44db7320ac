//! Beginning with a resource: what it is to be, and whether that makes, changes or replaces it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::super::properties;
use super::super::super::state::{Before, Resource, ResourceStatus, Stage, Work};
use super::super::job::Job;
use super::Done;
use crate::services;

const REPLACING: &str =
    "Requested update requires the creation of a new physical resource; hence creating one.";

/// Begins with every resource whose dependencies are settled.
pub fn start_ready(job: &mut Job<'_, '_>) -> Done {
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
