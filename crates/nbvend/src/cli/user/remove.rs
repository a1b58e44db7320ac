//! `nbvend user remove`: a person goes. Her keys first, so that from then on nothing is done in her name; her open
//! notebooks close, because a session is bound to its notebook's owner.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::list::pages;
use crate::client::{ApiError, Client};
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;
use crate::solution::people::PATH;

#[derive(Args)]
pub struct Remove {
    /// The user's name
    #[arg(value_parser = super::name)]
    name: String,
}

impl Remove {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let client = Client::of(&Home::open(data)?)?;
        let asked = json!({"UserName": self.name});
        let found =
            client.query("iam", "GetUser", asked).await.map_err(|error| match error.code.as_str() {
                "NoSuchEntity" => Failure::new(format!("there is no user {}", self.name)),
                _ => error.into(),
            })?;
        // As it was made: IAM finds a user whatever the case.
        let name = found["User"]["UserName"].as_str().unwrap_or(&self.name);
        if found["User"]["Path"] != PATH {
            return Err(Failure::new(format!(
                "{name} was not made by `nbvend user add`; remove it with the AWS CLI if it is to go"
            )));
        }
        remove(&client, name).await?;
        let left = launched_by(&client, &found["User"]["Arn"]).await?;
        printer.document(&json!({"removed": name, "provisioned_products": left}));
        printer.line(&format!("removed {name}"));
        if !left.is_empty() {
            let names: Vec<&str> = left.iter().filter_map(Value::as_str).collect();
            printer.note(&format!("what {name} launched is still there: {}", names.join(", ")));
        }
        Ok(())
    }
}

/// Ends a user with all that hangs on it.
pub async fn remove(client: &Client, name: &str) -> Result<(), ApiError> {
    let of_user = || json!({"UserName": name});
    for key in pages(client, "ListAccessKeys", "AccessKeyMetadata", of_user()).await? {
        let key = json!({"UserName": name, "AccessKeyId": key["AccessKeyId"]});
        client.query("iam", "DeleteAccessKey", key).await?;
    }
    match client.query("iam", "DeleteLoginProfile", of_user()).await {
        Err(error) if error.code == "NoSuchEntity" => {}
        other => {
            other?;
        }
    }
    for group in pages(client, "ListGroupsForUser", "Groups", of_user()).await? {
        let member = json!({"UserName": name, "GroupName": group["GroupName"]});
        client.query("iam", "RemoveUserFromGroup", member).await?;
    }
    for policy in pages(client, "ListAttachedUserPolicies", "AttachedPolicies", of_user()).await? {
        let policy = json!({"UserName": name, "PolicyArn": policy["PolicyArn"]});
        client.query("iam", "DetachUserPolicy", policy).await?;
    }
    for policy in pages(client, "ListUserPolicies", "PolicyNames", of_user()).await? {
        client.query("iam", "DeleteUserPolicy", json!({"UserName": name, "PolicyName": policy})).await?;
    }
    client.query("iam", "DeleteUser", of_user()).await?;
    Ok(())
}

/// Names of the provisioned products that a user launched.
async fn launched_by(client: &Client, arn: &Value) -> Result<Vec<Value>, ApiError> {
    let mut asked = json!({
        "AccessLevelFilter": {"Key": "Account", "Value": "self"},
        "Filters": {"SearchQuery": [format!("userArn:{}", arn.as_str().unwrap_or_default())]},
    });
    let mut names = Vec::new();
    loop {
        let mut answer = client.json("servicecatalog", "SearchProvisionedProducts", asked.clone()).await?;
        let found = answer["ProvisionedProducts"].take();
        names.extend(found.as_array().into_iter().flatten().map(|product| product["Name"].clone()));
        match answer["NextPageToken"].take() {
            Value::String(token) => asked["PageToken"] = token.into(),
            _ => return Ok(names),
        }
    }
}
