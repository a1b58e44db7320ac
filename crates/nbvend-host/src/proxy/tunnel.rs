//! A websocket once it is open: bytes both ways, unread, until either side or the session ends.
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

/// How long one side may go on after the other has ended. Nothing of use follows in a websocket.
const LINGER: Duration = Duration::from_secs(5);

/// Joins the two connections when both have been upgraded. Holds the place until the end.
pub(super) async fn run(
    browser: OnUpgrade,
    notebook: OnUpgrade,
    place: OwnedSemaphorePermit,
    until: CancellationToken,
) {
    let joined = async {
        if let (Ok(browser), Ok(notebook)) = (browser.await, notebook.await) {
            join(browser, notebook).await;
        }
    };
    tokio::select! {
        () = joined => {}
        () = until.cancelled() => {}
    }
    drop(place);
}

async fn join(browser: Upgraded, notebook: Upgraded) {
    let (from_browser, to_browser) = tokio::io::split(TokioIo::new(browser));
    let (from_notebook, to_notebook) = tokio::io::split(TokioIo::new(notebook));
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
