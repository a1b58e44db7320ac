//! Constraints: what holds for launches of a product from one portfolio.
//!
//! Served are `LAUNCH` (the role a launch acts as) and `RESOURCE_UPDATE` (whether a launch's tags may be changed).
//! The others are refused by name rather than kept and ignored.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PRINCIPAL;
use super::association::associated;
use super::error::Error;
use super::page;
use super::portfolio;
use super::state::{Constraint, Portfolio, digest, recall, remember};
use crate::context::Cx;
use crate::operation::{Kind, Need, Operation};

/// `ConstraintDetail`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConstraintDetail {
    pub constraint_id: String,
    #[serde(rename = "Type")]
    pub kind: String,
    pub description: Option<String>,
    pub owner: String,
    pub product_id: String,
    pub portfolio_id: String,
}

impl ConstraintDetail {
    fn of(cx: &Cx<'_>, constraint: &Constraint) -> Self {
        Self {
            constraint_id: constraint.id.clone(),
            kind: constraint.kind.clone(),
            description: constraint.description.clone(),
            owner: cx.account().to_owned(),
            product_id: constraint.product_id.clone(),
            portfolio_id: constraint.portfolio_id.clone(),
        }
    }
}

/// `ConstraintSummary`: what users of a launch path are told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConstraintSummary {
    #[serde(rename = "Type")]
    pub kind: String,
    pub description: Option<String>,
}

/// The constraints of a product in a portfolio.
pub fn of_pair(cx: &Cx<'_>, portfolio_id: &str, product_id: &str) -> Result<Vec<Constraint>, Error> {
    Ok(cx.find("pair", &Constraint::pair(portfolio_id, product_id))?)
}

/// The same, for users.
pub fn summaries(cx: &Cx<'_>, portfolio_id: &str, product_id: &str) -> Result<Vec<ConstraintSummary>, Error> {
    let all = of_pair(cx, portfolio_id, product_id)?.into_iter();
    Ok(all.map(|one| ConstraintSummary { kind: one.kind, description: one.description }).collect())
}

/// ARN of the role that launches act as, where there is one.
pub fn launch_role(cx: &Cx<'_>, portfolio_id: &str, product_id: &str) -> Result<Option<String>, Error> {
    let launch = of_pair(cx, portfolio_id, product_id)?.into_iter().find(|one| one.kind == "LAUNCH");
    let Some(launch) = launch else { return Ok(None) };
    Ok(role_of(cx, &launch.parameters))
}

/// ARN of the role that the parameters of a `LAUNCH` constraint name.
fn role_of(cx: &Cx<'_>, parameters: &str) -> Option<String> {
    let parameters: Value = serde_json::from_str(parameters).ok()?;
    let local = || parameters["LocalRoleName"].as_str().map(|name| cx.iam_arn(&format!("role/{name}")));
    parameters["RoleArn"].as_str().map(str::to_owned).or_else(local)
}

/// Whether a launch's tags may be changed.
pub fn tags_may_change(cx: &Cx<'_>, portfolio_id: &str, product_id: &str) -> Result<bool, Error> {
    let all = of_pair(cx, portfolio_id, product_id)?;
    Ok(all.iter().filter(|one| one.kind == "RESOURCE_UPDATE").any(|one| {
        let parameters: Value = serde_json::from_str(&one.parameters).unwrap_or_default();
        parameters["Properties"]["TagUpdateOnProvisionedProduct"] == "ALLOWED"
    }))
}

