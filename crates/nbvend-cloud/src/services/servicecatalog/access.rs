//! Who sees what: the portfolios of a caller and the launch paths to a product; and the levels (account, role, user)
//! at which a caller stands to what was launched.
//!
//! A portfolio is seen by the users, groups and roles associated with it; administrator rights do not help. The
//! account's root user sees every product (on AWS it is an IAM principal like others; here it is who tries the
//! catalog first).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Portfolio, PrincipalAssociation, PrincipalKind, Product, ProductAssociation};
use crate::context::{ContextKeys, Cx};
use crate::identity::Principal;

/// The portfolios a caller sees.
pub enum Sight {
    Everything,
    Portfolios(BTreeSet<String>),
}

impl Sight {
    pub fn of(cx: &mut Cx<'_>) -> Result<Self, Error> {
        if cx.caller.principal == Principal::Root {
            return Ok(Self::Everything);
        }
        let mut seen = BTreeSet::new();
        let names = super::groups::names_of(cx)?;
        for arn in &names {
            seen.extend(
                cx.find::<PrincipalAssociation>("principal", arn)?.into_iter().map(|a| a.portfolio_id),
            );
        }
        let nameless: Vec<String> = names.iter().filter_map(|arn| without_account(arn)).collect();
        for association in cx.find::<PrincipalAssociation>("kind", PrincipalKind::Pattern.name())? {
            if nameless.iter().any(|arn| matches(&association.principal_arn, arn)) {
                seen.insert(association.portfolio_id);
            }
        }
        Ok(Self::Portfolios(seen))
    }

    fn sees(&self, portfolio_id: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Portfolios(seen) => seen.contains(portfolio_id),
        }
    }

    /// Every product the caller may find in the catalog, by id.
    pub fn products(&self, cx: &Cx<'_>) -> Result<Vec<Product>, Error> {
        let Self::Portfolios(seen) = self else {
            return Ok(cx.tx.list(cx.region(), "", None, usize::MAX)?);
        };
        let mut ids = BTreeSet::new();
        for portfolio in seen {
            let prefix = ProductAssociation::key_of(portfolio, "");
            let there = cx.tx.list::<ProductAssociation>(cx.region(), &prefix, None, usize::MAX)?;
            ids.extend(there.into_iter().map(|association| association.product_id));
        }
        let mut products = Vec::with_capacity(ids.len());
        for id in ids {
            products.extend(cx.get::<Product>(&id)?);
        }
        Ok(products)
    }

    /// The paths by which the caller may launch a product, by id.
    pub fn paths(&self, cx: &Cx<'_>, product_id: &str) -> Result<Vec<Path>, Error> {
        let mut paths = Vec::new();
        for association in cx.find::<ProductAssociation>("product", product_id)? {
            if !self.sees(&association.portfolio_id) {
                continue;
            }
            if let Some(portfolio) = cx.get::<Portfolio>(&association.portfolio_id)? {
                paths.push(Path { id: association.path_id, portfolio });
            }
        }
        paths.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(paths)
    }

    /// Whether the caller finds the product at all.
    pub fn finds(&self, cx: &Cx<'_>, product_id: &str) -> Result<bool, Error> {
        Ok(matches!(self, Self::Everything) || !self.paths(cx, product_id)?.is_empty())
    }

    /// The product of that id or that name, if the caller may find it: exactly one of the two must be given.
    pub fn product(&self, cx: &Cx<'_>, id: Option<&str>, name: Option<&str>) -> Result<Product, Error> {
        match (id, name) {
            (Some(id), None) => {
                let product = cx.get::<Product>(id)?.ok_or_else(|| Error::ProductNotFound(id.to_owned()))?;
                if self.finds(cx, &product.id)? {
                    Ok(product)
                } else {
                    Err(Error::ProductNotFound(id.to_owned()))
                }
            }
            (None, Some(name)) => {
                let mut found = Vec::new();
                for product in cx.find::<Product>("name", name)? {
                    if self.finds(cx, &product.id)? {
                        found.push(product);
                    }
                }
                one(found, "Product", name, || Error::ProductNameNotFound(name.to_owned()))
            }
            _ => Err(either("the product's name", "ID")),
        }
    }

    /// The path by which a product is to be launched.
    pub fn path(
        &self,
        cx: &Cx<'_>,
        product_id: &str,
        id: Option<&str>,
        name: Option<&str>,
    ) -> Result<Path, Error> {
        let mut paths = self.paths(cx, product_id)?;
        if paths.is_empty() {
            return Err(Error::NoLaunchPaths(product_id.to_owned()));
        }
        match (id, name) {
            (Some(_), Some(_)) => Err(either("the path's name", "ID")),
            (Some(id), None) => paths
                .into_iter()
                .find(|path| path.id == id)
                .ok_or_else(|| Error::LaunchPathNotFound(id.to_owned())),
            (None, Some(name)) => {
                paths.retain(|path| path.portfolio.display_name == name);
                one(paths, "Launch path", name, || Error::LaunchPathNotFound(name.to_owned()))
            }
            (None, None) if paths.len() > 1 => Err(Error::ManyLaunchPaths),
            (None, None) => paths.pop().ok_or_else(|| Error::NoLaunchPaths(product_id.to_owned())),
        }
    }
}

