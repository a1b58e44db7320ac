//! The first step of an operation: the stack's role, the exports it needs, a clean slate for what failed before.

use nbvend_wire::timestamp::Timestamp;

use super::super::export;
use super::super::state::{Before, OperationKind, Resource, StackStatus, Stage};
use super::job::Job;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::services::sts::assume_role::AssumeRole;

/// A session is renewed when less than this is left of it.
const MARGIN_MS: i64 = 5 * 60_000;

/// `fault` is why the version cannot be worked on at all.
pub fn begin(job: &mut Job<'_, '_>, fault: Option<String>) -> Result<(), EngineError> {
    let mut trouble = fault;
    if let Err(reason) = assume(job)? {
        trouble.get_or_insert(reason);
    }
    let forward = matches!(job.stack.status, StackStatus::CreateInProgress | StackStatus::UpdateInProgress);
    if !job.operation().begun {
        job.moves += 1;
        job.operation().begun = true;
        if forward || job.stack.status == StackStatus::DeleteInProgress {
            job.stack.failure = None;
        }
        for row in job.rows.values_mut().filter(|row| matches!(row.stage, Stage::Failed(_))) {
            row.stage = Stage::Idle;
            row.at = None;
        }
        match job.stack.status {
            StackStatus::DeleteInProgress | StackStatus::RollbackInProgress => gather(job),
            _ => {}
        }
        if forward && trouble.is_none() {
            trouble = imports(job)?;
        }
    }
    if forward && trouble.is_none() && job.operation().deadline.is_some_and(|time| time <= job.cx.now()) {
        trouble = Some("Stack creation time exceeded the specified timeout".to_owned());
    }
    if let Some(reason) = trouble {
        job.operation().abort.get_or_insert(reason);
    }
    Ok(())
}

/// What updates that were never finished replaced goes too: nothing will take it up again.
fn gather(job: &mut Job<'_, '_>) {
    let replaced: Vec<Resource> = job.rows.values().filter(|row| row.before.is_some()).cloned().collect();
    for mut row in replaced {
        let before = row.before.take();
        if std::mem::take(&mut row.replaced)
            && let Some(before) = before
        {
            let replace_policy = before.deletion_policy.clone();
            job.leave(&row, Before { replace_policy, ..before });
        }
        job.put(row);
    }
}

/// Takes the stack's role, or renews its session. The inner error is AWS's reason why not.
fn assume(job: &mut Job<'_, '_>) -> Result<Result<(), String>, EngineError> {
    let Some(role_arn) = job.stack.role_arn.clone() else { return Ok(Ok(())) };
    let now = job.cx.now();
    let operation = job.operation();
    if operation.acting.is_some() && operation.acting_until.is_some_and(|until| until.0 - MARGIN_MS > now.0) {
        return Ok(Ok(()));
    }
    let asker = operation.caller.clone();
    let service = Caller::service("cloudformation.amazonaws.com", job.cx.region());
    let assume = AssumeRole {
        role_arn: role_arn.clone(),
        role_session_name: "AWSCloudFormation".to_owned(),
        ..AssumeRole::default()
    };
    let refused = format!("Role {role_arn} is invalid or cannot be assumed");
    let Ok(answer) = job.cx.call_as(service, assume) else { return Ok(Err(refused)) };
    let Some(principal) = answer.assumed_role_user.principal else { return Ok(Err(refused)) };
    let key = answer.credentials.access_key_id;
    let acting = asker.acting_as(principal, Some(key), Some(now)).through("cloudformation.amazonaws.com");
    let acting = Caller { region: job.cx.region().to_owned(), ..acting };
    job.cx.caller = acting.clone();
    let until = Timestamp(answer.credentials.expiration.0);
    let operation = job.operation();
    operation.acting = Some(acting);
    operation.acting_until = Some(until);
    job.moves += 1;
    Ok(Ok(()))
}

/// Holds the exports that the version imports; they cannot go or change from here on.
fn imports(job: &mut Job<'_, '_>) -> Result<Option<String>, EngineError> {
    if job.operation().kind == OperationKind::Delete {
        return Ok(None);
    }
    let names = match job.the_plan().imports() {
        Ok(names) => names,
        Err(error) => return Ok(Some(error.message)),
    };
    Ok(export::hold_imports(job.cx, &job.stack, &names)?.err())
}
