//! nbvend: a notebook vending machine.
//!
//! This crate is the binary: the CLI ([`cli`]), the listener ([`server`]), and the glue between the engine
//! (`nbvend-cloud`) and the hands (`nbvend-host`) in [`ports`].

mod cli;
mod client;
mod failure;
mod home;
mod ports;
mod printer;
mod server;
mod solution;

use clap::Parser;

fn main() -> std::process::ExitCode {
    let arguments = cli::Arguments::parse();
    let printer = printer::Printer::new(arguments.json);
    match cli::run(arguments, &printer) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            printer.failed(&failure);
            std::process::ExitCode::from(failure.exit)
        }
    }
}
