//! `AWS::Serverless::Api`: a REST API, its deployment and stage, and what its properties ask for beside them.

mod authorizers;
mod document;
mod domain;
mod stage;
mod usage_plan;

use super::Transform;
use super::error::{Result, SamError};
use super::function::s3_location;
use super::implicit::MANAGED;
use super::intrinsics::reference;
use super::marks::API;
use super::node::{Dict, Node, Text, dict};
use super::openapi::version3;
use super::resource::{Resource, inherited_attributes, own_attributes};
use super::schema::{self, Kind, Property, optional, required};
use super::tags;

pub(crate) use domain::RecordSets;
pub(crate) use usage_plan::SharedPlan;

const PROPERTIES: &[Property] = &[
    optional("Name", Kind::TextOrMap),
    optional("Description", Kind::String),
    required("StageName", Kind::TextOrMap),
    optional("DefinitionBody", Kind::Map),
    optional("DefinitionUri", Kind::TextOrMap),
    optional("CacheClusterEnabled", Kind::Bool),
    optional("CacheClusterSize", Kind::String),
    optional("Variables", Kind::Map),
    optional("EndpointConfiguration", Kind::TextOrMap),
    optional("MethodSettings", Kind::List),
    optional("BinaryMediaTypes", Kind::List),
    optional("MinimumCompressionSize", Kind::Int),
    optional("Cors", Kind::TextOrMap),
    optional("Auth", Kind::Map),
    optional("GatewayResponses", Kind::Map),
    optional("AccessLogSetting", Kind::Map),
    optional("CanarySetting", Kind::Map),
    optional("TracingEnabled", Kind::Bool),
    optional("OpenApiVersion", Kind::String),
    optional("Models", Kind::Map),
    optional("Domain", Kind::Map),
    optional("FailOnWarnings", Kind::Bool),
    optional("DisableExecuteApiEndpoint", Kind::Bool),
    optional("ApiKeySourceType", Kind::String),
    optional("Mode", Kind::String),
    optional("Tags", Kind::Map),
    optional("PropagateTags", Kind::Bool),
    optional("AlwaysDeploy", Kind::LiteralBool),
    optional("Policy", Kind::TextOrMap),
    optional("EndpointAccessMode", Kind::String),
    optional("SecurityPolicy", Kind::String),
];

/// What several APIs of a template make together.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) plan: SharedPlan,
    pub(crate) record_sets: RecordSets,
}

/// An API under translation.
pub(crate) struct Api<'a> {
    pub(crate) id: &'a Text,
    pub(crate) properties: Dict,
    /// Attributes of everything made for it.
    pub(crate) inherited: Dict,
}

impl Api<'_> {
    pub(crate) fn given(&self, name: &str) -> Option<&Node> {
        self.properties.given(name)
    }

    /// A property, unless Python would call it false.
    pub(crate) fn some(&self, name: &str) -> Option<&Node> {
        self.given(name).filter(|value| value.truthy())
    }

    pub(crate) fn fault(&self, message: impl AsRef<str>) -> SamError {
        SamError::resource(self.id, message)
    }

    pub(crate) fn make(&self, suffix: &str, kind: &'static str) -> Resource {
        Resource::new(format!("{}{suffix}", self.id.as_str()), kind, &self.inherited)
    }
}

/// Turns the documents that the transform manages into the OpenAPI version their API asks for.
pub(crate) fn note_versions(template: &mut Dict) {
    let Some(Node::Dict(resources)) = template.get_mut("Resources") else { return };
    for resource in resources.values_mut().filter_map(Node::as_dict_mut) {
        if resource.str("Type") != Some(API) {
            continue;
        }
        let Some(Node::Dict(properties)) = resource.get_mut("Properties") else { continue };
        let managed = properties.get(MANAGED).is_some_and(Node::truthy);
        let Some(version) = properties.get("OpenApiVersion").filter(|version| version3::is_version3(version))
        else {
            continue;
        };
        if !managed {
            continue;
        }
        let version = match version {
            Node::Text(_) => version.clone(),
            other => Node::from(other.to_text()),
        };
        properties.insert("OpenApiVersion", version.clone());
        if let Some(Node::Dict(body)) = properties.get_mut("DefinitionBody") {
            body.insert("openapi", version);
            if body.get("swagger").is_some_and(Node::truthy) {
                body.remove("swagger");
            }
        }
    }
}

