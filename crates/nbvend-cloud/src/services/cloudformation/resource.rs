//! `DescribeStackResource`, `DescribeStackResources`, `ListStackResources`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::find;
use super::page;
use super::stack::{NO_RESOURCE_DRIFT, ResourceDrift};
use super::state::{Resource, Stack};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// AWS describes no more than so many at once.
const MOST: usize = 100;

/// One resource of a stack.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeStackResource {
    pub stack_name: String,
    pub logical_resource_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStackResourceOutput {
    pub stack_resource_detail: StackResourceDetail,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StackResourceDetail {
    pub stack_name: String,
    pub stack_id: String,
    pub logical_resource_id: String,
    pub physical_resource_id: Option<String>,
    pub resource_type: String,
    pub last_updated_timestamp: Timestamp,
    pub resource_status: String,
    pub resource_status_reason: Option<String>,
    /// JSON text.
    pub metadata: Option<String>,
    pub drift_information: ResourceDrift,
}

impl Operation for DescribeStackResource {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "DescribeStackResource";
    const KIND: Kind = Kind::Read;
    type Output = DescribeStackResourceOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeStackResourceOutput, Error> {
        // This call alone has quotation marks (recorded).
        let missing = || Error::Validation(format!("Stack '{}' does not exist", self.stack_name));
        let stack = find::stack(cx, &self.stack_name)?.ok_or_else(missing)?;
        let row = row(cx, &stack, &self.logical_resource_id, &self.stack_name)?;
        let stack_resource_detail = StackResourceDetail {
            stack_name: stack.name,
            stack_id: stack.arn,
            logical_resource_id: row.logical_id,
            physical_resource_id: row.body.physical_id,
            resource_type: row.type_name,
            last_updated_timestamp: row.updated,
            resource_status: row.status.as_str().to_owned(),
            resource_status_reason: row.reason,
            metadata: Some(row.body.metadata.map_or_else(|| "{}".to_owned(), |value| value.to_string())),
            drift_information: NO_RESOURCE_DRIFT,
        };
        Ok(DescribeStackResourceOutput { stack_resource_detail })
    }
}

fn row(cx: &Cx<'_>, stack: &Stack, logical_id: &str, asked: &str) -> Result<Resource, Error> {
    cx.get::<Resource>(&format!("{}/{logical_id}", stack.uuid))?
        .ok_or_else(|| Error::Validation(format!("Resource {logical_id} does not exist for stack {asked}")))
}

/// The resources of a stack, found by its name or by the physical id of one of them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeStackResources {
    pub stack_name: Option<String>,
    pub logical_resource_id: Option<String>,
    pub physical_resource_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStackResourcesOutput {
    pub stack_resources: Vec<StackResource>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StackResource {
    pub stack_name: String,
    pub stack_id: String,
    pub logical_resource_id: String,
    pub physical_resource_id: Option<String>,
    pub resource_type: String,
    pub timestamp: Timestamp,
    pub resource_status: String,
    pub resource_status_reason: Option<String>,
    pub drift_information: ResourceDrift,
}

impl Operation for DescribeStackResources {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "DescribeStackResources";
    const KIND: Kind = Kind::Read;
    type Output = DescribeStackResourcesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let name = self.stack_name.as_ref();
        vec![name.map_or_else(|| cx.arn("cloudformation", "stack/*/*"), |name| find::arn(cx, name))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeStackResourcesOutput, Error> {
        let stack = match (&self.stack_name, &self.physical_resource_id) {
            (Some(_), Some(_)) => {
                return Err(Error::validation(
                    "Only one of StackName or PhysicalResourceId may be specified.",
                ));
            }
            (Some(name), None) => find::stack(cx, name)?.ok_or_else(|| Error::no_stack_with_id(name))?,
            (None, Some(physical)) => {
                let found = cx.find::<Resource>("physical", physical)?;
                let owner = found.first().map(|row| cx.get::<Stack>(&row.stack)).transpose()?.flatten();
                owner.ok_or_else(|| Error::Validation(format!("Stack for {physical} does not exist")))?
            }
            (None, None) => {
                return Err(Error::validation("Either StackName or PhysicalResourceId must be specified."));
            }
        };
        let rows = match &self.logical_resource_id {
            Some(id) => vec![row(cx, &stack, id, self.stack_name.as_deref().unwrap_or(&stack.name))?],
            None => rows(cx, &stack, None, MOST)?,
        };
        let view = |row: Resource| StackResource {
            stack_name: stack.name.clone(),
            stack_id: stack.arn.clone(),
            logical_resource_id: row.logical_id,
            physical_resource_id: row.body.physical_id,
            resource_type: row.type_name,
            timestamp: row.updated,
            resource_status: row.status.as_str().to_owned(),
            resource_status_reason: row.reason,
            drift_information: NO_RESOURCE_DRIFT,
        };
        Ok(DescribeStackResourcesOutput { stack_resources: rows.into_iter().map(view).collect() })
    }
}

/// At most `limit` resources in the order of their logical ids; what is only left to be deleted is not shown.
fn rows(cx: &Cx<'_>, stack: &Stack, after: Option<&str>, limit: usize) -> Result<Vec<Resource>, Error> {
    let prefix = format!("{}/", stack.uuid);
    let mut rows = cx.tx.list::<Resource>(cx.region(), &prefix, after, limit + stack.leftovers as usize)?;
    rows.retain(|row| row.leftover.is_none());
    rows.truncate(limit);
    Ok(rows)
}

/// The resources of a stack, page by page.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListStackResources {
    pub stack_name: String,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListStackResourcesOutput {
    pub stack_resource_summaries: Vec<StackResourceSummary>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StackResourceSummary {
    pub logical_resource_id: String,
    pub physical_resource_id: Option<String>,
    pub resource_type: String,
    pub last_updated_timestamp: Timestamp,
    pub resource_status: String,
    pub resource_status_reason: Option<String>,
    pub drift_information: ResourceDrift,
}

impl Operation for ListStackResources {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "ListStackResources";
    const KIND: Kind = Kind::Read;
    type Output = ListStackResourcesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListStackResourcesOutput, Error> {
        let stack =
            find::stack(cx, &self.stack_name)?.ok_or_else(|| Error::no_stack_with_id(&self.stack_name))?;
        let after = self.next_token.as_deref().map(page::key).transpose()?;
        let mut rows = rows(cx, &stack, after.as_deref(), MOST + 1)?;
        let next_token = (rows.len() > MOST).then(|| {
            rows.truncate(MOST);
            page::token(&crate::store::Record::key(&rows[MOST - 1]))
        });
        let view = |row: Resource| StackResourceSummary {
            logical_resource_id: row.logical_id,
            physical_resource_id: row.body.physical_id,
            resource_type: row.type_name,
            last_updated_timestamp: row.updated,
            resource_status: row.status.as_str().to_owned(),
            resource_status_reason: row.reason,
            drift_information: NO_RESOURCE_DRIFT,
        };
        Ok(ListStackResourcesOutput {
            stack_resource_summaries: rows.into_iter().map(view).collect(),
            next_token,
        })
    }
}
