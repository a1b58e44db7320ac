//! `Auth.Authorizers`: Cognito user pools, Lambda functions, and IAM.

use super::{Api, reference_to};
use crate::sam::error::Result;
use crate::sam::node::{Dict, Node, Text, dict, list, ordered};
use crate::sam::openapi::{Authorizer, Authorizers};
use crate::sam::resource::Resource;
use crate::sam::schema::a_map;

/// The API's authorizers as security definitions; nothing if it has none.
pub(super) fn read(api: &Api<'_>, partition: &str) -> Result<Option<Authorizers>> {
    let Some(auth) = api.some("Auth") else { return Ok(None) };
    let auth = a_map(api.id, "Auth", auth)?;
    let mut all = Vec::new();
    if let Some(Node::Text(name)) = auth.get("DefaultAuthorizer")
        && name.as_str() == "AWS_IAM"
    {
        all.push(Authorizer { name: name.clone(), definition: iam_definition(), scopes: None });
    }
    let Some(given) = auth.given("Authorizers").filter(|given| given.truthy()) else {
        return Ok((!all.is_empty()).then_some(Authorizers(all)));
    };
    let Some(given) = given.as_dict() else { return Err(api.fault("Authorizers must be a dictionary.")) };
    for (name, config) in given.iter() {
        let config = a_map(api.id, &format!("Auth.Authorizers.{}", name.as_str()), config)?;
        let authorizer = One { api, name, config, partition };
        authorizer.check()?;
        all.push(Authorizer {
            name: name.clone(),
            definition: authorizer.definition()?,
            scopes: config.given("AuthorizationScopes").cloned(),
        });
    }
    Ok(Some(in_python_order(all)))
}

/// The authorizers are kept in a dictionary, whose order is that of the definitions.
fn in_python_order(all: Vec<Authorizer>) -> Authorizers {
    let mut order = Dict::py27();
    for authorizer in &all {
        order.insert(&authorizer.name, Node::Null);
    }
    let place = |name: &Text| order.keys().position(|key| key == name);
    let mut all = all;
    all.sort_by_key(|authorizer| place(&authorizer.name));
    Authorizers(all)
}

fn iam_definition() -> Dict {
    ordered! {
        "type" => "apiKey",
        "name" => "Authorization",
        "in" => "header",
        "x-amazon-apigateway-authtype" => "awsSigv4",
    }
}

struct One<'a> {
    api: &'a Api<'a>,
    name: &'a Text,
    config: &'a Dict,
    partition: &'a str,
}

