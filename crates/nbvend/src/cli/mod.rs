//! The commands, one file each.

mod backup;
mod deploy;
mod detach;
mod doctor;
mod down;
mod env;
mod list;
mod notebook;
mod open;
mod refresh;
mod replace;
mod restore;
mod share;
mod status;
mod up;
mod user;
mod vend;
mod why_denied;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::printer::Printer;

/// Vend Jupyter notebooks: on this machine with AWS's own APIs, or on AWS.
#[derive(Parser)]
#[command(name = "nbvend", version, arg_required_else_help = true)]
pub struct Arguments {
    /// The data folder [default: $NBVEND_HOME, else the XDG data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run the engine
    Up(up::Up),
    /// Stop the engine; notebooks keep running unless asked
    Down(down::Down),
    /// Print what a shell needs to use the AWS CLI here: eval "$(nbvend env)"
    Env,
    /// Deploy the solution: three stacks, the product's template, the functions; repeatable
    Deploy(deploy::Deploy),
    /// Vend a notebook to USER, starting and deploying what is missing; the link is the last line
    Vend(vend::Vend),
    /// List the notebooks
    List,
    /// Print a fresh link to USER's notebook and open it
    Open(open::Open),
    /// Ask the refresh API for a new link, as the user would
    Refresh(notebook::Named),
    /// Stop USER's notebook; its files stay
    Stop(notebook::Named),
    /// Start USER's notebook again
    Start(notebook::Named),
    /// Terminate USER's notebook and delete its files
    Terminate(notebook::Named),
    /// People: who may launch notebooks, and who runs the catalog
    User(user::User),
    /// Explain a denial from the trail, and what would have allowed the call
    WhyDenied(why_denied::WhyDenied),
    /// Say whether the engine runs and what it runs; of USER's notebook, when and why it will be stopped
    Status(status::Status),
    /// Check this machine for what nbvend needs
    Doctor,
    /// Write all that the engine keeps to one FILE, while it runs or not
    Backup(backup::Backup),
    /// Make an empty data folder what it was when FILE was written
    Restore(restore::Restore),
}

/// Runs a command.
pub fn run(arguments: Arguments, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no threads can be started: {error}")))?;
    let data = arguments.data.as_deref();
    runtime.block_on(async {
        match arguments.command {
            Command::Up(up) => up.run(data, printer).await,
            Command::Down(down) => down.run(data, printer).await,
            Command::Env => env::run(data, printer),
            Command::Deploy(deploy) => deploy.run(data, printer).await,
            Command::Vend(vend) => vend.run(data, printer).await,
            Command::List => list::run(data, printer).await,
            Command::Open(open) => open.run(data, printer).await,
            Command::Refresh(named) => refresh::run(&named, data, printer).await,
            Command::Stop(named) => notebook::stop(&named, data, printer).await,
            Command::Start(named) => notebook::start(&named, data, printer).await,
            Command::Terminate(named) => notebook::terminate(&named, data, printer).await,
            Command::User(user) => user.run(data, printer).await,
            Command::WhyDenied(why) => why.run(data, printer).await,
            Command::Status(status) => status.run(data, printer).await,
            Command::Doctor => doctor::run(data, printer).await,
            Command::Backup(backup) => backup.run(data, printer),
            Command::Restore(restore) => restore.run(data, printer),
        }
    })
}
