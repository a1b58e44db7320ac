//! Product templates: read from S3 once, kept as the catalog's own copy, parsed once an engine's life.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use nbvend_template::parameters::{Given as Choice, ParameterDecl, resolve_parameters};
use nbvend_template::{Template, TemplateError};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::Error;
use super::state::{Artifact, Given, StoredTemplate};
use crate::context::Cx;
use crate::services::s3::{self, object::GetObject};

/// What the catalog tells of a template.
#[derive(Debug)]
pub struct Parsed {
    pub text: String,
    /// Why it cannot be read, for one that was stored without being looked at (`DisableTemplateValidation`).
    broken: Option<TemplateError>,
    pub parameters: Vec<ParameterDecl>,
    /// Names and descriptions.
    pub outputs: Vec<(String, Option<String>)>,
    pub version: Option<String>,
    pub description: Option<String>,
    pub metadata: Option<Value>,
}

impl Parsed {
    fn new(text: String) -> Self {
        match Template::parse(&text) {
            Err(error) => Self {
                text,
                broken: Some(error),
                parameters: Vec::new(),
                outputs: Vec::new(),
                version: None,
                description: None,
                metadata: None,
            },
            Ok(template) => Self {
                broken: None,
                parameters: template.parameters(),
                outputs: template
                    .outputs()
                    .iter()
                    .map(|output| (output.name.to_owned(), output.description.map(str::to_owned)))
                    .collect(),
                version: template.format_version().map(str::to_owned),
                description: template.description().map(str::to_owned),
                metadata: template.metadata().cloned(),
                text,
            },
        }
    }

    /// Whether the parameters given for a launch are such that CloudFormation can begin, in its words if not. A
    /// parameter whose value is kept must be one the stack has.
    pub fn check(&self, given: &[Given], kept: &[String]) -> Result<(), Error> {
        if self.broken.is_some() {
            // CloudFormation will say what is wrong with it.
            return Ok(());
        }
        if let Some(twice) =
            given.iter().enumerate().find(|(at, one)| given[..*at].iter().any(|g| g.key == one.key))
        {
            return Err(Error::Invalid(format!("Parameter {} is given more than once", twice.1.key)));
        }
        // A kept value is CloudFormation's to judge: such a parameter is left out here.
        let is_kept = |name: &str| {
            kept.iter().any(|k| k == name) && given.iter().any(|g| g.key == name && g.value.is_none())
        };
        let judged: Vec<_> = self.parameters.iter().filter(|decl| !is_kept(&decl.name)).cloned().collect();
        let choices: Vec<_> = given
            .iter()
            .filter(|one| !(is_kept(&one.key) && self.parameters.iter().any(|decl| decl.name == one.key)))
            .map(|one| (one.key.clone(), one.value.clone().map_or(Choice::UsePrevious, Choice::Value)))
            .collect();
        resolve_parameters(&judged, &choices, None).map(|_| ()).map_err(Error::Parameter)
    }
}

/// Parsed templates by digest.
#[derive(Default)]
struct Cache(Mutex<HashMap<String, Arc<Parsed>>>);

/// Bytes of a template at a URL: CloudFormation's limit.
const LARGEST: u64 = 1_000_000;
/// So many templates stay parsed.
const CACHED: usize = 64;

/// The template of an artifact.
pub fn of(cx: &Cx<'_>, artifact: &Artifact) -> Result<Arc<Parsed>, Error> {
    by_digest(cx, &artifact.template)
}

pub fn by_digest(cx: &Cx<'_>, digest: &str) -> Result<Arc<Parsed>, Error> {
    let cache = cx.engine.cache::<Cache>();
    let found = cache.0.lock().expect("nobody panics while holding the templates").get(digest).cloned();
    if let Some(parsed) = found {
        return Ok(parsed);
    }
    let stored =
        cx.get::<StoredTemplate>(digest)?.ok_or_else(|| Error::ArtifactNotFound(digest.to_owned()))?;
    let parsed = Arc::new(Parsed::new(stored.text));
    let mut all = cache.0.lock().expect("nobody panics while holding the templates");
    if all.len() >= CACHED {
        all.clear();
    }
    all.insert(digest.to_owned(), Arc::clone(&parsed));
    Ok(parsed)
}

/// Reads a template from its S3 URL, as the caller.
pub fn read(cx: &mut Cx<'_>, url: &str) -> Result<String, Error> {
    let unreadable = |reason: String| Error::TemplateSource { url: url.to_owned(), reason };
    // CloudFormation's own words for a URL that is not S3's.
    let place =
        s3::location(cx, url).ok_or_else(|| unreadable("TemplateURL must be a supported URL.".to_owned()))?;
    let object = GetObject { bucket: place.bucket, key: place.key, version_id: place.version_id };
    let object = cx.call(object).map_err(|error| unreadable(error.message))?;
    if object.content_length > LARGEST {
        return Err(unreadable(format!("Template may not exceed {LARGEST} bytes in size.")));
    }
    let bytes = cx.tx.blobs().read(&object.blob)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))
}

/// Refuses a template that CloudFormation would refuse.
pub fn validate(text: &str) -> Result<(), Error> {
    Template::parse(text).and_then(|template| template.validate()).map_err(Error::Template)
}

/// Keeps a template's text; answers its digest.
pub fn keep(cx: &Cx<'_>, text: String) -> Result<String, Error> {
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    if cx.get::<StoredTemplate>(&digest)?.is_none() {
        cx.put(&StoredTemplate { digest: digest.clone(), text })?;
    }
    Ok(digest)
}

/// Drops a text that no artifact has any more.
pub fn release(cx: &Cx<'_>, digest: &str) -> Result<(), Error> {
    if cx.find::<Artifact>("template", digest)?.is_empty() {
        cx.delete::<StoredTemplate>(digest)?;
    }
    Ok(())
}

/// `ProvisioningArtifactParameter`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ParameterView {
    pub parameter_key: String,
    pub default_value: Option<String>,
    pub parameter_type: String,
    pub is_no_echo: bool,
    pub description: Option<String>,
    pub parameter_constraints: ParameterConstraints,
}

/// Numbers are texts here, as in the model.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ParameterConstraints {
    pub allowed_values: Vec<String>,
    pub allowed_pattern: Option<String>,
    pub constraint_description: Option<String>,
    pub max_length: Option<String>,
    pub min_length: Option<String>,
    pub max_value: Option<String>,
    pub min_value: Option<String>,
}

impl From<&ParameterDecl> for ParameterView {
    fn from(decl: &ParameterDecl) -> Self {
        Self {
            parameter_key: decl.name.clone(),
            // A default that is not to be echoed is shown as CloudFormation shows such values.
            default_value: decl
                .default
                .clone()
                .map(|value| if decl.no_echo { "****".to_owned() } else { value }),
            parameter_type: decl.type_name.clone(),
            is_no_echo: decl.no_echo,
            description: decl.description.clone(),
            parameter_constraints: ParameterConstraints {
                allowed_values: decl.allowed_values.clone(),
                allowed_pattern: decl.allowed_pattern.clone(),
                constraint_description: decl.constraint_description.clone(),
                max_length: decl.max_length.map(|n| n.to_string()),
                min_length: decl.min_length.map(|n| n.to_string()),
                max_value: decl.max_value.map(|n| n.to_string()),
                min_value: decl.min_value.map(|n| n.to_string()),
            },
        }
    }
}
