//! Who may use a portfolio.

use std::str::FromStr;

use nbvend_wire::arn::Arn;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::page;
use super::portfolio;
use super::state::{Portfolio, PrincipalAssociation, PrincipalKind};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// So many IAM_PATTERN principals a portfolio takes (documentation of AssociatePrincipalWithPortfolio).
const PATTERNS: usize = 10;

/// Lets somebody use a portfolio. Doing it twice is no error.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AssociatePrincipalWithPortfolio {
    pub accept_language: Option<String>,
    pub portfolio_id: String,
    #[serde(rename = "PrincipalARN")]
    pub principal_arn: String,
    pub principal_type: PrincipalKind,
}

impl Operation for AssociatePrincipalWithPortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "AssociatePrincipalWithPortfolio";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Portfolio::arn_of(cx, &self.portfolio_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        portfolio::find(cx, &self.portfolio_id)?;
        check(cx, &self.principal_arn, self.principal_type)?;
        if self.principal_type == PrincipalKind::Pattern {
            let prefix = PrincipalAssociation::key_of(&self.portfolio_id, PrincipalKind::Pattern, "");
            let there = cx.tx.list::<PrincipalAssociation>(cx.region(), &prefix, None, PATTERNS + 1)?;
            if there.len() >= PATTERNS && there.iter().all(|one| one.principal_arn != self.principal_arn) {
                let text = format!("A portfolio can have at most {PATTERNS} principals of type IAM_PATTERN.");
                return Err(Error::Limit(text));
            }
        }
        cx.put(&PrincipalAssociation {
            portfolio_id: self.portfolio_id,
            principal_arn: self.principal_arn,
            kind: self.principal_type,
        })?;
        Ok(())
    }
}

/// A principal must be a user, group or role of this account, or its root user; a pattern has no account and no
/// wildcard before the name.
fn check(cx: &Cx<'_>, principal_arn: &str, kind: PrincipalKind) -> Result<(), Error> {
    let invalid = || Error::Invalid(format!("Invalid principal ARN: {principal_arn}"));
    let arn = Arn::from_str(principal_arn).map_err(|_| invalid())?;
    let (resource, name) = arn.resource_parts();
    let named = ["user", "group", "role"].contains(&resource) && !name.is_empty();
    let fits = arn.service == "iam"
        && arn.region.is_empty()
        && match kind {
            PrincipalKind::Iam => {
                arn.account == cx.account() && (named && !name.contains(['*', '?']) || arn.resource == "root")
            }
            PrincipalKind::Pattern => arn.account.is_empty() && named,
        };
    if fits { Ok(()) } else { Err(invalid()) }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DisassociatePrincipalFromPortfolio {
    pub accept_language: Option<String>,
    pub portfolio_id: String,
    #[serde(rename = "PrincipalARN")]
    pub principal_arn: String,
    pub principal_type: Option<PrincipalKind>,
}

impl Operation for DisassociatePrincipalFromPortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DisassociatePrincipalFromPortfolio";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Portfolio::arn_of(cx, &self.portfolio_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        portfolio::find(cx, &self.portfolio_id)?;
        // Without a type IAM is meant, also for patterns, which are then not found (terraform-provider-aws issue 32229).
        let kind = self.principal_type.unwrap_or(PrincipalKind::Iam);
        let key = PrincipalAssociation::key_of(&self.portfolio_id, kind, &self.principal_arn);
        if cx.delete::<PrincipalAssociation>(&key)? {
            return Ok(());
        }
        Err(Error::PrincipalNotAssociated { principal: self.principal_arn, portfolio: self.portfolio_id })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListPrincipalsForPortfolio {
    pub accept_language: Option<String>,
    pub portfolio_id: String,
    pub page_size: Option<usize>,
    pub page_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PrincipalPage {
    pub principals: Vec<PrincipalView>,
    pub next_page_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PrincipalView {
    #[serde(rename = "PrincipalARN")]
    pub principal_arn: String,
    pub principal_type: PrincipalKind,
}

impl Operation for ListPrincipalsForPortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "ListPrincipalsForPortfolio";
    const KIND: Kind = Kind::Read;
    type Output = PrincipalPage;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Portfolio::arn_of(cx, &self.portfolio_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PrincipalPage, Error> {
        let portfolio = portfolio::find(cx, &self.portfolio_id)?;
        let after = page::after(self.page_token.as_deref())?;
        let size = page::size(self.page_size);
        let prefix = format!("{}/", portfolio.id);
        let found = cx.tx.list::<PrincipalAssociation>(cx.region(), &prefix, after.as_deref(), size + 1)?;
        let key = |one: &PrincipalAssociation| {
            PrincipalAssociation::key_of(&one.portfolio_id, one.kind, &one.principal_arn)
        };
        let (found, next_page_token) = page::cut_read(found, size, key);
        let principals = found
            .into_iter()
            .map(|one| PrincipalView { principal_arn: one.principal_arn, principal_type: one.kind })
            .collect();
        Ok(PrincipalPage { principals, next_page_token })
    }
}
