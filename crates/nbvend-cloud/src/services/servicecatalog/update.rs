//! `UpdateProvisionedProduct`: accepts a change of what was launched; the reconciler updates its stack.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::RECORDS;
use super::access::{Path, Sight};
use super::constraint;
use super::error::Error;
use super::launch_path::launchable;
use super::parameter::{self, Parameter};
use super::provisioned::{by_id_or_name, level_keys};
use super::record::RecordAnswer;
use super::state::{
    Artifact, Given, LaunchRecord, ProductStatus, ProvisionedProduct, RecordKind, Work, digest, recall,
    remember,
};
use super::tags::{self, Tag};
use super::template;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Changes version, parameters or tags of a launch. Idempotent by its token.
///
/// As with a stack's update, a parameter that is not given has the template's default; to keep its value is to say so
/// (`UsePreviousValue`).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateProvisionedProduct {
    pub accept_language: Option<String>,
    pub provisioned_product_name: Option<String>,
    pub provisioned_product_id: Option<String>,
    pub product_id: Option<String>,
    pub product_name: Option<String>,
    pub provisioning_artifact_id: Option<String>,
    pub provisioning_artifact_name: Option<String>,
    pub path_id: Option<String>,
    pub path_name: Option<String>,
    pub provisioning_parameters: Vec<Parameter>,
    pub tags: Option<Vec<Tag>>,
    pub update_token: String,
}

/// What is to become of it.
struct Target {
    launched: ProvisionedProduct,
    product_id: String,
    artifact: Artifact,
    path: Path,
}

impl UpdateProvisionedProduct {
    fn target(&self, cx: &mut Cx<'_>) -> Result<Target, Error> {
        let (id, name) = (self.provisioned_product_id.as_deref(), self.provisioned_product_name.as_deref());
        let launched = by_id_or_name(cx, id, name)?;
        let sight = Sight::of(cx)?;
        let product_id = match (self.product_id.as_deref(), self.product_name.as_deref()) {
            (None, None) => launched.product_id.clone(),
            (id, name) => sight.product(cx, id, name)?.id,
        };
        let artifact =
            match (self.provisioning_artifact_id.as_deref(), self.provisioning_artifact_name.as_deref()) {
                (None, None) => launchable(cx, &product_id, Some(&launched.artifact_id), None)?,
                (id, name) => launchable(cx, &product_id, id, name)?,
            };
        let path = match (self.path_id.as_deref(), self.path_name.as_deref()) {
            (None, None) => match sight.path(cx, &product_id, Some(&launched.path_id), None) {
                Err(Error::LaunchPathNotFound(_)) => sight.path(cx, &product_id, None, None)?,
                same => same?,
            },
            (id, name) => sight.path(cx, &product_id, id, name)?,
        };
        Ok(Target { launched, product_id, artifact, path })
    }

    fn digest(&self, cx: &Cx<'_>) -> String {
        let parameters: Vec<_> =
            self.provisioning_parameters.iter().map(|p| (&p.key, &p.value, p.use_previous_value)).collect();
        let request = json!([
            self.provisioned_product_id,
            self.provisioned_product_name,
            self.product_id,
            self.product_name,
            self.provisioning_artifact_id,
            self.provisioning_artifact_name,
            self.path_id,
            self.path_name,
            parameters,
            self.tags,
        ]);
        digest(cx, &request)
    }
}

/// Refuses what is under change.
pub fn at_rest(launched: &ProvisionedProduct) -> Result<(), Error> {
    match launched.status {
        ProductStatus::UnderChange => {
            Err(Error::UnderChange { id: launched.id.clone(), status: launched.status.name() })
        }
        ProductStatus::Available | ProductStatus::Tainted | ProductStatus::Error => Ok(()),
    }
}

impl Operation for UpdateProvisionedProduct {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "UpdateProvisionedProduct";
    const KIND: Kind = Kind::Write;
    const PREPARES: bool = true;
    type Output = RecordAnswer;
    type Error = Error;

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        level_keys(
            cx,
            self.provisioned_product_id.as_deref(),
            self.provisioned_product_name.as_deref(),
            keys,
        );
        tags::request_keys(self.tags.as_deref().unwrap_or_default(), keys);
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        if let Ok(target) = self.target(cx)
            && let Ok(template) = template::of(cx, &target.artifact)
        {
            parameter::hide(&mut self.provisioning_parameters, &template);
        }
        Ok(())
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RecordAnswer, Error> {
        let digest = self.digest(cx);
        if let Some(id) = recall(cx, Self::NAME, &self.update_token, &digest)?
            && let Some(record) = cx.get::<LaunchRecord>(&id)?
        {
            return Ok(RecordAnswer::of(&record));
        }
        let Target { mut launched, product_id, artifact, path } = self.target(cx)?;
        at_rest(&launched)?;
        if launched.stack_id.is_none() {
            let text = format!("Provisioned product {} has no stack to update: terminate it", launched.id);
            return Err(Error::State(text));
        }
        let given: Vec<Given> = self.provisioning_parameters.iter().map(Parameter::given).collect();
        template::of(cx, &artifact)?.check(&given, &launched.parameter_keys)?;
        let tags = match &self.tags {
            None => launched.tags.clone(),
            Some(tags) => {
                let tags = tags::checked(cx, tags)?;
                if tags != launched.tags && !constraint::tags_may_change(cx, &path.portfolio.id, &product_id)?
                {
                    let text = "Tags cannot be updated without a RESOURCE_UPDATE constraint that allows it";
                    return Err(Error::Invalid(text.to_owned()));
                }
                tags
            }
        };
        let work = Work {
            template: Some(artifact.template),
            parameters: given,
            tags: tags.clone(),
            portfolio_id: path.portfolio.id.clone(),
            ..Work::of(cx, launched.status)
        };
        let launch_role_arn = if launched.launch_role_fixed {
            launched.launch_role_arn.clone()
        } else {
            constraint::launch_role(cx, &path.portfolio.id, &product_id)?
        };
        let record = LaunchRecord {
            product_id,
            artifact_id: artifact.id,
            path_id: path.id,
            launch_role_arn,
            tags,
            ..LaunchRecord::of(cx, RecordKind::Update, &launched, Some(work))
        };
        launched.begin(&record);
        cx.put(&launched)?;
        cx.put(&record)?;
        remember(cx, Self::NAME, &self.update_token, digest, &record.id)?;
        cx.wake(RECORDS);
        Ok(RecordAnswer::of(&record))
    }
}
