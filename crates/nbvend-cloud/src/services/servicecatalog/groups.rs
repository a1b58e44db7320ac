//! The names by which a portfolio may know a caller.

use super::error::Error;
use crate::context::Cx;

/// The ARN of the user or role behind the call.
pub fn names_of(cx: &mut Cx<'_>) -> Result<Vec<String>, Error> {
    Ok(vec![cx.caller.principal.issuer_arn(cx.account())])
}
