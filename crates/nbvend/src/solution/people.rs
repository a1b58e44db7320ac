//! The groups of people and what they may: `templates/people.yml`, made when there is somebody to put into them.

use serde_json::json;

use super::stacks::{Stack, apply, status};
use super::{STACKS, stacks};
use crate::client::Client;
use crate::failure::Failure;

/// The stack with the groups.
pub const PEOPLE: &str = "notebook-people";

/// The group of those who launch notebooks, and of those who run the catalog.
pub const GROUPS: [&str; 2] = ["nbvend-users", "nbvend-admins"];
/// The path of users that nbvend makes.
pub const PATH: &str = "/nbvend/";

const TEMPLATE: &str = include_str!("../../../../templates/people.yml");

/// Makes the groups, or brings them up to date with what is deployed: its portfolio, its API.
pub async fn apply_people(client: &Client) -> Result<(), Failure> {
    let portfolio = json!({"StackName": STACKS[1], "LogicalResourceId": "AppServicesPortfolio"});
    let portfolio = match client.query("cloudformation", "DescribeStackResource", portfolio).await {
        Ok(answer) => {
            answer["StackResourceDetail"]["PhysicalResourceId"].as_str().unwrap_or_default().to_owned()
        }
        // Not deployed yet: `deploy` comes back to this.
        Err(error) if error.message.contains("does not exist") => String::new(),
        Err(error) => return Err(error.into()),
    };
    let api = match status(client, STACKS[2]).await? {
        Some(_) => stacks::output(client, STACKS[2], "RefreshURLFunctionAPI").await.ok(),
        None => None,
    };
    let api = api.as_deref().and_then(api_id).unwrap_or("*");
    let parameters =
        [("PortfolioId", portfolio.as_str()), ("RefreshStackName", STACKS[2]), ("RefreshApiId", api)];
    apply(client, &Stack::new(PEOPLE, TEMPLATE, &parameters)).await
}

/// Brings the groups up to date if there are any.
pub async fn refresh_people(client: &Client) -> Result<(), Failure> {
    if status(client, PEOPLE).await?.is_some() { apply_people(client).await } else { Ok(()) }
}

/// `https://a1b2c3.execute-api.…` -> `a1b2c3`
fn api_id(url: &str) -> Option<&str> {
    let id = url.strip_prefix("https://")?.split('.').next()?;
    (!id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(id)
}
