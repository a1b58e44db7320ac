//! `cargo xtask`: the project's one task runner.
//!
//! - `test`    installs what the tests need and runs all of them; continuous integration calls just this
//! - `tidy`    file sizes, dependence rules, module comments
//! - `parity`  writes docs/parity.md anew from the registry
//! - `models`  writes the service tables anew from botocore's models
//! - `bench`   measures nbvend and its peers, and prints what docs/benchmarks.md holds; topics may be named

mod bench;
mod run;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use run::Failure;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let outcome = match task.as_str() {
        "test" => test::run(&rest),
        "tidy" => tidy::run(),
        "parity" => parity(),
        "models" => models(&rest),
        "bench" => bench::run(&rest),
        _ => Err(Failure(
            "usage: cargo xtask test [LAYER…] | tidy | parity | models [--check] | bench [TOPIC…]".to_owned(),
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            run::say(&format!("xtask: {message}"));
            ExitCode::FAILURE
        }
    }
}

/// The page is written by the test that otherwise checks it.
fn parity() -> Result<(), Failure> {
    run::Command::new("cargo")
        .args(["test", "--package", "nbvend-cloud", "--lib", "parity"])
        .env("UPDATE_PARITY", "1")
        .run()
}

fn models(arguments: &[String]) -> Result<(), Failure> {
    let clients = tools::clients()?;
    run::Command::new(clients.join("bin/python")).arg("xtask/models.py").args(arguments).run()
}
