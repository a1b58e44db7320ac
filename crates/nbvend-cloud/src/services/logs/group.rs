//! `DescribeLogGroups`, `DeleteLogGroup`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::reconcile::LOGS;
use super::state::{Group, group_keys, group_name, group_resource};
use super::{page, table};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Lists groups by name: those with a prefix, those whose name contains a text (in any letter case), or those named.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DescribeLogGroups {
    pub log_group_name_prefix: Option<String>,
    pub log_group_name_pattern: Option<String>,
    pub log_group_identifiers: Option<Vec<String>>,
    pub log_group_class: Option<String>,
    pub next_token: Option<String>,
    pub limit: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeLogGroupsOutput {
    pub log_groups: Vec<GroupView>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
    pub log_group_name: String,
    pub creation_time: Timestamp,
    pub retention_in_days: Option<i64>,
    pub metric_filter_count: i64,
    /// With `:*`, as AWS shows it; `log_group_arn` is without.
    pub arn: String,
    pub stored_bytes: i64,
    pub log_group_class: &'static str,
    pub log_group_arn: String,
}

/// AWS's default and largest page.
const PAGE: usize = 50;

impl Operation for DescribeLogGroups {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "DescribeLogGroups";
    const KIND: Kind = Kind::Read;
    type Output = DescribeLogGroupsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        group_resource(cx, "")
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeLogGroupsOutput, Error> {
        if self.log_group_name_prefix.is_some() && self.log_group_name_pattern.is_some() {
            let text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
            return Err(Error::Parameter(text.to_owned()));
        }
        let (groups, next_token) = match &self.log_group_identifiers {
            Some(identifiers) => (named(cx, identifiers)?, None),
            None => self.page(cx)?,
        };
        let log_groups = groups.into_iter().map(|group| view(cx, group)).collect::<Result<_, Error>>()?;
        Ok(DescribeLogGroupsOutput { log_groups, next_token })
    }
}

fn named(cx: &Cx<'_>, identifiers: &[String]) -> Result<Vec<Group>, Error> {
    let mut found = Vec::new();
    for identifier in identifiers {
        let name = group_name(cx, None, Some(identifier))?;
        found.extend(cx.get::<Group>(&name)?);
    }
    Ok(found)
}

impl DescribeLogGroups {
    fn page(&self, cx: &Cx<'_>) -> Result<(Vec<Group>, Option<String>), Error> {
        let limit = self.limit.unwrap_or(PAGE).clamp(1, PAGE);
        let mut after: Option<String> = self.next_token.as_deref().map(page::read).transpose()?;
        if self.log_group_class.as_deref().is_some_and(|class| class != "STANDARD") {
            return Ok((Vec::new(), None));
        }
        let prefix = self.log_group_name_prefix.as_deref().unwrap_or_default();
        let pattern = self.log_group_name_pattern.as_deref().unwrap_or_default().to_lowercase();
        let mut found: Vec<Group> = Vec::new();
        loop {
            let batch = cx.tx.list::<Group>(cx.region(), prefix, after.as_deref(), limit + 1)?;
            let whole = batch.len() <= limit;
            after = batch.last().map(|group| group.name.clone());
            found.extend(batch.into_iter().filter(|group| group.name.to_lowercase().contains(&pattern)));
            if whole || found.len() > limit {
                break;
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found.clone(), found.last().filter(|_| more).map(|group| page::write(&group.name))))
    }
}

fn view(cx: &Cx<'_>, group: Group) -> Result<GroupView, Error> {
    let arn = Group::arn(cx, &group.name);
    Ok(GroupView {
        stored_bytes: table::bytes(cx.tx, group.id)?,
        log_group_name: group.name,
        creation_time: group.created,
        retention_in_days: group.retention_days,
        metric_filter_count: 0,
        arn: format!("{arn}:*"),
        log_group_class: "STANDARD",
        log_group_arn: arn,
    })
}

/// Deletes a group with its streams and events.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteLogGroup {
    pub log_group_name: String,
}

impl Operation for DeleteLogGroup {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "DeleteLogGroup";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        group_resource(cx, &self.log_group_name)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        group_keys(cx, &self.log_group_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let group = Group::find(cx, &self.log_group_name)?;
        cx.delete::<Group>(&group.name)?;
        table::drop_group(cx.tx, group.id)?;
        cx.wake(LOGS);
        Ok(())
    }
}
