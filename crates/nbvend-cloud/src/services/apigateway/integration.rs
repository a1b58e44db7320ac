//! `PutIntegration`, `GetIntegration`, `UpdateIntegration`, `DeleteIntegration`, and what an integration may be.

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::passed;
use super::patch::{self, Change, PatchOperation};
use super::state::{Backend, Definition, Integration, Texts};
use super::template;
use super::view::IntegrationView;
use crate::context::Cx;
use crate::operation::{Kind, Need, Operation};

/// AWS's limit and default for the time a backend has, in milliseconds.
const LONGEST: i64 = 29_000;
const SHORTEST: i64 = 50;

/// What is asked of an integration, by an operation or an OpenAPI document.
#[derive(Debug, Default)]
pub struct Wanted {
    /// `AWS_PROXY`, `MOCK` …
    pub kind: String,
    pub http_method: Option<String>,
    pub uri: Option<String>,
    pub credentials: Option<String>,
    pub request_templates: Texts,
    pub passthrough: Option<String>,
    pub timeout_ms: Option<i64>,
    pub cache_namespace: Option<String>,
}

impl Wanted {
    /// Checks all of it; `resource` is the resource's id, which is the default name space of its cache.
    pub fn build(self, resource: &str) -> Result<Integration, Error> {
        let backend = match self.kind.as_str() {
            "AWS_PROXY" => Backend::LambdaProxy,
            "MOCK" => Backend::Mock,
            "AWS" | "HTTP" | "HTTP_PROXY" => {
                if self.http_method.as_deref().unwrap_or_default().is_empty() {
                    return Err(Error::bad("Enumeration value for HttpMethod must be non-empty"));
                }
                return Err(Error::unsupported(format!("The integration type {}", self.kind)));
            }
            other => return Err(Error::bad(format!("Invalid integration type: {other}"))),
        };
        if backend == Backend::LambdaProxy {
            if self.http_method.as_deref().unwrap_or_default().is_empty() {
                return Err(Error::bad("Enumeration value for HttpMethod must be non-empty"));
            }
            check_uri(self.uri.as_deref().unwrap_or_default())?;
        }
        check_credentials(self.credentials.as_deref())?;
        self.request_templates.values().try_for_each(|text| template::check(text))?;
        Ok(Integration {
            backend,
            http_method: self.http_method,
            uri: self.uri,
            credentials: self.credentials,
            request_templates: self.request_templates,
            passthrough: check_passthrough(self.passthrough.as_deref().unwrap_or("WHEN_NO_MATCH"))?,
            timeout_ms: check_timeout(self.timeout_ms.unwrap_or(LONGEST))?,
            cache_namespace: self.cache_namespace.unwrap_or_else(|| resource.to_owned()),
            responses: std::collections::BTreeMap::new(),
        })
    }
}

fn check_timeout(millis: i64) -> Result<i64, Error> {
    if (SHORTEST..=LONGEST).contains(&millis) {
        return Ok(millis);
    }
    Err(Error::bad(format!("Timeout should be between {SHORTEST} ms and {LONGEST} ms")))
}

fn check_passthrough(text: &str) -> Result<String, Error> {
    // OpenAPI documents write it in lower case.
    let name = text.to_ascii_uppercase();
    match name.as_str() {
        "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER" => Ok(name),
        _ => Err(Error::bad(
            "Invalid PassthroughBehavior specified. Valid options are WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER",
        )),
    }
}

fn check_credentials(credentials: Option<&str>) -> Result<(), Error> {
    match credentials {
        Some(arn) if !arn.starts_with("arn:") => Err(Error::bad("Invalid ARN specified in the request")),
        _ => Ok(()),
    }
}

/// AWS's three complaints are recorded.
fn check_uri(uri: &str) -> Result<(), Error> {
    if !uri.starts_with("arn:") {
        return Err(Error::bad("Invalid ARN specified in the request"));
    }
    let target = uri.splitn(6, ':').nth(5).unwrap_or_default();
    if !target.starts_with("path/") && !target.starts_with("action/") {
        return Err(Error::bad("AWS ARN for integration must contain path or action"));
    }
    if uri.split(':').nth(4) == Some("lambda") && function_arn(uri).is_some() {
        return Ok(());
    }
    Err(Error::bad(
        "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
    ))
}

