//! Provisioned products: described, listed, their outputs.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::{self, AccessLevelFilter, Level};
use super::error::Error;
use super::page;
use super::record::{OutputView, outputs};
use super::state::{LaunchRecord, ProvisionedProduct};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// The provisioned product of that id.
pub fn find(cx: &Cx<'_>, id: &str) -> Result<ProvisionedProduct, Error> {
    cx.get(id)?.ok_or_else(|| Error::ProvisionedProductNotFound(id.to_owned()))
}

/// The one of that id or name, exactly one of which must be given. Where the model takes an ARN for a name, the id at
/// its end counts.
pub fn by_id_or_name(cx: &Cx<'_>, id: Option<&str>, name: Option<&str>) -> Result<ProvisionedProduct, Error> {
    match (id, name) {
        (Some(id), None) => find(cx, id),
        (None, Some(arn)) if arn.starts_with("arn:") => find(cx, arn.rsplit('/').next().unwrap_or(arn)),
        (None, Some(name)) => {
            let found = cx.find::<ProvisionedProduct>("name", name)?.pop();
            found.ok_or_else(|| Error::ProvisionedProductNotFound(name.to_owned()))
        }
        _ => Err(access::either("the provisioned product's name", "ID")),
    }
}

/// The condition keys for a call about one provisioned product.
pub fn level_keys(cx: &Cx<'_>, id: Option<&str>, name: Option<&str>, keys: &mut ContextKeys) {
    if let Ok(product) = by_id_or_name(cx, id, name) {
        Level::to(cx, &product.user_arn, &product.session_arn).keys(keys);
    }
}

/// `ProvisionedProductDetail`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProvisionedProductDetail {
    pub name: String,
    pub arn: String,
    #[serde(rename = "Type")]
    pub kind: &'static str,
    pub id: String,
    pub status: &'static str,
    pub status_message: Option<String>,
    pub created_time: Timestamp,
    pub idempotency_token: Option<String>,
    pub last_record_id: String,
    pub last_provisioning_record_id: String,
    pub last_successful_provisioning_record_id: Option<String>,
    pub product_id: String,
    pub provisioning_artifact_id: String,
    pub launch_role_arn: Option<String>,
}

impl ProvisionedProductDetail {
    pub fn of(cx: &Cx<'_>, product: &ProvisionedProduct) -> Self {
        Self {
            arn: product.arn(cx),
            name: product.name.clone(),
            kind: "CFN_STACK",
            id: product.id.clone(),
            status: product.status.name(),
            status_message: product.status_message.clone(),
            created_time: product.created,
            idempotency_token: Some(product.token.clone()).filter(|token| !token.is_empty()),
            last_record_id: product.last_record_id.clone(),
            last_provisioning_record_id: product.last_provisioning_record_id.clone(),
            last_successful_provisioning_record_id: product.last_successful_record_id.clone(),
            product_id: product.product_id.clone(),
            provisioning_artifact_id: product.artifact_id.clone(),
            launch_role_arn: product.launch_role_arn.clone(),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeProvisionedProduct {
    pub accept_language: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeProvisionedProductOutput {
    pub provisioned_product_detail: ProvisionedProductDetail,
    /// There are no dashboards here.
    pub cloud_watch_dashboards: [(); 0],
}

impl Operation for DescribeProvisionedProduct {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DescribeProvisionedProduct";
    const KIND: Kind = Kind::Read;
    type Output = DescribeProvisionedProductOutput;
    type Error = Error;

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        level_keys(cx, self.id.as_deref(), self.name.as_deref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let product = by_id_or_name(cx, self.id.as_deref(), self.name.as_deref())?;
        Ok(DescribeProvisionedProductOutput {
            provisioned_product_detail: ProvisionedProductDetail::of(cx, &product),
            cloud_watch_dashboards: [],
        })
    }
}

/// The provisioned products at a level of access, in the order of their ids.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ScanProvisionedProducts {
    pub accept_language: Option<String>,
    pub access_level_filter: Option<AccessLevelFilter>,
    pub page_size: Option<usize>,
    pub page_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScanProvisionedProductsOutput {
    pub provisioned_products: Vec<ProvisionedProductDetail>,
    pub next_page_token: Option<String>,
}

impl Operation for ScanProvisionedProducts {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "ScanProvisionedProducts";
    const KIND: Kind = Kind::Read;
    type Output = ScanProvisionedProductsOutput;
    type Error = Error;

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        if let Ok(level) = Level::asked(self.access_level_filter.as_ref(), Level::User) {
            level.keys(keys);
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let size = page::size(self.page_size);
        let after = page::after(self.page_token.as_deref())?;
        let level = Level::asked(self.access_level_filter.as_ref(), Level::User)?;
        let found: Vec<ProvisionedProduct> = match level.index(cx) {
            None => cx.tx.list(cx.region(), "", after.as_deref(), size + 1)?,
            Some((index, value)) => {
                let mut mine = cx.find::<ProvisionedProduct>(index, &value)?;
                mine.retain(|product| after.as_ref().is_none_or(|after| product.id > *after));
                mine
            }
        };
        let (found, next_page_token) = page::cut_read(found, size, |product| product.id.clone());
        let provisioned_products =
            found.iter().map(|product| ProvisionedProductDetail::of(cx, product)).collect();
        Ok(ScanProvisionedProductsOutput { provisioned_products, next_page_token })
    }
}

/// The outputs of the last launch or update that succeeded.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetProvisionedProductOutputs {
    pub accept_language: Option<String>,
    pub provisioned_product_id: Option<String>,
    pub provisioned_product_name: Option<String>,
    pub output_keys: Vec<String>,
    pub page_size: Option<usize>,
    pub page_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetProvisionedProductOutputsOutput {
    pub outputs: Vec<OutputView>,
    pub next_page_token: Option<String>,
}

impl Operation for GetProvisionedProductOutputs {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "GetProvisionedProductOutputs";
    const KIND: Kind = Kind::Read;
    type Output = GetProvisionedProductOutputsOutput;
    type Error = Error;

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        level_keys(
            cx,
            self.provisioned_product_id.as_deref(),
            self.provisioned_product_name.as_deref(),
            keys,
        );
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let (id, name) = (self.provisioned_product_id, self.provisioned_product_name);
        let product = by_id_or_name(cx, id.as_deref(), name.as_deref())?;
        let record = match &product.last_successful_record_id {
            Some(record) => cx.get::<LaunchRecord>(record)?,
            None => None,
        };
        let mut found = record.map(|record| record.outputs).unwrap_or_default();
        if let Some(missing) =
            self.output_keys.iter().find(|key| found.iter().all(|output| output.key != **key))
        {
            return Err(Error::Invalid(format!("Invalid output key: {missing}")));
        }
        if !self.output_keys.is_empty() {
            found.retain(|output| self.output_keys.contains(&output.key));
        }
        let (outputs, next_page_token) = outputs(found, self.page_token.as_deref(), self.page_size)?;
        Ok(GetProvisionedProductOutputsOutput { outputs, next_page_token })
    }
}
