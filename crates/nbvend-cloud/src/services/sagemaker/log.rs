//! What lifecycle scripts write goes to CloudWatch Logs, group `/aws/sagemaker/NotebookInstances`, stream
//! `<notebook>/<hook>`: as AWS does, with the execution role's rights.

use super::reconcile::Logs;
use super::state::Notebook;
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::services::logs::write::{CreateLogGroup, CreateLogStream, InputLogEvent, PutLogEvents};
use crate::services::sts::assume_role::AssumeRole;

const GROUP: &str = "/aws/sagemaker/NotebookInstances";

/// Writes the logs. A role that may not leaves no logs, and that is all.
pub(super) async fn write(engine: &Engine, region: &str, notebook: &Notebook, logs: Logs<'_>) {
    if logs.iter().all(|log| log.lines.is_empty()) {
        return;
    }
    let sagemaker = Caller::service(super::PRINCIPAL, region);
    let (notebook, logs) = (notebook.clone(), logs.to_vec());
    let written = engine.transact(sagemaker.clone(), move |cx| {
        let role = assume(cx, &notebook, &sagemaker)?;
        // The group may be there already, and so may the stream of an earlier start.
        let _ = cx
            .call_as(role.clone(), CreateLogGroup { log_group_name: GROUP.to_owned(), ..Default::default() });
        for log in logs.iter().filter(|log| !log.lines.is_empty()) {
            let stream = format!("{}/{}", notebook.name, log.hook);
            let make = CreateLogStream { log_group_name: GROUP.to_owned(), log_stream_name: stream.clone() };
            let _ = cx.call_as(role.clone(), make);
            let now = cx.now();
            let events = log.lines.iter().map(|line| InputLogEvent { timestamp: now, message: line.clone() });
            let put = PutLogEvents {
                log_group_name: GROUP.to_owned(),
                log_stream_name: stream,
                log_events: events.collect(),
                ..Default::default()
            };
            cx.call_as(role.clone(), put)?;
        }
        Ok(())
    });
    if let Err(error) = written.await {
        tracing::info!(%error, "lifecycle logs were not written");
    }
}

fn assume(cx: &mut Cx<'_>, notebook: &Notebook, sagemaker: &Caller) -> Result<Caller, EngineError> {
    let input = AssumeRole {
        role_arn: notebook.role_arn.clone(),
        role_session_name: "SageMaker".to_owned(),
        duration_seconds: Some(900),
        ..Default::default()
    };
    let session = cx.call_as(sagemaker.clone(), input)?;
    let principal = session.assumed_role_user.principal.unwrap_or_else(|| sagemaker.principal.clone());
    Ok(sagemaker.acting_as(principal, Some(session.credentials.access_key_id), Some(cx.now())))
}
