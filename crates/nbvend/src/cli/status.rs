//! `nbvend status`: whether the engine runs, and what it runs.

use std::path::Path;

use serde_json::json;

use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

pub async fn run(data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let home = Home::open(data)?;
    if home.running().is_none() {
        printer.document(&json!({"ready": false, "data": home.root()}));
        printer
            .line(&format!("not running (data folder {}); start it with `nbvend up`", home.root().display()));
        return if printer.json() { Ok(()) } else { Err(Failure::new("no engine is running")) };
    }
    let status = Client::of(&home)?.internal("GET", "/_nbvend/status").await?;
    printer.document(&status);
    let text = |name: &str| status[name].as_str().unwrap_or_default().to_owned();
    printer.line(&format!("endpoint   {}", text("endpoint")));
    printer.line(&format!("isolation  {}", text("isolation")));
    printer.line(&format!("notebooks  {} in service", status["notebooks"]["in_service"]));
    printer.line(&format!("data       {}", home.root().display()));
    Ok(())
}
