//! What is left of an engine that another has taken over from: the connections it has, and nothing else.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;

use super::words::{self, Hello, Over, Report};
use crate::server::Site;

/// No session is longer than 12 hours (the longest presigned URLs open); a tunnel out of a notebook may be.
const LONGEST: Duration = Duration::from_secs(12 * 3600 + 600);
/// How often it is asked whether sessions are over.
const REPORT: Duration = Duration::from_secs(1);
/// How often connections are counted.
const COUNT: Duration = Duration::from_millis(100);

/// Returns when the last connection is closed, or after [`LONGEST`].
pub async fn drain(site: &Arc<Site>, folder: &Path) {
    let begun = Instant::now();
    let mut engine = None;
    let mut reported: Option<Instant> = None;
    loop {
        let connections = site.connections();
        if connections == 0 {
            tracing::info!("the last connection is closed");
            return;
        }
        if begun.elapsed() > LONGEST {
            tracing::info!(connections, "it is time to end");
            return;
        }
        if reported.is_none_or(|at| at.elapsed() >= REPORT) {
            reported = Some(Instant::now());
            let told = tokio::time::timeout(REPORT * 5, report(site, folder, connections, engine.take()));
            match told.await {
                Ok(Ok(stream)) => engine = Some(stream),
                // It is being started again, or replaced once more: the next one is asked.
                Ok(Err(error)) => tracing::debug!(%error, "the engine is away"),
                Err(_) => tracing::debug!("the engine does not answer"),
            }
        }
        tokio::time::sleep(COUNT).await;
    }
}

async fn report(
    site: &Arc<Site>,
    folder: &Path,
    connections: usize,
    engine: Option<UnixStream>,
) -> std::io::Result<UnixStream> {
    let mut stream = match engine {
        Some(stream) => stream,
        None => {
            let mut stream = words::connect(folder)?;
            words::send(&mut stream, &Hello::Drainer).await?;
            stream
        }
    };
    words::send(&mut stream, &Report { connections, sessions: site.lasting.sessions.open() }).await?;
    let Over(over) = words::receive(&mut stream).await?;
    for cookie in over {
        site.lasting.sessions.end(&cookie);
    }
    Ok(stream)
}
