//! Products as administrators see them: all of them, with their versions, whoever may launch them.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::access;
use super::artifact;
use super::browse::{Filters, sort_key};
use super::error::Error;
use super::page;
use super::portfolio;
use super::product::{self, ProductViewDetail};
use super::state::{Product, ProductAssociation};
use super::tags::{self, Tag};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeProductAsAdmin {
    pub accept_language: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeProductAsAdminOutput {
    pub product_view_detail: ProductViewDetail,
    pub provisioning_artifact_summaries: Vec<ArtifactSummary>,
    pub tags: Vec<Tag>,
    /// There are no TagOptions and no budgets here.
    pub tag_options: [(); 0],
    pub budgets: [(); 0],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArtifactSummary {
    pub id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub created_time: Timestamp,
}

impl Operation for DescribeProductAsAdmin {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DescribeProductAsAdmin";
    const KIND: Kind = Kind::Read;
    type Output = DescribeProductAsAdminOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, self.id.as_deref().unwrap_or("*"))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeProductAsAdminOutput, Error> {
        let product = by_id_or_name(cx, self.id.as_deref(), self.name.as_deref())?;
        let versions = artifact::of_product(cx, &product.id)?.into_iter().map(|version| ArtifactSummary {
            id: version.id,
            name: version.name,
            description: version.description,
            created_time: version.created,
        });
        Ok(DescribeProductAsAdminOutput {
            product_view_detail: ProductViewDetail::of(cx, &product),
            provisioning_artifact_summaries: versions.collect(),
            tags: tags::view(&product.tags),
            tag_options: [],
            budgets: [],
        })
    }
}

/// The product of that id or name, whoever may see it.
pub fn by_id_or_name(cx: &Cx<'_>, id: Option<&str>, name: Option<&str>) -> Result<Product, Error> {
    match (id, name) {
        (Some(id), None) => product::find(cx, id),
        (None, Some(name)) => {
            let found = cx.find::<Product>("name", name)?;
            access::one(found, "Product", name, || Error::ProductNameNotFound(name.to_owned()))
        }
        _ => Err(access::either("the product's name", "ID")),
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct SearchProductsAsAdmin {
    pub accept_language: Option<String>,
    pub portfolio_id: Option<String>,
    pub filters: BTreeMap<String, Vec<String>>,
    pub sort_by: Option<String>,
    pub sort_order: Option<String>,
    pub page_token: Option<String>,
    pub page_size: Option<usize>,
    /// `ACCOUNT`, the only value there is, and what is done without it too.
    pub product_source: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SearchProductsAsAdminOutput {
    pub product_view_details: Vec<ProductViewDetail>,
    pub next_page_token: Option<String>,
}

impl Operation for SearchProductsAsAdmin {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "SearchProductsAsAdmin";
    const KIND: Kind = Kind::Read;
    type Output = SearchProductsAsAdminOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<SearchProductsAsAdminOutput, Error> {
        let mut products: Vec<Product> = match &self.portfolio_id {
            None => cx.tx.list(cx.region(), "", None, usize::MAX)?,
            Some(id) => {
                let prefix = ProductAssociation::key_of(&portfolio::find(cx, id)?.id, "");
                let mut found = Vec::new();
                for one in cx.tx.list::<ProductAssociation>(cx.region(), &prefix, None, usize::MAX)? {
                    found.extend(cx.get::<Product>(&one.product_id)?);
                }
                found
            }
        };
        let filters = Filters::of(&self.filters)?;
        products.retain(|product| filters.want(product));
        let mut keyed = Vec::with_capacity(products.len());
        for product in products {
            keyed.push((sort_key(cx, self.sort_by.as_deref(), &product)?, product));
        }
        let descending = self.sort_order.as_deref() == Some("DESCENDING");
        let (found, next_page_token) =
            page::cut(keyed, descending, self.page_token.as_deref(), self.page_size)?;
        let product_view_details = found.iter().map(|product| ProductViewDetail::of(cx, product)).collect();
        Ok(SearchProductsAsAdminOutput { product_view_details, next_page_token })
    }
}
