//! `Api` events: a method of a REST API. Gives the API leave to invoke the function, and writes the method into
//! the API's document if that is the transform's to write.

use super::Event;
use crate::sam::Transform;
use crate::sam::error::Result;
use crate::sam::globals::GLOBAL_AUTH;
use crate::sam::implicit::{self, MANAGED};
use crate::sam::intrinsics::ref_target;
use crate::sam::node::{Dict, Node, Text, dict, list, ordered};
use crate::sam::openapi::{Editor, Integration, Parameter};
use crate::sam::resource::Resource;
use crate::sam::schema::{Kind, Property, optional, required};

pub(super) const PROPERTIES: &[Property] = &[
    required("Path", Kind::Text),
    required("Method", Kind::Text),
    optional("RestApiId", Kind::Text),
    optional("Stage", Kind::Text),
    optional("Auth", Kind::Map),
    optional("RequestModel", Kind::Map),
    optional("RequestParameters", Kind::Any),
    optional("TimeoutInMillis", Kind::Any),
    optional("ResponseTransferMode", Kind::Any),
];

pub(super) fn make(event: &Event<'_>, state: &mut Transform<'_>) -> Result<Vec<Resource>> {
    let text = |name: &str| {
        event
            .given(name)
            .and_then(Node::as_text)
            .cloned()
            .ok_or_else(|| event.fault(format!("Property '{name}' should be a string.")))
    };
    let (path, method) = (text("Path")?, text("Method")?);
    let method = method.like(method.to_lowercase());
    let rest_api = event.given("RestApiId").cloned().unwrap_or(Node::Null);
    let Some(api_id) = rest_api.as_str().or_else(|| ref_target(&rest_api)).map(str::to_owned) else {
        return Err(event.fault("Property 'RestApiId' should be a string."));
    };
    let Some(api) =
        implicit::properties_mut(&mut state.resources, &api_id).filter(|api| api.contains("StageName"))
    else {
        return Err(event
            .fault("RestApiId property of Api event must reference a valid resource in the same template."));
    };
    let api = api.clone();
    // A stage whose name is not known yet goes by this one.
    let stage = api.get("StageName").and_then(Node::as_text).cloned().unwrap_or_else(|| "Stage".into());
    let permission = event.permission(
        "apigateway.amazonaws.com",
        Some(source_arn(state.cx.partition(), &path, &method, rest_api)),
        &stage,
    );

    let managed = api.get(MANAGED).is_some_and(Node::truthy);
    if let Some(body) = api.get("DefinitionBody").and_then(Node::as_dict).filter(|_| managed) {
        let method = MethodOf { event, api: &api, api_id: &api_id, path: &path, method: &method };
        let body = method.write(body, &Node::Text(stage), state)?;
        // An event with Auth looks into the API's, and from then on that has its parameters put in: events
        // translated later see the values, earlier ones saw the references.
        let resolved = event
            .given("Auth")
            .filter(|auth| auth.truthy())
            .and(api.get("Auth"))
            .map(|auth| state.resolve(auth));
        if let Some(api) = implicit::properties_mut(&mut state.resources, &api_id) {
            api.insert("DefinitionBody", body);
        }
        if let Some(auth) = resolved {
            set_auth(&mut state.resources, &api_id, &auth);
        }
    }
    Ok(vec![permission])
}

/// Replaces the API's `Auth`, and with a global one that of all APIs that share it.
fn set_auth(resources: &mut Dict, api_id: &str, auth: &Node) {
    let Some(api) = implicit::properties_mut(resources, api_id) else { return };
    api.insert("Auth", auth.clone());
    if !api.contains(GLOBAL_AUTH) {
        return;
    }
    let apis = resources.values_mut().filter_map(|resource| resource.as_dict_mut()?.get_mut("Properties"));
    for api in apis.filter_map(Node::as_dict_mut).filter(|api| api.contains(GLOBAL_AUTH)) {
        api.insert("Auth", auth.clone());
    }
}

fn source_arn(partition: &str, path: &str, method: &str, rest_api: Node) -> Node {
    let method = if method == "any" { "*".to_owned() } else { method.to_uppercase() };
    let path = with_stars(path);
    let text = format!(
        "arn:{partition}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/${{__Stage__}}/{method}{path}"
    );
    dict! { "Fn::Sub" => list![text, dict! { "__ApiId__" => rest_api, "__Stage__" => "*" }] }.into()
}

/// The path with `*` for each `{parameter}` or `{parameter+}`, and no slash at its end.
fn with_stars(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else { break };
        let name = &rest[open + 1..open + length];
        let plain = name.strip_suffix('+').unwrap_or(name);
        let fine = !plain.is_empty()
            && plain.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        out.push_str(&rest[..open]);
        out.push_str(if fine { "*" } else { &rest[open..=open + length] });
        rest = &rest[open + length + 1..];
    }
    out.push_str(rest);
    match out.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter.to_owned(),
        _ => out,
    }
}

