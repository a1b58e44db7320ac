//! The policy simulator: `SimulateCustomPolicy` and `SimulatePrincipalPolicy`.
//!
//! The engine's own evaluation answers, with nothing in the context but what the caller gives. There is one result an
//! action and resource; `ResourceHandlingOption`, which is about EC2, is not served.

use std::collections::BTreeMap;

use nbvend_policy::{
    Context, Decision, Effect, Kind as PolicyKind, Layer, Place, Policy, Principal, Request,
};
use serde::{Deserialize, Serialize};

use super::effective::{self, Effective, Held};
use super::entity::find;
use super::error::Error;
use super::page::{self, Ask};
use super::state::{Group, Role, User};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ContextEntry {
    pub context_key_name: String,
    #[serde(default)]
    pub context_key_values: Vec<String>,
    /// Said by the caller; what decides is the operator that reads the values.
    pub context_key_type: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct SimulateCustomPolicy {
    pub policy_input_list: Vec<String>,
    pub permissions_boundary_policy_input_list: Vec<String>,
    pub action_names: Vec<String>,
    pub resource_arns: Vec<String>,
    pub resource_policy: Option<String>,
    pub resource_owner: Option<String>,
    pub caller_arn: Option<String>,
    pub context_entries: Vec<ContextEntry>,
    pub max_items: Option<i64>,
    pub marker: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct SimulatePrincipalPolicy {
    pub policy_source_arn: String,
    pub policy_input_list: Vec<String>,
    pub permissions_boundary_policy_input_list: Vec<String>,
    pub action_names: Vec<String>,
    pub resource_arns: Vec<String>,
    pub resource_policy: Option<String>,
    pub resource_owner: Option<String>,
    pub caller_arn: Option<String>,
    pub context_entries: Vec<ContextEntry>,
    pub max_items: Option<i64>,
    pub marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SimulateOutput {
    pub evaluation_results: Vec<EvaluationResult>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EvaluationResult {
    pub eval_action_name: String,
    pub eval_resource_name: String,
    pub eval_decision: &'static str,
    pub matched_statements: Vec<MatchedStatement>,
    pub missing_context_values: Vec<String>,
    pub permissions_boundary_decision_detail: Option<BoundaryDetail>,
    pub eval_decision_details: BTreeMap<String, String>,
    /// For resources that were named: the one this result is about.
    pub resource_specific_results: Vec<ResourceResult>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceResult {
    pub eval_resource_name: String,
    pub eval_resource_decision: &'static str,
    pub matched_statements: Vec<MatchedStatement>,
    pub missing_context_values: Vec<String>,
    pub permissions_boundary_decision_detail: Option<BoundaryDetail>,
    pub eval_decision_details: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MatchedStatement {
    pub source_policy_id: String,
    /// Not the model's words, but what AWS answers: seen in many published outputs.
    pub source_policy_type: &'static str,
    pub start_position: Position,
    pub end_position: Position,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BoundaryDetail {
    pub allowed_by_permissions_boundary: bool,
}

impl Operation for SimulateCustomPolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "SimulateCustomPolicy";
    const KIND: Kind = Kind::Read;
    type Output = SimulateOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<SimulateOutput, Error> {
        simulate(cx, &self, Held::default(), self.caller_arn.as_deref())
    }
}

impl Operation for SimulatePrincipalPolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "SimulatePrincipalPolicy";
    const KIND: Kind = Kind::Read;
    type Output = SimulateOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_source_arn.clone()]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<SimulateOutput, Error> {
        let held = held_by(cx, &self.policy_source_arn)?;
        // A group calls nobody; users and roles are their own callers unless another is named.
        let own = (!self.policy_source_arn.contains(":group/")).then(|| self.policy_source_arn.clone());
        let caller_arn = self.caller_arn.or(own);
        let input = SimulateCustomPolicy {
            policy_input_list: self.policy_input_list,
            permissions_boundary_policy_input_list: self.permissions_boundary_policy_input_list,
            action_names: self.action_names,
            resource_arns: self.resource_arns,
            resource_policy: self.resource_policy,
            resource_owner: self.resource_owner,
            caller_arn: None,
            context_entries: self.context_entries,
            max_items: self.max_items,
            marker: self.marker,
        };
        simulate(cx, &input, held, caller_arn.as_deref())
    }
}

/// The policies of the user, group or role of an ARN.
pub fn held_by(cx: &Cx<'_>, arn: &str) -> Result<Held, Error> {
    let tail = arn.strip_prefix(&cx.iam_arn("")).unwrap_or_default();
    let name = tail.rsplit('/').next().unwrap_or_default();
    match tail.split('/').next() {
        Some("user") => Ok(effective::of_user(cx, &find::<User>(cx, name)?)?),
        Some("role") => Ok(effective::of_role(cx, &find::<Role>(cx, name)?)?),
        Some("group") => Ok(effective::of_group(cx, &find::<Group>(cx, name)?)?),
        _ => Err(Error::InvalidInput(format!(
            "Invalid Entity Arn: {arn} does not clearly define entity type and name."
        ))),
    }
}

fn simulate(
    cx: &Cx<'_>,
    input: &SimulateCustomPolicy,
    mut held: Held,
    caller_arn: Option<&str>,
) -> Result<SimulateOutput, Error> {
    for (at, text) in input.policy_input_list.iter().enumerate() {
        held.identity.push((format!("PolicyInputList.{}", at + 1), policy(text, PolicyKind::Identity)?));
    }
    match input.permissions_boundary_policy_input_list.as_slice() {
        [] => {}
        [text] => {
            let name = "PermissionsBoundaryPolicyInputList.1".to_owned();
            held.boundary = Some((name, policy(text, PolicyKind::Boundary)?));
        }
        _ => return Err(Error::InvalidInput("Only one permissions boundary can be given.".to_owned())),
    }
    let bounded = held.boundary.is_some();
    if input.resource_policy.is_some() && caller_arn.is_none() {
        return Err(Error::InvalidInput("CallerArn must be given with a resource policy.".to_owned()));
    }
    let principal = principal(cx, caller_arn)?;
    let resource_policy = match &input.resource_policy {
        Some(text) => Some(policy(text, PolicyKind::Resource)?),
        None => None,
    };
    let resource_account = input.resource_owner.as_deref().map(account_of);
    let mut context = Context::new();
    for entry in &input.context_entries {
        context.set(&entry.context_key_name, entry.context_key_values.iter().cloned());
    }
    let everywhere = ["*".to_owned()];
    let resources = if input.resource_arns.is_empty() { &everywhere[..] } else { &input.resource_arns };
    let pairs: Vec<(usize, &String, &String)> = input
        .action_names
        .iter()
        .flat_map(|action| resources.iter().map(move |resource| (action, resource)))
        .enumerate()
        .map(|(at, (action, resource))| (at, action, resource))
        .collect();
    let ask = Ask { marker: &input.marker, max_items: input.max_items };
    let page = page::slice(pairs, ask, |(at, ..)| format!("{at:06}"))?;
    let policies = Effective::of(held);
    let truncated = page.truncated();
    let mut evaluation_results = Vec::with_capacity(page.items.len());
    for (_, action, resource) in page.items {
        let request =
            Request { principal: &principal, action, resource, resource_account, context: &context };
        let named = resource_policy.as_ref().map(|policy| ("ResourcePolicy", policy));
        let decision = policies.decide(&request, named);
        let named = !input.resource_arns.is_empty();
        evaluation_results.push(result(action, resource, &decision, bounded, named));
    }
    Ok(SimulateOutput { evaluation_results, is_truncated: truncated, marker: page.marker })
}

/// A policy that was given in the request.
pub fn policy(text: &str, kind: PolicyKind) -> Result<Policy, Error> {
    Policy::parse(text, kind).map_err(|fault| Error::InvalidInput(fault.message))
}

/// Who is simulated. Without a resource policy it does not matter who asks.
fn principal(cx: &Cx<'_>, arn: Option<&str>) -> Result<Principal, Error> {
    let Some(arn) = arn else {
        return Ok(Principal::User { arn: cx.iam_arn("user/simulated"), account: cx.account().to_owned() });
    };
    let account = account_of(arn).to_owned();
    let bad = || Error::InvalidInput(format!("Invalid CallerArn: {arn}"));
    let parsed: nbvend_wire::Arn = arn.parse().map_err(|_| bad())?;
    match (parsed.service.as_str(), parsed.resource_parts()) {
        ("iam", ("", "root")) => Ok(Principal::Root { account }),
        ("iam", ("user", _)) => Ok(Principal::User { arn: arn.to_owned(), account }),
        ("iam", ("role", name)) => {
            let session = name.rsplit('/').next().unwrap_or_default();
            let session_arn = format!("arn:aws:sts::{account}:assumed-role/{session}/simulated");
            Ok(Principal::AssumedRole { role_arn: arn.to_owned(), session_arn, account })
        }
        ("sts", ("assumed-role", rest)) => {
            let role = rest.split('/').next().unwrap_or_default();
            let role_arn = format!("arn:aws:iam::{account}:role/{role}");
            Ok(Principal::AssumedRole { role_arn, session_arn: arn.to_owned(), account })
        }
        _ => Err(bad()),
    }
}

/// The account of an ARN, or the text itself where it is an account.
fn account_of(text: &str) -> &str {
    text.split(':').nth(4).unwrap_or(text)
}

fn result(action: &str, resource: &str, decision: &Decision, bounded: bool, named: bool) -> EvaluationResult {
    let by_boundary = || decision.matched.iter().filter(|statement| statement.layer == Layer::Boundary);
    let allows = by_boundary().any(|statement| statement.effect == nbvend_policy::StatementEffect::Allow);
    let denies = by_boundary().any(|statement| statement.effect == nbvend_policy::StatementEffect::Deny);
    let matched_statements = decision.matched.iter().map(|statement| MatchedStatement {
        // Managed policies go by their names here.
        source_policy_id: statement.policy.rsplit('/').next().unwrap_or_default().to_owned(),
        source_policy_type: match statement.layer {
            Layer::Resource | Layer::Trust => "Resource Policy",
            Layer::Boundary => "Permissions Boundary Policy",
            Layer::Identity | Layer::Session => "IAM Policy",
        },
        start_position: position(statement.start),
        end_position: position(statement.end),
    });
    let one = ResourceResult {
        eval_resource_name: resource.to_owned(),
        eval_resource_decision: match decision.effect {
            Effect::Allowed => "allowed",
            Effect::ExplicitDeny => "explicitDeny",
            Effect::ImplicitDeny => "implicitDeny",
        },
        matched_statements: matched_statements.collect(),
        missing_context_values: decision.missing_context_keys.clone(),
        permissions_boundary_decision_detail: bounded
            .then_some(BoundaryDetail { allowed_by_permissions_boundary: allows && !denies }),
        eval_decision_details: BTreeMap::new(),
    };
    EvaluationResult {
        eval_action_name: action.to_owned(),
        eval_resource_name: one.eval_resource_name.clone(),
        eval_decision: one.eval_resource_decision,
        matched_statements: one.matched_statements.clone(),
        missing_context_values: one.missing_context_values.clone(),
        permissions_boundary_decision_detail: one.permissions_boundary_decision_detail.clone(),
        eval_decision_details: BTreeMap::new(),
        resource_specific_results: if named { vec![one] } else { Vec::new() },
    }
}

fn position(place: Place) -> Position {
    Position { line: place.line, column: place.column }
}
