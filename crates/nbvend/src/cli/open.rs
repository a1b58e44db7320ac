//! `nbvend open`: a fresh link to a user's notebook.

use std::io::IsTerminal;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::notebook::instance;
use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

#[derive(Args)]
pub struct Open {
    /// The user the notebook was vended to
    user: String,
    /// Print the link only
    #[arg(long)]
    no_browser: bool,
}

impl Open {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let client = Client::acting(&Home::open(data)?).await?;
        let url = link(&client, &self.user).await?;
        printer.document(&json!({"url": url}));
        printer.line(&url);
        if !self.no_browser && !printer.json() && std::io::stdout().is_terminal() {
            browse(&url, printer);
        }
        Ok(())
    }
}

/// A presigned URL of a user's notebook.
pub async fn link(client: &Client, user: &str) -> Result<String, Failure> {
    let input = json!({"NotebookInstanceName": instance(user)});
    let answer = client.json("sagemaker", "CreatePresignedNotebookInstanceUrl", input).await?;
    Ok(answer["AuthorizedUrl"].as_str().unwrap_or_default().to_owned())
}

/// Opens a link in the browser, if this machine has one.
pub fn browse(url: &str, printer: &Printer) {
    if let Err(error) = webbrowser::open(url) {
        printer.note(&format!("no browser could be opened ({error}); open the link yourself"));
    }
}
