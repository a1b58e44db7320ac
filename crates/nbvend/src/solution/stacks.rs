//! Making a stack or bringing it up to date, and waiting for it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{ApiError, Client};
use crate::failure::Failure;

/// A stack as it should be.
pub struct Stack<'a> {
    name: &'a str,
    template: String,
    parameters: Value,
}

impl<'a> Stack<'a> {
    pub fn new(name: &'a str, template: &str, parameters: &[(&str, &str)]) -> Self {
        let parameters = parameters
            .iter()
            .map(|(key, value)| json!({"ParameterKey": key, "ParameterValue": value}))
            .collect();
        Self { name, template: template.to_owned(), parameters }
    }
}

/// Makes the stack, or updates the one there is, and waits until it is complete.
pub async fn apply(client: &Client, stack: &Stack<'_>) -> Result<(), Failure> {
    let input = json!({
        "StackName": stack.name,
        "TemplateBody": stack.template,
        "Parameters": stack.parameters,
        "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    });
    match client.query("cloudformation", "CreateStack", input.clone()).await {
        Err(error) if error.code == "AlreadyExistsException" => {
            // One that never came to be is in the way of a new one.
            if status(client, stack.name).await?.as_deref() == Some("ROLLBACK_COMPLETE") {
                client.query("cloudformation", "DeleteStack", json!({"StackName": stack.name})).await?;
                wait(client, stack.name).await?;
                client.query("cloudformation", "CreateStack", input).await?;
            } else {
                wait(client, stack.name).await?;
                match client.query("cloudformation", "UpdateStack", input).await {
                    Err(error) if error.message.contains("No updates are to be performed") => return Ok(()),
                    other => other?,
                };
            }
        }
        other => {
            other?;
        }
    }
    match wait(client, stack.name).await?.as_deref() {
        Some("CREATE_COMPLETE" | "UPDATE_COMPLETE") => Ok(()),
        other => Err(Failure::new(format!(
            "the stack {} ended {}: {}",
            stack.name,
            other.unwrap_or("deleted"),
            reason(client, stack.name).await
        ))),
    }
}

/// An output's value.
pub async fn output(client: &Client, stack: &str, key: &str) -> Result<String, Failure> {
    let answer = client.query("cloudformation", "DescribeStacks", json!({"StackName": stack})).await?;
    let outputs = answer["Stacks"][0]["Outputs"].as_array().cloned().unwrap_or_default();
    let found = outputs.iter().find(|output| output["OutputKey"] == key);
    found
        .and_then(|output| output["OutputValue"].as_str().map(str::to_owned))
        .ok_or_else(|| Failure::new(format!("the stack {stack} has no output {key}")))
}

/// The stack's status; `None` if there is none.
pub async fn status(client: &Client, stack: &str) -> Result<Option<String>, ApiError> {
    match client.query("cloudformation", "DescribeStacks", json!({"StackName": stack})).await {
        Ok(answer) => Ok(answer["Stacks"][0]["StackStatus"].as_str().map(str::to_owned)),
        Err(error) if error.message.contains("does not exist") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits until nothing is in progress.
async fn wait(client: &Client, stack: &str) -> Result<Option<String>, ApiError> {
    loop {
        let now = status(client, stack).await?;
        if !now.as_deref().is_some_and(|status| status.ends_with("_IN_PROGRESS")) {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The first failure among the stack's events: what the others followed from.
async fn reason(client: &Client, stack: &str) -> String {
    let answer = client.query("cloudformation", "DescribeStackEvents", json!({"StackName": stack})).await;
    let events = answer.map(|a| a["StackEvents"].as_array().cloned().unwrap_or_default()).unwrap_or_default();
    let failed = events
        .iter()
        .rev()
        .find(|event| event["ResourceStatus"].as_str().is_some_and(|status| status.ends_with("_FAILED")));
    failed.map_or_else(
        || "see aws cloudformation describe-stack-events".to_owned(),
        |event| {
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            format!(
                "{} ({}): {}",
                text("LogicalResourceId"),
                text("ResourceType"),
                text("ResourceStatusReason")
            )
        },
    )
}
