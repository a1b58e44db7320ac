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
    // The first process of a sandbox is this program too; it must not have done anything else before.
    if std::env::args_os().nth(1).is_some_and(|word| word == nbvend_host::sandbox::WORD) {
        nbvend_host::sandbox::init_main();
    }
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
