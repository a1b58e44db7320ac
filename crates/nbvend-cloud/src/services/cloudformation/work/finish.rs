//! How an operation goes over into its next phase, or ends.

use std::collections::BTreeSet;

use nbvend_template::parameters::parameter_text;
use serde_json::Value;

use super::super::export;
use super::super::state::{
    ChangeSet, Deleted, Export, Live, OperationKind, OutputValue, Resource, ResourceStatus, Stack,
    StackStatus, Stage, Version,
};
use super::forward::{creating, failures};
use super::job::Job;
use crate::error::EngineError;
use crate::store::Record;

type Done<T = ()> = Result<T, EngineError>;

/// All resources are as the version wants them: outputs, exports, and on.
pub fn made(job: &mut Job<'_, '_>) -> Done {
    let outputs = match outputs(job) {
        Ok(outputs) => outputs,
        Err(reason) => return give_up(job, reason),
    };
    let exports: Vec<(String, String)> =
        outputs.iter().filter_map(|output| Some((output.export.clone()?, output.value.clone()))).collect();
    if let Err(reason) = export::replace_exports(job.cx, &job.stack, &exports)? {
        return give_up(job, reason);
    }
    job.stack.outputs = outputs;
    let old = job.stack.current.take();
    job.stack.current = job.stack.target.take();
    if let Some(old) = old {
        job.cx.delete::<Version>(&Version::key_of(&job.stack.uuid, &old))?;
    }
    let imports = job.the_plan().imports().unwrap_or_default();
    export::release_imports(job.cx, &job.stack, &imports)?;
    let first = creating(job);
    let rows: Vec<Resource> = job.rows.values().cloned().collect();
    for mut row in rows.into_iter().filter(|row| row.before.is_some()) {
        let before = row.before.take();
        if std::mem::take(&mut row.replaced)
            && let Some(before) = before
        {
            job.leave(&row, before);
        }
        job.put(row);
    }
    let status =
        if first { StackStatus::CreateComplete } else { StackStatus::UpdateCompleteCleanupInProgress };
    job.announce(status, None)?;
    change_set_done(job, "EXECUTE_COMPLETE")
}

/// What the outputs come to; the error is AWS's reason.
fn outputs(job: &Job<'_, '_>) -> Result<Vec<OutputValue>, String> {
    let plan = job.the_plan();
    let resolver = job.resolver();
    let mut outputs = Vec::new();
    for output in plan.template.outputs() {
        if output.condition.is_some_and(|name| plan.conditions.get(name) == Some(&false)) {
            continue;
        }
        let text = |value: &Value| match plan.resolve(value, &resolver) {
            Ok(Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_)))) => {
                Ok(parameter_text(&value))
            }
            Ok(_) => Err(format!(
                "Template format error: Output {} is malformed. The Value field of every Outputs member must evaluate to a String.",
                output.name
            )),
            Err(error) => Err(error.message),
        };
        outputs.push(OutputValue {
            key: output.name.to_owned(),
            value: text(output.value)?,
            description: output.description.map(str::to_owned),
            export: output.export_name.map(text).transpose()?,
        });
    }
    Ok(outputs)
}

fn give_up(job: &mut Job<'_, '_>, reason: String) -> Done {
    job.operation().abort = Some(reason);
    failed(job)
}

/// The version cannot be reached: back, or stop where it is.
pub fn failed(job: &mut Job<'_, '_>) -> Done {
    let abort = job.operation().abort.take();
    let keep = job.operation().keep_on_failure;
    let reason = match abort {
        Some(reason) => format!("{}. ", reason.trim_end_matches(['.', ' '])),
        None => failures(job),
    };
    let first = creating(job);
    let none = job.stack.current.is_none();
    match (first, keep) {
        (true, true) => {
            job.announce(StackStatus::CreateFailed, Some(&reason))?;
        }
        (false, true) => {
            job.announce(StackStatus::UpdateFailed, Some(&reason))?;
        }
        (true, false) if job.stack.on_failure.as_deref() == Some("DELETE") => {
            job.operation().kind = OperationKind::Delete;
            job.announce(StackStatus::DeleteInProgress, Some(&format!("{reason}Delete requested by user.")))?;
        }
        (true, false) => {
            job.announce(
                StackStatus::RollbackInProgress,
                Some(&format!("{reason}Rollback requested by user.")),
            )?;
        }
        // A stack that failed while it was made has nothing to go back to.
        (false, false) if none => {
            job.operation().begun = false;
            job.announce(StackStatus::RollbackInProgress, Some(&reason))?;
        }
        (false, false) => {
            job.announce(StackStatus::UpdateRollbackInProgress, Some(&reason))?;
        }
    }
    change_set_done(job, "EXECUTE_FAILED")
}

