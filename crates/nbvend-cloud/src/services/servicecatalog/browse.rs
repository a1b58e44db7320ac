//! The catalog as its users see it: products of the portfolios that are open to them.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Sight;
use super::artifact;
use super::error::Error;
use super::page;
use super::product::{ProductViewSummary, TEMPLATE};
use super::state::{Artifact, Product};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// The filters of product searches. A product must fit each; of several values of one filter, any.
pub struct Filters<'a>(&'a BTreeMap<String, Vec<String>>);

impl<'a> Filters<'a> {
    pub fn of(filters: &'a BTreeMap<String, Vec<String>>) -> Result<Self, Error> {
        let known = ["FullTextSearch", "Owner", "ProductType", "SourceProductId"];
        match filters.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Error::Invalid(format!("Invalid filter: {name}"))),
            None => Ok(Self(filters)),
        }
    }

    pub fn want(&self, product: &Product) -> bool {
        self.0.iter().all(|(name, values)| values.iter().any(|value| fits(product, name, value)))
    }
}

fn fits(product: &Product, filter: &str, value: &str) -> bool {
    match filter {
        "Owner" => product.owner == value,
        "ProductType" => value == TEMPLATE,
        // No product here was copied from another.
        "SourceProductId" => false,
        _ => {
            let texts = [
                Some(&product.name),
                Some(&product.owner),
                product.description.as_ref(),
                product.distributor.as_ref(),
                product.support_description.as_ref(),
                Some(&product.id),
            ];
            let all =
                texts.into_iter().flatten().map(|text| text.to_lowercase()).collect::<Vec<_>>().join("\n");
            value.split_whitespace().all(|word| all.contains(&word.to_lowercase()))
        }
    }
}

/// What products are sorted by; the id makes it unique.
pub fn sort_key(cx: &Cx<'_>, by: Option<&str>, product: &Product) -> Result<String, Error> {
    let first = match by {
        Some("Title") => product.name.to_lowercase(),
        Some("VersionCount") => format!("{:010}", artifact::of_product(cx, &product.id)?.len()),
        _ => format!("{:020}", product.created.0),
    };
    Ok(format!("{first}\n{}", product.id))
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct SearchProducts {
    pub accept_language: Option<String>,
    pub filters: BTreeMap<String, Vec<String>>,
    pub page_size: Option<usize>,
    pub sort_by: Option<String>,
    pub sort_order: Option<String>,
    pub page_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SearchProductsOutput {
    pub product_view_summaries: Vec<ProductViewSummary>,
    pub product_view_aggregations: BTreeMap<&'static str, Vec<Aggregation>>,
    pub next_page_token: Option<String>,
}

/// How many of the products found have one value.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Aggregation {
    pub value: String,
    pub approximate_count: usize,
}

impl Operation for SearchProducts {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "SearchProducts";
    const KIND: Kind = Kind::Read;
    type Output = SearchProductsOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<SearchProductsOutput, Error> {
        let sight = Sight::of(cx)?;
        let filters = Filters::of(&self.filters)?;
        let mut keyed = Vec::new();
        let mut owners = BTreeMap::<String, usize>::new();
        for product in sight.products(cx)? {
            if filters.want(&product) {
                *owners.entry(product.owner.clone()).or_default() += 1;
                keyed.push((sort_key(cx, self.sort_by.as_deref(), &product)?, product));
            }
        }
        let total = keyed.len();
        let descending = self.sort_order.as_deref() == Some("DESCENDING");
        let (found, next_page_token) =
            page::cut(keyed, descending, self.page_token.as_deref(), self.page_size)?;
        let mut product_view_summaries = Vec::with_capacity(found.len());
        for product in &found {
            product_view_summaries.push(summary(cx, &sight, product)?);
        }
        let mut product_view_aggregations = BTreeMap::new();
        if total > 0 {
            let owners =
                owners.into_iter().map(|(value, approximate_count)| Aggregation { value, approximate_count });
            product_view_aggregations.insert("Owner", owners.collect());
            let types = vec![Aggregation { value: TEMPLATE.to_owned(), approximate_count: total }];
            product_view_aggregations.insert("ProductType", types);
        }
        Ok(SearchProductsOutput { product_view_summaries, product_view_aggregations, next_page_token })
    }
}

fn summary(cx: &Cx<'_>, sight: &Sight, product: &Product) -> Result<ProductViewSummary, Error> {
    Ok(ProductViewSummary::of(product, sight.paths(cx, &product.id)?.len() == 1))
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeProduct {
    pub accept_language: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeProductOutput {
    pub product_view_summary: ProductViewSummary,
    pub provisioning_artifacts: Vec<ArtifactView>,
    /// There are no budgets here.
    pub budgets: [(); 0],
    pub launch_paths: Vec<LaunchPath>,
}

/// `ProvisioningArtifact`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArtifactView {
    pub id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub created_time: Timestamp,
    pub guidance: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LaunchPath {
    pub id: String,
    pub name: String,
}

/// The versions that users see: inactive ones are invisible to them.
fn active(cx: &Cx<'_>, product_id: &str) -> Result<Vec<ArtifactView>, Error> {
    let shown = artifact::of_product(cx, product_id)?.into_iter().filter(|version| version.active);
    let view = |version: Artifact| ArtifactView {
        id: version.id,
        name: version.name,
        description: version.description,
        created_time: version.created,
        guidance: version.guidance,
    };
    Ok(shown.map(view).collect())
}

impl Operation for DescribeProduct {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DescribeProduct";
    const KIND: Kind = Kind::Read;
    type Output = DescribeProductOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, self.id.as_deref().unwrap_or("*"))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeProductOutput, Error> {
        let sight = Sight::of(cx)?;
        let product = sight.product(cx, self.id.as_deref(), self.name.as_deref())?;
        let paths = sight.paths(cx, &product.id)?;
        Ok(DescribeProductOutput {
            product_view_summary: ProductViewSummary::of(&product, paths.len() == 1),
            provisioning_artifacts: active(cx, &product.id)?,
            budgets: [],
            launch_paths: paths
                .into_iter()
                .map(|path| LaunchPath { id: path.id, name: path.portfolio.display_name })
                .collect(),
        })
    }
}

/// The same by the view's id, `prodview-…`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeProductView {
    pub accept_language: Option<String>,
    pub id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeProductViewOutput {
    pub product_view_summary: ProductViewSummary,
    pub provisioning_artifacts: Vec<ArtifactView>,
}

impl Operation for DescribeProductView {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DescribeProductView";
    const KIND: Kind = Kind::Read;
    type Output = DescribeProductViewOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeProductViewOutput, Error> {
        let missing = || Error::ProductNotFound(self.id.clone());
        let product = cx.find::<Product>("view", &self.id)?.pop().ok_or_else(missing)?;
        let sight = Sight::of(cx)?;
        if !sight.finds(cx, &product.id)? {
            return Err(missing());
        }
        Ok(DescribeProductViewOutput {
            product_view_summary: summary(cx, &sight, &product)?,
            provisioning_artifacts: active(cx, &product.id)?,
        })
    }
}
