//! A websocket once it is open: bytes both ways, unread, until either side or the session ends.
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;

/// How long one side may go on after the other has ended. Nothing of use follows in a websocket.
const LINGER: Duration = Duration::from_secs(5);
/// How long the browser's connection may take to become a websocket's.
const SWITCH: Duration = Duration::from_secs(30);

/// Joins the two connections when the browser's has been upgraded. Holds the place until the end.
pub(super) async fn run(
    browser: OnUpgrade,
    notebook: Connection,
    place: OwnedSemaphorePermit,
    until: CancellationToken,
    patience: Duration,
) {
    let joined = async {
        if let Ok(Ok(browser)) = tokio::time::timeout(SWITCH, browser).await {
            join(browser, notebook, patience).await;
        }
    };
    tokio::select! {
        () = joined => {}
        () = until.cancelled() => {}
    }
    drop(place);
}

async fn join(browser: Upgraded, notebook: Connection, patience: Duration) {
    let (from_browser, mut to_browser) = tokio::io::split(TokioIo::new(browser));
    let Connection { read: from_notebook, write: Some(to_notebook), buffer } = notebook else { return };
    // What came right behind the notebook's agreement is a frame already.
    if !buffer.is_empty() && to_browser.write_all(&buffer).await.is_err() {
        return;
    }
    drop(buffer);
    let mut up = std::pin::pin!(pump(from_browser, to_notebook, patience));
    let mut down = std::pin::pin!(pump(from_notebook, to_browser, patience));
    tokio::select! {
        () = &mut up => { let _ = tokio::time::timeout(LINGER, down).await; }
        () = &mut down => { let _ = tokio::time::timeout(LINGER, up).await; }
    }
}

/// Passes bytes on until one side ends, or the other does not take them for as long as `patience`: a notebook that hangs
/// would otherwise hold both for good.
async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, patience: Duration) {
    let mut buffer = vec![0; 8 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let passing = async {
            to.write_all(&buffer[..read]).await?;
            // TLS may have kept some of it.
            to.flush().await
        };
        if !matches!(tokio::time::timeout(patience, passing).await, Ok(Ok(()))) {
            return;
        }
    }
    let _ = tokio::time::timeout(LINGER, to.shutdown()).await;
}
