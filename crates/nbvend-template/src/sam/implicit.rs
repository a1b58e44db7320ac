//! The API nobody wrote: `ServerlessRestApi`, which takes every `Api` event that names no API. Also gives APIs
//! without a document an empty one, and puts the paths of all events into the documents the transform manages.

use super::error::{Result, SamError};
use super::intrinsics::ref_target;
use super::marks::{API, FUNCTION};
use super::node::{Dict, Node, Text, dict};
use super::openapi::{self, Editor};

pub(crate) const IMPLICIT_API: &str = "ServerlessRestApi";
const IMPLICIT_HTTP_API: &str = "ServerlessHttpApi";
/// Marks an API whose document the transform writes. Never leaves the transform.
pub(crate) const MANAGED: &str = "__MANAGE_SWAGGER";
const CONDITION: &str = "ServerlessRestApiCondition";
/// `Fn::Or` takes at most this many.
const MOST_IN_OR: usize = 10;
const NOT_AN_API: &str =
    "RestApiId must be a valid reference to an 'AWS::Serverless::Api' resource in same template.";

/// Who uses an API, path by path: the function's condition, if it has one, for each method.
#[derive(Default)]
struct Uses {
    apis: Vec<(String, Vec<PathUse>)>,
    deletion: Vec<Option<Node>>,
    replacement: Vec<Option<Node>>,
}

struct PathUse {
    path: String,
    methods: Vec<(String, Option<String>)>,
}

impl Uses {
    fn record(&mut self, api: &str, path: &str, method: &str, condition: Option<&Node>) {
        let condition = condition.and_then(Node::as_str).map(str::to_owned);
        let paths = match self.apis.iter().position(|(id, _)| id == api) {
            Some(at) => &mut self.apis[at].1,
            None => {
                self.apis.push((api.to_owned(), Vec::new()));
                &mut self.apis.last_mut().expect("just pushed").1
            }
        };
        let methods = match paths.iter().position(|used| used.path == path) {
            Some(at) => &mut paths[at].methods,
            None => {
                paths.push(PathUse { path: path.to_owned(), methods: Vec::new() });
                &mut paths.last_mut().expect("just pushed").methods
            }
        };
        methods.retain(|(known, _)| known != method);
        methods.push((method.to_owned(), condition));
    }

    fn paths(&self, api: &str) -> &[PathUse] {
        self.apis.iter().find(|(id, _)| id == api).map_or(&[], |(_, paths)| paths)
    }
}

/// Every use's condition, sorted and each once, or nothing if some use has none.
fn conditions<'u>(uses: impl Iterator<Item = &'u PathUse>) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for (_, condition) in uses.flat_map(|used| &used.methods) {
        all.push(condition.clone()?);
    }
    all.sort_unstable();
    all.dedup();
    (!all.is_empty()).then_some(all)
}

/// Gives every API that brings no document an empty one to be managed.
pub(crate) fn default_documents(template: &mut Dict) {
    let Some(Node::Dict(resources)) = template.get_mut("Resources") else { return };
    for resource in resources.values_mut().filter_map(Node::as_dict_mut) {
        if resource.str("Type") != Some(API) {
            continue;
        }
        let properties = resource.entry("Properties", || Dict::py27().into());
        let Some(properties) = properties.as_dict_mut() else { continue };
        let given = |name: &str| properties.get(name).is_some_and(Node::truthy);
        if !given("DefinitionBody") && !given("DefinitionUri") {
            properties.insert("DefinitionBody", openapi::skeleton());
            properties.insert(MANAGED, true);
        }
    }
}

