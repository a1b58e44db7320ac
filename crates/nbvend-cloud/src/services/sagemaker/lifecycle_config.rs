//! Lifecycle configurations: scripts that run when a notebook is created and at each start.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{LifecycleConfig, Notebook, lifecycle_config};
use super::{tags, tags::Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// A script, base64, as the API has it: a list of at most one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Hook {
    pub content: Option<String>,
}

fn arn(cx: &Cx<'_>, name: &str) -> String {
    cx.arn("sagemaker", &format!("notebook-instance-lifecycle-config/{}", name.to_ascii_lowercase()))
}

fn script(hooks: &[Hook]) -> Result<Option<String>, Error> {
    let content = hooks.first().and_then(|hook| hook.content.clone());
    if let Some(text) = &content
        && STANDARD.decode(text).is_err()
    {
        return Err(Error::Validation("Lifecycle configuration content must be base64-encoded".to_owned()));
    }
    Ok(content)
}

fn hooks(content: Option<String>) -> Vec<Hook> {
    content.map(|content| Hook { content: Some(content) }).into_iter().collect()
}

macro_rules! plain {
    ($operation:ident, $kind:expr, $output:ty, $run:expr) => {
        impl Operation for $operation {
            const SERVICE: &'static str = "sagemaker";
            const NAME: &'static str = stringify!($operation);
            const KIND: Kind = $kind;
            type Output = $output;
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![arn(cx, &self.notebook_instance_lifecycle_config_name)]
            }

            fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
                self.keys(keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<$output, Error> {
                let run: fn(Self, &mut Cx<'_>) -> Result<$output, Error> = $run;
                run(self, cx)
            }
        }
    };
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateNotebookInstanceLifecycleConfig {
    pub notebook_instance_lifecycle_config_name: String,
    pub on_create: Vec<Hook>,
    pub on_start: Vec<Hook>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatedLifecycleConfig {
    pub notebook_instance_lifecycle_config_arn: String,
}

impl CreateNotebookInstanceLifecycleConfig {
    fn keys(&self, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
    }
}

plain!(CreateNotebookInstanceLifecycleConfig, Kind::Write, CreatedLifecycleConfig, |input, cx| {
    let name = input.notebook_instance_lifecycle_config_name;
    let arn = arn(cx, &name);
    if lifecycle_config(cx, &name)?.is_some() {
        return Err(Error::DuplicateLifecycleConfig(arn));
    }
    let config = LifecycleConfig {
        name,
        arn: arn.clone(),
        on_create: script(&input.on_create)?,
        on_start: script(&input.on_start)?,
        tags: tags::checked(cx, &input.tags)?.into_iter().collect(),
        created: cx.now(),
        modified: cx.now(),
    };
    cx.put(&config)?;
    Ok(CreatedLifecycleConfig { notebook_instance_lifecycle_config_arn: arn })
});

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeNotebookInstanceLifecycleConfig {
    pub notebook_instance_lifecycle_config_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleConfigView {
    pub notebook_instance_lifecycle_config_arn: String,
    pub notebook_instance_lifecycle_config_name: String,
    pub on_create: Vec<Hook>,
    pub on_start: Vec<Hook>,
    pub creation_time: Timestamp,
    pub last_modified_time: Timestamp,
}

impl DescribeNotebookInstanceLifecycleConfig {
    fn keys(&self, _keys: &mut ContextKeys) {}
}

plain!(DescribeNotebookInstanceLifecycleConfig, Kind::Read, LifecycleConfigView, |input, cx| {
    let name = input.notebook_instance_lifecycle_config_name;
    let config = lifecycle_config(cx, &name)?.ok_or(Error::NoLifecycleConfig(name))?;
    Ok(LifecycleConfigView {
        notebook_instance_lifecycle_config_arn: config.arn,
        notebook_instance_lifecycle_config_name: config.name,
        on_create: hooks(config.on_create),
        on_start: hooks(config.on_start),
        creation_time: config.created,
        last_modified_time: config.modified,
    })
});

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateNotebookInstanceLifecycleConfig {
    pub notebook_instance_lifecycle_config_name: String,
    pub on_create: Option<Vec<Hook>>,
    pub on_start: Option<Vec<Hook>>,
}

impl UpdateNotebookInstanceLifecycleConfig {
    fn keys(&self, _keys: &mut ContextKeys) {}
}

plain!(
    UpdateNotebookInstanceLifecycleConfig,
    Kind::Write,
    serde_json::Map<String, serde_json::Value>,
    |input, cx| {
        let name = input.notebook_instance_lifecycle_config_name;
        let mut config = lifecycle_config(cx, &name)?.ok_or(Error::NoLifecycleConfig(name))?;
        if let Some(hooks) = input.on_create {
            config.on_create = script(&hooks)?;
        }
        if let Some(hooks) = input.on_start {
            config.on_start = script(&hooks)?;
        }
        config.modified = cx.now();
        cx.put(&config)?;
        Ok(serde_json::Map::new())
    }
);

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteNotebookInstanceLifecycleConfig {
    pub notebook_instance_lifecycle_config_name: String,
}

impl DeleteNotebookInstanceLifecycleConfig {
    fn keys(&self, _keys: &mut ContextKeys) {}
}

plain!(DeleteNotebookInstanceLifecycleConfig, Kind::Write, (), |input, cx| {
    let name = input.notebook_instance_lifecycle_config_name;
    let config = lifecycle_config(cx, &name)?.ok_or_else(|| Error::NoLifecycleConfig(name.clone()))?;
    if !cx.find::<Notebook>("lifecycle-config", &name)?.is_empty() {
        return Err(Error::LifecycleConfigInUse(config.arn));
    }
    cx.delete::<LifecycleConfig>(&name)?;
    Ok(())
});
