//! The data plane: what a deployed API answers. No model describes these requests, so they do not take the door's
//! usual way; their own way is this:
//!
//! 1. **address** ([`address`]): which API, stage and path, by host name or by path
//! 2. **stage** ([`compiled`]): what was deployed to it, compiled once a generation
//! 3. **route** ([`routes`]): the resource and method
//! 4. **throttle** ([`throttle`]): the stage's limits, where it has some
//! 5. **authorise** ([`authorise`]): signature, the API's policy, IAM
//! 6. **answer**: by a function ([`lambda`]) or a template ([`mock`])
//!
//! Whatever refuses on the way is a [`refusal::Refusal`], which the API's gateway responses may dress.

mod address;
mod authorise;
mod compiled;
mod event;
mod exchange;
mod headers;
mod lambda;
mod mock;
mod refusal;
mod routes;
mod throttle;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{Request, Response};

use super::state::Backend;
use crate::Engine;
use crate::door::{self, Body, Peer};
use exchange::Exchange;
use refusal::Refusal;

/// The largest request and answer, in bytes (quotas of REST APIs).
const LARGEST_BODY: usize = 10 << 20;

/// Serves one request.
pub async fn serve(engine: Engine, request: Request<Body>, peer: Peer) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut exchange = Exchange::new(&engine, parts, peer);
    let answer = answer(&engine, &mut exchange, body).await;
    let response = answer.unwrap_or_else(|refusal| refusal.response(&exchange));
    exchange.finish(response)
}

async fn answer(engine: &Engine, exchange: &mut Exchange, body: Body) -> Result<Response<Body>, Refusal> {
    let address = address::of(&exchange.parts, engine.config()).ok_or_else(Refusal::forbidden)?;
    exchange.address = Some(address.clone());
    if address.stage.is_empty() {
        return Err(Refusal::no_route());
    }
    let stage = compiled::stage(engine, &address)?.ok_or_else(Refusal::forbidden)?;
    exchange.stage = Some(stage.clone());
    if stage.disabled {
        return Err(Refusal::forbidden());
    }
    let route =
        stage.routes.find(exchange.parts.method.as_str(), &address.path).ok_or_else(Refusal::no_route)?;
    exchange.route = Some(route.clone());
    throttle::admit(engine, exchange, &stage, &route)?;
    let body = collect(body).await?;
    exchange.caller = Some(authorise::authorise(engine, exchange, &stage, &route, &body)?);
    match route.method.integration.as_ref().map(|integration| integration.backend) {
        Some(Backend::LambdaProxy) => lambda::answer(engine, exchange, &stage, &route, &body).await,
        Some(Backend::Mock) => mock::answer(exchange, &route, &body),
        None => Err(Refusal::configuration()),
    }
}

async fn collect(body: Body) -> Result<Bytes, Refusal> {
    door::collect(body, LARGEST_BODY).await.map_err(|error| match error.status {
        413 => Refusal::too_large(),
        _ => Refusal::bad_request(&error.message),
    })
}