/// Refuses parameters that do not say what their type needs.
fn check(kind: &str, parameters: &str) -> Result<(), Error> {
    let invalid = |what: &str| Error::Invalid(format!("Invalid constraint parameters: {what}"));
    let given: Value = serde_json::from_str(parameters).map_err(|error| invalid(&error.to_string()))?;
    let members: Vec<&str> =
        given.as_object().map(|all| all.keys().map(String::as_str).collect()).unwrap_or_default();
    match kind {
        "LAUNCH" => match (members.as_slice(), given["RoleArn"].as_str(), given["LocalRoleName"].as_str()) {
            (["RoleArn"], Some(arn), _) if is_role(arn) => Ok(()),
            (["RoleArn"], ..) => Err(invalid("RoleArn must be the ARN of an IAM role")),
            (["LocalRoleName"], _, Some(name)) if !name.is_empty() && !name.contains('/') => Ok(()),
            _ => Err(invalid("a LAUNCH constraint needs either RoleArn or LocalRoleName")),
        },
        "RESOURCE_UPDATE" => match given["Properties"]["TagUpdateOnProvisionedProduct"].as_str() {
            Some("ALLOWED" | "NOT_ALLOWED") => Ok(()),
            _ => Err(invalid("TagUpdateOnProvisionedProduct must be ALLOWED or NOT_ALLOWED")),
        },
        "NOTIFICATION" | "STACKSET" | "TEMPLATE" => {
            Err(Error::Invalid(format!("Constraints of type {kind} are not supported by nbvend")))
        }
        _ => Err(Error::Invalid(format!("Invalid constraint type: {kind}"))),
    }
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "iam", "", account, resource]
        if account.len() == 12 && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty()))
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateConstraint {
    pub accept_language: Option<String>,
    pub portfolio_id: String,
    pub product_id: String,
    pub parameters: String,
    #[serde(rename = "Type")]
    pub kind: String,
    pub description: Option<String>,
    pub idempotency_token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConstraintOutput {
    pub constraint_detail: ConstraintDetail,
    pub constraint_parameters: String,
    pub status: &'static str,
}

impl ConstraintOutput {
    fn of(cx: &Cx<'_>, constraint: &Constraint) -> Self {
        Self {
            constraint_detail: ConstraintDetail::of(cx, constraint),
            constraint_parameters: constraint.parameters.clone(),
            status: "AVAILABLE",
        }
    }
}

impl Operation for CreateConstraint {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "CreateConstraint";
    const KIND: Kind = Kind::Write;
    type Output = ConstraintOutput;
    type Error = Error;

    fn needs(&self, cx: &Cx<'_>) -> Vec<Need> {
        let given = (self.kind == "LAUNCH").then_some(self.parameters.as_str());
        given
            .and_then(|parameters| role_of(cx, parameters))
            .iter()
            .map(|role| Need::pass_role(role, PRINCIPAL))
            .collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ConstraintOutput, Error> {
        let request =
            json!([self.portfolio_id, self.product_id, self.parameters, self.kind, self.description]);
        let digest = digest(cx, &request);
        if let Some(id) = recall(cx, Self::NAME, &self.idempotency_token, &digest)?
            && let Some(made) = cx.get::<Constraint>(&id)?
        {
            return Ok(ConstraintOutput::of(cx, &made));
        }
        portfolio::find(cx, &self.portfolio_id)?;
        if associated(cx, &self.portfolio_id, &self.product_id)?.is_none() {
            let (product, portfolio) = (self.product_id, self.portfolio_id);
            return Err(Error::ProductNotAssociated { product, portfolio });
        }
        check(&self.kind, &self.parameters)?;
        if of_pair(cx, &self.portfolio_id, &self.product_id)?.iter().any(|one| one.kind == self.kind) {
            let (kind, product, portfolio) = (self.kind, self.product_id, self.portfolio_id);
            let text =
                format!("A {kind} constraint exists already for product {product} in portfolio {portfolio}");
            return Err(Error::Duplicate(text));
        }
        let constraint = Constraint {
            id: format!("cons-{}", cx.ids().lower(13)),
            portfolio_id: self.portfolio_id,
            product_id: self.product_id,
            kind: self.kind,
            parameters: self.parameters,
            description: self.description,
        };
        cx.put(&constraint)?;
        remember(cx, Self::NAME, &self.idempotency_token, digest, &constraint.id)?;
        Ok(ConstraintOutput::of(cx, &constraint))
    }
}

fn find(cx: &Cx<'_>, id: &str) -> Result<Constraint, Error> {
    cx.get(id)?.ok_or_else(|| Error::ConstraintNotFound(id.to_owned()))
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeConstraint {
    pub accept_language: Option<String>,
    pub id: String,
}

impl Operation for DescribeConstraint {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DescribeConstraint";
    const KIND: Kind = Kind::Read;
    type Output = ConstraintOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<ConstraintOutput, Error> {
        Ok(ConstraintOutput::of(cx, &find(cx, &self.id)?))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateConstraint {
    pub accept_language: Option<String>,
    pub id: String,
    pub description: Option<String>,
    pub parameters: Option<String>,
}

impl Operation for UpdateConstraint {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "UpdateConstraint";
    const KIND: Kind = Kind::Write;
    type Output = ConstraintOutput;
    type Error = Error;

    fn needs(&self, cx: &Cx<'_>) -> Vec<Need> {
        let role = self.parameters.as_deref().and_then(|parameters| role_of(cx, parameters));
        role.iter().map(|role| Need::pass_role(role, PRINCIPAL)).collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ConstraintOutput, Error> {
        let mut constraint = find(cx, &self.id)?;
        if let Some(parameters) = self.parameters {
            check(&constraint.kind, &parameters)?;
            constraint.parameters = parameters;
        }
        constraint.description = self.description.or(constraint.description);
        cx.put(&constraint)?;
        Ok(ConstraintOutput::of(cx, &constraint))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteConstraint {
    pub accept_language: Option<String>,
    pub id: String,
}

impl Operation for DeleteConstraint {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DeleteConstraint";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let constraint = find(cx, &self.id)?;
        cx.delete::<Constraint>(&constraint.id)?;
        Ok(())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListConstraintsForPortfolio {
    pub accept_language: Option<String>,
    pub portfolio_id: String,
    pub product_id: Option<String>,
    pub page_size: Option<usize>,
    pub page_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListConstraintsForPortfolioOutput {
    pub constraint_details: Vec<ConstraintDetail>,
    pub next_page_token: Option<String>,
}

impl Operation for ListConstraintsForPortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "ListConstraintsForPortfolio";
    const KIND: Kind = Kind::Read;
    type Output = ListConstraintsForPortfolioOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Portfolio::arn_of(cx, &self.portfolio_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        portfolio::find(cx, &self.portfolio_id)?;
        let all = match &self.product_id {
            Some(product) => of_pair(cx, &self.portfolio_id, product)?,
            None => cx.find::<Constraint>("portfolio", &self.portfolio_id)?,
        };
        let keyed = all.iter().map(|one| (one.id.clone(), ConstraintDetail::of(cx, one))).collect();
        let (constraint_details, next_page_token) =
            page::cut(keyed, false, self.page_token.as_deref(), self.page_size)?;
        Ok(ListConstraintsForPortfolioOutput { constraint_details, next_page_token })
    }
}
