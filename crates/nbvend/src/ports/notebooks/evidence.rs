//! What a running server did, for the engine to judge: asked of the server itself over its socket, which Jupyter does not
//! count as activity, and of the kernel's books of its processes.

use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use nbvend_cloud::ports::Activity;
use nbvend_host::jupyter;
use nbvend_wire::timestamp::Timestamp;
use serde_json::Value;
use tokio::net::UnixStream;

/// Answers are lists of some kernels and terminals.
const LARGEST: usize = 1 << 20;
/// The kernel counts CPU time in hundredths of a second, on all its architectures.
const TICKS: f64 = 100.0;

/// `None` where the server does not answer all that is asked.
pub async fn activity(socket: &Path, pid: i32, requested: Option<Timestamp>) -> Option<Activity> {
    let status = ask(socket, "/api/status").await?;
    let kernels = ask(socket, "/api/kernels").await?;
    let terminals = ask(socket, "/api/terminals").await?;
    let latest = |list: &Value| list.as_array()?.iter().filter_map(|one| time(&one["last_activity"])).max();
    let busy = kernels.as_array()?.iter().filter(|kernel| is_busy(kernel)).count();
    Some(Activity {
        started: time(&status["started"])?,
        busy_kernels: u32::try_from(busy).unwrap_or(u32::MAX),
        kernel_active: latest(&kernels),
        terminal_output: latest(&terminals),
        requested,
        connections: u32::try_from(status["connections"].as_u64()?).unwrap_or(u32::MAX),
        cpu_seconds: cpu_seconds(pid),
    })
}

/// Whether there is a folder of this name, which needs no escapes, at the top of the notebook's files.
pub async fn is_folder(socket: &Path, name: &str) -> bool {
    let found = ask(socket, &format!("/api/contents/{name}?content=0")).await;
    found.is_some_and(|found| found["type"] == "directory")
}

/// A kernel nobody has connected to stays `starting`, without doing anything.
fn is_busy(kernel: &Value) -> bool {
    kernel["execution_state"] == "busy"
}

fn time(value: &Value) -> Option<Timestamp> {
    Timestamp::parse(value.as_str()?)
}

async fn ask(socket: &Path, path: &str) -> Option<Value> {
    let stream = UnixStream::connect(socket).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let driver = tokio::spawn(connection);
    let (name, value) = jupyter::identity("nbvend");
    let request = http::Request::get(path).header("host", "localhost").header(name, value);
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).ok()?).await.ok()?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LARGEST).collect().await.ok();
    driver.abort();
    serde_json::from_slice(&body.filter(|_| status == 200)?.to_bytes()).ok()
}

/// CPU time of a process and all below it, with what ended below it. `None` where it cannot be read.
fn cpu_seconds(pid: i32) -> Option<f64> {
    let mut ticks = 0;
    let mut left = vec![pid];
    let mut first = true;
    while let Some(pid) = left.pop() {
        match ticks_of(pid) {
            Some(used) => ticks += used,
            None if first => return None,
            // Ended between the list and the question; its parent's books have it at the next look.
            None => {}
        }
        first = false;
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            left.extend(children.split_whitespace().filter_map(|child| child.parse::<i32>().ok()));
        }
    }
    Some(ticks as f64 / TICKS)
}

/// Fields 14 to 17 of proc(5)'s stat: its own time and its ended children's, in user and kernel mode.
fn ticks_of(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    Some(after_name.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_of_children_counts() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = cpu_seconds(own).unwrap();
        let burn = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", burn]).status().unwrap().success());
        let used = cpu_seconds(own).unwrap() - before;
        assert!(used > 0.02, "{used}");
        assert_eq!(cpu_seconds(i32::MAX), None);
    }
}
