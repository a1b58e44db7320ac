//! What API Gateway keeps: an API's settings, its definition (resources and what belongs to them), and what was
//! deployed of both.
//!
//! A definition is one record: it is read and deployed as a whole, and AWS allows 300 resources in one API.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::context::Cx;
use crate::store::Record;

pub type Texts = BTreeMap<String, String>;
pub type Flags = BTreeMap<String, bool>;

/// An API without its resources: what lists show.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestApi {
    /// 10 lower-case letters and digits.
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub version: Option<String>,
    pub created: Timestamp,
    pub root: String,
    pub binary_media_types: Vec<String>,
    pub api_key_source: String,
    /// `EDGE` or `REGIONAL`: both are served alike.
    pub endpoint_type: String,
    pub ip_address_type: String,
    /// A resource policy, JSON text, its resources written as full ARNs.
    pub policy: Option<String>,
    pub tags: Texts,
    pub disable_execute_api_endpoint: bool,
}

impl Record for RestApi {
    const KIND: &'static str = "apigateway.rest-api";
    const INDEXES: &'static [&'static str] = &["id"];

    fn key(&self) -> String {
        self.id.clone()
    }

    /// The path form of a request names no region: the API is found in all of them.
    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("id", self.id.clone())]
    }
}

impl RestApi {
    pub fn find(cx: &Cx<'_>, id: &str) -> Result<Self, Error> {
        cx.get::<Self>(id)?
            .ok_or_else(|| Error::NoApi { account: cx.account().to_owned(), id: id.to_owned() })
    }
}

/// What an API is made of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Definition {
    pub api: String,
    /// By id.
    pub resources: BTreeMap<String, Resource>,
    /// By type: `DEFAULT_4XX`.
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
    /// By name.
    pub models: BTreeMap<String, Model>,
}

impl Record for Definition {
    const KIND: &'static str = "apigateway.definition";

    fn key(&self) -> String {
        self.api.clone()
    }
}

impl Definition {
    pub fn find(cx: &Cx<'_>, api: &str) -> Result<Self, Error> {
        cx.get::<Self>(api)?
            .ok_or_else(|| Error::NoApi { account: cx.account().to_owned(), id: api.to_owned() })
    }

    pub fn resource(&self, id: &str) -> Result<&Resource, Error> {
        self.resources.get(id).ok_or(Error::NoResource)
    }

    pub fn resource_mut(&mut self, id: &str) -> Result<&mut Resource, Error> {
        self.resources.get_mut(id).ok_or(Error::NoResource)
    }

    pub fn method(&self, resource: &str, verb: &str) -> Result<&Method, Error> {
        self.resource(resource)?.methods.get(verb).ok_or(Error::NoMethod)
    }

    pub fn method_mut(&mut self, resource: &str, verb: &str) -> Result<&mut Method, Error> {
        self.resource_mut(resource)?.methods.get_mut(verb).ok_or(Error::NoMethod)
    }

    pub fn integration_mut(&mut self, resource: &str, verb: &str) -> Result<&mut Integration, Error> {
        self.method_mut(resource, verb)?.integration.as_mut().ok_or(Error::NoIntegration)
    }

    pub fn children<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.resources.values().filter(move |resource| resource.parent.as_deref() == Some(parent))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Resource {
    pub id: String,
    /// `None` for the root.
    pub parent: Option<String>,
    /// `pets`, `{id}`, `{proxy+}`; `None` for the root.
    pub part: Option<String>,
    /// `/pets/{id}`
    pub path: String,
    /// By HTTP method, `ANY` among them.
    pub methods: BTreeMap<String, Method>,
}

/// Who may call a method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authorization {
    #[default]
    Open,
    Iam,
}

