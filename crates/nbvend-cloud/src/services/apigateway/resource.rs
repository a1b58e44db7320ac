//! `CreateResource`, `GetResource`, `GetResources`, `UpdateResource`, `DeleteResource`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::page::Page;
use super::patch::{self, PatchOperation};
use super::paths;
use super::state::{Definition, Resource, RestApi};
use super::view::MethodView;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceView {
    pub id: String,
    pub parent_id: Option<String>,
    pub path_part: Option<String>,
    pub path: String,
    pub resource_methods: Option<BTreeMap<String, serde_json::Value>>,
}

impl ResourceView {
    /// Methods are shown by name alone, whole only where the request asks for them to be embedded.
    pub fn of(resource: &Resource, embed: &[String]) -> Self {
        let whole = embed.iter().any(|what| what == "methods");
        let methods = resource.methods.iter().map(|(verb, method)| {
            let view = if whole {
                serde_json::to_value(MethodView::of(verb, method)).unwrap_or_default()
            } else {
                serde_json::json!({})
            };
            (verb.clone(), view)
        });
        Self {
            id: resource.id.clone(),
            parent_id: resource.parent.clone(),
            path_part: resource.part.clone(),
            path: resource.path.clone(),
            resource_methods: Some(methods.collect::<BTreeMap<_, _>>()).filter(|methods| !methods.is_empty()),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateResource {
    pub rest_api_id: String,
    pub parent_id: String,
    pub path_part: String,
}

impl Operation for CreateResource {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "CreateResource";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::POST;
    type Output = ResourceView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/resources/{}", self.parent_id))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ResourceView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let id = paths::add(&mut definition, &self.parent_id, &self.path_part, cx.ids())?;
        cx.put(&definition)?;
        Ok(ResourceView::of(definition.resource(&id)?, &[]))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetResource {
    pub rest_api_id: String,
    pub resource_id: String,
    pub embed: Vec<String>,
}

impl Operation for GetResource {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetResource";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = ResourceView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/resources/{}", self.resource_id))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ResourceView, Error> {
        let definition = Definition::find(cx, &self.rest_api_id)?;
        Ok(ResourceView::of(definition.resource(&self.resource_id)?, &self.embed))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetResources {
    pub rest_api_id: String,
    pub position: Option<String>,
    pub limit: Option<i64>,
    pub embed: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct GetResourcesOutput {
    pub position: Option<String>,
    pub items: Vec<ResourceView>,
}

impl Operation for GetResources {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetResources";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = GetResourcesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "/resources")
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetResourcesOutput, Error> {
        let page = Page::read(self.position.as_deref(), self.limit)?;
        let definition = Definition::find(cx, &self.rest_api_id)?;
        let (items, position) = page.of(definition.resources.values(), |resource| resource.id.clone());
        let items = items.into_iter().map(|resource| ResourceView::of(resource, &self.embed)).collect();
        Ok(GetResourcesOutput { position, items })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateResource {
    pub rest_api_id: String,
    pub resource_id: String,
    pub patch_operations: Vec<PatchOperation>,
}

impl Operation for UpdateResource {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "UpdateResource";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PATCH;
    type Output = ResourceView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/resources/{}", self.resource_id))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ResourceView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let id = &self.resource_id;
        patch::apply(&self.patch_operations, |change| {
            let resource = definition.resource(id)?;
            let (parent, part) = (resource.parent.clone(), resource.part.clone());
            let paths = "/parentId, /pathPart";
            match change.parts()[..] {
                ["pathPart"] if change.op == "replace" => {
                    let parent =
                        parent.ok_or_else(|| Error::bad("Root resource cannot update its pathPart."))?;
                    paths::relocate(&mut definition, id, &parent, change.value()?)
                }
                ["parentId"] if change.op == "replace" => {
                    let part = part.ok_or_else(|| Error::bad("Root resource cannot update its parentId."))?;
                    paths::relocate(&mut definition, id, change.value()?, &part)
                }
                _ => Err(change.one_of(paths)),
            }
        })?;
        cx.put(&definition)?;
        Ok(ResourceView::of(definition.resource(id)?, &[]))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteResource {
    pub rest_api_id: String,
    pub resource_id: String,
}

impl Operation for DeleteResource {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "DeleteResource";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/resources/{}", self.resource_id))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let api = RestApi::find(cx, &self.rest_api_id)?;
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        definition.resource(&self.resource_id)?;
        if api.root == self.resource_id {
            return Err(Error::bad("Root resource can't be deleted"));
        }
        paths::remove(&mut definition, &self.resource_id);
        cx.put(&definition)?;
        Ok(())
    }
}
