//! `ProvisionProduct`: accepts a launch; the reconciler makes its stack.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::RECORDS;
use super::access::{Path, Sight};
use super::constraint;
use super::error::Error;
use super::launch_path::launchable;
use super::parameter::{self, Parameter};
use super::record::RecordAnswer;
use super::state::{
    Artifact, Given, LaunchRecord, Product, ProductStatus, ProvisionedProduct, RecordKind, Work, digest,
    recall, remember,
};
use super::tags::{self, Tag};
use super::template;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Launches a product. Idempotent by its token.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProvisionProduct {
    pub accept_language: Option<String>,
    pub product_id: Option<String>,
    pub product_name: Option<String>,
    pub provisioning_artifact_id: Option<String>,
    pub provisioning_artifact_name: Option<String>,
    pub path_id: Option<String>,
    pub path_name: Option<String>,
    pub provisioned_product_name: String,
    pub provisioning_parameters: Vec<Parameter>,
    pub tags: Vec<Tag>,
    pub notification_arns: Vec<String>,
    pub provision_token: String,
}

/// What is launched, and how.
struct Choice {
    product: Product,
    artifact: Artifact,
    path: Path,
}

impl ProvisionProduct {
    fn choose(&self, cx: &mut Cx<'_>) -> Result<Choice, Error> {
        let sight = Sight::of(cx)?;
        let product = sight.product(cx, self.product_id.as_deref(), self.product_name.as_deref());
        let product = match product {
            // A product that is there but in none of the caller's portfolios is told from one that is not there, as
            // AWS does (aws-cdk issue 8404).
            Err(Error::ProductNotFound(id)) if cx.get::<Product>(&id)?.is_some() => {
                return Err(Error::NoLaunchPaths(id));
            }
            other => other?,
        };
        let (id, name) =
            (self.provisioning_artifact_id.as_deref(), self.provisioning_artifact_name.as_deref());
        let artifact = launchable(cx, &product.id, id, name)?;
        let path = sight.path(cx, &product.id, self.path_id.as_deref(), self.path_name.as_deref())?;
        Ok(Choice { product, artifact, path })
    }

    fn digest(&self, cx: &Cx<'_>) -> String {
        let parameters: Vec<_> = self.provisioning_parameters.iter().map(|p| (&p.key, &p.value)).collect();
        let request = json!([
            self.product_id,
            self.product_name,
            self.provisioning_artifact_id,
            self.provisioning_artifact_name,
            self.path_id,
            self.path_name,
            self.provisioned_product_name,
            parameters,
            self.tags,
            self.notification_arns,
        ]);
        digest(cx, &request)
    }
}

impl Operation for ProvisionProduct {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "ProvisionProduct";
    const KIND: Kind = Kind::Write;
    const PREPARES: bool = true;
    type Output = RecordAnswer;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let by_name = || cx.find::<Product>("name", self.product_name.as_ref()?).ok()?.pop();
        let id = self.product_id.clone().or_else(|| by_name().map(|product| product.id));
        vec![Product::arn_of(cx, id.as_deref().unwrap_or("*"))]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
    }

    /// Parses the template outside the writer, and finds what of the parameters the trail must not show.
    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        // What is wrong with the request is said in `run`, to those who may make it.
        if let Ok(choice) = self.choose(cx)
            && let Ok(template) = template::of(cx, &choice.artifact)
        {
            parameter::hide(&mut self.provisioning_parameters, &template);
        }
        Ok(())
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RecordAnswer, Error> {
        if !self.notification_arns.is_empty() {
            let text =
                "NotificationArns of ProvisionProduct is not supported by nbvend: it has no SNS topics";
            return Err(Error::Invalid(text.to_owned()));
        }
        let digest = self.digest(cx);
        if let Some(id) = recall(cx, Self::NAME, &self.provision_token, &digest)?
            && let Some(record) = cx.get::<LaunchRecord>(&id)?
        {
            return Ok(RecordAnswer::of(&record));
        }
        let Choice { product, artifact, path } = self.choose(cx)?;
        if artifact.guidance == "DEPRECATED" {
            let text = format!("Provisioning artifact {} is deprecated and cannot be launched", artifact.id);
            return Err(Error::Invalid(text));
        }
        if !cx.find::<ProvisionedProduct>("name", &self.provisioned_product_name)?.is_empty() {
            return Err(Error::NameInUse(self.provisioned_product_name));
        }
        let given: Vec<Given> = self.provisioning_parameters.iter().map(Parameter::given).collect();
        template::of(cx, &artifact)?.check(&given, &[])?;
        let tags = tags::checked(cx, &self.tags)?;
        let principal = &cx.caller.principal;
        let mut launched = ProvisionedProduct {
            id: format!("pp-{}", cx.ids().lower(13)),
            name: self.provisioned_product_name,
            status: ProductStatus::UnderChange,
            status_message: None,
            created: cx.now(),
            token: self.provision_token,
            launch_role_arn: constraint::launch_role(cx, &path.portfolio.id, &product.id)?,
            launch_role_fixed: false,
            product_id: product.id,
            artifact_id: artifact.id,
            path_id: path.id,
            stack_id: None,
            user_arn: principal.issuer_arn(cx.account()),
            session_arn: principal.arn(cx.account()),
            tags: tags.clone(),
            parameter_keys: Vec::new(),
            last_record_id: String::new(),
            last_provisioning_record_id: String::new(),
            last_successful_record_id: None,
        };
        let work = Work {
            template: Some(artifact.template),
            parameters: given,
            tags: tags.clone(),
            portfolio_id: path.portfolio.id,
            ..Work::of(cx, ProductStatus::Error)
        };
        let record =
            LaunchRecord { tags, ..LaunchRecord::of(cx, RecordKind::Provision, &launched, Some(work)) };
        launched.begin(&record);
        cx.put(&launched)?;
        cx.put(&record)?;
        remember(cx, Self::NAME, &launched.token, digest, &record.id)?;
        cx.wake(RECORDS);
        Ok(RecordAnswer::of(&record))
    }
}