/// The function's ARN in `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations`; stage
/// variables may still stand in it.
pub fn function_arn(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("/functions/")?;
    let (arn, _) = rest.split_once("/invocations")?;
    (arn.starts_with("arn:") || arn.starts_with("${")).then_some(arn)
}

fn below(resource: &str, verb: &str) -> String {
    format!("/resources/{resource}/methods/{verb}/integration")
}

/// `connectionType`, `connectionId`, `requestParameters`, `cacheKeyParameters`, `contentHandling`, `tlsConfig`,
/// `responseTransferMode` and `integrationTarget` are left out: refused by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutIntegration {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub integration_http_method: Option<String>,
    pub uri: Option<String>,
    pub credentials: Option<String>,
    pub request_templates: Texts,
    pub passthrough_behavior: Option<String>,
    pub timeout_in_millis: Option<i64>,
    pub cache_namespace: Option<String>,
}

impl Operation for PutIntegration {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "PutIntegration";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PUT;
    type Output = IntegrationView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method))
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        passed::role(self.credentials.as_deref())
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<IntegrationView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let method = definition.method_mut(&self.resource_id, &self.http_method)?;
        let wanted = Wanted {
            kind: self.kind,
            http_method: self.integration_http_method,
            uri: self.uri,
            credentials: self.credentials,
            request_templates: self.request_templates,
            passthrough: self.passthrough_behavior,
            timeout_ms: self.timeout_in_millis,
            cache_namespace: self.cache_namespace,
        };
        let integration = wanted.build(&self.resource_id)?;
        let view = IntegrationView::of(&integration);
        method.integration = Some(integration);
        cx.put(&definition)?;
        Ok(view)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetIntegration {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
}

impl Operation for GetIntegration {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetIntegration";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = IntegrationView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<IntegrationView, Error> {
        let definition = Definition::find(cx, &self.rest_api_id)?;
        let method = definition.method(&self.resource_id, &self.http_method)?;
        Ok(IntegrationView::of(method.integration.as_ref().ok_or(Error::NoIntegration)?))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateIntegration {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub patch_operations: Vec<PatchOperation>,
}

impl Operation for UpdateIntegration {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "UpdateIntegration";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PATCH;
    type Output = IntegrationView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method))
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        passed::patched(&self.patch_operations)
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<IntegrationView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let integration = definition.integration_mut(&self.resource_id, &self.http_method)?;
        patch::apply(&self.patch_operations, |change| one(integration, change))?;
        let view = IntegrationView::of(integration);
        cx.put(&definition)?;
        Ok(view)
    }
}

fn one(integration: &mut Integration, change: &Change<'_>) -> Result<(), Error> {
    match change.parts()[..] {
        ["uri"] => {
            let uri = change.replaced()?;
            if integration.backend == Backend::LambdaProxy {
                check_uri(uri)?;
            }
            integration.uri = Some(uri.to_owned());
        }
        ["httpMethod"] => integration.http_method = Some(change.replaced()?.to_owned()),
        ["credentials"] => {
            let credentials = change.text()?;
            check_credentials(credentials.as_deref())?;
            integration.credentials = credentials;
        }
        ["timeoutInMillis"] => {
            let millis = change.replaced()?.parse().map_err(|_| change.invalid())?;
            integration.timeout_ms = check_timeout(millis)?;
        }
        ["passthroughBehavior"] => integration.passthrough = check_passthrough(change.replaced()?)?,
        ["cacheNamespace"] => change.replaced()?.clone_into(&mut integration.cache_namespace),
        ["requestTemplates", content_type] => match change.op {
            "add" | "replace" => {
                let text = change.value()?;
                template::check(text)?;
                integration.request_templates.insert(content_type.to_owned(), text.to_owned());
            }
            "remove" if integration.request_templates.remove(content_type).is_some() => {}
            _ => return Err(change.invalid()),
        },
        _ => return Err(change.invalid()),
    }
    Ok(())
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteIntegration {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
}

impl Operation for DeleteIntegration {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "DeleteIntegration";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let method = definition.method_mut(&self.resource_id, &self.http_method)?;
        method.integration.take().ok_or(Error::NoIntegration)?;
        cx.put(&definition)?;
        Ok(())
    }
}
