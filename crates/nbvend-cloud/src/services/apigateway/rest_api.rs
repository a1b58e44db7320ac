//! `CreateRestApi`, `GetRestApi`, `GetRestApis`, `DeleteRestApi`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::model;
use super::page::Page;
use super::policy;
use super::state::{Definition, Deployment, Resource, RestApi, Snapshot, Stage, Texts};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// An API as AWS shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestApiView {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub version: Option<String>,
    pub created_date: Timestamp,
    pub binary_media_types: Option<Vec<String>>,
    pub api_key_source: String,
    pub endpoint_configuration: EndpointConfiguration,
    pub policy: Option<String>,
    pub tags: Option<Texts>,
    pub disable_execute_api_endpoint: bool,
    pub root_resource_id: String,
}

/// `vpcEndpointIds` is left out: private APIs are not served.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointConfiguration {
    pub types: Option<Vec<String>>,
    pub ip_address_type: Option<String>,
}

impl From<RestApi> for RestApiView {
    fn from(api: RestApi) -> Self {
        Self {
            id: api.id,
            name: api.name,
            description: api.description,
            version: api.version,
            created_date: api.created,
            binary_media_types: Some(api.binary_media_types).filter(|types| !types.is_empty()),
            api_key_source: api.api_key_source,
            endpoint_configuration: EndpointConfiguration {
                types: Some(vec![api.endpoint_type]),
                ip_address_type: Some(api.ip_address_type),
            },
            policy: api.policy.as_deref().map(policy::shown),
            tags: Some(api.tags).filter(|tags| !tags.is_empty()),
            disable_execute_api_endpoint: api.disable_execute_api_endpoint,
            root_resource_id: api.root,
        }
    }
}

impl EndpointConfiguration {
    /// Puts what is given on an API; AWS's words are recorded.
    pub fn apply(&self, api: &mut RestApi) -> Result<(), Error> {
        match self.types.as_deref() {
            None => {}
            Some([]) => {
                return Err(Error::bad(
                    "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
                ));
            }
            Some([one]) => endpoint_type(one)?.clone_into(&mut api.endpoint_type),
            Some(_) => return Err(Error::bad("Cannot create an api with multiple Endpoint Types.")),
        }
        if let Some(kind) = &self.ip_address_type {
            api.ip_address_type.clone_from(kind);
        }
        Ok(())
    }
}

/// An endpoint type that is served.
pub fn endpoint_type(text: &str) -> Result<&str, Error> {
    match text {
        "EDGE" | "REGIONAL" => Ok(text),
        "PRIVATE" => Err(Error::unsupported("The endpoint type PRIVATE")),
        _ => Err(Error::bad("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")),
    }
}

/// Where an API key is looked for. Keys themselves are not served.
pub fn api_key_source(text: &str) -> Result<String, Error> {
    match text {
        "HEADER" => Ok(text.to_owned()),
        _ => Err(Error::unsupported(format!("apiKeySource {text}"))),
    }
}

/// A new API without methods: its settings and its root resource.
pub fn fresh(cx: &Cx<'_>, name: &str) -> (RestApi, Definition) {
    let (id, root) = (cx.ids().lower(10), cx.ids().lower(10));
    let resource = Resource { id: root.clone(), path: "/".to_owned(), ..Resource::default() };
    let definition =
        Definition { api: id.clone(), resources: [(root.clone(), resource)].into(), ..Definition::default() };
    let api = RestApi {
        id,
        name: name.to_owned(),
        description: None,
        version: None,
        created: cx.now(),
        root,
        binary_media_types: Vec::new(),
        api_key_source: "HEADER".to_owned(),
        endpoint_type: "EDGE".to_owned(),
        ip_address_type: "ipv4".to_owned(),
        policy: None,
        tags: Texts::new(),
        disable_execute_api_endpoint: false,
    };
    (api, definition)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateRestApi {
    pub name: String,
    pub description: Option<String>,
    pub version: Option<String>,
    pub binary_media_types: Vec<String>,
    pub api_key_source: Option<String>,
    pub endpoint_configuration: Option<EndpointConfiguration>,
    pub policy: Option<String>,
    pub tags: Texts,
    pub disable_execute_api_endpoint: bool,
}

impl Operation for CreateRestApi {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "CreateRestApi";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::POST;
    type Output = RestApiView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![access::arn(cx, "/restapis")]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        access::request_tags(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RestApiView, Error> {
        if self.name.trim().is_empty() {
            return Err(Error::bad("API name cannot be blank"));
        }
        if self.description.as_deref() == Some("") {
            return Err(Error::bad("Description cannot be an empty string"));
        }
        access::check_tags(cx, self.tags.keys())?;
        let (mut api, mut definition) = fresh(cx, &self.name);
        definition.models = model::defaults(cx);
        if let Some(endpoint) = &self.endpoint_configuration {
            endpoint.apply(&mut api)?;
        }
        if let Some(source) = &self.api_key_source {
            api.api_key_source = api_key_source(source)?;
        }
        api.policy = policy::stored(cx, &api.id, self.policy.as_deref())?;
        api.description = self.description;
        api.version = self.version;
        api.binary_media_types = self.binary_media_types;
        api.tags = self.tags;
        api.disable_execute_api_endpoint = self.disable_execute_api_endpoint;
        cx.put(&api)?;
        cx.put(&definition)?;
        Ok(api.into())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRestApi {
    pub rest_api_id: String,
}

impl Operation for GetRestApi {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetRestApi";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = RestApiView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "")
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        access::resource_tags(cx, &self.rest_api_id, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RestApiView, Error> {
        Ok(RestApi::find(cx, &self.rest_api_id)?.into())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRestApis {
    pub position: Option<String>,
    pub limit: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct GetRestApisOutput {
    pub position: Option<String>,
    pub items: Vec<RestApiView>,
}

impl Operation for GetRestApis {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetRestApis";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = GetRestApisOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![access::arn(cx, "/restapis")]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetRestApisOutput, Error> {
        let page = Page::read(self.position.as_deref(), self.limit)?;
        let found = cx.tx.list::<RestApi>(cx.region(), "", page.after.as_deref(), page.fetch())?;
        let (items, position) = page.cut(found, |api| api.id.clone());
        Ok(GetRestApisOutput { position, items: items.into_iter().map(RestApiView::from).collect() })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteRestApi {
    pub rest_api_id: String,
}

impl Operation for DeleteRestApi {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "DeleteRestApi";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "")
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        access::resource_tags(cx, &self.rest_api_id, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let api = RestApi::find(cx, &self.rest_api_id)?;
        let below = format!("{}/", api.id);
        for stage in cx.tx.list::<Stage>(cx.region(), &below, None, usize::MAX)? {
            cx.delete::<Stage>(&super::state::within(&api.id, &stage.name))?;
        }
        for deployment in cx.tx.list::<Deployment>(cx.region(), &below, None, usize::MAX)? {
            let key = super::state::within(&api.id, &deployment.id);
            cx.delete::<Snapshot>(&key)?;
            cx.delete::<Deployment>(&key)?;
        }
        cx.delete::<Definition>(&api.id)?;
        cx.delete::<RestApi>(&api.id)?;
        Ok(())
    }
}