impl Authorization {
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "NONE",
            Self::Iam => "AWS_IAM",
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Method {
    pub authorization: Authorization,
    pub operation_name: Option<String>,
    /// `method.request.querystring.q` and whether it is required. Nothing is checked without a validator, as on AWS.
    pub request_parameters: Flags,
    pub request_models: Texts,
    /// By status.
    pub responses: BTreeMap<String, MethodResponse>,
    pub integration: Option<Integration>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct MethodResponse {
    pub parameters: Flags,
    pub models: Texts,
}

/// What answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backend {
    /// A Lambda function that gets the whole request.
    LambdaProxy,
    /// Nobody: an answer from a template.
    Mock,
}

impl Backend {
    pub fn name(self) -> &'static str {
        match self {
            Self::LambdaProxy => "AWS_PROXY",
            Self::Mock => "MOCK",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Integration {
    pub backend: Backend,
    pub http_method: Option<String>,
    pub uri: Option<String>,
    /// A role's ARN, or `arn:aws:iam::*:user/*` for the caller's own rights.
    pub credentials: Option<String>,
    pub request_templates: Texts,
    pub passthrough: String,
    pub timeout_ms: i64,
    pub cache_namespace: String,
    /// By status.
    pub responses: BTreeMap<String, IntegrationResponse>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct IntegrationResponse {
    /// A regular expression on the backend's status; none or empty is the default response.
    pub selection_pattern: Option<String>,
    pub parameters: Texts,
    pub templates: Texts,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GatewayResponse {
    pub status: Option<String>,
    pub parameters: Texts,
    pub templates: Texts,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    pub id: String,
    pub description: Option<String>,
    pub content_type: String,
    /// JSON Schema text.
    pub schema: String,
}

/// One deployment, for lists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deployment {
    pub api: String,
    pub id: String,
    pub description: Option<String>,
    pub created: Timestamp,
}

impl Record for Deployment {
    const KIND: &'static str = "apigateway.deployment";

    fn key(&self) -> String {
        within(&self.api, &self.id)
    }
}

impl Deployment {
    pub fn find(cx: &Cx<'_>, api: &str, id: &str) -> Result<Self, Error> {
        cx.get::<Self>(&within(api, id))?.ok_or(Error::NoDeployment)
    }
}

/// What a deployment froze; never changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    pub deployment: String,
    pub api: RestApi,
    pub definition: Definition,
}

impl Record for Snapshot {
    const KIND: &'static str = "apigateway.snapshot";

    fn key(&self) -> String {
        within(&self.api.id, &self.deployment)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stage {
    pub api: String,
    pub name: String,
    pub deployment: String,
    pub description: Option<String>,
    pub variables: Texts,
    /// By `path/METHOD` without the first slash; `*/*` for all.
    pub settings: BTreeMap<String, MethodSetting>,
    pub tracing: bool,
    pub tags: Texts,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// Another text after every change: what was compiled under another one is stale.
    pub generation: String,
}

/// What a stage says of a method, as far as it is enforced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MethodSetting {
    pub burst_limit: Option<i64>,
    /// Requests a second.
    pub rate_limit: Option<f64>,
}

impl Record for Stage {
    const KIND: &'static str = "apigateway.stage";
    const INDEXES: &'static [&'static str] = &["deployment"];

    fn key(&self) -> String {
        within(&self.api, &self.name)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("deployment", within(&self.api, &self.deployment))]
    }
}

impl Stage {
    pub fn find(cx: &Cx<'_>, api: &str, name: &str) -> Result<Self, Error> {
        cx.get::<Self>(&within(api, name))?.ok_or(Error::NoStage)
    }

    /// Stores it as changed now.
    pub fn store(&mut self, cx: &Cx<'_>) -> Result<(), Error> {
        self.updated = cx.now();
        self.generation = cx.ids().uuid();
        Ok(cx.put(self)?)
    }
}

/// The account's settings in a region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    pub cloudwatch_role_arn: Option<String>,
}

impl Record for Account {
    const KIND: &'static str = "apigateway.account";

    fn key(&self) -> String {
        "account".to_owned()
    }
}

/// The key of something that belongs to an API.
pub fn within(api: &str, name: &str) -> String {
    format!("{api}/{name}")
}
