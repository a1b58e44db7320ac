//! The event of every transition, in the shape of a recorded one: names as AWS has them, times in milliseconds, tags as
//! a map.

use serde_json::json;

use super::WATCH;
use super::state::{Notebook, Status};
use crate::context::Cx;
use crate::outbox::Event;
use crate::services::cloudformation::STACKS;
use crate::store::StoreError;

/// Writes a notebook whose status changed, and the event that says so.
pub fn changed(cx: &Cx<'_>, notebook: &mut Notebook) -> Result<(), StoreError> {
    notebook.modified = cx.now();
    cx.put(notebook)?;
    if notebook.status == Status::InService {
        cx.wake(WATCH);
    }
    if !notebook.status.on_its_way() {
        // A stack may be waiting for just this.
        cx.wake(STACKS);
    }
    tell(cx, notebook)
}

/// The event alone: for a notebook that is gone.
pub fn tell(cx: &Cx<'_>, notebook: &Notebook) -> Result<(), StoreError> {
    let mut detail = json!({
        "NotebookInstanceArn": notebook.arn,
        "NotebookInstanceName": notebook.name,
        "NotebookInstanceStatus": notebook.status.name(),
        "InstanceType": notebook.instance_type,
        "RoleArn": notebook.role_arn,
        "LastModifiedTime": notebook.modified.0,
        "CreationTime": notebook.created.0,
        "DirectInternetAccess": notebook.direct_internet_access,
        "Tags": notebook.tags,
    });
    if let Some(reason) = &notebook.failure_reason {
        detail["FailureReason"] = json!(reason);
    }
    if let Some(config) = &notebook.lifecycle_config {
        detail["NotebookInstanceLifecycleConfigName"] = json!(config);
    }
    cx.emit(&Event {
        source: "aws.sagemaker".to_owned(),
        detail_type: "SageMaker Notebook Instance State Change".to_owned(),
        resources: vec![notebook.arn.clone()],
        detail,
    })
}