struct MethodOf<'a> {
    event: &'a Event<'a>,
    api: &'a Dict,
    api_id: &'a str,
    path: &'a Text,
    method: &'a Text,
}

impl MethodOf<'_> {
    fn write(&self, body: &Dict, stage: &Node, state: &Transform<'_>) -> Result<Dict> {
        let event = self.event;
        let mut editor = Editor::new(self.api_id, body)?;
        if editor.has_integration(self.path, self.method) {
            return Err(event.fault(format!(
                "API method \"{}\" defined multiple times for path \"{}\".",
                self.method.as_str(),
                self.path.as_str()
            )));
        }
        let empty = Dict::new();
        let auth = event.given("Auth").and_then(Node::as_dict).unwrap_or(&empty);
        let api_auth = self.api.get("Auth").and_then(Node::as_dict).unwrap_or(&empty);
        let integration = Integration {
            uri: self.uri(state.cx.partition()),
            auth,
            api_auth,
            partition: state.cx.partition(),
            condition: event.function.condition(),
            streams: self.streams(),
        };
        editor.add_integration(self.path, self.method, &integration);
        if let Some(timeout) = event.given("TimeoutInMillis") {
            editor.set_timeout(self.path, self.method, timeout);
        }
        if !auth.is_empty() {
            let api_auth = state.resolve(&Node::Dict(api_auth.clone()));
            self.write_auth(&mut editor, auth, api_auth.as_dict().unwrap_or(&empty), stage)?;
        }
        if let Some(model) = event.given("RequestModel").and_then(Node::as_dict) {
            self.write_model(&mut editor, model)?;
        }
        let parameters = match event.given("RequestParameters") {
            Some(Node::List(parameters)) => parameters.clone(),
            Some(Node::Dict(names)) => names.keys().cloned().map(Node::Text).collect(),
            _ => Vec::new(),
        };
        if !parameters.is_empty() {
            editor.add_request_parameters(self.path, self.method, &self.parameters(&parameters)?);
        }
        Ok(editor.finish())
    }

    fn streams(&self) -> bool {
        self.event.given("ResponseTransferMode").and_then(Node::as_str) == Some("RESPONSE_STREAM")
    }

    fn uri(&self, partition: &str) -> Node {
        // The function's id is the template's text, the alias's is the transform's own: only the former is marked.
        let arn = match &self.event.target.alias {
            Some(alias) => Text::from(alias.as_str()),
            None => self.event.function.id.like(format!("{}.Arn", self.event.function.id.as_str())),
        };
        let service = if self.streams() {
            ("2021-11-15", "response-streaming-invocations")
        } else {
            ("2015-03-31", "invocations")
        };
        let text = format!(
            "arn:{partition}:apigateway:${{AWS::Region}}:lambda:path/{}/functions/${{{}}}/{}",
            service.0,
            arn.as_str(),
            service.1
        );
        ordered! { "Fn::Sub" => arn.like(text) }.into()
    }

    fn write_auth(&self, editor: &mut Editor, auth: &Dict, api_auth: &Dict, stage: &Node) -> Result<()> {
        let event = self.event;
        let authorizers = api_auth.get("Authorizers").and_then(Node::as_dict);
        let authorizer = auth.given("Authorizer").filter(|authorizer| authorizer.truthy());
        let on = format!("on API method [{}] for path [{}]", self.method.as_str(), self.path.as_str());
        match authorizer {
            None => {
                if auth.given("AuthorizationScopes").is_some_and(Node::truthy) {
                    return Err(event.fault("AuthorizationScopes works only when Authorizer is set"));
                }
            }
            Some(Node::Text(name)) if name.as_str() == "AWS_IAM" => {}
            Some(Node::Text(name)) if name.as_str() == "NONE" => {
                if !api_auth.get("DefaultAuthorizer").is_some_and(Node::truthy) {
                    return Err(event.fault(format!(
                        "Unable to set Authorizer {on} because 'NONE' is only a valid value when a \
                         DefaultAuthorizer on the API is specified."
                    )));
                }
            }
            Some(other) => {
                let name = other.to_text();
                let Some(authorizers) = authorizers.filter(|all| !all.is_empty()) else {
                    return Err(event.fault(format!(
                        "Unable to set Authorizer [{name}] {on} because the related API does not define any \
                         Authorizers."
                    )));
                };
                if !authorizers.get(&name).is_some_and(Node::truthy) {
                    return Err(event.fault(format!(
                        "Unable to set Authorizer [{name}] {on} because it wasn't defined in the API's Authorizers."
                    )));
                }
            }
        }
        if auth.given("AuthorizationScopes").is_some_and(|scopes| scopes.as_list().is_none()) {
            return Err(event.fault("Property 'Auth.AuthorizationScopes' should be a list."));
        }
        if let Some(required) = auth.given("ApiKeyRequired").filter(|required| !required.truthy())
            && !api_auth.given("ApiKeyRequired").is_some_and(Node::truthy)
        {
            return Err(event.fault(format!(
                "Unable to set ApiKeyRequired [{}] {on} because the related API does not specify any ApiKeyRequired.",
                required.to_text()
            )));
        }
        editor.add_method_auth(self.path, self.method, auth, authorizers);
        if let Some(policy) =
            auth.given("ResourcePolicy").and_then(Node::as_dict).filter(|policy| !policy.is_empty())
        {
            editor.add_resource_policy(policy, self.path, stage);
            if let Some(statements) = policy.given("CustomStatements") {
                editor.add_custom_statements(statements);
            }
        }
        Ok(())
    }

    fn write_model(&self, editor: &mut Editor, model: &Dict) -> Result<()> {
        let event = self.event;
        let Some(name) = model.given("Model").filter(|name| name.truthy()) else { return Ok(()) };
        let text = name.to_text();
        let on = format!(
            "Unable to set RequestModel [{text}] on API method [{}] for path [{}] because",
            self.method.as_str(),
            self.path.as_str()
        );
        let Some(models) = self.api.given("Models").filter(|models| models.truthy()) else {
            return Err(event.fault(format!("{on} the related API does not define any Models.")));
        };
        let Some(models) = models.as_dict() else {
            return Err(event.fault(format!("{on} the related API Models is of an invalid type.")));
        };
        if !models.get(&text).is_some_and(Node::truthy) {
            return Err(event.fault(format!("{on} it wasn't defined in the API's Models.")));
        }
        let name = name.as_text().cloned().unwrap_or_else(|| Text::from(text.as_str()));
        editor.add_request_model(self.path, self.method, &name, model.given("Required"));
        let flag = |name: &str| model.given(name);
        if flag("ValidateBody").is_some() || flag("ValidateParameters").is_some() {
            let asked = |name: &str| match flag(name) {
                None => Ok(false),
                Some(Node::Bool(asked)) => Ok(*asked),
                Some(_) => Err(event.fault(format!("{on} property '{name}' must be a boolean."))),
            };
            let (body, parameters) = (asked("ValidateBody")?, asked("ValidateParameters")?);
            editor.add_request_validator(self.path, self.method, body, parameters);
        }
        Ok(())
    }

    fn parameters(&self, given: &[Node]) -> Result<Vec<Parameter>> {
        const FORMAT: &str = "Invalid value for 'RequestParameters' property. Keys must be in the format \
            'method.request.[querystring|path|header].{value}', e.g 'method.request.header.Authorization'.";
        let event = self.event;
        let mut parameters = Vec::new();
        for parameter in given {
            let (name, settings) = match parameter {
                Node::Text(name) => (name, None),
                Node::Dict(dict) => match dict.single() {
                    Some((name, settings)) => (name, Some(settings)),
                    None => {
                        return Err(event.fault(
                            "Invalid value for 'RequestParameters' property. Object must have only one element.",
                        ));
                    }
                },
                _ => {
                    return Err(event.fault(
                        "Invalid value for 'RequestParameters' property. Property must be either a string or an \
                         object",
                    ));
                }
            };
            let parts: Vec<&str> = name.splitn(4, '.').collect();
            let ["method", "request", location @ ("querystring" | "path" | "header"), rest] =
                parts.as_slice()
            else {
                return Err(event.fault(FORMAT));
            };
            if rest.is_empty() {
                return Err(event.fault(FORMAT));
            }
            let settings = match settings {
                None => None,
                Some(Node::Dict(settings)) => Some(settings),
                Some(_) => {
                    return Err(event.fault(
                        "Invalid value for 'RequestParameters' property. Values must be an object, e.g { Required: \
                         true, Caching: false }",
                    ));
                }
            };
            let known = |key: &str| matches!(key, "Required" | "Caching");
            if settings.is_some_and(|settings| settings.keys().any(|key| !known(key))) {
                return Err(event.fault(
                    "Invalid value for 'RequestParameters' property. Values must be an object, e.g { Required: \
                     true, Caching: false }",
                ));
            }
            let setting = |key: &str| settings.and_then(|settings| settings.given(key));
            parameters.push(Parameter {
                name: name.like(*rest),
                location: name.like(*location),
                required: setting("Required").cloned().unwrap_or(Node::Bool(false)),
                cache_key: setting("Caching").filter(|caching| caching.truthy()).map(|_| name.clone()),
            });
        }
        Ok(parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_name_paths_with_stars() {
        for (path, expected) in [
            ("/", "/"),
            ("/foo/", "/foo"),
            ("/a/{b}/{c+}", "/a/*/*"),
            ("/{proxy++}", "/{proxy++}"),
            ("/{a b}/", "/{a b}"),
        ] {
            assert_eq!(with_stars(path), expected);
        }
    }
}
