//! Products: made with their first version, changed, ended.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::artifact::{self, ArtifactDetail, ArtifactProperties};
use super::error::Error;
use super::state::{Artifact, Product, ProductAssociation, digest, recall, remember};
use super::tags::{self, Tag};
use super::template;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// The only type of product there is here.
pub const TEMPLATE: &str = "CLOUD_FORMATION_TEMPLATE";

/// `ProductViewSummary`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProductViewSummary {
    /// The view's id, `prodview-…`.
    pub id: String,
    pub product_id: String,
    pub name: String,
    pub owner: String,
    pub short_description: Option<String>,
    #[serde(rename = "Type")]
    pub kind: &'static str,
    pub distributor: Option<String>,
    /// Whether it can be launched without saying by which path.
    pub has_default_path: bool,
    pub support_email: Option<String>,
    pub support_description: Option<String>,
    pub support_url: Option<String>,
}

impl ProductViewSummary {
    pub fn of(product: &Product, has_default_path: bool) -> Self {
        Self {
            id: product.view_id.clone(),
            product_id: product.id.clone(),
            name: product.name.clone(),
            owner: product.owner.clone(),
            short_description: product.description.clone(),
            kind: TEMPLATE,
            distributor: product.distributor.clone(),
            has_default_path,
            support_email: product.support_email.clone(),
            support_description: product.support_description.clone(),
            support_url: product.support_url.clone(),
        }
    }
}

/// `ProductViewDetail`: what administrators see.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProductViewDetail {
    pub product_view_summary: ProductViewSummary,
    pub status: &'static str,
    #[serde(rename = "ProductARN")]
    pub product_arn: String,
    pub created_time: Timestamp,
}

impl ProductViewDetail {
    pub fn of(cx: &Cx<'_>, product: &Product) -> Self {
        Self {
            product_view_summary: ProductViewSummary::of(product, false),
            status: "AVAILABLE",
            product_arn: Product::arn_of(cx, &product.id),
            created_time: product.created,
        }
    }
}

/// The product of that id.
pub fn find(cx: &Cx<'_>, id: &str) -> Result<Product, Error> {
    cx.get(id)?.ok_or_else(|| Error::ProductNotFound(id.to_owned()))
}

/// Makes a product with its first version. Idempotent by its token.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateProduct {
    pub accept_language: Option<String>,
    pub name: String,
    pub owner: String,
    pub description: Option<String>,
    pub distributor: Option<String>,
    pub support_description: Option<String>,
    pub support_email: Option<String>,
    pub support_url: Option<String>,
    pub product_type: String,
    pub tags: Vec<Tag>,
    pub provisioning_artifact_parameters: Option<ArtifactProperties>,
    pub idempotency_token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateProductOutput {
    pub product_view_detail: ProductViewDetail,
    pub provisioning_artifact_detail: ArtifactDetail,
    pub tags: Vec<Tag>,
}

impl CreateProductOutput {
    fn of(cx: &Cx<'_>, product: &Product, first: &Artifact) -> Self {
        Self {
            product_view_detail: ProductViewDetail::of(cx, product),
            provisioning_artifact_detail: ArtifactDetail::of(first),
            tags: tags::view(&product.tags),
        }
    }
}

impl Operation for CreateProduct {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "CreateProduct";
    const KIND: Kind = Kind::Write;
    type Output = CreateProductOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, "*")]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<CreateProductOutput, Error> {
        if self.product_type != TEMPLATE {
            let text =
                format!("ProductType {} of CreateProduct is not supported by nbvend", self.product_type);
            return Err(Error::Invalid(text));
        }
        let request = json!([
            self.name,
            self.owner,
            self.description,
            self.distributor,
            self.support_description,
            self.support_email,
            self.support_url,
            self.tags,
            self.provisioning_artifact_parameters,
        ]);
        let digest = digest(cx, &request);
        if let Some(id) = recall(cx, Self::NAME, &self.idempotency_token, &digest)?
            && let Some(made) = cx.get::<Product>(&id)?
            && let Some(first) = artifact::of_product(cx, &id)?.first()
        {
            return Ok(CreateProductOutput::of(cx, &made, first));
        }
        let Some(first) = self.provisioning_artifact_parameters else {
            let text =
                "ProvisioningArtifactParameters is required for products of type CLOUD_FORMATION_TEMPLATE";
            return Err(Error::Invalid(text.to_owned()));
        };
        let mut product = Product {
            id: format!("prod-{}", cx.ids().lower(13)),
            view_id: format!("prodview-{}", cx.ids().lower(13)),
            tags: tags::checked(cx, &self.tags)?,
            name: self.name,
            owner: self.owner,
            description: self.description,
            distributor: self.distributor,
            support_description: self.support_description,
            support_email: self.support_email,
            support_url: self.support_url,
            created: cx.now(),
            next_artifact: 1,
        };
        let first = artifact::add(cx, &mut product, first)?;
        remember(cx, Self::NAME, &self.idempotency_token, digest, &product.id)?;
        Ok(CreateProductOutput::of(cx, &product, &first))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateProduct {
    pub accept_language: Option<String>,
    pub id: String,
    pub name: Option<String>,
    pub owner: Option<String>,
    pub description: Option<String>,
    pub distributor: Option<String>,
    pub support_description: Option<String>,
    pub support_email: Option<String>,
    pub support_url: Option<String>,
    pub add_tags: Vec<Tag>,
    pub remove_tags: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateProductOutput {
    pub product_view_detail: ProductViewDetail,
    pub tags: Vec<Tag>,
}

impl Operation for UpdateProduct {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "UpdateProduct";
    const KIND: Kind = Kind::Write;
    type Output = UpdateProductOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, &self.id)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.add_tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<UpdateProductOutput, Error> {
        let mut product = find(cx, &self.id)?;
        tags::change(cx, &mut product.tags, &self.add_tags, &self.remove_tags)?;
        product.name = self.name.unwrap_or(product.name);
        product.owner = self.owner.unwrap_or(product.owner);
        for (kept, new) in [
            (&mut product.description, self.description),
            (&mut product.distributor, self.distributor),
            (&mut product.support_description, self.support_description),
            (&mut product.support_email, self.support_email),
            (&mut product.support_url, self.support_url),
        ] {
            if new.is_some() {
                *kept = new;
            }
        }
        cx.put(&product)?;
        Ok(UpdateProductOutput {
            product_view_detail: ProductViewDetail::of(cx, &product),
            tags: tags::view(&product.tags),
        })
    }
}

/// Ends a product that is in no portfolio, with all its versions. What was launched of it stays.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteProduct {
    pub accept_language: Option<String>,
    pub id: String,
}

impl Operation for DeleteProduct {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DeleteProduct";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, &self.id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let product = find(cx, &self.id)?;
        if !cx.find::<ProductAssociation>("product", &product.id)?.is_empty() {
            return Err(Error::InUse(format!("Product {} is still associated with portfolios", product.id)));
        }
        for version in artifact::of_product(cx, &product.id)? {
            cx.delete::<Artifact>(&Artifact::key_of(&product.id, &version.id))?;
            template::release(cx, &version.template)?;
        }
        cx.delete::<Product>(&product.id)?;
        Ok(())
    }
}
