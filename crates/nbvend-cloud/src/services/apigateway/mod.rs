//! API Gateway's REST APIs: the control plane, and in [`data_plane`] what a deployed API answers.
//!
//! Served: APIs with resources, methods, Lambda proxy and mock integrations; import of OpenAPI 2.0 and 3.0 as SAM makes
//! it; deployments, stages with variables and limits; gateway responses; resource policies; `NONE` and `AWS_IAM`.
//!
//! Different from AWS, and why:
//! - What is not served is refused by name, also inside an OpenAPI document: authorizers, API keys and usage plans,
//!   request validators, private APIs, caches, canaries, compression, custom domains, HTTP and AWS service
//!   integrations, Velocity beyond `$context` and `$stageVariables` (see [`template`]). Models are kept and shown.
//! - `EDGE` and `REGIONAL` are served alike: there is no edge, so no CloudFront headers.
//! - Header names reach functions in title case (`Content-Type`): the HTTP library does not keep the client's.
//! - Logging and metrics of a stage can only be off; why an integration failed stands in the engine's own log.
//! - A deployment is served from its commit on, without AWS's delay.

mod access;
mod account;
mod cfn;
mod data_plane;
mod deployment;
mod error;
mod export;
mod gateway_response;
mod import;
mod integration;
mod integration_response;
mod method;
mod method_response;
mod model;
mod page;
mod passed;
mod patch;
mod paths;
mod policy;
mod resource;
mod rest_api;
mod stage;
mod state;
mod tags;
mod template;
#[cfg(test)]
mod tests;
mod update_rest_api;
mod update_stage;
mod view;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};

use crate::Engine;
use crate::door::{Body, Peer};
use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "apigateway",
    action_prefix: "apigateway",
    event_source: "apigateway.amazonaws.com",
    resource_policy: None,
    operations: &[
        op::<deployment::CreateDeployment>(),
        op::<resource::CreateResource>(),
        op::<rest_api::CreateRestApi>(),
        op::<stage::CreateStage>(),
        op::<deployment::DeleteDeployment>(),
        op::<gateway_response::DeleteGatewayResponse>(),
        op::<integration::DeleteIntegration>(),
        op::<integration_response::DeleteIntegrationResponse>(),
        op::<method::DeleteMethod>(),
        op::<method_response::DeleteMethodResponse>(),
        op::<resource::DeleteResource>(),
        op::<rest_api::DeleteRestApi>(),
        op::<stage::DeleteStage>(),
        op::<account::GetAccount>(),
        op::<deployment::GetDeployment>(),
        op::<deployment::GetDeployments>(),
        op::<export::GetExport>(),
        op::<gateway_response::GetGatewayResponse>(),
        op::<gateway_response::GetGatewayResponses>(),
        op::<integration::GetIntegration>(),
        op::<integration_response::GetIntegrationResponse>(),
        op::<method::GetMethod>(),
        op::<method_response::GetMethodResponse>(),
        op::<model::GetModel>(),
        op::<model::GetModels>(),
        op::<resource::GetResource>(),
        op::<resource::GetResources>(),
        op::<rest_api::GetRestApi>(),
        op::<rest_api::GetRestApis>(),
        op::<stage::GetStage>(),
        op::<stage::GetStages>(),
        op::<tags::GetTags>(),
        op::<import::ImportRestApi>(),
        op::<gateway_response::PutGatewayResponse>(),
        op::<integration::PutIntegration>(),
        op::<integration_response::PutIntegrationResponse>(),
        op::<method::PutMethod>(),
        op::<method_response::PutMethodResponse>(),
        op::<import::PutRestApi>(),
        op::<tags::TagResource>(),
        op::<tags::UntagResource>(),
        op::<account::UpdateAccount>(),
        op::<deployment::UpdateDeployment>(),
        op::<integration::UpdateIntegration>(),
        op::<method::UpdateMethod>(),
        op::<resource::UpdateResource>(),
        op::<update_rest_api::UpdateRestApi>(),
        op::<update_stage::UpdateStage>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = cfn::PROVIDERS;

/// Nothing here is slow: a deployment is one commit.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}

/// Serves a request to a deployed API.
pub fn handle(
    engine: Engine,
    request: Request<Body>,
    peer: Peer,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
    Box::pin(data_plane::serve(engine, request, peer))
}
