//! `nbvend user`: people, each with a key of her own and what she may do.
//!
//! A person is an IAM user under the path `/nbvend/` in one of the two groups of `templates/people.yml`. There is nothing
//! else to it: the AWS CLI shows and changes the same.

mod add;
mod list;
mod remove;

use std::path::Path;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::printer::Printer;

#[derive(Args)]
pub struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a user who may launch notebooks and use her own; the key is printed once, for: eval "$(nbvend user add NAME)"
    Add(add::Add),
    /// List the users
    List,
    /// Remove a user: her keys stop working, and her open notebooks close
    Remove(remove::Remove),
}

/// What IAM takes for a name.
fn name(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(fine) {
        Ok(text.to_owned())
    } else {
        Err("a user's name has 1 to 64 letters, digits and _+=,.@-".to_owned())
    }
}

impl User {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        match self.command {
            Command::Add(add) => add.run(data, printer).await,
            Command::List => list::run(data, printer).await,
            Command::Remove(remove) => remove.run(data, printer).await,
        }
    }
}
