//! Policy documents: checked on the way in, percent-encoded on the way out.

use nbvend_policy::Kind;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::{Error, quota};
use super::state::key;
use super::state::{Role, User};
use crate::context::Cx;

/// The largest trust policy, in characters that are not white space.
pub const TRUST_LIMIT: usize = 2048;
/// The largest version of a managed policy, counted the same way.
pub const MANAGED_LIMIT: usize = 6144;

/// RFC 3986's unreserved characters stay, all others are encoded: how IAM gives documents back.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A document as it stands in an answer.
pub fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

/// The size that IAM's quotas count: white space is free.
pub fn size(document: &str) -> usize {
    document.chars().filter(|letter| !letter.is_whitespace()).count()
}

fn malformed(fault: &nbvend_policy::PolicyError) -> Error {
    Error::Malformed(fault.message.clone())
}

/// Checks an inline policy.
pub fn check_inline(document: &str) -> Result<(), Error> {
    nbvend_policy::validate(document, Kind::Identity).map(drop).map_err(|fault| malformed(&fault))
}

/// Checks a version of a managed policy.
pub fn check_managed(document: &str) -> Result<(), Error> {
    nbvend_policy::validate(document, Kind::Managed).map_err(|fault| malformed(&fault))?;
    if size(document) > MANAGED_LIMIT {
        return Err(quota("PolicySize", MANAGED_LIMIT));
    }
    Ok(())
}

/// Checks a trust policy and gives the users, roles and sessions it names. Those of this account must exist.
pub fn check_trust(cx: &Cx<'_>, document: &str) -> Result<Vec<String>, Error> {
    let policy = nbvend_policy::validate_in(document, Kind::Trust, Some(&cx.config().url_suffix))
        .map_err(|fault| malformed(&fault))?;
    if size(document) > TRUST_LIMIT {
        return Err(quota("ACLSizePerRole", TRUST_LIMIT));
    }
    let mut named: Vec<String> = policy.named_principals().map(str::to_owned).collect();
    named.sort();
    named.dedup();
    for principal in &named {
        if !exists(cx, principal)? {
            return Err(Error::Malformed(format!("Invalid principal in policy: \"AWS\":\"{principal}\"")));
        }
    }
    Ok(named)
}

/// Whether a principal exists, as far as it can be known here: nothing is known of other accounts. A bare id
/// (`AROA…`) is what stands for somebody who was deleted, so it may stay but names nobody.
fn exists(cx: &Cx<'_>, principal: &str) -> Result<bool, Error> {
    let name = |rest: &str| key(rest.rsplit('/').next().unwrap_or_default());
    if let Some(rest) = principal.strip_prefix(&cx.iam_arn("user/")) {
        let user = cx.get_global::<User>(&name(rest))?;
        return Ok(user.is_some_and(|user| user.arn(cx) == principal));
    }
    if let Some(rest) = principal.strip_prefix(&cx.iam_arn("role/")) {
        let role = cx.get_global::<Role>(&name(rest))?;
        return Ok(role.is_some_and(|role| role.arn(cx) == principal));
    }
    let session = format!("arn:aws:sts::{}:assumed-role/", cx.account());
    if let Some((role, _)) = principal.strip_prefix(&session).and_then(|rest| rest.split_once('/')) {
        return Ok(cx.get_global::<Role>(&key(role))?.is_some());
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_encoded_as_rfc_3986_says() {
        assert_eq!(encoded("{\"A\": \"a-b_c.d~*/:é\"}"), "%7B%22A%22%3A%20%22a-b_c.d~%2A%2F%3A%C3%A9%22%7D");
    }

    #[test]
    fn white_space_is_free() {
        assert_eq!(size(" { \"a\" :\n\t1 } "), 7);
    }
}