/// Adds the implicit API if any event needs it, and every event's path to its API's document.
pub(crate) fn apply(template: &mut Dict) -> std::result::Result<(), Vec<SamError>> {
    let tags = GlobalTags::of(template);
    let Some(Node::Dict(resources)) = template.get_mut("Resources") else { return Ok(()) };
    let existing = resources.get(IMPLICIT_API).cloned();
    let implicit = dict! {
        "Type" => API,
        "Properties" => dict! {
            "StageName" => "Prod",
            "DefinitionBody" => openapi::skeleton(),
            MANAGED => true,
        },
    };
    resources.insert(IMPLICIT_API, implicit);

    let mut uses = Uses::default();
    let mut errors = Vec::new();
    let ids: Vec<Text> = resources.keys().cloned().collect();
    for id in &ids {
        if resources.get(id).and_then(|resource| resource.get("Type")).and_then(Node::as_str)
            != Some(FUNCTION)
        {
            continue;
        }
        if let Err(error) = take_events(id, resources, &tags, &mut uses) {
            errors.push(error);
        }
    }
    if errors.is_empty() {
        errors.extend(add_conditions(template, &uses).err());
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if let Some(Node::Dict(resources)) = template.get_mut("Resources") {
        settle(resources, existing, &uses);
        // AWS tries an implicit HTTP API too. Its coming and going leaves a mark on the order of the resources,
        // in which the names of functions are hashed.
        if !resources.contains(IMPLICIT_HTTP_API) {
            resources.insert(IMPLICIT_HTTP_API, Node::Null);
            resources.remove(IMPLICIT_HTTP_API);
        }
    }
    Ok(())
}

/// Tags that all functions have, as far as they concern the implicit API.
struct GlobalTags {
    tags: Option<Dict>,
    propagate: bool,
}

impl GlobalTags {
    fn of(template: &Dict) -> Self {
        let function = template.get("Globals").and_then(|globals| globals.get("Function"));
        Self {
            tags: function.and_then(|function| function.get("Tags")).and_then(Node::as_dict).cloned(),
            propagate: function.and_then(|function| function.get("PropagateTags")).is_some_and(Node::truthy),
        }
    }
}

fn take_events(id: &Text, resources: &mut Dict, tags: &GlobalTags, uses: &mut Uses) -> Result<()> {
    let Some(Node::Dict(function)) = resources.get(id) else { return Ok(()) };
    let function = function.clone();
    let Some(events) = function.get("Properties").and_then(|properties| properties.get("Events")) else {
        return Ok(());
    };
    let Some(events) = events.as_dict() else { return Ok(()) };
    // Collected, then visited, then merged back: each step has its own order.
    let mut changed = Dict::py27();
    for (event_id, event) in events.iter() {
        if event.get("Type").and_then(Node::as_str) == Some("Api") {
            changed.insert(event_id, event.clone());
        }
    }
    for (event_id, event) in changed.clone() {
        let event_id = &event_id;
        let mut event = event;
        let Some(properties) = event.as_dict_mut().and_then(|event| event.get_mut("Properties")) else {
            continue;
        };
        if !properties.truthy() {
            continue;
        }
        let fault = |text: &str| SamError::event(id, event_id, text);
        let Some(properties) = properties.as_dict_mut() else {
            return Err(fault("Properties should be a map."));
        };
        if !properties.contains("RestApiId") {
            properties.insert("RestApiId", dict! { "Ref" => IMPLICIT_API });
            take_tags(&function, tags, resources);
        }
        let api = properties.get("RestApiId").and_then(|api| api.as_str().or_else(|| ref_target(api)));
        let Some(api) = api else { return Err(fault("Property 'RestApiId' should be a string.")) };
        let part = |name: &str| match properties.get(name) {
            None => Err(fault(&format!("Property '{name}' is required."))),
            Some(Node::Text(text)) => Ok(text.clone()),
            Some(_) => Err(fault(&format!("Property '{name}' should be a string."))),
        };
        let (path, method) = match (properties.contains("Path"), part("Path"), part("Method")) {
            // A missing path is the schema's to refuse, later.
            (false, ..) => continue,
            (true, path, method) => (path?, method?),
        };
        add_path(id, event_id, api, &path, &method, resources)?;
        uses.record(api, &path, &method, function.given("Condition"));
        if api == IMPLICIT_API {
            uses.deletion.push(function.given("DeletionPolicy").cloned());
            uses.replacement.push(function.given("UpdateReplacePolicy").cloned());
        }
        changed.insert(event_id, event);
    }
    if let Some(Node::Dict(events)) = resources
        .get_mut(id)
        .and_then(Node::as_dict_mut)
        .and_then(|function| function.get_mut("Properties"))
        .and_then(Node::as_dict_mut)
        .and_then(|properties| properties.get_mut("Events"))
    {
        events.update(changed);
    }
    Ok(())
}

/// The implicit API takes over the tags of the functions that propagate theirs.
fn take_tags(function: &Dict, globals: &GlobalTags, resources: &mut Dict) {
    let properties = function.get("Properties");
    let own =
        |name: &str| properties.and_then(|properties| properties.get(name)).filter(|value| value.truthy());
    if own("PropagateTags").is_none() && !globals.propagate {
        return;
    }
    let Some(tags) = own("Tags").and_then(Node::as_dict).or(globals.tags.as_ref()) else { return };
    let Some(api) = properties_mut(resources, IMPLICIT_API) else { return };
    if let Some(known) = api.entry("Tags", || Dict::new().into()).as_dict_mut() {
        known.update(tags.clone());
    }
    api.insert("PropagateTags", true);
}

pub(crate) fn properties_mut<'r>(resources: &'r mut Dict, id: &str) -> Option<&'r mut Dict> {
    resources.get_mut(id)?.as_dict_mut()?.get_mut("Properties")?.as_dict_mut()
}

fn add_path(
    function: &str,
    event: &str,
    api: &str,
    path: &Text,
    method: &Text,
    resources: &mut Dict,
) -> Result<()> {
    let is_api = resources.get(api).and_then(|api| api.get("Type")).and_then(Node::as_str) == Some(API);
    if !is_api {
        return Err(SamError::event(function, event, NOT_AN_API));
    }
    let Some(properties) = properties_mut(resources, api) else { return Ok(()) };
    let body = properties.get("DefinitionBody");
    if !openapi::is_valid(body) || !properties.get(MANAGED).is_some_and(Node::truthy) {
        return Ok(());
    }
    let Some(body) = body.and_then(Node::as_dict) else { return Ok(()) };
    let mut editor = Editor::new(api, body)?;
    editor.add_path(path, method);
    let body = editor.finish();
    properties.insert("DefinitionBody", body);
    Ok(())
}

