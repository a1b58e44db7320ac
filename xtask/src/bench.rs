//! `cargo xtask bench [TOPIC…]`: a release build, measured from outside as people meet it, beside its peers.

use crate::run::{Command, Failure, root};
use crate::tools;

/// Builds all that is run, then runs `tests/bench` with the release binary; what it prints belongs into docs/benchmarks.md. Without topics all are
/// measured that do not ask to be named.
pub fn run(topics: &[String]) -> Result<(), Failure> {
    let clients = tools::clients()?;
    Command::new("cargo").args(["build", "--release", "--package", "nbvend", "--locked"]).run()?;
    for (package, bench) in [("nbvend-host", "proxy"), ("nbvend-policy", "decide")] {
        Command::new("cargo")
            .args(["bench", "--package", package, "--bench", bench, "--no-run", "--locked"])
            .run()?;
    }
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new(clients.join("bin/python"))
        .arg("tests/bench")
        .args(topics)
        .env("PATH", format!("{}:{path}", clients.join("bin").display()))
        .env("NBVEND_BINARY", root().join("target/release/nbvend"))
        .env("SAM_CLI_TELEMETRY", "0")
        .run()
}
