//! `nbvend status`: whether the engine runs, and what it runs; and how it stands with one notebook.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::notebook::instance;
use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

#[derive(Args)]
pub struct Status {
    /// Tell of this user's notebook
    user: Option<String>,
}

impl Status {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        match self.user {
            Some(user) => of_user(&user, data, printer).await,
            None => of_engine(data, printer).await,
        }
    }
}

/// All there is to know of one notebook: what was seen of it and what follows from that.
async fn of_user(user: &str, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let client = Client::of(&Home::open(data)?)?;
    let path = format!("/_nbvend/notebooks/{}/{}", client.region, instance(user));
    let notebook = client.internal("GET", &path).await.map_err(|error| match error.status {
        404 => Failure::new(format!("{user} has no notebook; vend one with `nbvend vend {user}`")),
        _ => error.into(),
    })?;
    printer.document(&notebook);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (evidence, verdict) = (&notebook["evidence"], &notebook["verdict"]);
    let price = notebook["price_per_hour"].as_f64().map(|price| format!(", ${price} an hour on AWS"));
    let kind = format!(
        "{} ({} vCPUs, {} GiB{})",
        text(&notebook["instance_type"]),
        notebook["vcpus"],
        notebook["memory_gib"],
        price.unwrap_or_default()
    );
    let reason = ["failure_reason", "stopped_because"].iter().find_map(|name| notebook[*name].as_str());
    let status = match reason {
        Some(reason) => format!("{}: {reason}", text(&notebook["status"])),
        None => text(&notebook["status"]),
    };
    let mut lines = vec![
        ("notebook", text(&notebook["name"])),
        ("status", status),
        ("type", kind),
        ("owner", text(&notebook["owner"])),
        ("isolation", text(&notebook["isolation"])),
        ("volume", format!("{} GB, {}", notebook["volume_gb"], text(&notebook["volume"]))),
    ];
    if !verdict.is_null() {
        let stop = verdict["in_words"].as_str().unwrap_or("is not stopped by itself");
        let warning = if verdict["warning"] == true { " — soon" } else { "" };
        let work = match verdict["busy"].as_str() {
            Some(busy) => busy.to_owned(),
            None => format!("last at {}, by {}", text(&verdict["last_active"]), text(&verdict["last_by"])),
        };
        lines.push(("stop", format!("{stop}{warning}")));
        lines.push(("work", work));
        lines.push(("tabs", evidence["connections"].to_string()));
    }
    for (name, value) in lines {
        printer.line(&format!("{name:<10} {value}"));
    }
    Ok(())
}

async fn of_engine(data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
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
    let reason = status["volume_reason"].as_str().map(|reason| format!(" ({reason})")).unwrap_or_default();
    printer.line(&format!("volume     {}{reason}", text("volume")));
    printer.line(&format!("notebooks  {} in service", status["notebooks"]["in_service"]));
    for old in status["draining"].as_array().into_iter().flatten() {
        printer.line(&format!("draining   process {} with {} connections", old["pid"], old["connections"]));
    }
    printer.line(&format!("data       {}", home.root().display()));
    Ok(())
}
