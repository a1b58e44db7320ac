//! `ListNotebookInstanceLifecycleConfigs`, with all its filters.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::page::{self, SortKey};
use super::state::LifecycleConfig;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListNotebookInstanceLifecycleConfigs {
    pub next_token: Option<String>,
    pub max_results: Option<usize>,
    pub sort_by: Option<String>,
    pub sort_order: Option<String>,
    pub name_contains: Option<String>,
    pub creation_time_before: Option<Timestamp>,
    pub creation_time_after: Option<Timestamp>,
    pub last_modified_time_before: Option<Timestamp>,
    pub last_modified_time_after: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleConfigs {
    pub next_token: Option<String>,
    pub notebook_instance_lifecycle_configs: Vec<Summary>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    pub notebook_instance_lifecycle_config_name: String,
    pub notebook_instance_lifecycle_config_arn: String,
    pub creation_time: Timestamp,
    pub last_modified_time: Timestamp,
}

impl ListNotebookInstanceLifecycleConfigs {
    fn wants(&self, config: &LifecycleConfig) -> bool {
        self.name_contains.as_ref().is_none_or(|part| config.name.contains(part.as_str()))
            && self.creation_time_after.is_none_or(|time| config.created > time)
            && self.creation_time_before.is_none_or(|time| config.created < time)
            && self.last_modified_time_after.is_none_or(|time| config.modified > time)
            && self.last_modified_time_before.is_none_or(|time| config.modified < time)
    }

    /// The API reference: the default is the time of creation.
    fn sort_key(&self, config: &LifecycleConfig) -> SortKey {
        let first = match self.sort_by.as_deref() {
            Some("Name") => String::new(),
            Some("LastModifiedTime") => page::sortable(config.modified),
            _ => page::sortable(config.created),
        };
        (first, config.name.to_ascii_lowercase())
    }
}

impl Operation for ListNotebookInstanceLifecycleConfigs {
    const SERVICE: &'static str = "sagemaker";
    const NAME: &'static str = "ListNotebookInstanceLifecycleConfigs";
    const KIND: Kind = Kind::Read;
    type Output = LifecycleConfigs;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<LifecycleConfigs, Error> {
        let all = cx.tx.list::<LifecycleConfig>(cx.region(), "", None, usize::MAX)?;
        let wanted = all.into_iter().filter(|config| self.wants(config));
        let keyed = wanted.map(|config| (self.sort_key(&config), config)).collect();
        let (page, next_token) =
            page::cut(keyed, self.sort_order.as_deref(), self.next_token.as_deref(), self.max_results)?;
        let page = page.into_iter().map(|config| Summary {
            notebook_instance_lifecycle_config_name: config.name,
            notebook_instance_lifecycle_config_arn: config.arn,
            creation_time: config.created,
            last_modified_time: config.modified,
        });
        Ok(LifecycleConfigs { notebook_instance_lifecycle_configs: page.collect(), next_token })
    }
}
