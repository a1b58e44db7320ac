//! `GetTemplate`.

use serde::{Deserialize, Serialize};

use super::super::change_set;
use super::super::error::Error;
use super::super::find;
use super::super::state::Version;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// The template of a stack or of a change set, as it came or as a transform made it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetTemplate {
    pub stack_name: Option<String>,
    pub change_set_name: Option<String>,
    pub template_stage: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetTemplateOutput {
    pub template_body: String,
    pub stages_available: Vec<&'static str>,
}

impl Operation for GetTemplate {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "GetTemplate";
    const KIND: Kind = Kind::Read;
    type Output = GetTemplateOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![match (&self.stack_name, &self.change_set_name) {
            (Some(name), _) => find::arn(cx, name),
            (None, Some(set)) => change_set::stack_arn(cx, set),
            (None, None) => cx.arn("cloudformation", "stack/*/*"),
        }]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetTemplateOutput, Error> {
        let version = match (&self.change_set_name, &self.stack_name) {
            (Some(set), stack) => {
                if stack.is_none() && !set.starts_with("arn:") {
                    return Err(Error::validation("StackName is a required parameter."));
                }
                let set = change_set::find(cx, set, stack.as_deref())?;
                set.version.map(|id| Version::key_of(&set.stack, &id))
            }
            (None, Some(name)) => {
                let stack = find::stack(cx, name)?.ok_or_else(|| Error::no_stack_with_id(name))?;
                // While an update runs, the template is already the new one.
                stack.target.or(stack.current).map(|id| Version::key_of(&stack.uuid, &id))
            }
            (None, None) => {
                return Err(Error::validation("StackName is required if ChangeSetName is not specified."));
            }
        };
        let version = match version {
            Some(key) => cx.get::<Version>(&key)?,
            None => None,
        };
        let version = version.ok_or_else(|| Error::validation("The template is not available."))?;
        let processed = self.template_stage.as_deref() == Some("Processed");
        Ok(GetTemplateOutput {
            template_body: if processed && version.transformed {
                version.processed.to_string()
            } else {
                version.original
            },
            stages_available: vec!["Original", "Processed"],
        })
    }
}
