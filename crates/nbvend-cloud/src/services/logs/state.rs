//! What is kept of a log group. Streams and events are many and small: they have tables of their own ([`super::table`]).

use std::collections::BTreeMap;

use nbvend_wire::arn::Arn;
use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::context::{ContextKeys, Cx};
use crate::store::Record;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    /// Its number in the tables. A group made again under an old name has another.
    pub id: i64,
    pub created: Timestamp,
    pub retention_days: Option<i64>,
    pub tags: BTreeMap<String, String>,
}

impl Record for Group {
    const KIND: &'static str = "logs.group";
    const INDEXES: &'static [&'static str] = &["retention"];

    fn key(&self) -> String {
        self.name.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        self.retention_days.map(|_| ("retention", "yes".to_owned())).into_iter().collect()
    }
}

impl Group {
    pub fn find(cx: &Cx<'_>, name: &str) -> Result<Self, Error> {
        cx.get(name)?.ok_or(Error::NoGroup)
    }

    /// Its ARN as policies and tags name it, without the `:*` that `DescribeLogGroups` shows.
    pub fn arn(cx: &Cx<'_>, name: &str) -> String {
        cx.arn("logs", &format!("log-group:{name}"))
    }
}

/// The one name of a group that a call gives by name or by ARN.
pub fn group_name(cx: &Cx<'_>, name: Option<&str>, identifier: Option<&str>) -> Result<String, Error> {
    match (name, identifier) {
        (Some(_), Some(_)) => Err(Error::NameAndArn),
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) if identifier.starts_with("arn:") => {
            name_of_arn(cx, identifier).ok_or(Error::NoGroup)
        }
        (None, Some(name)) => Ok(name.to_owned()),
        (None, None) => Err(Error::Parameter(
            "Exactly one of logGroupName and logGroupIdentifier must be given.".to_owned(),
        )),
    }
}

/// The group's name in an ARN of this account and region, with or without `:*`.
pub fn name_of_arn(cx: &Cx<'_>, arn: &str) -> Option<String> {
    let arn: Arn = arn.parse().ok()?;
    let here = arn.service == "logs" && arn.region == cx.region() && arn.account == cx.account();
    let name = arn.resource.strip_prefix("log-group:")?;
    here.then(|| name.strip_suffix(":*").unwrap_or(name).to_owned())
}

/// What an action on a group, or on its streams as a whole, is authorised on. AWS evaluates it with an empty stream
/// name, so that a policy on `log-group:NAME:*` holds and one on `log-group:NAME` does not.
pub fn group_resource(cx: &Cx<'_>, group: &str) -> Vec<String> {
    stream_resource(cx, group, "")
}

/// What an action on one stream is authorised on.
pub fn stream_resource(cx: &Cx<'_>, group: &str, stream: &str) -> Vec<String> {
    vec![cx.arn("logs", &format!("log-group:{group}:log-stream:{stream}"))]
}

/// `aws:ResourceTag/…` of a group.
pub fn group_keys(cx: &Cx<'_>, name: &str, keys: &mut ContextKeys) {
    if let Ok(Some(group)) = cx.get::<Group>(name) {
        for (key, value) in group.tags {
            keys.insert(format!("aws:ResourceTag/{key}"), vec![value]);
        }
    }
}