fn add_conditions(template: &mut Dict, uses: &Uses) -> Result<()> {
    let mut wanted: Vec<(String, Vec<String>)> = Vec::new();
    let implicit = conditions(uses.paths(IMPLICIT_API).iter());
    let mut implicit_condition = None;
    if let Some(all) = implicit {
        implicit_condition = Some(match all.as_slice() {
            [one] => one.clone(),
            _ => {
                wanted.push((CONDITION.to_owned(), all));
                CONDITION.to_owned()
            }
        });
    }
    let Some(Node::Dict(resources)) = template.get_mut("Resources") else { return Ok(()) };
    if let Some(condition) = implicit_condition
        && let Some(Node::Dict(api)) = resources.get_mut(IMPLICIT_API)
    {
        api.insert("Condition", condition);
    }
    let ids: Vec<Text> = resources.keys().cloned().collect();
    for id in &ids {
        let kind = resources.get(id).and_then(|resource| resource.get("Type")).and_then(Node::as_str);
        if kind != Some(API) {
            continue;
        }
        let Some(properties) = properties_mut(resources, id) else { continue };
        let body = properties.get("DefinitionBody");
        if !openapi::is_valid(body) || !properties.get(MANAGED).is_some_and(Node::truthy) {
            continue;
        }
        let Some(body) = body.and_then(Node::as_dict) else { continue };
        let mut editor = Editor::new(id, body)?;
        for path in editor.path_names() {
            let used = uses.paths(id).iter().filter(|used| used.path == path.as_str());
            let Some(all) = conditions(used) else { continue };
            let condition = match all.as_slice() {
                [one] => Text::marked(one.clone()),
                _ => {
                    let name = path_condition(id, &path);
                    wanted.push((name.clone(), all));
                    Text::from(name)
                }
            };
            editor.make_path_conditional(&path, condition);
        }
        let body = editor.finish();
        properties.insert("DefinitionBody", body);
    }
    if !wanted.is_empty() {
        let declared = template.entry("Conditions", || Dict::new().into());
        if let Some(declared) = declared.as_dict_mut() {
            for (name, all) in wanted {
                for (name, condition) in any_of(&name, all) {
                    declared.insert(name, condition);
                }
            }
        }
    }
    Ok(())
}

/// The name of the condition under which a path exists.
fn path_condition(api: &str, path: &str) -> String {
    // Other characters stay, as on AWS, although CloudFormation will not have them in a name.
    let path = path.replace('/', "SLASH").replace('{', "OB").replace('}', "CB");
    format!("{api}{path}PathCondition")
}

/// Conditions that together say "any of these"; more than ten are chained.
fn any_of(name: &str, mut all: Vec<String>) -> Vec<(String, Node)> {
    let mut number = (all.len().saturating_sub(2)) / (MOST_IN_OR - 1);
    let mut made = Vec::new();
    while all.len() > 1 {
        let this = if number > 0 { format!("{name}{number}") } else { name.to_owned() };
        number = number.saturating_sub(1);
        let rest = all.split_off(all.len().min(MOST_IN_OR));
        let parts: Vec<Node> =
            all.into_iter().map(|condition| dict! { "Condition" => condition }.into()).collect();
        made.push((this.clone(), dict! { "Fn::Or" => parts }.into()));
        all = rest;
        all.push(this);
    }
    made
}

/// Drops the implicit API again if nothing uses it, else settles what happens to it on deletion.
fn settle(resources: &mut Dict, existing: Option<Node>, uses: &Uses) {
    let used = properties_mut(resources, IMPLICIT_API)
        .and_then(|api| api.get("DefinitionBody"))
        .and_then(|body| body.get("paths"))
        .is_some_and(Node::truthy);
    if !used {
        match existing {
            Some(existing) => resources.insert(IMPLICIT_API, existing),
            None => {
                resources.remove(IMPLICIT_API);
            }
        }
        return;
    }
    let Some(Node::Dict(api)) = resources.get_mut(IMPLICIT_API) else { return };
    for (name, policies) in [("DeletionPolicy", &uses.deletion), ("UpdateReplacePolicy", &uses.replacement)] {
        let said = |policy: &str| policies.iter().flatten().any(|said| said.as_str() == Some(policy));
        if let Some(policy) = ["Retain", "Delete"].into_iter().find(|policy| said(policy)) {
            api.insert(name, policy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_conditions_are_chained() {
        let all: Vec<String> = (0..12).map(|i| format!("C{i:02}")).collect();
        let made = any_of("Any", all);
        let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Any1", "Any"]);
        assert_eq!(
            made[1].1.to_json(),
            serde_json::json!({"Fn::Or": [{"Condition": "C10"}, {"Condition": "C11"}, {"Condition": "Any1"}]})
        );
    }

    #[test]
    fn path_conditions_spell_out_slashes_and_braces() {
        assert_eq!(path_condition("Api", "/a/{b}"), "ApiSLASHaSLASHOBbCBPathCondition");
    }
}
