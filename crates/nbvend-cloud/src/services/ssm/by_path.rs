//! `GetParametersByPath`.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::filter::{self, Filter};
use super::name::{self, Selected};
use super::page;
use super::parameter::{ParameterView, view};
use super::state::Parameter;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Records looked at together.
const BATCH: usize = 50;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetParametersByPath {
    pub path: String,
    pub recursive: bool,
    pub parameter_filters: Vec<Filter>,
    pub with_decryption: bool,
    pub max_results: Option<usize>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParametersByPathOutput {
    pub parameters: Vec<ParameterView>,
    pub next_token: Option<String>,
}

/// Whether a name lies under a path: anywhere, or just one level down.
pub fn under(path: &str, name: &str, recursive: bool) -> bool {
    let rest = match path {
        "/" => Some(name.trim_start_matches('/')),
        _ => name.strip_prefix(path.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/')),
    };
    rest.is_some_and(|rest| recursive || !rest.contains('/'))
}

/// Parameters below a path, in the order of their names, from `after` on, until `take` says enough. Whole branches that
/// lie too deep are skipped, not read.
pub fn walk(
    cx: &Cx<'_>,
    path: &str,
    recursive: bool,
    mut after: Option<String>,
    mut take: impl FnMut(Parameter) -> Result<bool, Error>,
) -> Result<(), Error> {
    let prefix = match path {
        // Names without a slash lie at the root too.
        "/" => String::new(),
        _ => format!("{}/", path.trim_end_matches('/')),
    };
    loop {
        let batch = cx.tx.list::<Parameter>(cx.region(), &prefix, after.as_deref(), BATCH)?;
        let last = batch.len() < BATCH;
        let mut skip = None;
        for parameter in batch {
            after = Some(parameter.name.clone());
            if under(path, &parameter.name, recursive) {
                if !take(parameter)? {
                    return Ok(());
                }
                continue;
            }
            let start = prefix.len() + usize::from(prefix.is_empty() && parameter.name.starts_with('/'));
            let Some(end) = parameter.name[start..].find('/') else { continue };
            // The last code point sorts behind every name of the branch.
            skip = Some(format!("{}/\u{10FFFF}", &parameter.name[..start + end]));
            break;
        }
        match skip {
            Some(beyond) => after = Some(beyond),
            None if last => return Ok(()),
            None => {}
        }
    }
}

impl Operation for GetParametersByPath {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "GetParametersByPath";
    const KIND: Kind = Kind::Read;
    const SENSITIVE: &'static [&'static str] = &["Value"];
    type Output = GetParametersByPathOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::arn(cx, self.path.trim_end_matches('/'))]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("ssm:Recursive".to_owned(), vec![self.recursive.to_string()]);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetParametersByPathOutput, Error> {
        filter::check_path(&self.path)?;
        filter::check(&self.parameter_filters, filter::Of::Path)?;
        let limit = self.max_results.unwrap_or(10);
        let after = page::after(self.next_token.as_deref())?;
        let label = self.parameter_filters.iter().find(|filter| filter.key == "Label");
        let mut found = Vec::new();
        walk(cx, &self.path, self.recursive, after, |parameter| {
            if filter::matches(&self.parameter_filters, &parameter) {
                found.push(parameter);
            }
            Ok(found.len() <= limit)
        })?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next_token = found.last().filter(|_| more).map(|last| page::token(&last.name));
        let mut parameters = Vec::new();
        for parameter in found {
            // A label selects the version that bears it.
            let labelled =
                label.and_then(|filter| filter.values.iter().find_map(|label| parameter.labels.get(label)));
            let version = labelled.map(|version| parameter.version(cx, *version)).transpose()?.flatten();
            let version = version.unwrap_or_else(|| parameter.current.clone());
            parameters.push(view(cx, Selected { parameter, version, selector: None }, self.with_decryption)?);
        }
        Ok(GetParametersByPathOutput { parameters, next_token })
    }
}
