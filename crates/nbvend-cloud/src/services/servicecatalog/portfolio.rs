//! Portfolios: made, described, changed, listed, ended.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Error;
use super::page;
use super::state::{
    Constraint, Portfolio, PrincipalAssociation, ProductAssociation, digest, recall, remember,
};
use super::tags::{self, Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// `PortfolioDetail`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortfolioDetail {
    pub id: String,
    #[serde(rename = "ARN")]
    pub arn: String,
    pub display_name: String,
    pub description: Option<String>,
    pub created_time: Timestamp,
    pub provider_name: String,
}

impl PortfolioDetail {
    pub fn of(cx: &Cx<'_>, portfolio: &Portfolio) -> Self {
        Self {
            id: portfolio.id.clone(),
            arn: Portfolio::arn_of(cx, &portfolio.id),
            display_name: portfolio.display_name.clone(),
            description: portfolio.description.clone(),
            created_time: portfolio.created,
            provider_name: portfolio.provider_name.clone(),
        }
    }
}

/// The portfolio of that id.
pub fn find(cx: &Cx<'_>, id: &str) -> Result<Portfolio, Error> {
    cx.get(id)?.ok_or_else(|| Error::PortfolioNotFound(id.to_owned()))
}

/// Makes a portfolio. Idempotent by its token.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreatePortfolio {
    pub accept_language: Option<String>,
    pub display_name: String,
    pub description: Option<String>,
    pub provider_name: String,
    pub tags: Vec<Tag>,
    pub idempotency_token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortfolioOutput {
    pub portfolio_detail: PortfolioDetail,
    pub tags: Vec<Tag>,
}

impl PortfolioOutput {
    fn of(cx: &Cx<'_>, portfolio: &Portfolio) -> Self {
        Self { portfolio_detail: PortfolioDetail::of(cx, portfolio), tags: tags::view(&portfolio.tags) }
    }
}

impl Operation for CreatePortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "CreatePortfolio";
    const KIND: Kind = Kind::Write;
    type Output = PortfolioOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Portfolio::arn_of(cx, "*")]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PortfolioOutput, Error> {
        let digest = digest(cx, &json!([self.display_name, self.description, self.provider_name, self.tags]));
        if let Some(id) = recall(cx, Self::NAME, &self.idempotency_token, &digest)?
            && let Some(made) = cx.get::<Portfolio>(&id)?
        {
            return Ok(PortfolioOutput::of(cx, &made));
        }
        let portfolio = Portfolio {
            id: format!("port-{}", cx.ids().lower(13)),
            tags: tags::checked(cx, &self.tags)?,
            display_name: self.display_name,
            description: self.description,
            provider_name: self.provider_name,
            created: cx.now(),
        };
        cx.put(&portfolio)?;
        remember(cx, Self::NAME, &self.idempotency_token, digest, &portfolio.id)?;
        Ok(PortfolioOutput::of(cx, &portfolio))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribePortfolio {
    pub accept_language: Option<String>,
    pub id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribePortfolioOutput {
    #[serde(flatten)]
    pub portfolio: PortfolioOutput,
    /// There are no TagOptions and no budgets here.
    pub tag_options: [(); 0],
    pub budgets: [(); 0],
}

impl Operation for DescribePortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DescribePortfolio";
    const KIND: Kind = Kind::Read;
    type Output = DescribePortfolioOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Portfolio::arn_of(cx, &self.id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribePortfolioOutput, Error> {
        let portfolio = PortfolioOutput::of(cx, &find(cx, &self.id)?);
        Ok(DescribePortfolioOutput { portfolio, tag_options: [], budgets: [] })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdatePortfolio {
    pub accept_language: Option<String>,
    pub id: String,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub provider_name: Option<String>,
    pub add_tags: Vec<Tag>,
    pub remove_tags: Vec<String>,
}

impl Operation for UpdatePortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "UpdatePortfolio";
    const KIND: Kind = Kind::Write;
    type Output = PortfolioOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Portfolio::arn_of(cx, &self.id)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.add_tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PortfolioOutput, Error> {
        let mut portfolio = find(cx, &self.id)?;
        tags::change(cx, &mut portfolio.tags, &self.add_tags, &self.remove_tags)?;
        portfolio.display_name = self.display_name.unwrap_or(portfolio.display_name);
        portfolio.provider_name = self.provider_name.unwrap_or(portfolio.provider_name);
        portfolio.description = self.description.or(portfolio.description);
        cx.put(&portfolio)?;
        Ok(PortfolioOutput::of(cx, &portfolio))
    }
}

/// Ends a portfolio that nothing and nobody is associated with.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeletePortfolio {
    pub accept_language: Option<String>,
    pub id: String,
}

impl Operation for DeletePortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DeletePortfolio";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Portfolio::arn_of(cx, &self.id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let portfolio = find(cx, &self.id)?.id;
        let prefix = format!("{portfolio}/");
        let held = if !cx.tx.list::<ProductAssociation>(cx.region(), &prefix, None, 1)?.is_empty() {
            Some("Products")
        } else if !cx.tx.list::<PrincipalAssociation>(cx.region(), &prefix, None, 1)?.is_empty() {
            Some("Principals")
        } else if !cx.find::<Constraint>("portfolio", &portfolio)?.is_empty() {
            Some("Constraints")
        } else {
            None
        };
        if let Some(what) = held {
            return Err(Error::PortfolioInUse { portfolio, what });
        }
        cx.delete::<Portfolio>(&portfolio)?;
        Ok(())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListPortfolios {
    pub accept_language: Option<String>,
    pub page_token: Option<String>,
    pub page_size: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortfolioPage {
    pub portfolio_details: Vec<PortfolioDetail>,
    pub next_page_token: Option<String>,
}

impl Operation for ListPortfolios {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "ListPortfolios";
    const KIND: Kind = Kind::Read;
    type Output = PortfolioPage;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<PortfolioPage, Error> {
        let after = page::after(self.page_token.as_deref())?;
        let size = page::size(self.page_size);
        let found = cx.tx.list::<Portfolio>(cx.region(), "", after.as_deref(), size + 1)?;
        let (found, next_page_token) = page::cut_read(found, size, |portfolio| portfolio.id.clone());
        let portfolio_details = found.iter().map(|portfolio| PortfolioDetail::of(cx, portfolio)).collect();
        Ok(PortfolioPage { portfolio_details, next_page_token })
    }
}
