//! Step 4: whether the caller may. IAM is asked for the operation's action on each of its resources, and for every
//! further permission the call needs (a role handed over, tags put on what is made). No is the default.
//!
//! Asked are the caller's own policies with its boundary and session policies, and the policy of the resource, if its
//! service has such policies. What IAM is not asked about stands in [`exceptions`](super::exceptions), with reasons.

use nbvend_policy::{Context, Policy, Request};
use nbvend_wire::error::WireError;

use super::{exceptions, tagging};
use crate::context::{ContextKeys, Cx};
use crate::error::EngineError;
use crate::identity::Principal;
use crate::operation::{Need, Operation, Waiting};
use crate::services;
use crate::services::iam::effective::{Effective, resource_policy};
use crate::services::iam::subject::{global_context, subject};
use crate::trail::denial::Denial;

/// What is asked of IAM.
pub(super) struct Question<'a> {
    /// The service's id: `sagemaker`.
    pub service: &'a str,
    /// `sagemaker:StopNotebookInstance`.
    pub action: &'a str,
    pub resources: &'a [String],
    pub context: &'a ContextKeys,
    /// The policy that stands on the resources, where the caller of this function found it.
    pub policy: Option<&'a Policy>,
    pub needs: &'a [Need],
}

/// A question with everything it refers to.
pub(super) struct Asked {
    service: &'static str,
    action: String,
    pub resources: Vec<String>,
    context: ContextKeys,
    needs: Vec<Need>,
}

impl Asked {
    pub fn of<O: Operation>(operation: &O, cx: &Cx<'_>) -> Self {
        let mut context = ContextKeys::new();
        operation.context(cx, &mut context);
        Self {
            service: O::SERVICE,
            action: action(O::SERVICE, O::NAME, operation.action()),
            resources: operation.resources(cx),
            context,
            needs: operation.needs(cx),
        }
    }

    pub fn of_waiting<O: Waiting>(operation: &O, cx: &Cx<'_>) -> Self {
        let mut context = ContextKeys::new();
        operation.context(cx, &mut context);
        Self {
            service: O::SERVICE,
            action: action(O::SERVICE, O::NAME, O::ACTION),
            resources: operation.resources(cx),
            context,
            needs: Vec::new(),
        }
    }

    pub fn authorise(&self, cx: &Cx<'_>) -> Result<(), WireError> {
        authorise(
            cx,
            &Question {
                service: self.service,
                action: &self.action,
                resources: &self.resources,
                context: &self.context,
                policy: None,
                needs: &self.needs,
            },
        )
    }
}

fn action(service: &str, name: &str, stated: Option<&'static str>) -> String {
    match stated {
        Some(action) => action.to_owned(),
        None => format!("{}:{name}", services::find(service).map_or(service, |s| s.action_prefix)),
    }
}

/// Allows the call or says AWS's sentence for why not.
pub(super) fn authorise(cx: &Cx<'_>, question: &Question<'_>) -> Result<(), WireError> {
    let who = &cx.caller.principal;
    if let Some(refusal) = exceptions::out_of_reach(&cx.caller, question.action) {
        return Err(refusal);
    }
    if exceptions::stands(who, question.action) {
        return Ok(());
    }
    let effective = Effective::of_caller(cx).map_err(|error| failed(&error))?;
    let principal = subject(who, cx.account());
    let mut surroundings = global_context(cx);
    for (key, value) in effective.principal_tags() {
        surroundings.set_one(&format!("aws:PrincipalTag/{key}"), value);
    }
    let ask = |service: &str, action: &str, resource: &str, context: &Context| {
        tracing::trace!(principal = %principal.arn(), action, resource, "authorise");
        let request = Request { principal: &principal, action, resource, resource_account: None, context };
        let policy = match question.policy {
            Some(policy) => Some(policy.clone()),
            None => resource_policy(cx, service, resource).map_err(|error| failed(&error))?,
        };
        let decision = effective.decide(&request, policy.as_ref().map(|policy| (resource, policy)));
        if decision.is_allowed() {
            return Ok(());
        }
        cx.denial.replace(Some(Denial::of(&decision, &request)));
        Err(denied(service, who, resource, decision.denial_message(&request)))
    };
    let context = with(&surroundings, question.context);
    let everything = ["*".to_owned()];
    let resources = if question.resources.is_empty() { &everything } else { question.resources };
    for resource in resources {
        ask(question.service, question.action, resource, &context)?;
        if let Some(need) = tagging::need(question.action, resource, question.context) {
            ask(question.service, need.action, resource, &context)?;
        }
    }
    for need in question.needs {
        ask(question.service, need.action, &need.resource, &with(&surroundings, &need.context))?;
    }
    Ok(())
}

fn with(surroundings: &Context, keys: &ContextKeys) -> Context {
    let mut context = surroundings.clone();
    for (key, values) in keys {
        context.set(key, values);
    }
    context
}

/// The denial in the service's own form: the query services and S3 say `AccessDenied`, the others
/// `AccessDeniedException`, which is status 400 in the JSON protocols.
fn denied(service: &str, who: &Principal, resource: &str, message: String) -> WireError {
    match service {
        "s3" if *who == Principal::Anonymous => WireError::new("AccessDenied", 403, "Access Denied"),
        // S3 alone quotes the resource.
        "s3" => {
            let quoted = message.replacen(
                &format!("on resource: {resource}"),
                &format!("on resource: \"{resource}\""),
                1,
            );
            WireError::new("AccessDenied", 403, quoted)
        }
        "cloudformation" | "iam" | "sts" => WireError::new("AccessDenied", 403, message),
        "lambda" | "apigateway" | "execute-api" => WireError::new("AccessDeniedException", 403, message),
        _ => WireError::new("AccessDeniedException", 400, message),
    }
}

/// Policies that cannot be read let nobody through.
fn failed(error: &EngineError) -> WireError {
    tracing::error!(%error, "the policies of a caller could not be read");
    WireError::new("InternalFailure", 500, "The request processing has failed because of an unknown error.")
}