pub(crate) fn translate(id: &Text, resource: &Dict, state: &mut Transform<'_>) -> Result<Vec<Resource>> {
    let mut properties =
        resource.get("Properties").and_then(Node::as_dict).cloned().unwrap_or_else(Dict::new);
    if properties.given("MergeDefinitions").is_some_and(Node::truthy) {
        return Err(SamError::resource(id, "Property 'MergeDefinitions' is not supported."));
    }
    properties.remove("MergeDefinitions");
    schema::check(id, API, PROPERTIES, &properties)?;
    for name in ["BinaryMediaTypes", "Domain", "Auth"] {
        if let Some(value) = properties.get(name).map(|value| state.resolve(value)) {
            properties.insert(name, value);
        }
    }
    if properties.given("Auth").is_some_and(|auth| auth.as_dict().is_none()) {
        return Err(SamError::resource(id, "Invalid value for 'Auth' property"));
    }
    if properties.given("Domain").is_some_and(|domain| domain.as_dict().is_none()) {
        return Err(SamError::resource(id, "Property 'Domain' should be a map."));
    }
    let mut api = Api { id, properties, inherited: inherited_attributes(resource) };

    let authorizers = authorizers::read(&api, state.cx.partition())?;
    let mut rest_api = Resource::new(id, "AWS::ApiGateway::RestApi", &own_attributes(resource));
    rest_api.depends_on = resource.given("DependsOn").cloned();
    let body = fill(&api, &mut rest_api, authorizers.as_ref(), state)?;
    let domain = domain::make(&mut api, state)?;
    let (deployment, stage) = stage::make(&api, body.as_ref(), state);
    state.references.add(id, "Stage", &stage.id);
    state.references.add(id, "Deployment", &deployment.id);

    let mut made = vec![rest_api, deployment];
    let permissions = authorizers::permissions(&api, state.cx.partition())?;
    let mappings = domain::finish(domain, &stage.id, &mut made, state);
    let plan = usage_plan::make(&api, &stage.id, state)?;
    made.push(stage);
    made.extend(permissions);
    made.extend(mappings);
    made.extend(plan);
    let own_tags = api.given("Tags").and_then(Node::as_dict);
    tags::propagate(&mut made, own_tags, api.given("PropagateTags").is_some_and(Node::truthy));
    Ok(made)
}

/// The REST API's properties; returns its document, or the place of it, which names the deployment.
fn fill(
    api: &Api<'_>,
    rest_api: &mut Resource,
    authorizers: Option<&super::openapi::Authorizers>,
    state: &Transform<'_>,
) -> Result<Option<Node>> {
    rest_api.pass(&api.properties, &["BinaryMediaTypes", "MinimumCompressionSize"]);
    if let Some(endpoint) = api.some("EndpointConfiguration") {
        set_endpoint(api, rest_api, endpoint)?;
    } else if state.cx.partition() != "aws" {
        // Edge-optimised endpoints exist in the `aws` partition alone.
        set_endpoint(api, rest_api, &Node::from("REGIONAL"))?;
    }
    if api.some("DefinitionUri").is_some() && api.some("DefinitionBody").is_some() {
        return Err(api.fault("Specify either 'DefinitionUri' or 'DefinitionBody' property and not both."));
    }
    if let Some(version) = api.given("OpenApiVersion") {
        let known =
            version.as_str().is_some_and(|text| text.starts_with('2') || version3::is_version3(version));
        if !known {
            return Err(api.fault("The OpenApiVersion value must be of the format '3.0.0'."));
        }
    }
    let document = document::write(api, authorizers)?;
    rest_api.pass(&api.properties, &["FailOnWarnings"]);
    let body = match (api.some("DefinitionUri"), document) {
        (Some(uri), _) => {
            let place = s3_location(api.id, "DefinitionUri", uri, ["Bucket", "Key", "Version"])?;
            rest_api.set("BodyS3Location", place.clone());
            // Hashed in the order Python keeps it.
            let mut hashed = Dict::py27();
            for name in ["Bucket", "Key", "Version"] {
                if let Some(value) = place.get(name) {
                    hashed.insert(name, value.clone());
                }
            }
            Some(Node::Dict(hashed))
        }
        (None, Some(document)) => {
            rest_api.set("Body", document.clone());
            Some(Node::Dict(document))
        }
        (None, None) => None,
    };
    rest_api.pass(
        &api.properties,
        &[
            "Name",
            "Description",
            "Mode",
            "ApiKeySourceType",
            "Policy",
            "EndpointAccessMode",
            "SecurityPolicy",
        ],
    );
    Ok(body)
}

fn set_endpoint(api: &Api<'_>, rest_api: &mut Resource, endpoint: &Node) -> Result<()> {
    let parts = endpoint.as_dict();
    let kind = parts.and_then(|parts| parts.given("Type")).unwrap_or(endpoint);
    let mut made = dict! { "Types" => Node::List(vec![kind.clone()]) };
    if let Some(parts) = parts {
        let spellings = ["VPCEndpointIds", "VpcEndpointIds"].map(|name| parts.given(name));
        if let [Some(_), Some(_)] = spellings {
            return Err(api.fault(
                "'VPCEndpointIds' and 'VpcEndpointIds' cannot be used together in EndpointConfiguration.",
            ));
        }
        if let Some(ids) = spellings.into_iter().flatten().next() {
            made.insert("VpcEndpointIds", ids.clone());
        }
        if let Some(kind) = parts.given("IpAddressType") {
            made.insert("IpAddressType", kind.clone());
        }
    }
    rest_api.set("EndpointConfiguration", made);
    rest_api.set("Parameters", dict! { "endpointConfigurationTypes" => kind.clone() });
    Ok(())
}

/// `{"Ref": api}`
pub(crate) fn reference_to(api: &Api<'_>) -> Node {
    reference(api.id.clone())
}
