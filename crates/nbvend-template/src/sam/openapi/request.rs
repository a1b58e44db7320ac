//! What a method takes: parameters, a model of the body, validators.

use super::{Editor, INTEGRATION, VALIDATOR, VALIDATORS};
use crate::sam::node::{Dict, Node, Text, list, ordered};

/// One of an event's `RequestParameters`.
pub(crate) struct Parameter {
    pub(crate) name: Text,
    /// `header`, `path` or `querystring`
    pub(crate) location: Text,
    pub(crate) required: Node,
    /// The whole `method.request...` name if its value is part of the cache key.
    pub(crate) cache_key: Option<Text>,
}

impl Editor {
    pub(crate) fn add_request_model(
        &mut self,
        path: &str,
        method: &Text,
        model: &Text,
        required: Option<&Node>,
    ) {
        let name = model.like(model.to_lowercase());
        let swagger = self.doc.contains("swagger");
        for definition in self.definitions_of(path, method) {
            if swagger {
                let mut parameter = ordered! {
                    "in" => "body",
                    "name" => name.clone(),
                    "schema" => ordered! { "$ref" => format!("#/definitions/{}", name.as_str()) },
                };
                if let Some(required) = required {
                    parameter.insert("required", required.clone());
                }
                push(definition, "parameters", parameter.into());
            } else {
                let schema = ordered! { "$ref" => format!("#/components/schemas/{}", name.as_str()) };
                let mut body = ordered! {
                    "content" => ordered! { "application/json" => ordered! { "schema" => schema } },
                };
                if let Some(required) = required {
                    body.insert("required", required.clone());
                }
                definition.insert("requestBody", body);
            }
        }
    }

    /// Names a validator on the method and defines it on the document.
    pub(crate) fn add_request_validator(&mut self, path: &str, method: &Text, body: bool, parameters: bool) {
        let name = match (body, parameters) {
            (true, true) => "body-and-params",
            (true, false) => "body-only",
            (false, true) => "params-only",
            (false, false) => "no-validation",
        };
        let validator = ordered! { "validateRequestBody" => body, "validateRequestParameters" => parameters };
        let validators = self.doc.entry(VALIDATORS, || Dict::py27().into());
        if let Some(validators) = validators.as_dict_mut()
            && !validators.contains(name)
        {
            validators.insert(name, validator);
        }
        for definition in self.definitions_of(path, method) {
            definition.insert(VALIDATOR, name);
        }
    }

    pub(crate) fn add_request_parameters(&mut self, path: &str, method: &Text, parameters: &[Parameter]) {
        for definition in self.definitions_of(path, method) {
            for parameter in parameters {
                let location = match parameter.location.as_str() {
                    "querystring" => Text::from("query"),
                    _ => parameter.location.clone(),
                };
                let made = ordered! {
                    "in" => location,
                    "name" => parameter.name.clone(),
                    "required" => parameter.required.clone(),
                    "type" => "string",
                };
                push(definition, "parameters", made.into());
                let Some(cache_key) = &parameter.cache_key else { continue };
                if let Some(Node::Dict(integration)) = definition.get_mut(INTEGRATION) {
                    push(integration, "cacheKeyParameters", cache_key.clone().into());
                }
            }
        }
    }
}

fn push(dict: &mut Dict, key: &str, item: Node) {
    if let Some(items) = dict.entry(key, || list![]).as_list_mut() {
        items.push(item);
    }
}
