//! The Runtime API of one process: an HTTP/1.1 server on a loopback port of its own.
//!
//! Routes, header names, status codes and error types are those of the Lambda runtime API, version 2018-06-01.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::process::Pid;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::exchange::{Answer, Exchange, Refusal, Request};
use super::memory::Limit;
use super::{ErrorKind, FunctionError, Invocation, peer};

/// The largest answer of a function: 6 MiB and a little, as AWS's own error text has it.
pub(super) const PAYLOAD_LIMIT: usize = 6_291_556;

const PREFIX: &str = "/2018-06-01/runtime/";

/// The processes that may connect.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) leader: Pid,
    pub(super) limit: Arc<Limit>,
}

impl Gate {
    fn admits(&self, stream: &TcpStream) -> bool {
        let (Ok(peer), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else { return false };
        let others = self.limit.group().map(super::cgroup::Group::members).unwrap_or_default();
        peer::belongs(peer, local, self.leader, &others)
    }
}

pub(super) async fn bind() -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

/// Serves until dropped.
pub(super) async fn serve(listener: TcpListener, exchange: Arc<Exchange>, gate: Arc<Gate>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others have to finish first.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        connections.spawn(connection(stream, Arc::clone(&exchange), Arc::clone(&gate)));
    }
}

async fn connection(stream: TcpStream, exchange: Arc<Exchange>, gate: Arc<Gate>) {
    exchange.connected();
    let _leave = Leave(&exchange);
    let checked = tokio::task::spawn_blocking(move || gate.admits(&stream).then_some(stream)).await;
    let Ok(Some(stream)) = checked else {
        tracing::warn!("a connection to a function's runtime port did not come from its process");
        return;
    };
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| route(request, &exchange));
    if let Err(error) =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    {
        tracing::debug!(%error, "a runtime's connection ended");
    }
}

struct Leave<'a>(&'a Exchange);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.disconnected();
    }
}

async fn route(
    request: http::Request<Incoming>,
    exchange: &Exchange,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let parsed: Vec<&str> = path.split('/').collect();
    let answer = match (&parts.method, parsed.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => match exchange.next().await {
            Ok(request) => return Ok(offered(request)),
            Err(refusal) => Err(refusal),
        },
        (&Method::POST, ["invocation", id, "response"]) => match exchange.accepts(id) {
            Ok(()) => match read_response(body).await {
                Some(Answer::TooLarge) => {
                    if let Err(refusal) = exchange.answer(id, Answer::TooLarge) {
                        return Ok(refused(refusal));
                    }
                    return Ok(too_large());
                }
                Some(answer) => exchange.answer(id, answer),
                None => return Ok(broken()),
            },
            Err(refusal) => Err(refusal),
        },
        (&Method::POST, ["invocation", id, "error"]) => match exchange.accepts(id) {
            Ok(()) => match read(body).await {
                Ok(payload) => exchange.answer(id, Answer::Error(function_error(&parts.headers, payload))),
                Err(_) => return Ok(broken()),
            },
            Err(refusal) => Err(refusal),
        },
        (&Method::POST, ["init", "error"]) => match read(body).await {
            Ok(payload) => exchange.fail_init(payload),
            Err(_) => return Ok(broken()),
        },
        _ => return Ok(error(StatusCode::NOT_FOUND, "NotFound", "no such path in the runtime API")),
    };
    Ok(match answer {
        Ok(()) => json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#.into()),
        Err(refusal) => refused(refusal),
    })
}

/// The headers that come with a request.
///
/// # Errors
/// Names the member that cannot be a header's value.
pub(super) fn request_headers(inv: &Invocation, deadline_ms: u64) -> Result<HeaderMap, &'static str> {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str, what: &'static str| {
        // Bytes and not text: a client context may hold any JSON.
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| what)?;
        headers.insert(HeaderName::from_static(name), value);
        Ok(())
    };
    put("lambda-runtime-aws-request-id", &inv.request_id, "request id")?;
    put("lambda-runtime-deadline-ms", &deadline_ms.to_string(), "deadline")?;
    put("lambda-runtime-invoked-function-arn", &inv.function_arn, "function ARN")?;
    put("lambda-runtime-trace-id", &inv.trace_id, "trace id")?;
    if let Some(context) = &inv.client_context {
        put("lambda-runtime-client-context", context, "client context")?;
    }
    put("content-type", "application/json", "content type")?;
    Ok(headers)
}

fn offered(request: Request) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(request.payload));
    *response.headers_mut() = request.headers;
    response
}

/// Reads an answer; a streamed one may end in an error told by trailers. Nothing if the connection broke.
async fn read_response(body: Incoming) -> Option<Answer> {
    match Limited::new(body, PAYLOAD_LIMIT).collect().await {
        Ok(collected) => {
            match collected.trailers().and_then(|t| t.get("lambda-runtime-function-error-type")) {
                Some(kind) => {
                    let message = format!("The response ended early: {}", kind.to_str().unwrap_or_default());
                    let payload = serde_json::json!({ "errorType": "Runtime.TruncatedResponse", "errorMessage": message });
                    let payload = Bytes::from(payload.to_string());
                    Some(Answer::Error(FunctionError { kind: ErrorKind::Unhandled, payload }))
                }
                None => Some(Answer::Response(collected.to_bytes())),
            }
        }
        Err(error) if error.is::<LengthLimitError>() => Some(Answer::TooLarge),
        Err(_) => None,
    }
}

async fn read(body: Incoming) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Limited::new(body, PAYLOAD_LIMIT).collect().await?.to_bytes())
}

fn function_error(headers: &HeaderMap, payload: Bytes) -> FunctionError {
    let handled = headers
        .get("lambda-runtime-function-error-type")
        .is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(b"handled"));
    FunctionError { kind: if handled { ErrorKind::Handled } else { ErrorKind::Unhandled }, payload }
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    match refusal {
        Refusal::InvalidRequestId => error(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        Refusal::InvalidState => {
            error(StatusCode::FORBIDDEN, "InvalidStateTransition", "This call is not due now")
        }
    }
}

fn broken() -> Response<Full<Bytes>> {
    error(StatusCode::BAD_REQUEST, "InvalidRequest", "The body could not be read")
}

fn too_large() -> Response<Full<Bytes>> {
    let message = format!("Exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).");
    error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
}

fn error(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    json(status, serde_json::json!({ "errorMessage": message, "errorType": kind }).to_string())
}

fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
