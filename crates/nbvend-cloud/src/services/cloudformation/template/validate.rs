//! `ValidateTemplate`.

use nbvend_template::Template;
use serde::{Deserialize, Serialize};

use super::super::error::Error;
use super::super::source;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// Whether a template is well-formed and its references resolve. Types and properties are judged when it is used, as
/// on AWS.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ValidateTemplate {
    pub template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    pub template_url: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ValidateTemplateOutput {
    pub parameters: Vec<TemplateParameter>,
    pub description: Option<String>,
    pub capabilities: Vec<&'static str>,
    pub capabilities_reason: Option<String>,
    pub declared_transforms: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TemplateParameter {
    pub parameter_key: String,
    pub default_value: Option<String>,
    pub no_echo: bool,
    pub description: Option<String>,
}

impl Operation for ValidateTemplate {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "ValidateTemplate";
    const KIND: Kind = Kind::Read;
    const SENSITIVE: &'static [&'static str] = &["TemplateBody"];
    type Output = ValidateTemplateOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<ValidateTemplateOutput, Error> {
        let template = read(cx, self.template_body.as_deref(), self.template_url.as_deref())?;
        let parameters = template.parameters().into_iter().map(|decl| TemplateParameter {
            parameter_key: decl.name,
            default_value: decl.default,
            no_echo: decl.no_echo,
            description: decl.description,
        });
        Ok(ValidateTemplateOutput {
            parameters: parameters.collect(),
            description: template.description().map(str::to_owned),
            capabilities: template.capabilities(),
            capabilities_reason: template.capabilities_reason(),
            declared_transforms: template.transforms(),
        })
    }
}

/// A template that is given in the request, with its references checked.
pub fn read(cx: &mut Cx<'_>, body: Option<&str>, url: Option<&str>) -> Result<Template, Error> {
    let text = source::text(cx, body, url)?
        .ok_or_else(|| Error::validation("Either Template URL or Template Body must be specified."))?;
    let template = Template::parse(&text)?;
    template.validate()?;
    Ok(template)
}
