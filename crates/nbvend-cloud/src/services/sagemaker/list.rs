//! `ListNotebookInstances`, with all its filters.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::page::{self, SortKey};
use super::state::Notebook;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListNotebookInstances {
    pub next_token: Option<String>,
    pub max_results: Option<usize>,
    pub sort_by: Option<String>,
    pub sort_order: Option<String>,
    pub name_contains: Option<String>,
    pub creation_time_before: Option<Timestamp>,
    pub creation_time_after: Option<Timestamp>,
    pub last_modified_time_before: Option<Timestamp>,
    pub last_modified_time_after: Option<Timestamp>,
    pub status_equals: Option<String>,
    pub notebook_instance_lifecycle_config_name_contains: Option<String>,
    pub default_code_repository_contains: Option<String>,
    pub additional_code_repository_equals: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListNotebookInstancesOutput {
    pub next_token: Option<String>,
    pub notebook_instances: Vec<Summary>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    pub notebook_instance_name: String,
    pub notebook_instance_arn: String,
    pub notebook_instance_status: &'static str,
    pub url: String,
    pub instance_type: String,
    pub creation_time: Timestamp,
    pub last_modified_time: Timestamp,
    pub notebook_instance_lifecycle_config_name: Option<String>,
    pub default_code_repository: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_code_repositories: Vec<String>,
}

impl ListNotebookInstances {
    fn wants(&self, notebook: &Notebook) -> bool {
        let contains =
            |text: &str, part: &Option<String>| part.as_ref().is_none_or(|part| text.contains(part.as_str()));
        let config = notebook.lifecycle_config.as_deref().unwrap_or_default();
        let repository = notebook.default_repository.as_deref().unwrap_or_default();
        contains(&notebook.name, &self.name_contains)
            && contains(config, &self.notebook_instance_lifecycle_config_name_contains)
            && contains(repository, &self.default_code_repository_contains)
            && self
                .additional_code_repository_equals
                .as_ref()
                .is_none_or(|wanted| notebook.additional_repositories.contains(wanted))
            && self.status_equals.as_ref().is_none_or(|status| status == notebook.status.name())
            && self.creation_time_after.is_none_or(|time| notebook.created > time)
            && self.creation_time_before.is_none_or(|time| notebook.created < time)
            && self.last_modified_time_after.is_none_or(|time| notebook.modified > time)
            && self.last_modified_time_before.is_none_or(|time| notebook.modified < time)
    }

    fn sort_key(&self, notebook: &Notebook) -> SortKey {
        let first = match self.sort_by.as_deref() {
            Some("CreationTime") => page::sortable(notebook.created),
            Some("Status") => notebook.status.name().to_owned(),
            _ => String::new(),
        };
        (first, notebook.name.to_ascii_lowercase())
    }
}

impl Operation for ListNotebookInstances {
    const SERVICE: &'static str = "sagemaker";
    const NAME: &'static str = "ListNotebookInstances";
    const KIND: Kind = Kind::Read;
    type Output = ListNotebookInstancesOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let all = cx.tx.list::<Notebook>(cx.region(), "", None, usize::MAX)?;
        let wanted = all.into_iter().filter(|notebook| self.wants(notebook));
        let keyed = wanted.map(|notebook| (self.sort_key(&notebook), notebook)).collect();
        let (page, next_token) =
            page::cut(keyed, self.sort_order.as_deref(), self.next_token.as_deref(), self.max_results)?;
        let (region, suffix) = (cx.region(), &cx.config().url_suffix);
        let page = page.into_iter().map(|notebook| Summary {
            url: notebook.host(region, suffix),
            notebook_instance_name: notebook.name,
            notebook_instance_arn: notebook.arn,
            notebook_instance_status: notebook.status.name(),
            instance_type: notebook.instance_type,
            creation_time: notebook.created,
            last_modified_time: notebook.modified,
            notebook_instance_lifecycle_config_name: notebook.lifecycle_config,
            default_code_repository: notebook.default_repository,
            additional_code_repositories: notebook.additional_repositories,
        });
        Ok(ListNotebookInstancesOutput { notebook_instances: page.collect(), next_token })
    }
}
