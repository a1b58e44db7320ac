//! S3's wire form: from an HTTP request to typed operations and back.
//!
//! [`authenticate`] verifies the signature; [`gate`] refuses what would else be ignored; then the `s3s` crate reads the
//! request and calls [`dispatch`], whose functions make the operations. A refusal is kept beside the crate's own error
//! ([`Call::refused`]), because the crate's cannot carry S3's additional elements; [`fault`] renders it.

mod authenticate;
mod buckets;
mod configs;
mod convert;
mod copies;
mod dispatch;
mod fault;
mod gate;
mod lists;
mod objects;
mod puts;
mod query_v2;
mod receive;
mod rewrite;
mod uploads;
mod versions;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use nbvend_wire::error::WireError;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::S3ServiceBuilder;
use s3s::{S3Response, S3Result, s3_error};

use super::location::endpoint;
use crate::Engine;
use crate::config::Config;
use crate::door::{self, Body, Peer};
use crate::identity::Caller;
use crate::operation::Operation;

/// What a function of this folder answers.
type Answer<T> = Result<T, WireError>;

/// One request on its way.
struct Call {
    engine: Engine,
    caller: Caller,
    refusal: Arc<Mutex<Option<WireError>>>,
}

impl Call {
    /// Makes a typed operation as the caller: steps 4 to 6 of the door.
    async fn make<O: Operation>(&self, operation: O) -> Answer<O::Output> {
        door::call(&self.engine, self.caller.clone(), operation).await
    }

    /// Keeps the refusal for [`fault`] and gives the crate a stand-in.
    fn refused(&self, error: WireError) -> s3s::S3Error {
        *self.refusal.lock().expect("nobody panics while refusing") = Some(error);
        s3_error!(InvalidRequest)
    }
}

/// An answer whose status is not the one the crate gives; the crate ignores its own field for it.
#[derive(Clone)]
struct Status(StatusCode);

fn with_status<T>(output: T, status: StatusCode) -> S3Response<T> {
    let mut response = S3Response::new(output);
    response.extensions.insert(Status(status));
    response
}

/// Serves a request of this service's own wire form.
pub fn handle(
    engine: Engine,
    request: Request<Body>,
    peer: Peer,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
    Box::pin(async move {
        let request_id = engine.ids().text(16, "0123456789ABCDEF");
        let head = request.method() == Method::HEAD;
        let mut response = match serve(&engine, request, &peer, &request_id).await {
            Ok(response) => response,
            Err(error) => fault::render(&error, &request_id),
        };
        fault::stamp(&mut response, &request_id);
        if head || response.status() == StatusCode::NOT_MODIFIED {
            *response.body_mut() = door::full(bytes::Bytes::new());
        }
        response
    })
}

async fn serve(
    engine: &Engine,
    request: Request<Body>,
    peer: &Peer,
    request_id: &str,
) -> Answer<Response<Body>> {
    let (mut parts, body) = request.into_parts();
    let (caller, key) = authenticate::authenticate(engine, &mut parts, peer, request_id)?;
    gate::check(&parts, &engine.config().account, names_object(&parts, engine.config()))?;
    let refusal = Arc::new(Mutex::new(None));
    let call = Call { engine: engine.clone(), caller, refusal: Arc::clone(&refusal) };

    // Made for this one request, so that it holds the one key that was looked up, and never outlives the engine.
    let mut service = S3ServiceBuilder::new(call);
    let mut config = S3Config::default();
    // The age of the request was judged by the engine's clock; the crate would use the machine's.
    config.presigned_url_max_skew_time_secs = u32::MAX;
    service.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    service.set_auth(OneKey(key));
    service.set_access(Inside);
    service.set_host(Hosts(engine.config().clone()));

    let body = s3s::Body::http_body_unsync(body.map_err(std::io::Error::other));
    let answered = service.build().call(Request::from_parts(parts, body)).await;
    let refused = refusal.lock().expect("nobody panics while refusing").take();
    match (refused, answered) {
        (Some(error), _) => Err(error),
        (None, Ok(response)) if response.status().as_u16() >= 400 => Err(fault::of_crate(response).await),
        (None, Ok(mut response)) => {
            if let Some(Status(status)) = response.extensions_mut().remove::<Status>() {
                *response.status_mut() = status;
            }
            rewrite::rewritten(response.map(BodyExt::boxed_unsync)).await
        }
        (None, Err(error)) => {
            tracing::error!(?error, "an S3 request died");
            Err(WireError::new("InternalError", 500, "We encountered an internal error. Please try again."))
        }
    }
}

/// The key that the request was found to be signed with, for the crate's second look at signature and body.
struct OneKey(Option<(String, String)>);

#[async_trait::async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match &self.0 {
            Some((id, secret)) if id == access_key => Ok(SecretKey::from(secret.as_str())),
            _ => Err(s3_error!(InvalidAccessKeyId)),
        }
    }
}

/// Lets everything through: each operation is authorised by the door, anonymous callers too.
struct Inside;

#[async_trait::async_trait]
impl S3Access for Inside {
    async fn check(&self, _cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        Ok(())
    }
}

/// Whether a key stands in the path: after the bucket, or alone where the host names the bucket.
fn names_object(parts: &Parts, config: &Config) -> bool {
    let host = parts.headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = parts.uri.path().trim_start_matches('/');
    match endpoint(config, host).and_then(|endpoint| endpoint.bucket) {
        Some(_) => !path.is_empty(),
        None => path.split_once('/').is_some_and(|(_, key)| !key.is_empty()),
    }
}

/// Finds the bucket in the host's name.
struct Hosts(Config);

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let plain = VirtualHost::new(host);
        Ok(match endpoint(&self.0, host).and_then(|endpoint| endpoint.bucket) {
            Some(bucket) => plain.with_bucket(bucket),
            None => plain,
        })
    }
}
