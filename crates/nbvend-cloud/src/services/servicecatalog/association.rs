//! Which products a portfolio holds.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::page;
use super::portfolio::{self, PortfolioDetail, PortfolioPage};
use super::product;
use super::state::{Constraint, Portfolio, Product, ProductAssociation};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// Puts a product in a portfolio. Doing it twice is no error.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct AssociateProductWithPortfolio {
    pub accept_language: Option<String>,
    pub product_id: String,
    pub portfolio_id: String,
}

impl Operation for AssociateProductWithPortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "AssociateProductWithPortfolio";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        portfolio::find(cx, &self.portfolio_id)?;
        product::find(cx, &self.product_id)?;
        if associated(cx, &self.portfolio_id, &self.product_id)?.is_none() {
            cx.put(&ProductAssociation {
                portfolio_id: self.portfolio_id,
                product_id: self.product_id,
                path_id: format!("lpv3-{}", cx.ids().lower(13)),
                created: cx.now(),
            })?;
        }
        Ok(())
    }
}

/// The association of the two, if there is one.
pub fn associated(
    cx: &Cx<'_>,
    portfolio_id: &str,
    product_id: &str,
) -> Result<Option<ProductAssociation>, Error> {
    Ok(cx.get(&ProductAssociation::key_of(portfolio_id, product_id))?)
}

/// Takes a product out of a portfolio. What was launched from there stays.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DisassociateProductFromPortfolio {
    pub accept_language: Option<String>,
    pub product_id: String,
    pub portfolio_id: String,
}

impl Operation for DisassociateProductFromPortfolio {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DisassociateProductFromPortfolio";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let (portfolio, product) = (self.portfolio_id, self.product_id);
        if associated(cx, &portfolio, &product)?.is_none() {
            return Err(Error::ProductNotAssociated { product, portfolio });
        }
        let pair = Constraint::pair(&portfolio, &product);
        if !cx.find::<Constraint>("pair", &pair)?.is_empty() {
            let text = format!("Product {product} still has constraints in portfolio {portfolio}");
            return Err(Error::InUse(text));
        }
        cx.delete::<ProductAssociation>(&ProductAssociation::key_of(&portfolio, &product))?;
        Ok(())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListPortfoliosForProduct {
    pub accept_language: Option<String>,
    pub product_id: String,
    pub page_token: Option<String>,
    pub page_size: Option<usize>,
}

impl Operation for ListPortfoliosForProduct {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "ListPortfoliosForProduct";
    const KIND: Kind = Kind::Read;
    type Output = PortfolioPage;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, &self.product_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PortfolioPage, Error> {
        let product = product::find(cx, &self.product_id)?;
        let mut found = Vec::new();
        for association in cx.find::<ProductAssociation>("product", &product.id)? {
            if let Some(portfolio) = cx.get::<Portfolio>(&association.portfolio_id)? {
                found.push((portfolio.id.clone(), PortfolioDetail::of(cx, &portfolio)));
            }
        }
        let (portfolio_details, next_page_token) =
            page::cut(found, false, self.page_token.as_deref(), self.page_size)?;
        Ok(PortfolioPage { portfolio_details, next_page_token })
    }
}
