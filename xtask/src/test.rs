//! `cargo xtask test`: every layer, from formatting to the walkthrough with real clients.

use std::time::Instant;

use crate::run::{Command, Failure, root, say};
use crate::{tidy, tools};

/// A layer of tests.
type Layer = (&'static str, fn() -> Result<(), Failure>);

/// In the order they run: the quick ones first.
const LAYERS: &[Layer] =
    &[("tidy", tidy::run), ("lint", lint), ("unit", unit), ("functions", functions), ("blackbox", blackbox)];

/// Runs the layers named in `only`, or all of them.
pub fn run(only: &[String]) -> Result<(), Failure> {
    if let Some(unknown) = only.iter().find(|name| !LAYERS.iter().any(|(layer, _)| layer == name)) {
        let names: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
        return Err(Failure(format!("there is no layer {unknown}; there are {}", names.join(", "))));
    }
    for (name, layer) in LAYERS {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            let begun = Instant::now();
            say(&format!("== {name}"));
            layer()?;
            say(&format!("== {name}: passed in {:.0} s", begun.elapsed().as_secs_f64()));
        }
    }
    Ok(())
}

fn lint() -> Result<(), Failure> {
    Command::new("cargo").args(["fmt", "--all", "--check"]).run()?;
    Command::new("cargo")
        .args(["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "--deny", "warnings"])
        .run()
}

/// Tests beside the code, and typed calls through the door in process.
fn unit() -> Result<(), Failure> {
    Command::new("cargo").args(["test", "--workspace", "--locked", "--quiet"]).run()
}

/// The functions' own tests, and the packages that the black box tests deploy.
fn functions() -> Result<(), Failure> {
    let folder = root().join("lambda");
    Command::new("cargo").args(["test", "--locked", "--quiet"]).folder(&folder).run()
}

/// The real binary, driven by the AWS CLI, boto3, the SAM CLI and a browser.
fn blackbox() -> Result<(), Failure> {
    let clients = tools::clients()?;
    tools::browser()?;
    Command::new("cargo").args(["build", "--package", "nbvend", "--locked"]).run()?;
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new(clients.join("bin/python"))
        .args(["-m", "pytest", "-q", "-x", "--durations=10", "tests"])
        .env("PATH", format!("{}:{path}", clients.join("bin").display()))
        .env("NBVEND_BINARY", root().join("target/debug/nbvend"))
        .env("SAM_CLI_TELEMETRY", "0")
        .run()
}
