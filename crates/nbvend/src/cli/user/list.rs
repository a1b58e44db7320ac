//! `nbvend user list`: the people, their groups, and when their keys were last used.

use std::path::Path;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::client::{ApiError, Client};
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;
use crate::solution::people::{GROUPS, PATH};

pub async fn run(data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let client = Client::acting(&Home::open(data)?).await?;
    let mut people = Vec::new();
    for user in pages(&client, "ListUsers", "Users", json!({"PathPrefix": PATH})).await? {
        people.push(person(&client, &user).await?);
    }
    printer.document(&json!(people));
    if people.is_empty() {
        printer.line("no users; make one with `nbvend user add NAME`");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["USER", "MAY", "KEYS", "LAST USED"]);
    for person in &people {
        let keys = person["keys"].as_array().cloned().unwrap_or_default();
        let last = keys.iter().filter_map(|key| key["last_used"].as_str()).max().unwrap_or("never");
        table.add_row([
            person["user"].as_str().unwrap_or_default(),
            if person["admin"] == true { "run the catalog" } else { "launch notebooks" },
            &keys.len().to_string(),
            last,
        ]);
    }
    printer.line(&table.to_string());
    Ok(())
}

async fn person(client: &Client, user: &Value) -> Result<Value, ApiError> {
    let name = user["UserName"].as_str().unwrap_or_default();
    let groups = pages(client, "ListGroupsForUser", "Groups", json!({"UserName": name})).await?;
    let mut keys = Vec::new();
    for key in pages(client, "ListAccessKeys", "AccessKeyMetadata", json!({"UserName": name})).await? {
        let id = key["AccessKeyId"].clone();
        let used = client.query("iam", "GetAccessKeyLastUsed", json!({"AccessKeyId": id})).await?;
        keys.push(json!({
            "id": id,
            "status": key["Status"],
            "last_used": used["AccessKeyLastUsed"]["LastUsedDate"],
        }));
    }
    Ok(json!({
        "user": name,
        "arn": user["Arn"],
        "admin": groups.iter().any(|group| group["GroupName"] == GROUPS[1]),
        "created": user["CreateDate"],
        "keys": keys,
    }))
}

/// All items of an IAM list.
pub async fn pages(
    client: &Client,
    operation: &str,
    member: &str,
    mut input: Value,
) -> Result<Vec<Value>, ApiError> {
    let mut items = Vec::new();
    loop {
        let mut answer = client.query("iam", operation, input.clone()).await?;
        if let Value::Array(page) = answer[member].take() {
            items.extend(page);
        }
        if answer["IsTruncated"] != "true" {
            return Ok(items);
        }
        input["Marker"] = answer["Marker"].take();
    }
}
