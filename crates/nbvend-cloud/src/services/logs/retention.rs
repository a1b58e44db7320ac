//! `PutRetentionPolicy`, `DeleteRetentionPolicy`: after how many days events go.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::reconcile::LOGS;
use super::state::{Group, group_keys, group_resource};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// The numbers of days that AWS takes.
const DAYS: &[i64] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutRetentionPolicy {
    pub log_group_name: String,
    pub retention_in_days: i64,
}

impl Operation for PutRetentionPolicy {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "PutRetentionPolicy";
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
        if !DAYS.contains(&self.retention_in_days) {
            let list = DAYS.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
            return Err(Error::Parameter(format!(
                "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [{list}]",
                self.retention_in_days
            )));
        }
        set(cx, &self.log_group_name, Some(self.retention_in_days))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteRetentionPolicy {
    pub log_group_name: String,
}

impl Operation for DeleteRetentionPolicy {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "DeleteRetentionPolicy";
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
        set(cx, &self.log_group_name, None)
    }
}

fn set(cx: &Cx<'_>, name: &str, days: Option<i64>) -> Result<(), Error> {
    let mut group = Group::find(cx, name)?;
    group.retention_days = days;
    cx.put(&group)?;
    cx.wake(LOGS);
    Ok(())
}
