//! Step 5: who calls, and whether the method lets them. An open method asks the API's own policy alone; an `AWS_IAM`
//! method wants a signature, and then the API's policy or IAM must allow and neither may deny (developer guide, "How
//! resource policies affect authorization workflow": same account).

use std::borrow::Cow;

use bytes::Bytes;
use nbvend_policy::{Effect, Policies, Request, evaluate};
use nbvend_wire::arn::Arn;
use nbvend_wire::error::WireError;
use nbvend_wire::model::ProtocolKind;
use nbvend_wire::sigv4;
use serde_json::json;

use super::compiled::Compiled;
use super::exchange::Exchange;
use super::refusal::Refusal;
use super::routes::Route;
use crate::Engine;
use crate::context::{ContextKeys, Cx};
use crate::door::{self, DataCall};
use crate::identity::Caller;
use crate::services::apigateway::state::Authorization;
use crate::services::iam::subject::{global_context, subject};

const ACTION: &str = "execute-api:Invoke";

/// The caller, if the method lets it.
pub fn authorise(
    engine: &Engine,
    exchange: &Exchange,
    stage: &Compiled,
    route: &Route,
    body: &Bytes,
) -> Result<Caller, Refusal> {
    let authorization = route.method.authorization;
    let mut caller = match authorization {
        Authorization::Iam => signed(engine, exchange, stage, body)?,
        Authorization::Open => {
            let agent = exchange.header("user-agent").unwrap_or_default();
            door::anonymous(&stage.region, &exchange.peer, agent, &exchange.request_id)
        }
    };
    caller.request_id.clone_from(&exchange.request_id);
    if authorization == Authorization::Open && stage.policy.is_none() {
        return Ok(caller);
    }
    let decided = engine.view(caller.clone(), |cx| Ok(decide(cx, exchange, stage, route)));
    match decided {
        Ok(Ok(())) => Ok(caller),
        Ok(Err(error)) if error.status >= 500 => Err(Refusal::internal()),
        Ok(Err(error)) => Err(Refusal::denied(&masked(&error.message, stage, &exchange.account))),
        Err(error) => {
            tracing::error!(%error, "an authorisation could not be decided");
            Err(Refusal::internal())
        }
    }
}

/// Verifies the signature; it must be made for this API's region and for `execute-api`.
fn signed(engine: &Engine, exchange: &Exchange, stage: &Compiled, body: &Bytes) -> Result<Caller, Refusal> {
    let parts = &exchange.parts;
    let refuse = |error| Refusal::signature(&sigv4::in_protocol(error, ProtocolKind::RestJson));
    let query = parts.uri.query().unwrap_or_default();
    let parsed =
        sigv4::parse(parts.method.as_str(), parts.uri.path(), query, &parts.headers).map_err(refuse)?;
    let Some(signature) = parsed else { return Err(Refusal::unsigned()) };
    let wrong = |text: String| refuse(WireError::new("SignatureDoesNotMatch", 403, text));
    if signature.service != "execute-api" {
        return Err(wrong("Credential should be scoped to correct service: 'execute-api'. ".to_owned()));
    }
    if signature.region != stage.region {
        return Err(wrong(format!(
            "Credential should be scoped to a valid region, not '{}'. ",
            signature.region
        )));
    }
    let body_sha256 = sigv4::sha256_hex(body);
    door::authenticate(engine, parts, &body_sha256, Some("execute-api"), &exchange.peer).map_err(refuse)
}

fn decide(cx: &Cx<'_>, exchange: &Exchange, stage: &Compiled, route: &Route) -> Result<(), WireError> {
    let verb = exchange.parts.method.as_str();
    let resource = format!("{}/{}/{verb}/{}", stage.api, stage.name, route.policy_path);
    let resource = Arn::new("execute-api", &stage.region, cx.account(), resource).to_string();
    let call = DataCall {
        service: "execute-api",
        operation: "Invoke",
        action: ACTION,
        resources: std::slice::from_ref(&resource),
        context: &ContextKeys::new(),
        policy: stage.policy.as_ref(),
        read_only: matches!(verb, "GET" | "HEAD" | "OPTIONS"),
        input: json!({"httpMethod": verb, "path": exchange.address.as_ref().map(|address| &address.full_path)}),
    };
    let by_policy = stage.policy.as_ref().map(|policy| {
        let principal = subject(&cx.caller.principal, cx.account());
        let context = global_context(cx);
        let request = Request {
            principal: &principal,
            action: ACTION,
            resource: &resource,
            resource_account: None,
            context: &context,
        };
        let policies = Policies { resource: Some(("the API's policy", policy)), ..Policies::default() };
        evaluate(&request, &policies).effect
    });
    let refused = |why: &str| {
        let who = cx.caller.principal.arn(cx.account());
        let text = format!("User: {who} is not authorized to perform: {ACTION} on resource: {resource}{why}");
        door::denied(cx, &call, WireError::new("AccessDeniedException", 403, text))
    };
    match (by_policy, route.method.authorization) {
        (Some(Effect::ExplicitDeny), _) => Err(refused(" with an explicit deny")),
        (Some(Effect::ImplicitDeny), Authorization::Open) => Err(refused("")),
        (None | Some(Effect::Allowed), Authorization::Open) => Ok(()),
        // Both are asked at once: either may allow, either may deny.
        (_, Authorization::Iam) => door::permit(cx, &call),
    }
}

/// AWS shows the last four digits of the account alone, in the resource.
fn masked<'a>(message: &'a str, stage: &Compiled, account: &str) -> Cow<'a, str> {
    let open = format!(":execute-api:{}:{account}:", stage.region);
    let last = account.get(account.len().saturating_sub(4)..).unwrap_or_default();
    let hidden = format!(":execute-api:{}:********{last}:", stage.region);
    if message.contains(&open) { Cow::Owned(message.replace(&open, &hidden)) } else { Cow::Borrowed(message) }
}
