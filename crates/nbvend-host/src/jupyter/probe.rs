//! Asks a server how it is, over its socket. Jupyter does not count these questions as activity.
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Deserializer};
use tokio::net::UnixStream;

use super::settings;

/// What happens in a server: the evidence for and against stopping an idle one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Activity {
    #[serde(deserialize_with = "moment")]
    pub started: SystemTime,
    /// When somebody last opened a page or changed something, by a request that an open tab does not make by itself.
    #[serde(deserialize_with = "perhaps")]
    pub last_use: Option<SystemTime>,
    pub kernels: Vec<Kernel>,
    pub terminals: Vec<Terminal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Kernel {
    pub id: String,
    /// `python3`.
    pub name: String,
    /// As Jupyter names it: `busy`, `idle`, `starting`, `restarting`, `dead`, …
    pub state: String,
    /// Open websockets: browser tabs, mostly.
    pub connections: u64,
    /// The last message of the kernel: output, or a change of state.
    #[serde(deserialize_with = "perhaps")]
    pub last_activity: Option<SystemTime>,
}

impl Kernel {
    /// Computes now. One that nobody has connected to stays `starting` without doing anything.
    pub fn is_busy(&self) -> bool {
        self.state == "busy"
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Terminal {
    pub name: String,
    /// The last input or output, whether somebody looks on or not.
    #[serde(deserialize_with = "perhaps")]
    pub last_activity: Option<SystemTime>,
}

impl Activity {
    pub fn busy_kernels(&self) -> usize {
        self.kernels.iter().filter(|kernel| kernel.is_busy()).count()
    }

    /// The latest sign of use: a request, a kernel's message, a terminal's input or output; the start if there is none.
    pub fn last_activity(&self) -> SystemTime {
        let kernels = self.kernels.iter().filter_map(|kernel| kernel.last_activity);
        let terminals = self.terminals.iter().filter_map(|terminal| terminal.last_activity);
        kernels.chain(terminals).chain(self.last_use).fold(self.started, SystemTime::max)
    }
}

/// Seconds since 1970.
fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
    let seconds = Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(serde::de::Error::custom)?;
    Ok(SystemTime::UNIX_EPOCH + seconds)
}

fn perhaps<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SystemTime>, D::Error> {
    #[derive(Deserialize)]
    struct Moment(#[serde(deserialize_with = "moment")] SystemTime);
    Ok(Option::<Moment>::deserialize(from)?.map(|Moment(moment)| moment))
}

/// None when the server does not answer in time.
pub(super) async fn activity(socket: &Path, patience: Duration) -> Option<Activity> {
    let answer = tokio::time::timeout(patience, ask(socket, "/_nbvend/activity")).await.ok().flatten()?;
    serde_json::from_slice(&answer).ok()
}

/// Whether there is a folder of this name, which needs no escapes, at the top of the server's files.
pub(super) async fn has_folder(socket: &Path, name: &str, patience: Duration) -> bool {
    let path = format!("/api/contents/{name}?content=0");
    let answer = tokio::time::timeout(patience, ask(socket, &path)).await.ok().flatten();
    let found = answer.and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    found.is_some_and(|found| found["type"] == "directory")
}

/// Whether the server answers in time.
pub(super) async fn answers(socket: &Path, patience: Duration) -> bool {
    tokio::time::timeout(patience, ask(socket, "/api/status")).await.is_ok_and(|answer| answer.is_some())
}

async fn ask(socket: &Path, path: &str) -> Option<Bytes> {
    let stream = UnixStream::connect(socket).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let driver = tokio::spawn(connection);
    let (name, value) = settings::identity("nbvend");
    let request = http::Request::get(path)
        .header(http::header::HOST, "localhost")
        .header(name, value)
        .body(Empty::<Bytes>::new())
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    let ok = response.status() == http::StatusCode::OK;
    let body = Limited::new(response.into_body(), 1 << 20).collect().await.ok()?.to_bytes();
    driver.abort();
    ok.then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_sign_counts_and_an_open_tab_is_none() {
        let text = r#"{"started": 1000.5, "last_use": null,
            "kernels": [{"id": "k", "name": "python3", "state": "idle", "connections": 3, "last_activity": 1200}],
            "terminals": [{"name": "1", "last_activity": 1500.25}, {"name": "2", "last_activity": null}]}"#;
        let mut activity: Activity = serde_json::from_str(text).unwrap();
        let at = |seconds: f64| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds);
        assert_eq!((activity.started, activity.last_activity()), (at(1000.5), at(1500.25)));
        assert_eq!(activity.busy_kernels(), 0);
        activity.terminals.clear();
        activity.kernels[0].state = "busy".to_owned();
        assert_eq!((activity.busy_kernels(), activity.last_activity()), (1, at(1200.0)));
        activity.last_use = Some(at(1300.0));
        assert_eq!(activity.last_activity(), at(1300.0));
    }
}