/// All touched resources are as before.
pub fn reverted(job: &mut Job<'_, '_>) -> Done {
    if let Some(target) = job.stack.target.take() {
        job.cx.delete::<Version>(&Version::key_of(&job.stack.uuid, &target))?;
    }
    let plan = job.the_plan();
    job.stack.face = plan.version.face.clone();
    export::release_imports(job.cx, &job.stack, &plan.imports().unwrap_or_default())?;
    job.announce(StackStatus::UpdateRollbackCompleteCleanupInProgress, None)?;
    Ok(())
}

pub fn revert_failed(job: &mut Job<'_, '_>) -> Done {
    let reason = failures(job);
    job.announce(StackStatus::UpdateRollbackFailed, Some(&reason))?;
    Ok(())
}

/// Nothing is left to be deleted, or what is left cannot be.
pub fn removed(job: &mut Job<'_, '_>, failed: &[String]) -> Done {
    let reason = format!("The following resource(s) failed to delete: [{}]. ", failed.join(", "));
    match job.stack.status {
        // What a cleanup cannot delete is no longer the stack's.
        StackStatus::UpdateCompleteCleanupInProgress => clean(job, StackStatus::UpdateComplete)?,
        StackStatus::UpdateRollbackCompleteCleanupInProgress => {
            clean(job, StackStatus::UpdateRollbackComplete)?;
        }
        StackStatus::RollbackInProgress if failed.is_empty() => {
            export::release_imports(job.cx, &job.stack, &BTreeSet::new())?;
            job.leftovers.clear();
            job.announce(StackStatus::RollbackComplete, None)?;
        }
        StackStatus::RollbackInProgress => job.announce(StackStatus::RollbackFailed, Some(&reason))?,
        _ if failed.is_empty() => gone(job)?,
        _ => job.announce(StackStatus::DeleteFailed, Some(&reason))?,
    }
    Ok(())
}

fn clean(job: &mut Job<'_, '_>, status: StackStatus) -> Done {
    job.leftovers.clear();
    if let Some(plan) = job.plan.clone() {
        job.rows.retain(|id, _| plan.graph.contains(id));
    }
    for row in job.rows.values_mut() {
        row.stage = Stage::Idle;
    }
    job.announce(status, None)?;
    Ok(())
}

/// The stack is no more; what there is to know of it stays under its id.
fn gone(job: &mut Job<'_, '_>) -> Done {
    let (now, region) = (job.cx.now(), job.cx.region().to_owned());
    job.stack.deleted = Some(now);
    let stack: &Stack = &job.stack;
    job.cx.put_global(&Deleted { time: now, region, uuid: stack.uuid.clone() })?;
    if job.cx.get::<Live>(&stack.name)?.is_some_and(|live| live.uuid == stack.uuid) {
        job.cx.delete::<Live>(&stack.name)?;
    }
    for export in job.cx.find::<Export>("stack", &stack.uuid)? {
        job.cx.delete::<Export>(&export.key())?;
    }
    export::release_imports(job.cx, stack, &BTreeSet::new())?;
    let prefix = format!("{}/", stack.uuid);
    for set in job.cx.tx.list::<ChangeSet>(job.cx.region(), &prefix, None, usize::MAX)? {
        job.cx.delete::<ChangeSet>(&set.key())?;
        if let Some(version) = &set.version
            && stack.current.as_ref() != Some(version)
            && stack.target.as_ref() != Some(version)
        {
            job.cx.delete::<Version>(&Version::key_of(&stack.uuid, version))?;
        }
    }
    job.leftovers.clear();
    job.announce(StackStatus::DeleteComplete, None)?;
    Ok(())
}

/// Tells the change set under execution how it went, and the others what that means for them.
fn change_set_done(job: &mut Job<'_, '_>, how: &str) -> Done {
    let prefix = format!("{}/", job.stack.uuid);
    for mut set in job.cx.tx.list::<ChangeSet>(job.cx.region(), &prefix, None, usize::MAX)? {
        let now = match set.execution.as_str() {
            "EXECUTE_IN_PROGRESS" => how,
            // What it was compared with is no longer the stack's.
            "AVAILABLE" if how == "EXECUTE_COMPLETE" => "OBSOLETE",
            _ => continue,
        };
        now.clone_into(&mut set.execution);
        job.cx.put(&set)?;
    }
    Ok(())
}

/// Whether a row is through with its deletion.
pub fn is_gone(row: &Resource) -> bool {
    matches!(row.status, ResourceStatus::DeleteComplete | ResourceStatus::DeleteSkipped)
}
