//! `nbvend list`: the notebooks there are.

use std::path::Path;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::client::{ApiError, Client};
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

pub async fn run(data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let home = Home::open(data)?;
    let notebooks = match Client::of_person(&home).await? {
        Some(client) => match all(&client).await {
            // Who may not see everybody's sees her own.
            Err(error) if error.code == "AccessDeniedException" => own(&client).await?,
            other => other?,
        },
        None => all(&Client::of(&home)?).await?,
    };
    printer.document(&Value::Array(notebooks.clone()));
    if notebooks.is_empty() {
        printer.line("no notebooks; vend one with `nbvend vend USER`");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["NOTEBOOK", "TYPE", "STATUS", "STOPS", "ADDRESS"]);
    // What the engine means to do with notebooks it tells the root key alone.
    let seen = match Client::of_person(&home).await? {
        Some(_) => Value::Null,
        None => Client::of(&home)?.internal("GET", "/_nbvend/notebooks").await?,
    };
    for notebook in &notebooks {
        let text = |name: &str| notebook[name].as_str().unwrap_or_default().to_owned();
        table.add_row([
            text("NotebookInstanceName"),
            text("InstanceType"),
            text("NotebookInstanceStatus"),
            stops(&seen, &text("NotebookInstanceArn")),
            text("Url"),
        ]);
    }
    printer.line(&table.to_string());
    Ok(())
}

/// When and why the engine will stop a notebook, or did, or why it failed.
fn stops(seen: &Value, arn: &str) -> String {
    let Some(one) = seen.as_array().into_iter().flatten().find(|one| one["arn"] == arn) else {
        return String::new();
    };
    if let Some(words) = one["verdict"]["in_words"].as_str() {
        return words.trim_start_matches("stops ").to_owned();
    }
    let because = ["stopped_because", "failure_reason"].iter().find_map(|name| one[*name].as_str());
    because.unwrap_or_default().chars().take(60).collect()
}

/// Every notebook there is.
async fn all(client: &Client) -> Result<Vec<Value>, ApiError> {
    let mut notebooks: Vec<Value> = Vec::new();
    let mut next = Value::Null;
    loop {
        let mut input = json!({"MaxResults": 100, "SortBy": "Name", "SortOrder": "Ascending"});
        if !next.is_null() {
            input["NextToken"] = next;
        }
        let mut answer = client.json("sagemaker", "ListNotebookInstances", input).await?;
        if let Value::Array(page) = answer["NotebookInstances"].take() {
            notebooks.extend(page);
        }
        next = answer["NextToken"].take();
        if next.is_null() {
            return Ok(notebooks);
        }
    }
}

/// What the caller launched from the catalog, as far as it is a notebook.
async fn own(client: &Client) -> Result<Vec<Value>, ApiError> {
    let mine = json!({"AccessLevelFilter": {"Key": "User", "Value": "self"}, "PageSize": 100});
    let products = client.json("servicecatalog", "SearchProvisionedProducts", mine).await?;
    let mut notebooks = Vec::new();
    for product in products["ProvisionedProducts"].as_array().into_iter().flatten() {
        // One that never came to be has no notebook.
        let Some(record) = product["LastSuccessfulProvisioningRecordId"].as_str() else { continue };
        let record = client.json("servicecatalog", "DescribeRecord", json!({"Id": record})).await?;
        let outputs = record["RecordOutputs"].as_array().cloned().unwrap_or_default();
        let arn = outputs.iter().find(|output| output["OutputKey"] == "SageMakerNotebookInstanceARN");
        let Some(name) = arn.and_then(|output| output["OutputValue"].as_str()?.rsplit('/').next()) else {
            continue;
        };
        notebooks.push(
            client
                .json("sagemaker", "DescribeNotebookInstance", json!({"NotebookInstanceName": name}))
                .await?,
        );
    }
    Ok(notebooks)
}