impl One<'_> {
    fn is_cognito(&self) -> bool {
        self.config.given("UserPoolArn").is_some()
    }

    fn is_request(&self) -> bool {
        self.config.str("FunctionPayloadType") == Some("REQUEST")
    }

    fn identity(&self) -> Option<&Dict> {
        self.config.given("Identity").and_then(Node::as_dict)
    }

    fn check(&self) -> Result<()> {
        let name = self.name.as_str();
        if let Some(kind) = self.config.given("FunctionPayloadType")
            && !matches!(kind.as_str(), Some("TOKEN" | "REQUEST"))
        {
            return Err(self
                .api
                .fault(format!("{name} Authorizer has invalid 'FunctionPayloadType': {}.", kind.to_text())));
        }
        if self.is_request() && !self.has_identity_source()? {
            return Err(self.api.fault(format!(
                "{name} Authorizer must specify Identity with at least one of Headers, QueryStrings, StageVariables, \
                 or Context."
            )));
        }
        if let Some(scopes) = self.config.given("AuthorizationScopes")
            && scopes.as_list().is_none()
        {
            return Err(self.api.fault("AuthorizationScopes must be a list."));
        }
        Ok(())
    }

    fn has_identity_source(&self) -> Result<bool> {
        let Some(identity) = self.config.given("Identity") else { return Ok(false) };
        let path = format!("Auth.Authorizers.{}.Identity", self.name.as_str());
        let identity = a_map(self.api.id, &path, identity)?;
        let some = |name: &str| identity.given(name).is_some_and(Node::truthy);
        let any = ["Headers", "QueryStrings", "StageVariables", "Context"].into_iter().any(some);
        // Caching is off at zero seconds, and then no source is needed.
        let uncached = identity.given("ReauthorizeEvery").is_some_and(|every| !every.truthy());
        Ok(any || uncached)
    }

    fn definition(&self) -> Result<Dict> {
        let mut definition = ordered! { "type" => "apiKey", "name" => self.header(), "in" => "header" };
        let kind = if self.is_cognito() { "cognito_user_pools" } else { "custom" };
        definition.insert("x-amazon-apigateway-authtype", kind);
        let authorizer = if self.is_cognito() { self.cognito() } else { self.lambda()? };
        definition.insert("x-amazon-apigateway-authorizer", authorizer);
        Ok(definition)
    }

    fn header(&self) -> Node {
        if self.is_request() {
            return "Unused".into();
        }
        self.identity()
            .and_then(|identity| identity.given("Header"))
            .cloned()
            .unwrap_or_else(|| "Authorization".into())
    }

    fn cognito(&self) -> Dict {
        let pools = match self.config.given("UserPoolArn") {
            Some(Node::List(pools)) => Node::List(pools.clone()),
            Some(pool) => list![pool.clone()],
            None => list![],
        };
        let mut made = ordered! { "type" => "cognito_user_pools", "providerARNs" => pools };
        if let Some(pattern) = self.identity().and_then(|identity| identity.given("ValidationExpression")) {
            made.insert("identityValidationExpression", pattern.clone());
        }
        made
    }

    fn lambda(&self) -> Result<Dict> {
        let kind = if self.is_request() { "request" } else { "token" };
        let mut made = ordered! { "type" => kind, "authorizerUri" => self.uri() };
        if let Some(every) = self.identity().and_then(|identity| identity.given("ReauthorizeEvery")) {
            made.insert("authorizerResultTtlInSeconds", every.clone());
        }
        if let Some(role) =
            self.config.given("FunctionInvokeRole").filter(|role| role.as_str() != Some("NONE"))
        {
            made.insert("authorizerCredentials", role.clone());
        }
        if self.is_request() {
            let source = self.identity_source();
            if !source.is_empty() {
                made.insert("identitySource", Text::marked(source));
            }
        } else if let Some(pattern) =
            self.identity().and_then(|identity| identity.given("ValidationExpression"))
        {
            made.insert("identityValidationExpression", pattern.clone());
        }
        Ok(made)
    }

    fn uri(&self) -> Dict {
        let text = format!(
            "arn:{}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{__FunctionArn__}}/invocations",
            self.partition
        );
        let function = self.config.given("FunctionArn").cloned().unwrap_or(Node::Null);
        ordered! { "Fn::Sub" => list![text, ordered! { "__FunctionArn__" => function }] }
    }

    /// `method.request.header.X, method.request.querystring.q, stageVariables.s, context.c`
    fn identity_source(&self) -> String {
        const PARTS: [(&str, &str); 4] = [
            ("Headers", "method.request.header."),
            ("QueryStrings", "method.request.querystring."),
            ("StageVariables", "stageVariables."),
            ("Context", "context."),
        ];
        let mut sources = Vec::new();
        for (name, prefix) in PARTS {
            let given = self.identity().and_then(|identity| identity.given(name)).and_then(Node::as_list);
            for source in given.into_iter().flatten() {
                sources.push(format!("{prefix}{}", source.to_text()));
            }
        }
        sources.join(", ")
    }
}

/// Leave for API Gateway to invoke the functions that authorise.
pub(super) fn permissions(api: &Api<'_>, partition: &str) -> Result<Vec<Resource>> {
    let authorizers = api.some("Auth").and_then(|auth| auth.get("Authorizers")).and_then(Node::as_dict);
    let mut made = Vec::new();
    for (name, config) in authorizers.into_iter().flat_map(Dict::iter) {
        let Some(function) = config.get("FunctionArn").filter(|function| function.truthy()) else { continue };
        if config.get("DisableFunctionDefaultPermissions").is_some_and(Node::truthy) {
            continue;
        }
        let id = format!("{}AuthorizerPermission", name.as_str());
        let mut permission = api.make(&id, "AWS::Lambda::Permission");
        permission.set("Action", "lambda:InvokeFunction");
        permission.set("FunctionName", function.clone());
        permission.set("Principal", "apigateway.amazonaws.com");
        let text = format!(
            "arn:{partition}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/authorizers/*"
        );
        permission
            .set("SourceArn", dict! { "Fn::Sub" => list![text, dict! { "__ApiId__" => reference_to(api) }] });
        made.push(permission);
    }
    Ok(made)
}
