//! `DescribeParameters`: everything of parameters but their values.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::by_path::walk;
use super::error::Error;
use super::filter::{self, Filter};
use super::name;
use super::page;
use super::parameter::{PolicyView, policies};
use super::state::Parameter;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeParameters {
    /// The older form: a name's beginning, a type, a key.
    pub filters: Vec<OldFilter>,
    pub parameter_filters: Vec<Filter>,
    pub max_results: Option<usize>,
    pub next_token: Option<String>,
    /// Parameters of other accounts; there is one account, so there are none.
    pub shared: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct OldFilter {
    pub key: String,
    pub values: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeParametersOutput {
    pub parameters: Vec<Metadata>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metadata {
    pub name: String,
    #[serde(rename = "ARN")]
    pub arn: String,
    #[serde(rename = "Type")]
    pub kind: String,
    pub key_id: Option<String>,
    pub last_modified_date: Timestamp,
    pub last_modified_user: String,
    pub description: Option<String>,
    pub allowed_pattern: Option<String>,
    pub version: i64,
    pub tier: String,
    pub policies: Vec<PolicyView>,
    pub data_type: String,
}

fn metadata(cx: &Cx<'_>, parameter: Parameter) -> Metadata {
    let policies = policies(&parameter);
    let current = parameter.current;
    Metadata {
        arn: name::arn(cx, &parameter.name),
        name: parameter.name,
        kind: current.kind,
        key_id: current.key_id,
        last_modified_date: current.modified,
        last_modified_user: current.modified_by,
        description: current.description,
        allowed_pattern: current.allowed_pattern,
        version: current.version,
        tier: current.tier,
        policies,
        data_type: current.data_type,
    }
}

impl DescribeParameters {
    fn filters(&self) -> Result<Vec<Filter>, Error> {
        if self.filters.is_empty() {
            filter::check(&self.parameter_filters, filter::Of::Describe)?;
            return Ok(self.parameter_filters.clone());
        }
        if !self.parameter_filters.is_empty() {
            return Err(Error::validation(
                "You can use either Filters or ParameterFilters in a single request.",
            ));
        }
        let renewed = |old: &OldFilter| Filter {
            option: Some(if old.key == "Name" { "BeginsWith" } else { "Equals" }.to_owned()),
            key: old.key.clone(),
            values: old.values.clone(),
        };
        Ok(self.filters.iter().map(renewed).collect())
    }
}

/// The names that can match, if the filters say which.
fn exact(filters: &[Filter]) -> Option<Vec<String>> {
    let names = filters.iter().find(|filter| filter.key == "Name")?;
    if names.option.as_deref().is_some_and(|option| option != "Equals") {
        return None;
    }
    let both = |name: &String| {
        let bare = name.trim_start_matches('/');
        [bare.to_owned(), format!("/{bare}")]
    };
    let mut all: Vec<String> = names.values.iter().flat_map(both).collect();
    all.sort_unstable();
    all.dedup();
    Some(all)
}

/// The one branch that has to be looked at.
fn branch(filters: &[Filter]) -> (String, bool) {
    let path = filters.iter().find(|filter| filter.key == "Path");
    match path.map(|filter| (filter.values.as_slice(), filter.option.as_deref() == Some("Recursive"))) {
        Some(([path], recursive)) => (path.clone(), recursive),
        _ => ("/".to_owned(), true),
    }
}

impl Operation for DescribeParameters {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "DescribeParameters";
    const KIND: Kind = Kind::Read;
    type Output = DescribeParametersOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeParametersOutput, Error> {
        let filters = self.filters()?;
        let limit = self.max_results.unwrap_or(10);
        let after = page::after(self.next_token.as_deref())?;
        let mut found = Vec::new();
        if self.shared {
            return Ok(DescribeParametersOutput { parameters: Vec::new(), next_token: None });
        }
        if let Some(names) = exact(&filters) {
            for name in names.iter().filter(|name| after.as_ref().is_none_or(|after| *name > after)) {
                found.extend(
                    Parameter::get(cx, name)?.filter(|parameter| filter::matches(&filters, parameter)),
                );
            }
        } else {
            let (path, recursive) = branch(&filters);
            walk(cx, &path, recursive, after, |parameter| {
                if filter::matches(&filters, &parameter) {
                    found.push(parameter);
                }
                Ok(found.len() <= limit)
            })?;
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next_token = found.last().filter(|_| more).map(|last| page::token(&last.name));
        let parameters = found.into_iter().map(|parameter| metadata(cx, parameter)).collect();
        Ok(DescribeParametersOutput { parameters, next_token })
    }
}
