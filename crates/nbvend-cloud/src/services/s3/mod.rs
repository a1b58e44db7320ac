//! S3: buckets and objects.

pub mod object;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};

use crate::Engine;
use crate::door::{Body, Peer};
use crate::operation::Service;
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "s3",
    action_prefix: "s3",
    event_source: "s3.amazonaws.com",
    operations: &[],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}

/// Serves a request of this service's own wire form.
pub fn handle(engine: Engine, request: Request<Body>, peer: Peer) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
    let _ = (engine, request, peer);
    Box::pin(async {
        let mut response = Response::new(crate::door::full(bytes::Bytes::new()));
        *response.status_mut() = http::StatusCode::NOT_IMPLEMENTED;
        response
    })
}
