//! What the proxy costs: load generator, proxy and backend on the same machine, each a process of its own, so that the
//! CPU time of each can be told apart.
//!
//! Without arguments it measures the proxy and prints one JSON object. Its parts can be run alone, so that the same load
//! and the same backend measure other proxies, and the whole engine:
//!
//! ```text
//! proxy backend SOCKET | proxy gate SOCKET | proxy load ADDRESS get|websocket CONNECTIONS SECONDS HOST [COOKIE]
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that meets trouble has nothing to report"
)]
mod backend;
mod gate;
mod load;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nbvend_host::jupyter::identity;
use nbvend_host::proxy::Target;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["backend", socket] => backend::run(Path::new(socket)),
        ["gate", socket] => gate::run(Path::new(socket)),
        ["load", address, kind, connections, seconds, host, cookie @ ..] => {
            let load = load::Load {
                address: address.parse().unwrap(),
                websocket: *kind == "websocket",
                connections: connections.parse().unwrap(),
                time: Duration::from_secs_f64(seconds.parse().unwrap()),
                host: (*host).to_owned(),
                cookie: cookie.first().map(|cookie| (*cookie).to_owned()),
            };
            println!("{}", load.run());
        }
        _ => measure(words.first().and_then(|seconds| seconds.parse().ok()).unwrap_or(3.0)),
    }
}

fn part(words: &[&str]) -> (Child, String) {
    let mut child =
        Command::new(std::env::current_exe().unwrap()).args(words).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_owned())
}

/// CPU seconds that a process's threads have used.
fn cpu(pid: u32) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let nanos: u64 = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(nanos).as_secs_f64()
}

fn measure(seconds: f64) {
    let folder = std::env::temp_dir().join(format!("nbvend-proxy-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let socket = folder.join("s");
    let socket = socket.to_str().unwrap();
    let (mut backend, _) = part(&["backend", socket]);
    let (mut gate, address) = part(&["gate", socket]);
    let port = address.rsplit(':').next().unwrap();
    let host = format!("a.notebook.eu-west-1.sagemaker.localhost:{port}");
    let run = |kind: &str, connections: &str, seconds: f64| {
        let before = cpu(gate.id());
        let (mut load, line) = part(&["load", &address, kind, connections, &seconds.to_string(), &host]);
        load.wait().unwrap();
        let mut figures: serde_json::Value = serde_json::from_str(&line).unwrap();
        let count = figures["count"].as_f64().unwrap();
        figures["proxy_cpu_us"] = ((cpu(gate.id()) - before) * 1e6 / count).into();
        figures
    };
    run("get", "16", 0.5);
    let get = run("get", "16", seconds);
    let get_64 = run("get", "64", seconds);
    let websocket = run("websocket", "1", seconds);
    let rss = std::fs::read_to_string(format!("/proc/{}/status", gate.id())).unwrap();
    let rss = rss.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default().trim().to_owned();
    println!(
        "{}",
        serde_json::json!({"get_16": get, "get_64": get_64, "websocket": websocket, "add_route_us": routes(), "proxy_rss": rss})
    );
    for child in [&mut gate, &mut backend] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What a new target costs, ready to take its first request.
fn routes() -> f64 {
    const COUNT: u32 = 10_000;
    let begun = Instant::now();
    let targets: Vec<Target> = (0..COUNT)
        .map(|at| {
            Target::new(format!("/nowhere/{at}").into(), identity("Demo-User")).hide_cookies(["a", "b"])
        })
        .collect();
    let took = begun.elapsed().as_secs_f64() * 1e6 / f64::from(COUNT);
    drop(targets);
    took
}