/// One way to launch a product: by a portfolio that holds it.
#[derive(Debug, Clone)]
pub struct Path {
    pub id: String,
    pub portfolio: Portfolio,
}

/// The one of that name.
pub fn one<T>(
    mut found: Vec<T>,
    what: &'static str,
    name: &str,
    missing: impl FnOnce() -> Error,
) -> Result<T, Error> {
    if found.len() > 1 {
        return Err(Error::Ambiguous { what, name: name.to_owned() });
    }
    found.pop().ok_or_else(missing)
}

/// What is said where exactly one of two members must be given.
pub fn either(name: &str, id: &str) -> Error {
    Error::Invalid(format!("You must provide {name} or {id}, but not both."))
}

/// `arn:aws:iam::123456789012:role/x` -> `arn:aws:iam:::role/x`, the form of IAM_PATTERN.
fn without_account(arn: &str) -> Option<String> {
    let mut parts: Vec<&str> = arn.splitn(6, ':').collect();
    *parts.get_mut(4)? = "";
    Some(parts.join(":"))
}

/// Whether an IAM_PATTERN matches: `*` stands for any characters, slashes too, and `?` for one character or none.
fn matches(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // Places in the text that the pattern so far can end at.
    let mut ends = vec![false; text.len() + 1];
    ends[0] = true;
    for sign in pattern.chars() {
        let before = ends.clone();
        match sign {
            '*' => {
                let mut open = false;
                for (end, was) in ends.iter_mut().zip(before) {
                    open |= was;
                    *end = open;
                }
            }
            '?' => (1..ends.len()).for_each(|at| ends[at] = before[at] || before[at - 1]),
            letter => {
                ends[0] = false;
                (1..ends.len()).for_each(|at| ends[at] = before[at - 1] && text[at - 1] == letter);
            }
        }
    }
    ends[text.len()]
}

/// At which level a list is asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct AccessLevelFilter {
    pub key: Option<String>,
    pub value: Option<String>,
}

/// How near a caller stands to what was launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Account,
    Role,
    User,
}

impl Level {
    /// The level that is asked for, or the operation's default.
    pub fn asked(filter: Option<&AccessLevelFilter>, default: Self) -> Result<Self, Error> {
        let Some(filter) = filter else { return Ok(default) };
        if filter.value.as_deref().is_some_and(|value| value != "self") {
            return Err(Error::Invalid("The only supported value of an access level is self.".to_owned()));
        }
        Ok(match filter.key.as_deref() {
            Some("Account") => Self::Account,
            Some("Role") => Self::Role,
            Some("User") => Self::User,
            _ => default,
        })
    }

    /// The level at which the caller stands to what that user or role owns, in that session.
    pub fn to(cx: &Cx<'_>, user_arn: &str, session_arn: &str) -> Self {
        let principal = &cx.caller.principal;
        if principal.arn(cx.account()) == session_arn {
            Self::User
        } else if principal.issuer_arn(cx.account()) == user_arn {
            Self::Role
        } else {
            Self::Account
        }
    }

    /// The condition keys by which policies allow this level: who may see a wider circle may see the narrower.
    pub fn keys(self, keys: &mut ContextKeys) {
        for (level, key) in
            [(Self::Account, "accountLevel"), (Self::Role, "roleLevel"), (Self::User, "userLevel")]
        {
            if level <= self {
                keys.insert(format!("servicecatalog:{key}"), vec!["self".to_owned()]);
            }
        }
    }

    /// The index, and the value in it, under which records of the caller stand at this level; `None` for all.
    pub fn index(self, cx: &Cx<'_>) -> Option<(&'static str, String)> {
        let principal = &cx.caller.principal;
        match self {
            Self::Account => None,
            Self::Role => Some(("user", principal.issuer_arn(cx.account()))),
            Self::User => Some(("session", principal.arn(cx.account()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_aws_documents_them() {
        for (pattern, arn, expected) in [
            ("arn:aws:iam:::role/Name_*", "arn:aws:iam:::role/Name_1", true),
            ("arn:aws:iam:::role/Name_*", "arn:aws:iam:::role/Name_", true),
            ("arn:aws:iam:::role/*/Name_?", "arn:aws:iam:::role/a/b/Name_1", true),
            ("arn:aws:iam:::role/*/Name_?", "arn:aws:iam:::role/a/Name_", true),
            ("arn:aws:iam:::role/*/Name_?", "arn:aws:iam:::role/a/Name_12", false),
            ("arn:aws:iam:::role/Name", "arn:aws:iam:::role/Name2", false),
            ("arn:aws:iam:::user/*", "arn:aws:iam:::role/Name", false),
        ] {
            assert_eq!(matches(pattern, arn), expected, "{pattern} {arn}");
        }
    }
}
