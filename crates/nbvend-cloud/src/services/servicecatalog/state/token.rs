//! Idempotency tokens: a request that comes again under its token is answered with what it made the first time.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::error::Error;
use crate::context::Cx;
use crate::store::{Record, StoreError};

/// A token that was used.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    operation: String,
    token: String,
    /// Of the request and who made it.
    digest: String,
    /// The id of what it made.
    made: String,
}

fn key_of(operation: &str, token: &str) -> String {
    format!("{operation}/{token}")
}

impl Record for Token {
    const KIND: &'static str = "servicecatalog.token";

    fn key(&self) -> String {
        key_of(&self.operation, &self.token)
    }
}

/// What a request asks for and who asks, in 64 characters.
pub fn digest(cx: &Cx<'_>, request: &Value) -> String {
    let whole = format!("{}\n{request}", cx.caller.principal.issuer_arn(cx.account()));
    hex::encode(Sha256::digest(whole.as_bytes()))
}

/// The id of what was made under this token. The same token with another request is refused, as the documentation of
/// the tokens has it.
pub fn recall(cx: &Cx<'_>, operation: &str, token: &str, digest: &str) -> Result<Option<String>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    match cx.get::<Token>(&key_of(operation, token))? {
        None => Ok(None),
        Some(used) if used.digest == digest => Ok(Some(used.made)),
        Some(_) => Err(Error::Invalid(format!(
            "Idempotency token {token} was used before with different parameters"
        ))),
    }
}

/// Remembers what a request made. Calls from inside the engine may do without a token.
pub fn remember(
    cx: &Cx<'_>,
    operation: &str,
    token: &str,
    digest: String,
    made: &str,
) -> Result<(), StoreError> {
    if token.is_empty() {
        return Ok(());
    }
    cx.put(&Token { operation: operation.to_owned(), token: token.to_owned(), digest, made: made.to_owned() })
}
