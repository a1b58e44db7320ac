//! The API's OpenAPI document: what the API's own properties add to what its events wrote.

use super::Api;
use crate::sam::error::{Result, SamError};
use crate::sam::intrinsics::is_intrinsic;
use crate::sam::node::{Dict, Node, Text, ordered};
use crate::sam::openapi::{self, Authorizers, Cors, Editor, origin_only, version3};
use crate::sam::schema::a_map;

/// The finished document, if the API has one inline.
pub(super) fn write(api: &Api<'_>, authorizers: Option<&Authorizers>) -> Result<Option<Dict>> {
    let body = api.some("DefinitionBody").and_then(Node::as_dict).cloned();
    let mut document = Document { api, body };
    document.cors()?;
    document.auth(authorizers)?;
    document.gateway_responses()?;
    document.binary_media_types()?;
    document.models()?;
    document.execute_endpoint()?;
    Ok(document.body.map(|body| version3::convert(body, api.some("OpenApiVersion"))))
}

struct Document<'a> {
    api: &'a Api<'a>,
    body: Option<Dict>,
}

impl Document<'_> {
    /// An editor, or why there can be none: `what` works on inline documents, `adding` says what failed.
    fn edit(&self, what: &str, adding: &str) -> Result<Editor> {
        let Some(body) = &self.body else {
            return Err(self.api.fault(format!(
                "{what} works only with inline Swagger specified in 'DefinitionBody' property."
            )));
        };
        if !openapi::is_valid(Some(&Node::Dict(body.clone()))) {
            return Err(self.api.fault(format!(
                "Unable to add {adding} because 'DefinitionBody' does not contain a valid Swagger definition."
            )));
        }
        Editor::new(self.api.id, body)
    }

    fn cors(&mut self) -> Result<()> {
        let api = self.api;
        let Some(cors) = api.some("Cors") else { return Ok(()) };
        if self.body.is_none() {
            self.edit("Cors", "Cors configuration")?;
        }
        let star = Node::from("'*'");
        let cors = match cors {
            Node::Dict(given) if !is_intrinsic(cors) => {
                const KEYS: [&str; 5] =
                    ["AllowMethods", "AllowHeaders", "AllowOrigin", "MaxAge", "AllowCredentials"];
                if let Some(unknown) = given.keys().find(|key| !KEYS.contains(&key.as_str())) {
                    return Err(api.fault(format!("Invalid key '{}' for 'Cors' property.", unknown.as_str())));
                }
                let credentials =
                    given.given("AllowCredentials").is_some_and(|given| *given == Node::Bool(true));
                let origin = given.given("AllowOrigin").unwrap_or(&star);
                if credentials && origin.as_str() == Some("'*'") {
                    return Err(api.fault(
                        "Unable to add Cors configuration because 'AllowCredentials' can not be true when \
                         'AllowOrigin' is \"'*'\" or not set",
                    ));
                }
                Cors {
                    origin: Some(origin),
                    headers: given.given("AllowHeaders").filter(|value| value.truthy()),
                    methods: given.given("AllowMethods").filter(|value| value.truthy()),
                    max_age: given.given("MaxAge").filter(|value| value.truthy()),
                    credentials,
                }
            }
            origin => origin_only(origin),
        };
        let mut editor = self.edit("Cors", "Cors configuration")?;
        // API Gateway takes a path with and without a slash at its end for one: only the first gets the method.
        let mut seen: Vec<String> = Vec::new();
        for path in editor.path_names() {
            let plain = path.strip_suffix('/').filter(|plain| !plain.is_empty()).unwrap_or(&path).to_owned();
            if !seen.contains(&plain) {
                editor.add_cors(&path, &cors);
                seen.push(plain);
            }
        }
        self.body = Some(editor.finish());
        Ok(())
    }

    fn auth(&mut self, authorizers: Option<&Authorizers>) -> Result<()> {
        const KEYS: [&str; 8] = [
            "Authorizers",
            "DefaultAuthorizer",
            "InvokeRole",
            "AddDefaultAuthorizerToCorsPreflight",
            "AddApiKeyRequiredToCorsPreflight",
            "ApiKeyRequired",
            "ResourcePolicy",
            "UsagePlan",
        ];
        let api = self.api;
        let Some(auth) = api.some("Auth") else { return Ok(()) };
        if self.body.is_none() {
            self.edit("Auth", "Auth configuration")?;
        }
        let auth = a_map(api.id, "Auth", auth)?;
        if auth.keys().any(|key| !KEYS.contains(&key.as_str())) {
            return Err(api.fault("Invalid value for 'Auth' property"));
        }
        let mut editor = self.edit("Auth", "Auth configuration")?;
        let preflight = |name: &str| auth.given(name).is_none_or(Node::truthy);
        if let Some(authorizers) = authorizers {
            editor.add_authorizers(authorizers);
            if let Some(default) = auth.given("DefaultAuthorizer").filter(|default| default.truthy()) {
                let default = self.default_authorizer(default, authorizers)?;
                for path in editor.path_names() {
                    let preflight = preflight("AddDefaultAuthorizerToCorsPreflight");
                    editor.set_default_authorizer(&path, &default, authorizers, preflight)?;
                }
            }
        }
        if auth.given("ApiKeyRequired").is_some_and(Node::truthy) {
            editor.add_api_key_definition();
            for path in editor.path_names() {
                editor.set_default_api_key(&path, preflight("AddApiKeyRequiredToCorsPreflight"))?;
            }
        }
        if let Some(policy) = auth.given("ResourcePolicy").filter(|policy| policy.truthy()) {
            self.resource_policy(&mut editor, policy)?;
        }
        self.body = Some(version3::convert(editor.finish(), api.some("OpenApiVersion")));
        Ok(())
    }

    fn default_authorizer(&self, default: &Node, authorizers: &Authorizers) -> Result<Text> {
        let Node::Text(name) = default else {
            return Err(self.api.fault("DefaultAuthorizer is not a string."));
        };
        if name.as_str() != "AWS_IAM" && !authorizers.has(name) {
            return Err(self.api.fault(format!(
                "Unable to set DefaultAuthorizer because '{}' was not defined in 'Authorizers'.",
                name.as_str()
            )));
        }
        Ok(name.clone())
    }

    fn resource_policy(&self, editor: &mut Editor, policy: &Node) -> Result<()> {
        let Some(policy) = policy.as_dict() else {
            return Err(self.api.fault("ResourcePolicy must be a map (ResourcePolicyStatement)."));
        };
        let stage = self.api.given("StageName").cloned().unwrap_or(Node::Null);
        for path in editor.path_names() {
            editor.add_resource_policy(policy, &path, &stage);
        }
        if let Some(statements) = policy.given("CustomStatements").filter(|given| given.truthy()) {
            editor.add_custom_statements(statements);
        }
        Ok(())
    }

    fn gateway_responses(&mut self) -> Result<()> {
        const KEYS: [&str; 3] = ["StatusCode", "ResponseParameters", "ResponseTemplates"];
        let api = self.api;
        let Some(responses) = api.some("GatewayResponses") else { return Ok(()) };
        if self.body.is_none() {
            self.edit("GatewayResponses", "Auth configuration")?;
        }
        let responses = a_map(api.id, "GatewayResponses", responses)?;
        for (name, response) in responses.iter() {
            let Some(response) = response.as_dict() else {
                return Err(api.fault(format!(
                    "Invalid property type '{}' for GatewayResponses. Expected an object of type 'GatewayResponse'.",
                    python_type(response)
                )));
            };
            if let Some(unknown) = response.keys().find(|key| !KEYS.contains(&key.as_str())) {
                return Err(api.fault(format!(
                    "Invalid property '{}' in 'GatewayResponses' property '{}'.",
                    unknown.as_str(),
                    name.as_str()
                )));
            }
        }
        let mut editor = self.edit("GatewayResponses", "Auth configuration")?;
        for (name, response) in responses.iter() {
            if let Some(response) = response.as_dict() {
                editor.add_gateway_response(name, gateway_response(api, response)?);
            }
        }
        self.body = Some(editor.finish());
        Ok(())
    }

    fn binary_media_types(&mut self) -> Result<()> {
        let (Some(types), Some(body)) = (self.api.some("BinaryMediaTypes"), &self.body) else {
            return Ok(());
        };
        if !openapi::is_valid(Some(&Node::Dict(body.clone()))) {
            return Ok(());
        }
        let mut editor = Editor::new(self.api.id, body)?;
        editor.set_binary_media_types(with_slashes(types));
        self.body = Some(editor.finish());
        Ok(())
    }

    fn models(&mut self) -> Result<()> {
        let api = self.api;
        let Some(models) = api.some("Models") else { return Ok(()) };
        if self.body.is_none() {
            self.edit("Models", "Models definitions")?;
        }
        let mut editor = self.edit("Models", "Models definitions")?;
        let models = a_map(api.id, "Models", models)?;
        if models.values().any(|model| model.as_dict().is_none()) {
            return Err(api.fault("Invalid value for 'Models' property"));
        }
        if models.values().any(|model| !model.get("type").is_some_and(Node::truthy)) {
            let text = "Structure of the SAM template is invalid. 'Models' schema is missing 'type'.";
            return Err(SamError::plain(text));
        }
        editor.add_models(models);
        self.body = Some(version3::convert(editor.finish(), api.some("OpenApiVersion")));
        Ok(())
    }

    fn execute_endpoint(&mut self) -> Result<()> {
        let api = self.api;
        let Some(disable) = api.given("DisableExecuteApiEndpoint") else { return Ok(()) };
        if self.body.is_none() {
            return Err(api.fault("DisableExecuteApiEndpoint works only within 'DefinitionBody' property."));
        }
        let mut editor = self.edit("DisableExecuteApiEndpoint", "DisableExecuteApiEndpoint configuration")?;
        editor.set_execute_endpoint(disable);
        self.body = Some(editor.finish());
        Ok(())
    }
}

