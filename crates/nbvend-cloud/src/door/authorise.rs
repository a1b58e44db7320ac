//! Step 4: whether the caller may. Every operation names its action, its resources and its condition keys here.
//!
//! Today the door tells somebody from nobody: a principal that was authenticated, or a service acting for one, may; an
//! anonymous caller may not. Evaluating IAM policies is the next step of the road map and takes the place of [`decide`];
//! what it needs is already handed to it.

use nbvend_wire::error::WireError;

use crate::context::{ContextKeys, Cx};
use crate::identity::Principal;

/// What is asked of IAM.
pub(super) struct Question<'a> {
    /// `sagemaker:StopNotebookInstance`.
    pub action: &'a str,
    pub resources: &'a [String],
    pub context: &'a ContextKeys,
}

/// Allows the call or says AWS's sentence for why not.
pub(super) fn authorise(cx: &Cx<'_>, question: &Question<'_>) -> Result<(), WireError> {
    tracing::trace!(action = question.action, resources = ?question.resources, context = ?question.context, "authorise");
    if decide(cx) {
        return Ok(());
    }
    let who = cx.caller.principal.arn(cx.account());
    let what = question.action;
    let on = question.resources.first().map_or("*", String::as_str);
    let text = format!("User: {who} is not authorized to perform: {what} on resource: {on}");
    Err(WireError::new("AccessDeniedException", 403, text))
}

fn decide(cx: &Cx<'_>) -> bool {
    cx.caller.principal != Principal::Anonymous
}
