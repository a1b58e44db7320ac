//! `nbvend deploy`: the solution's three stacks, the product's template and the functions.

use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;
use crate::solution;

#[derive(Args)]
pub struct Deploy {
    /// Who may call the refresh API: AWS_IAM (signed requests) or NONE (anybody, as in the post)
    #[arg(long, default_value = "AWS_IAM", value_parser = ["AWS_IAM", "NONE"])]
    refresh_authorization: String,
}

impl Deploy {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let home = Home::open(data)?;
        let client = Client::of(&home)?;
        solution::deploy(&home, &client, &self.refresh_authorization, printer).await?;
        printer.document(&json!({"stacks": solution::STACKS}));
        printer.line(&format!("deployed: {}", solution::STACKS.join(", ")));
        Ok(())
    }
}
