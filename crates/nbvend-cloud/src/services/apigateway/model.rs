//! `GetModel`, `GetModels`: schemas that came with an OpenAPI document, and the two every new API has. They describe;
//! nothing is validated by them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access;
use super::error::Error;
use super::page::Page;
use super::state::{Definition, Model};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelView {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub schema: String,
    pub content_type: String,
}

impl ModelView {
    fn of(name: &str, model: &Model) -> Self {
        Self {
            id: model.id.clone(),
            name: name.to_owned(),
            description: model.description.clone(),
            schema: model.schema.clone(),
            content_type: model.content_type.clone(),
        }
    }
}

/// What every API that is not imported begins with. An export shows them only where a method names them.
pub const DEFAULTS: [&str; 2] = ["Empty", "Error"];

/// The two models of a new API, as AWS makes them.
pub fn defaults(cx: &Cx<'_>) -> BTreeMap<String, Model> {
    let model = |name: &str, more: Value| {
        let mut schema = json!({"$schema": "http://json-schema.org/draft-04/schema#",
            "title": format!("{name} Schema"), "type": "object"});
        if !more.is_null() {
            schema["properties"] = more;
        }
        Model {
            id: cx.ids().lower(6),
            description: Some(format!("This is a default {} schema model", name.to_ascii_lowercase())),
            content_type: "application/json".to_owned(),
            schema: schema.to_string(),
        }
    };
    let properties = [Value::Null, json!({"message": {"type": "string"}})];
    let named = DEFAULTS.into_iter().zip(properties);
    named.map(|(name, properties)| (name.to_owned(), model(name, properties))).collect()
}

/// `flatten` is left out: refused by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetModel {
    pub rest_api_id: String,
    pub model_name: String,
}

impl Operation for GetModel {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetModel";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = ModelView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/models/{}", self.model_name))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ModelView, Error> {
        let definition = Definition::find(cx, &self.rest_api_id)?;
        let model = definition.models.get(&self.model_name);
        let model = model.ok_or_else(|| Error::NoModel(self.model_name.clone()))?;
        Ok(ModelView::of(&self.model_name, model))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetModels {
    pub rest_api_id: String,
    pub position: Option<String>,
    pub limit: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct GetModelsOutput {
    pub position: Option<String>,
    pub items: Vec<ModelView>,
}

impl Operation for GetModels {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetModels";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = GetModelsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "/models")
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetModelsOutput, Error> {
        let definition = Definition::find(cx, &self.rest_api_id)?;
        let page = Page::read(self.position.as_deref(), self.limit)?;
        let all = definition.models.iter().map(|(name, model)| ModelView::of(name, model));
        let (items, position) = page.of(all, |view| view.name.clone());
        Ok(GetModelsOutput { position, items })
    }
}
