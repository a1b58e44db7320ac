//! `nbvend doctor`: what this machine has of what nbvend needs, and what to do about the rest.

use std::net::ToSocketAddrs;
use std::path::Path;

use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

/// One finding.
struct Finding {
    what: &'static str,
    /// `None`: not needed, but good to know.
    ok: Option<bool>,
    say: String,
}

pub async fn run(data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let home = Home::open(data)?;
    let running = match Client::of(&home) {
        Ok(client) => client.internal("GET", "/_nbvend/status").await.ok(),
        Err(_) => None,
    };
    let mut findings =
        vec![data_folder(&home), engine(&home), python().await, names(), isolation(running.as_ref())];
    findings.extend(running.as_ref().map(volume));
    let document: Vec<Value> =
        findings.iter().map(|f| json!({"what": f.what, "ok": f.ok, "say": f.say})).collect();
    printer.document(&Value::Array(document));
    for finding in &findings {
        let mark = match finding.ok {
            Some(true) => "ok  ",
            Some(false) => "FAIL",
            None => "note",
        };
        printer.line(&format!("{mark}  {:<12} {}", finding.what, finding.say));
    }
    if findings.iter().any(|finding| finding.ok == Some(false)) {
        return Err(Failure::new("something is missing: see the lines marked FAIL"));
    }
    Ok(())
}

fn data_folder(home: &Home) -> Finding {
    let probe = home.path("doctor.part");
    let wrote = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe));
    let root = home.root().display();
    match wrote {
        Ok(()) => Finding { what: "data folder", ok: Some(true), say: root.to_string() },
        Err(error) => Finding { what: "data folder", ok: Some(false), say: format!("{root}: {error}") },
    }
}

fn engine(home: &Home) -> Finding {
    match home.running() {
        Some(running) => Finding {
            what: "engine",
            ok: Some(true),
            say: format!("runs at {} (pid {})", running.endpoint, running.pid),
        },
        None => Finding { what: "engine", ok: None, say: "does not run; `nbvend up` starts it".to_owned() },
    }
}

async fn python() -> Finding {
    match nbvend_host::jupyter::usable_python().await {
        Ok((program, version)) => {
            Finding { what: "Python", ok: Some(true), say: format!("{version} at {}", program.display()) }
        }
        Err(error) => Finding { what: "Python", ok: Some(false), say: error.to_string() },
    }
}

/// Programs that ask the C library (Python, Node) resolve `*.localhost` only with nss-myhostname; browsers and curl do
/// it by themselves (RFC 6761, 6.3).
fn names() -> Finding {
    match ("nbvend-doctor.localhost", 80).to_socket_addrs() {
        Ok(_) => Finding { what: "*.localhost", ok: Some(true), say: "resolves".to_owned() },
        Err(_) => Finding {
            what: "*.localhost",
            ok: None,
            say: "does not resolve in Python and Node here; browsers, curl and the AWS CLI do not need it. \
                  On Debian: apt-get install libnss-myhostname"
                .to_owned(),
        },
    }
}

/// What is in force, if an engine runs; else what one would have here.
fn isolation(running: Option<&Value>) -> Finding {
    let level = running.and_then(|status| status["isolation"].as_str()).unwrap_or("process");
    let means = match level {
        "full" => "every notebook and every function has a user, a file system and limits of its own",
        "userns" => {
            "every notebook has a file system of its own; all run as one user and memory is not limited; functions run as this user"
        }
        _ => {
            "notebooks run as processes of this user, each with a folder of its own: one person's at a time; functions too"
        }
    };
    Finding { what: "isolation", ok: None, say: format!("{level}: {means}") }
}

/// Whether the size of a notebook's volume holds.
fn volume(running: &Value) -> Finding {
    let say = match running["volume_reason"].as_str() {
        None => {
            "enforced: every notebook's files are a file system of their own, of the size it has".to_owned()
        }
        Some(reason) => {
            format!("not enforced, a notebook can fill this machine's disk: {reason}")
        }
    };
    Finding { what: "volume", ok: None, say }
}