fn python_type(node: &Node) -> &'static str {
    match node {
        Node::Null => "NoneType",
        Node::Bool(_) => "bool",
        Node::Number(number) if number.is_f64() => "float",
        Node::Number(_) => "int",
        Node::Text(_) => "Py27UniStr",
        Node::List(_) => "list",
        Node::Dict(_) => "Py27Dict",
    }
}

fn gateway_response(api: &Api<'_>, response: &Dict) -> Result<Dict> {
    const KINDS: [(&str, &str); 3] =
        [("Headers", "header"), ("Paths", "path"), ("QueryStrings", "querystring")];
    let mut parameters = Dict::py27();
    if let Some(given) = response.given("ResponseParameters") {
        let given = a_map(api.id, "ResponseParameters", given)?;
        if let Some(unknown) = given.keys().find(|key| !KINDS.iter().any(|(kind, _)| *kind == key.as_str())) {
            return Err(api.fault(format!("Invalid gateway response parameter '{}'", unknown.as_str())));
        }
        for (kind, place) in KINDS {
            let Some(values) = given.given(kind) else { continue };
            let values = a_map(api.id, &format!("ResponseParameters.{kind}"), values)?;
            for (name, value) in values.iter() {
                let name = Text::marked(format!("gatewayresponse.{place}.{}", name.as_str()));
                parameters.insert(name, value.clone());
            }
        }
    }
    let templates = response.given("ResponseTemplates").cloned().unwrap_or_else(|| Dict::py27().into());
    let mut made = ordered! { "responseParameters" => parameters, "responseTemplates" => templates };
    if let Some(status) = response.given("StatusCode") {
        made.insert("statusCode", status_code(api, status)?);
    }
    Ok(made)
}

fn status_code(api: &Api<'_>, status: &Node) -> Result<String> {
    let text = status.to_text();
    let numeric = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if !numeric {
        return Err(SamError::resource(api.id, "Property 'StatusCode' must be numeric"));
    }
    Ok(text)
}

/// Media types with `/` for the `~1` that CloudFormation's form writes.
fn with_slashes(node: &Node) -> Node {
    match node {
        Node::Text(text) => Node::Text(text.like(text.replace("~1", "/"))),
        Node::List(items) => Node::List(items.iter().map(with_slashes).collect()),
        Node::Dict(dict) => {
            let mut copy = dict.clone();
            for value in copy.values_mut() {
                *value = with_slashes(value);
            }
            Node::Dict(copy)
        }
        other => other.clone(),
    }
}
