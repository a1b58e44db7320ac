//! The door: every request passes here, whether it came over HTTP or from another service inside the engine.
//!
//! 1. **route** ([`route`]): service by SigV4 scope, target header, host or path
//! 2. **authenticate** ([`authenticate`]): SigV4 to a principal
//! 3. **decode** (`nbvend_wire::protocol`, [`crate::operation::typed`]): to a typed input, or AWS's own error
//! 4. **authorise** ([`authorise`]): the action on its resources
//! 5. **run**: the operation's one function, in one transaction
//! 6. **record** ([`crate::trail`]): in the same commit
//! 7. **encode** (`nbvend_wire::protocol`): in the caller's protocol
//!
//! Calls from inside are typed already and act as a principal: they pass steps 4 to 6 ([`perform`]).

mod authenticate;
mod authorise;
mod body;
#[cfg(test)]
mod coverage;
mod exceptions;
mod perform;
mod permit;
mod route;
mod tagging;
#[cfg(test)]
mod tests;
mod unserved;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use nbvend_wire::error::WireError;
use nbvend_wire::model;
use nbvend_wire::protocol::{self, Incoming, Outgoing};
use sha2::{Digest, Sha256};

use crate::engine::Engine;
use crate::identity::Caller;
use crate::services;

pub(crate) use authenticate::signing_key;
pub use authenticate::{authenticate, credential};
pub use body::collect;
pub use perform::{allowed, call, perform, wait_for};
pub(crate) use perform::{refused, run_operation, run_waiting};
pub use permit::{DataCall, denied, permit};
use route::Route;

/// A request's or answer's body.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct Peer {
    pub ip: std::net::IpAddr,
    /// Whether it came over TLS.
    pub secure: bool,
}

/// A body held in memory.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Serves one HTTP request of an AWS client.
pub async fn handle(engine: &Engine, request: Request<Body>, peer: Peer) -> Response<Body> {
    let service = match route::route(&request) {
        Route::Raw(handler) => return handler(engine.clone(), request, peer).await,
        Route::Modelled(service) => service,
    };
    let request_id = engine.ids().uuid();
    let model = service.as_deref().and_then(model::service);
    match serve(engine, service.as_deref(), request, &peer, &request_id).await {
        Ok(outgoing) => response(outgoing),
        // Without a known service the query protocol's form is AWS's own habit.
        Err(error) => match model.or_else(|| model::service("sts")) {
            Some(model) => response(protocol::encode_error(model, &error, &request_id)),
            None => status(StatusCode::INTERNAL_SERVER_ERROR),
        },
    }
}

async fn serve(
    engine: &Engine,
    service: Option<&str>,
    request: Request<Body>,
    peer: &Peer,
    request_id: &str,
) -> Result<Outgoing, WireError> {
    let (parts, body) = request.into_parts();
    // Whom nobody knows is told so before much is held for him.
    let signer = authenticate::signer(engine, &parts, service);
    let limit = if signer.is_ok() { body::largest(service) } else { body::SMALL };
    let body = match (body::receive(body, limit).await, &signer) {
        (Err(_), Err(stranger)) => return Err(stranger.clone()),
        (received, _) => received?,
    };
    let incoming = Incoming {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
    };
    let signer = match signer {
        Err(error) if error.code == "MissingAuthenticationToken" => {
            return Err(unserved::taken_unsigned(&incoming).unwrap_or(error));
        }
        signer => signer?,
    };
    let body_sha256 = hex::encode(Sha256::digest(&*body));
    let mut caller = authenticate::proven(engine, &parts, signer, &body_sha256, service, peer)?;
    request_id.clone_into(&mut caller.request_id);

    let unknown = || WireError::new("UnknownService", 404, "nbvend has no service for this request");
    let served = service.and_then(services::find).ok_or_else(unknown)?;
    let model = model::service(served.id).ok_or_else(unknown)?;
    let name = protocol::operation_name(model, &incoming)?;
    let (Some(entry), Some(operation)) = (served.operation(&name), model.operation(&name)) else {
        return Err(unserved::refused(served.id, &name));
    };
    let input = match protocol::decode(model, operation, &incoming).and_then(|input| {
        nbvend_wire::validate::validate(model, operation, &input)?;
        Ok(input)
    }) {
        Ok(input) => input,
        Err(error) => return Err(refused(engine, caller, entry, error).await),
    };
    let output = (entry.run)(engine.clone(), caller, input).await?;
    Ok(protocol::encode(model, operation, &output, request_id))
}

fn response(outgoing: Outgoing) -> Response<Body> {
    let mut response = Response::new(full(outgoing.body));
    *response.status_mut() =
        StatusCode::from_u16(outgoing.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().extend(outgoing.headers.into_iter().map(|(name, value)| (Some(name), value)));
    response
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(full(Bytes::new()));
    *response.status_mut() = code;
    response
}

/// The caller of a request that came unsigned to where that is allowed (API Gateway's open methods).
pub fn anonymous(region: &str, peer: &Peer, user_agent: &str, request_id: &str) -> Caller {
    Caller {
        principal: crate::identity::Principal::Anonymous,
        access_key_id: None,
        session_issued: None,
        region: region.to_owned(),
        source_ip: peer.ip.to_string(),
        user_agent: user_agent.to_owned(),
        request_id: request_id.to_owned(),
        invoked_by: None,
        secure: peer.secure,
    }
}
