//! Pages of records: the token is the last key of the page before, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::error::Error;
use crate::context::Cx;
use crate::store::Record;

pub struct Page<R> {
    pub items: Vec<R>,
    pub next: Option<String>,
}

/// The records whose keys begin with `prefix`, after the token's.
pub fn of<R: Record>(cx: &Cx<'_>, prefix: &str, token: Option<&str>, size: usize) -> Result<Page<R>, Error> {
    let after = token.map(key).transpose()?;
    let mut items = cx.tx.list::<R>(cx.region(), prefix, after.as_deref(), size + 1)?;
    let next = if items.len() > size {
        items.truncate(size);
        items.last().map(|last| self::token(&last.key()))
    } else {
        None
    };
    Ok(Page { items, next })
}

pub fn token(key: &str) -> String {
    BASE64.encode(key)
}

/// The key a token stands for.
pub fn key(token: &str) -> Result<String, Error> {
    let bytes = BASE64.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Error::validation(format!("Invalid NextToken {token}")))
}
