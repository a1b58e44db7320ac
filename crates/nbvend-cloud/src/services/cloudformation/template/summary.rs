//! `GetTemplateSummary`.

use nbvend_template::Template;
use nbvend_template::parameters::ParameterDecl;
use serde::{Deserialize, Serialize};

use super::super::error::Error;
use super::super::find;
use super::super::state::{StackStatus, Version};
use super::validate::read;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// What a template declares: of a request, or of a stack.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetTemplateSummary {
    pub template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    pub template_url: Option<String>,
    pub stack_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetTemplateSummaryOutput {
    pub parameters: Vec<ParameterDeclaration>,
    pub description: Option<String>,
    pub capabilities: Vec<&'static str>,
    pub capabilities_reason: Option<String>,
    pub resource_types: Vec<String>,
    pub version: Option<String>,
    pub metadata: Option<String>,
    pub declared_transforms: Vec<String>,
    pub resource_identifier_summaries: Vec<ResourceIdentifierSummary>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ParameterDeclaration {
    pub parameter_key: String,
    pub default_value: Option<String>,
    pub parameter_type: String,
    pub no_echo: bool,
    pub description: Option<String>,
    pub parameter_constraints: ParameterConstraints,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ParameterConstraints {
    pub allowed_values: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceIdentifierSummary {
    pub resource_type: String,
    pub logical_resource_ids: Vec<String>,
}

impl Operation for GetTemplateSummary {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "GetTemplateSummary";
    const KIND: Kind = Kind::Read;
    const SENSITIVE: &'static [&'static str] = &["TemplateBody"];
    type Output = GetTemplateSummaryOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![match &self.stack_name {
            Some(name) => find::arn(cx, name),
            None => cx.arn("cloudformation", "stack/*/*"),
        }]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetTemplateSummaryOutput, Error> {
        let template = match &self.stack_name {
            Some(name) => of_stack(cx, name)?,
            None => read(cx, self.template_body.as_deref(), self.template_url.as_deref())?,
        };
        let mut summaries: Vec<ResourceIdentifierSummary> = Vec::new();
        for resource in template.resources() {
            let id = resource.logical_id.to_owned();
            match summaries.iter_mut().find(|summary| summary.resource_type == resource.resource_type) {
                Some(summary) => summary.logical_resource_ids.push(id),
                None => summaries.push(ResourceIdentifierSummary {
                    resource_type: resource.resource_type.to_owned(),
                    logical_resource_ids: vec![id],
                }),
            }
        }
        Ok(GetTemplateSummaryOutput {
            parameters: template.parameters().into_iter().map(declaration).collect(),
            description: template.description().map(str::to_owned),
            capabilities: template.capabilities(),
            capabilities_reason: template.capabilities_reason(),
            // Each once.
            resource_types: summaries.iter().map(|summary| summary.resource_type.clone()).collect(),
            version: template.format_version().map(str::to_owned),
            metadata: template.metadata().map(ToString::to_string),
            declared_transforms: template.transforms(),
            resource_identifier_summaries: summaries,
        })
    }
}

fn of_stack(cx: &Cx<'_>, name: &str) -> Result<Template, Error> {
    let stack = find::stack(cx, name)?.ok_or_else(|| Error::no_stack_with_id(name))?;
    if stack.status == StackStatus::ReviewInProgress {
        return Err(Error::validation("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."));
    }
    let version = match stack.target.or(stack.current) {
        Some(id) => cx.get::<Version>(&Version::key_of(&stack.uuid, &id))?,
        None => None,
    };
    let version = version.ok_or_else(|| Error::no_stack_with_id(name))?;
    Ok(Template::parse(&version.original)?)
}

fn declaration(decl: ParameterDecl) -> ParameterDeclaration {
    ParameterDeclaration {
        parameter_key: decl.name,
        default_value: decl.default,
        parameter_type: decl.type_name,
        no_echo: decl.no_echo,
        description: decl.description,
        parameter_constraints: ParameterConstraints {
            allowed_values: (!decl.allowed_values.is_empty()).then_some(decl.allowed_values),
        },
    }
}
