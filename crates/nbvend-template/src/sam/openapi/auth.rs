//! Security of methods: authorizers, scopes, API keys, and their definitions.

use super::Editor;
use crate::sam::error::Result;
use crate::sam::node::{Dict, Node, Text, list, ordered};

const API_KEY: &str = "api_key";
const API_KEY_FALSE: &str = "api_key_false";
const AWS_IAM: &str = "AWS_IAM";

/// An API's authorizers: their names, definitions and default scopes, in order.
pub(crate) struct Authorizers(pub(crate) Vec<Authorizer>);

pub(crate) struct Authorizer {
    pub(crate) name: Text,
    pub(crate) definition: Dict,
    pub(crate) scopes: Option<Node>,
}

impl Authorizers {
    fn scopes(&self, name: &str) -> Node {
        self.0
            .iter()
            .find(|authorizer| authorizer.name.as_str() == name)
            .and_then(|authorizer| authorizer.scopes.clone())
            .unwrap_or_else(|| Node::List(Vec::new()))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|authorizer| authorizer.name.as_str() == name)
    }
}

fn security_of(definition: &Dict) -> Vec<Node> {
    definition.get("security").and_then(Node::as_list).cloned().unwrap_or_default()
}

fn mentions(security: &Node, names: impl Fn(&str) -> bool) -> bool {
    security.as_dict().is_some_and(|security| security.keys().any(|key| names(key)))
}

impl Editor {
    pub(crate) fn add_authorizers(&mut self, authorizers: &Authorizers) {
        for authorizer in &authorizers.0 {
            self.security_definitions.insert(&authorizer.name, authorizer.definition.clone());
        }
    }

    pub(crate) fn add_iam_definition(&mut self) {
        if self.security_definitions.contains(AWS_IAM) {
            return;
        }
        let definition = ordered! {
            "x-amazon-apigateway-authtype" => "awsSigv4",
            "type" => "apiKey",
            "name" => "Authorization",
            "in" => "header",
        };
        self.security_definitions.insert(AWS_IAM, definition);
    }

    pub(crate) fn add_api_key_definition(&mut self) {
        if self.security_definitions.contains(API_KEY) {
            return;
        }
        let definition = ordered! { "type" => "apiKey", "name" => "x-api-key", "in" => "header" };
        self.security_definitions.insert(API_KEY, definition);
    }

    /// Gives every method of `path` that names no authorizer the API's default one. A method that asked for
    /// `NONE` keeps what else it has.
    pub(crate) fn set_default_authorizer(
        &mut self,
        path: &str,
        default: &Text,
        authorizers: &Authorizers,
        preflight: bool,
    ) -> Result<()> {
        let mut iam = false;
        self.each_method(path, |name, definition| {
            if name == "options" && !preflight {
                return Ok(());
            }
            let (mut own, mut rest): (Vec<Node>, Vec<Node>) = security_of(definition)
                .into_iter()
                .partition(|security| mentions(security, |key| key == AWS_IAM || authorizers.has(key)));
            if own.is_empty() {
                match rest.iter().position(|security| mentions(security, |key| key == "NONE")) {
                    Some(none) => {
                        rest.remove(none);
                    }
                    None => own.push(ordered! { default => authorizers.scopes(default) }.into()),
                }
            }
            rest.extend(own);
            if !rest.is_empty() {
                iam |= mentions(&rest[0], |key| key == AWS_IAM);
                definition.insert("security", rest);
            }
            Ok(())
        })?;
        if iam {
            self.add_iam_definition();
        }
        Ok(())
    }

    /// Gives every method of `path` the API key, unless it says otherwise; without `preflight`, takes it from
    /// `options`.
    pub(crate) fn set_default_api_key(&mut self, path: &str, preflight: bool) -> Result<()> {
        self.each_method(path, |name, definition| {
            let (own, mut rest): (Vec<Node>, Vec<Node>) = security_of(definition)
                .into_iter()
                .partition(|security| mentions(security, |key| key == API_KEY || key == API_KEY_FALSE));
            let refused = own.iter().any(|security| mentions(security, |key| key == API_KEY_FALSE));
            if !refused && (name != "options" || preflight) {
                rest.push(ordered! { API_KEY => list![] }.into());
            }
            if rest != security_of(definition) {
                definition.insert("security", rest);
            }
            Ok(())
        })
    }

    /// What an event's `Auth` asks for one method, checked by the caller.
    pub(crate) fn add_method_auth(
        &mut self,
        path: &str,
        method: &Text,
        auth: &Dict,
        api_authorizers: Option<&Dict>,
    ) {
        if let Some(Node::Text(name)) = auth.given("Authorizer").filter(|authorizer| authorizer.truthy()) {
            let of_api =
                api_authorizers.and_then(|authorizers| authorizers.get(name)).and_then(Node::as_dict);
            let scopes = auth
                .given("AuthorizationScopes")
                .or_else(|| of_api.and_then(|authorizer| authorizer.given("AuthorizationScopes")))
                .cloned()
                .unwrap_or_else(|| Node::List(Vec::new()));
            for definition in self.definitions_of(path, method) {
                let mut security = security_of(definition);
                security.push(ordered! { name => scopes.clone() }.into());
                definition.insert("security", security);
            }
            if name.as_str() == AWS_IAM {
                self.add_iam_definition();
            }
        }
        if let Some(required) = auth.given("ApiKeyRequired") {
            let name = if required.truthy() { API_KEY } else { API_KEY_FALSE };
            if required.truthy() {
                self.add_api_key_definition();
            }
            for definition in self.definitions_of(path, method) {
                let mut security = security_of(definition);
                security.push(ordered! { name => list![] }.into());
                definition.insert("security", security);
            }
        }
    }
}
