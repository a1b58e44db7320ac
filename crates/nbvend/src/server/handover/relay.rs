//! A request that comes to a process that is not the engine any more is answered by the one that is, through a unix
//! socket, with what is known of who sent it. The connection closes after the answer: the next one is the engine's own.

use std::path::Path;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use nbvend_cloud::door::{Body, full};
use tokio::net::UnixStream;

use super::words::{self, Hello};
use crate::server::{Origin, boxed};

/// How long an engine may be away, which was killed and is being started again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Passes one request on to the engine of `folder`.
pub async fn forward(folder: &Path, origin: &Origin, request: Request<Incoming>) -> Response<Body> {
    let mut answer = pass(folder, origin, request).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "a request could not be sent on to the engine");
        let mut away = Response::new(full("the engine is away; try again in a moment\n"));
        *away.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        away
    });
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

async fn pass(
    folder: &Path,
    origin: &Origin,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Broken> {
    let stream = tokio::time::timeout(PATIENCE, connect(folder, origin)).await??;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());
    let client = hyper::upgrade::on(&mut request);
    *request.version_mut() = http::Version::HTTP_11;
    let mut answer = sender.send_request(request).await?;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        tokio::spawn(join(client, hyper::upgrade::on(&mut answer)));
    }
    Ok(answer.map(|body| body.map_err(boxed).boxed_unsync()))
}

async fn connect(folder: &Path, origin: &Origin) -> Result<UnixStream, Broken> {
    loop {
        let connected = async {
            let mut stream = words::connect(folder)?;
            words::send(&mut stream, &Hello::Relay(origin.clone())).await?;
            Ok::<_, std::io::Error>(stream)
        };
        match connected.await {
            Ok(stream) => return Ok(stream),
            Err(error) => tracing::debug!(%error, "the engine is away"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A websocket, opened on a connection that was kept.
async fn join(client: OnUpgrade, engine: OnUpgrade) {
    if let (Ok(client), Ok(engine)) = (client.await, engine.await) {
        let (mut client, mut engine) = (TokioIo::new(client), TokioIo::new(engine));
        let _ = tokio::io::copy_bidirectional(&mut client, &mut engine).await;
    }
}
