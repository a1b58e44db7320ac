//! `nbvend refresh`: a new link by way of the refresh API, as the post's user gets it.

use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};

use super::notebook::Named;
use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

pub async fn run(named: &Named, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let client = Client::acting(&Home::open(data)?).await?;
    let stack = client.query("cloudformation", "DescribeStacks", json!({"StackName": "sam-app"})).await?;
    let outputs = stack["Stacks"][0]["Outputs"].as_array().cloned().unwrap_or_default();
    let output = outputs.iter().find(|output| output["OutputKey"] == "RefreshURLFunctionAPI");
    let url = output.and_then(|output| output["OutputValue"].as_str()).ok_or_else(|| {
        Failure::new("the solution has no refresh API here; deploy it with `nbvend deploy`")
    })?;
    let rest = url.trim_start_matches("https://");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let body = Bytes::from(json!({"notebook_user_name": named.user}).to_string());
    let headers = [("content-type", "application/json".to_owned())];
    let (status, answer) =
        client.send("execute-api", "POST", &format!("/{path}"), "", &headers, body, Some(host)).await?;
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    match answer["PreSignedURL"].as_str() {
        Some(url) if status == 200 => {
            printer.document(&json!({"url": url}));
            printer.line(url);
            Ok(())
        }
        _ => {
            let said = answer["message"]
                .as_str()
                .or_else(|| answer["error"].as_str())
                .unwrap_or("no reason was given");
            Err(Failure::new(format!("the refresh API answered {status}: {said}")))
        }
    }
}
