//! `Auth.UsagePlan`: a usage plan with an API key, for one API or shared by all of a template.

use super::{Api, reference_to};
use crate::sam::Transform;
use crate::sam::error::Result;
use crate::sam::intrinsics::reference;
use crate::sam::node::{Dict, Node, Text, dict, list};
use crate::sam::resource::Resource;
use crate::sam::schema::a_map;

const SHARED_CONDITION: &str = "SharedUsagePlanCondition";

/// What the shared plan has gathered from the APIs so far.
#[derive(Default)]
pub(crate) struct SharedPlan {
    apis: Vec<Node>,
    plan_stages: Vec<Node>,
    key_stages: Vec<Node>,
    conditions: Vec<Node>,
    unconditional: bool,
    attributes: Option<Dict>,
}

pub(super) fn make(api: &Api<'_>, stage: &Text, state: &mut Transform<'_>) -> Result<Vec<Resource>> {
    const KEYS: [&str; 6] = ["CreateUsagePlan", "Description", "Quota", "Tags", "Throttle", "UsagePlanName"];
    let Some(plan) =
        api.some("Auth").and_then(|auth| auth.get("UsagePlan")).filter(|plan| **plan != Node::Null)
    else {
        return Ok(Vec::new());
    };
    let plan = a_map(api.id, "UsagePlan", plan)?;
    if plan.keys().any(|key| !KEYS.contains(&key.as_str())) {
        return Err(api.fault("Invalid property for 'UsagePlan'"));
    }
    let Some(wanted) = plan.given("CreateUsagePlan").filter(|wanted| wanted.truthy()) else {
        return Err(api.fault("'CreateUsagePlan' is a required field for UsagePlan."));
    };
    let wanted = match wanted.as_str() {
        Some("NONE") => return Ok(Vec::new()),
        Some(wanted @ ("SHARED" | "PER_API")) => wanted,
        _ => {
            return Err(api.fault("'CreateUsagePlan' accepts one of ['SHARED', 'PER_API', 'NONE']."));
        }
    };
    let mut made = Plan {
        plan,
        prefix: api.id.as_str(),
        attributes: api.inherited.clone(),
        apis: vec![api.id.clone().into()],
        plan_stages: vec![dict! { "ApiId" => reference_to(api), "Stage" => reference(stage.clone()) }.into()],
        key_stages: vec![
            dict! { "RestApiId" => reference_to(api), "StageName" => reference(stage.clone()) }.into(),
        ],
    };
    if wanted == "SHARED" {
        share(&mut made, state);
    }
    let resources = made.resources();
    for (name, resource) in ["UsagePlan", "ApiKey", "UsagePlanKey"].into_iter().zip(&resources) {
        state.references.add(api.id, name, &resource.id);
    }
    Ok(resources.into())
}

/// Adds the API to what the shared plan has, and makes the plan of all of it. The plan exists if any API does.
fn share(made: &mut Plan<'_>, state: &mut Transform<'_>) {
    let shared = &mut state.api.plan;
    shared.apis.append(&mut made.apis);
    shared.plan_stages.append(&mut made.plan_stages);
    shared.key_stages.append(&mut made.key_stages);
    match made.attributes.remove("Condition") {
        Some(condition) if !shared.conditions.contains(&condition) => shared.conditions.push(condition),
        Some(_) => {}
        None => shared.unconditional = true,
    }
    let attributes = shared.attributes.get_or_insert_with(Dict::new);
    for (name, value) in made.attributes.iter() {
        // Retained if any API is.
        if !attributes.contains(name) || value.as_str() == Some("Retain") {
            attributes.insert(name, value.clone());
        }
    }
    made.prefix = "Serverless";
    made.apis.clone_from(&shared.apis);
    made.plan_stages.clone_from(&shared.plan_stages);
    made.key_stages.clone_from(&shared.key_stages);
    made.attributes = attributes.clone();
    let conditions = shared.conditions.clone();
    if shared.unconditional {
        state.withdraw(SHARED_CONDITION);
        return;
    }
    if !conditions.is_empty() {
        made.attributes.insert("Condition", SHARED_CONDITION);
    }
    match conditions.as_slice() {
        [] => {}
        // One condition is declared as its bare name, which is AWS's own slip.
        [one] => state.declare(SHARED_CONDITION, one.clone()),
        many => {
            let parts: Vec<Node> =
                many.iter().map(|condition| dict! { "Condition" => condition.clone() }.into()).collect();
            state.declare(SHARED_CONDITION, dict! { "Fn::Or" => parts });
        }
    }
}

struct Plan<'a> {
    plan: &'a Dict,
    prefix: &'a str,
    attributes: Dict,
    apis: Vec<Node>,
    plan_stages: Vec<Node>,
    key_stages: Vec<Node>,
}

impl Plan<'_> {
    fn resources(self) -> [Resource; 3] {
        let id = |suffix: &str| format!("{}{suffix}", self.prefix);
        let mut plan = Resource::new(id("UsagePlan"), "AWS::ApiGateway::UsagePlan", &self.attributes);
        plan.depends_on = Some(self.apis.into());
        plan.set("ApiStages", self.plan_stages);
        plan.pass(self.plan, &["UsagePlanName", "Description", "Quota", "Tags", "Throttle"]);
        let mut key = Resource::new(id("ApiKey"), "AWS::ApiGateway::ApiKey", &self.attributes);
        key.depends_on = Some(list![plan.id.clone()]);
        key.set("Enabled", true);
        key.set("StageKeys", self.key_stages);
        let mut link = Resource::new(id("UsagePlanKey"), "AWS::ApiGateway::UsagePlanKey", &self.attributes);
        link.depends_on = Some(list![key.id.clone()]);
        link.set("KeyId", reference(key.id.clone()));
        link.set("KeyType", "API_KEY");
        link.set("UsagePlanId", reference(plan.id.clone()));
        [plan, key, link]
    }
}
