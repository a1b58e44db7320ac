//! `nbvend stop`, `start`, `terminate`: what happens to a notebook after it was vended.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::client::{ApiError, Client};
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

#[derive(Args)]
pub struct Named {
    /// The user the notebook was vended to
    pub user: String,
}

/// The instance that the product makes for a user.
pub fn instance(user: &str) -> String {
    format!("{user}-Notebook")
}

/// The provisioned product's name for a user.
pub fn product(user: &str) -> String {
    format!("{user}-notebook")
}

pub async fn stop(named: &Named, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    turn(named, data, printer, "StopNotebookInstance", "stopping", "Stopped").await
}

pub async fn start(named: &Named, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    turn(named, data, printer, "StartNotebookInstance", "starting", "InService").await
}

async fn turn(
    named: &Named,
    data: Option<&Path>,
    printer: &Printer,
    operation: &str,
    doing: &str,
    wanted: &str,
) -> Result<(), Failure> {
    let client = Client::acting(&Home::open(data)?).await?;
    let name = instance(&named.user);
    let work = printer.work(&format!("{doing} {name}"));
    client
        .json("sagemaker", operation, json!({"NotebookInstanceName": name}))
        .await
        .map_err(|error| missing(&named.user, error))?;
    let state = wait(&client, &name, wanted, |state| work.at(&format!("{name}: {state}"))).await?;
    work.done(&format!("{name}: {wanted}"));
    printer.document(&state);
    Ok(())
}

/// Waits until an instance is as wanted; a failure carries the reason the engine gives.
pub async fn wait(
    client: &Client,
    name: &str,
    wanted: &str,
    progress: impl Fn(&str),
) -> Result<Value, Failure> {
    loop {
        let state = client
            .json("sagemaker", "DescribeNotebookInstance", json!({"NotebookInstanceName": name}))
            .await?;
        let status = state["NotebookInstanceStatus"].as_str().unwrap_or_default().to_owned();
        if status == wanted {
            return Ok(state);
        }
        if status == "Failed" {
            let reason = state["FailureReason"].as_str().unwrap_or("no reason was given");
            return Err(Failure::new(format!("{name} failed: {reason}")));
        }
        progress(&status);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub async fn terminate(named: &Named, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let client = Client::acting(&Home::open(data)?).await?;
    let input = json!({"ProvisionedProductName": product(&named.user), "TerminateToken": token()});
    let work = printer.work(&format!("terminating the notebook of {}", named.user));
    let answer = client
        .json("servicecatalog", "TerminateProvisionedProduct", input)
        .await
        .map_err(|error| missing(&named.user, error))?;
    let record = answer["RecordDetail"]["RecordId"].as_str().unwrap_or_default().to_owned();
    let record = wait_record(&client, &record).await?;
    work.done(&format!("terminated the notebook of {}", named.user));
    printer.document(&record);
    Ok(())
}

/// Waits until a Service Catalog record is done; a failed one gives its own description.
pub async fn wait_record(client: &Client, id: &str) -> Result<Value, Failure> {
    loop {
        let answer = client.json("servicecatalog", "DescribeRecord", json!({"Id": id})).await?;
        let record = &answer["RecordDetail"];
        match record["Status"].as_str().unwrap_or_default() {
            "SUCCEEDED" => return Ok(record.clone()),
            "FAILED" => {
                let said = record["RecordErrors"][0]["Description"].as_str().unwrap_or("no reason was given");
                return Err(Failure::new(said.to_owned()));
            }
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// A token that makes a request idempotent.
pub fn token() -> String {
    use nbvend_cloud::ports::Ids;
    crate::ports::SystemIds.uuid()
}

fn missing(user: &str, error: ApiError) -> Failure {
    if error.message.contains("RecordNotFound") || error.code == "ResourceNotFoundException" {
        return Failure::new(format!("{user} has no notebook; vend one with `nbvend vend {user}`"));
    }
    error.into()
}
