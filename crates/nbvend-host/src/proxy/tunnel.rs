//! A websocket once it is open: bytes both ways, unread, until either side or the session ends.
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
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
) {
    let joined = async {
        if let Ok(Ok(browser)) = tokio::time::timeout(SWITCH, browser).await {
            join(browser, notebook).await;
        }
    };
    tokio::select! {
        () = joined => {}
        () = until.cancelled() => {}
    }
    drop(place);
}

async fn join(browser: Upgraded, notebook: Connection) {
    let (from_browser, mut to_browser) = tokio::io::split(TokioIo::new(browser));
    let Connection { read: from_notebook, write: Some(to_notebook), buffer } = notebook else { return };
    // What came right behind the notebook's agreement is a frame already.
    if !buffer.is_empty() && to_browser.write_all(&buffer).await.is_err() {
        return;
    }
    drop(buffer);
    let mut up = std::pin::pin!(pump(from_browser, to_notebook));
    let mut down = std::pin::pin!(pump(from_notebook, to_browser));
    tokio::select! {
        () = &mut up => { let _ = tokio::time::timeout(LINGER, down).await; }
        () = &mut down => { let _ = tokio::time::timeout(LINGER, up).await; }
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let _ = tokio::io::copy(&mut from, &mut to).await;
    let _ = to.shutdown().await;
}
