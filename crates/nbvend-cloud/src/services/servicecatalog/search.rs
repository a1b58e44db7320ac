//! `SearchProvisionedProducts`: what was launched, by any of its members.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::{AccessLevelFilter, Level};
use super::error::Error;
use super::page;
use super::state::{Artifact, Product, ProvisionedProduct};
use super::tags::{self, Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct SearchProvisionedProducts {
    pub accept_language: Option<String>,
    pub access_level_filter: Option<AccessLevelFilter>,
    pub filters: BTreeMap<String, Vec<String>>,
    pub sort_by: Option<String>,
    pub sort_order: Option<String>,
    pub page_size: Option<usize>,
    pub page_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SearchProvisionedProductsOutput {
    pub provisioned_products: Vec<Attributes>,
    pub total_results_count: usize,
    pub next_page_token: Option<String>,
}

/// `ProvisionedProductAttribute`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
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
    pub tags: Vec<Tag>,
    /// ARN of the stack.
    pub physical_id: Option<String>,
    pub product_id: String,
    pub product_name: Option<String>,
    pub provisioning_artifact_id: String,
    pub provisioning_artifact_name: Option<String>,
    pub user_arn: String,
    pub user_arn_session: String,
}

impl Attributes {
    fn of(cx: &Cx<'_>, launched: ProvisionedProduct) -> Result<Self, Error> {
        let product = cx.get::<Product>(&launched.product_id)?;
        let artifact = cx.get::<Artifact>(&Artifact::key_of(&launched.product_id, &launched.artifact_id))?;
        Ok(Self {
            arn: launched.arn(cx),
            name: launched.name,
            kind: "CFN_STACK",
            id: launched.id,
            status: launched.status.name(),
            status_message: launched.status_message,
            created_time: launched.created,
            idempotency_token: Some(launched.token).filter(|token| !token.is_empty()),
            last_record_id: launched.last_record_id,
            last_provisioning_record_id: launched.last_provisioning_record_id,
            last_successful_provisioning_record_id: launched.last_successful_record_id,
            tags: tags::view(&launched.tags),
            physical_id: launched.stack_id,
            product_id: launched.product_id,
            product_name: product.map(|product| product.name),
            provisioning_artifact_id: launched.artifact_id,
            provisioning_artifact_name: artifact.and_then(|artifact| artifact.name),
            user_arn: launched.user_arn,
            user_arn_session: launched.session_arn,
        })
    }

    /// The texts of a field; `None` for a field that cannot be searched.
    fn field(&self, name: &str) -> Option<Vec<String>> {
        let optional = |text: &Option<String>| text.iter().cloned().collect();
        Some(match name.to_ascii_lowercase().as_str() {
            "arn" => vec![self.arn.clone()],
            "createdtime" => vec![self.created_time.iso8601(), self.created_time.iso8601_millis()],
            "id" => vec![self.id.clone()],
            "lastrecordid" => vec![self.last_record_id.clone()],
            "idempotencytoken" => optional(&self.idempotency_token),
            "name" => vec![self.name.clone()],
            "physicalid" => optional(&self.physical_id),
            "productid" => vec![self.product_id.clone()],
            "provisioningartifactid" => vec![self.provisioning_artifact_id.clone()],
            "type" => vec![self.kind.to_owned()],
            "status" => vec![self.status.to_owned()],
            "tags" => self.tags.iter().flat_map(|tag| [tag.key.clone(), tag.value.clone()]).collect(),
            "userarn" => vec![self.user_arn.clone()],
            "userarnsession" => vec![self.user_arn_session.clone()],
            "lastprovisioningrecordid" => vec![self.last_provisioning_record_id.clone()],
            "lastsuccessfulprovisioningrecordid" => optional(&self.last_successful_provisioning_record_id),
            "productname" => optional(&self.product_name),
            "provisioningartifactname" => optional(&self.provisioning_artifact_name),
            _ => return None,
        })
    }
}

/// The fields that a query without a field's name looks in.
const FIELDS: &[&str] = &[
    "arn",
    "id",
    "lastRecordId",
    "name",
    "physicalId",
    "productId",
    "productName",
    "provisioningArtifactId",
    "provisioningArtifactName",
    "status",
    "tags",
    "type",
    "userArn",
    "userArnSession",
];

/// One value of the filter `SearchQuery`: `status:AVAILABLE`, or a text to be found in any field. `*` at the end
/// stands for any rest.
fn fits(query: &str, attributes: &Attributes) -> Result<bool, Error> {
    let same = |text: &String, wanted: &str| {
        let (text, wanted) = (text.to_lowercase(), wanted.trim_matches('"').to_lowercase());
        match wanted.strip_suffix('*') {
            Some(start) => text.starts_with(start),
            None => text == wanted,
        }
    };
    match query.split_once(':') {
        // An ARN has colons too.
        Some((field, wanted)) if field != "arn" || wanted.starts_with("arn:") => {
            match attributes.field(field) {
                Some(texts) => Ok(texts.iter().any(|text| same(text, wanted))),
                None => Err(Error::Invalid(format!("Invalid search field: {field}"))),
            }
        }
        _ => {
            let wanted = query.to_lowercase();
            let mut texts = FIELDS.iter().filter_map(|field| attributes.field(field)).flatten();
            Ok(texts.any(|text| text.to_lowercase().contains(wanted.trim_end_matches('*'))))
        }
    }
}

impl Operation for SearchProvisionedProducts {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "SearchProvisionedProducts";
    const KIND: Kind = Kind::Read;
    type Output = SearchProvisionedProductsOutput;
    type Error = Error;

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        // Account is the default here, unlike in the other lists, as the model's documentation says.
        if let Ok(level) = Level::asked(self.access_level_filter.as_ref(), Level::Account) {
            level.keys(keys);
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        if let Some(name) = self.filters.keys().find(|name| *name != "SearchQuery") {
            return Err(Error::Invalid(format!("Invalid filter: {name}")));
        }
        let queries = self.filters.get("SearchQuery").map(Vec::as_slice).unwrap_or_default();
        let level = Level::asked(self.access_level_filter.as_ref(), Level::Account)?;
        let all: Vec<ProvisionedProduct> = match level.index(cx) {
            None => cx.tx.list(cx.region(), "", None, usize::MAX)?,
            Some((index, value)) => cx.find(index, &value)?,
        };
        let mut keyed = Vec::new();
        for launched in all {
            let attributes = Attributes::of(cx, launched)?;
            let mut wanted = true;
            for query in queries {
                wanted &= fits(query, &attributes)?;
            }
            if wanted {
                keyed.push((sort_key(self.sort_by.as_deref(), &attributes)?, attributes));
            }
        }
        let total_results_count = keyed.len();
        let descending = self.sort_order.as_deref() == Some("DESCENDING");
        let (provisioned_products, next_page_token) =
            page::cut(keyed, descending, self.page_token.as_deref(), self.page_size)?;
        Ok(SearchProvisionedProductsOutput { provisioned_products, total_results_count, next_page_token })
    }
}

/// What a launch is sorted by; the id makes it unique.
fn sort_key(by: Option<&str>, attributes: &Attributes) -> Result<String, Error> {
    let first = match by {
        None => return Ok(attributes.id.clone()),
        Some(field @ ("arn" | "id" | "name" | "lastRecordId" | "createdTime")) => attributes.field(field),
        Some(field) => return Err(Error::Invalid(format!("Invalid sort field: {field}"))),
    };
    Ok(format!("{}\n{}", first.unwrap_or_default().join("\n"), attributes.id))
}
