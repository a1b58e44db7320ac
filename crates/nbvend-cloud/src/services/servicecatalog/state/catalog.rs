//! Portfolios, products with their versions, constraints, and who and what is associated with a portfolio.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::Cx;
use crate::store::Record;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Portfolio {
    /// `port-` and 13 letters and digits.
    pub id: String,
    pub display_name: String,
    pub description: Option<String>,
    pub provider_name: String,
    pub tags: Vec<(String, String)>,
    pub created: Timestamp,
}

impl Portfolio {
    pub fn arn_of(cx: &Cx<'_>, id: &str) -> String {
        cx.arn("catalog", &format!("portfolio/{id}"))
    }
}

impl Record for Portfolio {
    const KIND: &'static str = "servicecatalog.portfolio";

    fn key(&self) -> String {
        self.id.clone()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Product {
    /// `prod-…`
    pub id: String,
    /// `prodview-…`: what end users' answers call it.
    pub view_id: String,
    pub name: String,
    pub owner: String,
    pub description: Option<String>,
    pub distributor: Option<String>,
    pub support_description: Option<String>,
    pub support_email: Option<String>,
    pub support_url: Option<String>,
    pub tags: Vec<(String, String)>,
    pub created: Timestamp,
    /// Number of the next version made of it; counts up, also past deleted ones.
    pub next_artifact: u32,
}

impl Product {
    pub fn arn_of(cx: &Cx<'_>, id: &str) -> String {
        cx.arn("catalog", &format!("product/{id}"))
    }
}

impl Record for Product {
    const KIND: &'static str = "servicecatalog.product";
    const INDEXES: &'static [&'static str] = &["name", "view"];

    fn key(&self) -> String {
        self.id.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone()), ("view", self.view_id.clone())]
    }
}

/// A provisioning artifact: one version of a product.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Artifact {
    /// `pa-…`
    pub id: String,
    pub product_id: String,
    /// Its place among the product's versions.
    pub number: u32,
    pub name: Option<String>,
    pub description: Option<String>,
    pub active: bool,
    /// `DEFAULT` or `DEPRECATED`.
    pub guidance: String,
    /// Where the template was read from, once.
    pub url: String,
    /// SHA-256 of the template, hex: the key of its [`StoredTemplate`].
    pub template: String,
    pub created: Timestamp,
}

impl Artifact {
    pub fn key_of(product_id: &str, id: &str) -> String {
        format!("{product_id}/{id}")
    }
}

impl Record for Artifact {
    const KIND: &'static str = "servicecatalog.artifact";
    const INDEXES: &'static [&'static str] = &["template"];

    fn key(&self) -> String {
        Self::key_of(&self.product_id, &self.id)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("template", self.template.clone())]
    }
}

/// A template's text: the catalog's own copy, so that the object in S3 may go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredTemplate {
    pub digest: String,
    pub text: String,
}

impl Record for StoredTemplate {
    const KIND: &'static str = "servicecatalog.template";

    fn key(&self) -> String {
        self.digest.clone()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Constraint {
    /// `cons-…`
    pub id: String,
    pub portfolio_id: String,
    pub product_id: String,
    /// `LAUNCH` or `RESOURCE_UPDATE`.
    pub kind: String,
    /// JSON as it was given.
    pub parameters: String,
    pub description: Option<String>,
}

impl Constraint {
    pub fn pair(portfolio_id: &str, product_id: &str) -> String {
        format!("{portfolio_id}/{product_id}")
    }
}

impl Record for Constraint {
    const KIND: &'static str = "servicecatalog.constraint";
    const INDEXES: &'static [&'static str] = &["portfolio", "pair"];

    fn key(&self) -> String {
        self.id.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![
            ("portfolio", self.portfolio_id.clone()),
            ("pair", Self::pair(&self.portfolio_id, &self.product_id)),
        ]
    }
}

/// How a portfolio names who may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrincipalKind {
    /// A whole ARN.
    #[serde(rename = "IAM")]
    Iam,
    /// An ARN without account and with `*` and `?`.
    #[serde(rename = "IAM_PATTERN")]
    Pattern,
}

impl PrincipalKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Iam => "IAM",
            Self::Pattern => "IAM_PATTERN",
        }
    }
}

/// Somebody who may use a portfolio.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PrincipalAssociation {
    pub portfolio_id: String,
    pub principal_arn: String,
    pub kind: PrincipalKind,
}

impl PrincipalAssociation {
    pub fn key_of(portfolio_id: &str, kind: PrincipalKind, principal_arn: &str) -> String {
        format!("{portfolio_id}/{}/{principal_arn}", kind.name())
    }
}

impl Record for PrincipalAssociation {
    const KIND: &'static str = "servicecatalog.portfolio-principal";
    const INDEXES: &'static [&'static str] = &["principal", "kind", "group"];

    fn key(&self) -> String {
        Self::key_of(&self.portfolio_id, self.kind, &self.principal_arn)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        let mut all = match self.kind {
            PrincipalKind::Iam => vec![("principal", self.principal_arn.clone())],
            PrincipalKind::Pattern => vec![("kind", self.kind.name().to_owned())],
        };
        if self.principal_arn.contains(":group/") {
            all.push(("group", "yes".to_owned()));
        }
        all
    }
}

/// A product in a portfolio: the path by which users of the portfolio launch it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductAssociation {
    pub portfolio_id: String,
    pub product_id: String,
    /// `lpv3-…`
    pub path_id: String,
    pub created: Timestamp,
}

impl ProductAssociation {
    pub fn key_of(portfolio_id: &str, product_id: &str) -> String {
        format!("{portfolio_id}/{product_id}")
    }
}

impl Record for ProductAssociation {
    const KIND: &'static str = "servicecatalog.portfolio-product";
    const INDEXES: &'static [&'static str] = &["product"];

    fn key(&self) -> String {
        Self::key_of(&self.portfolio_id, &self.product_id)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("product", self.product_id.clone())]
    }
}
