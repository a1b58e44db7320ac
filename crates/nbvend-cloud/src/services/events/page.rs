//! Pages of a list that is at hand: the token is the last item's key, opaque to clients.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Error;

/// AWS's page where the caller names no limit.
pub const LIMIT: usize = 100;

pub fn token(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

pub fn after(token: Option<&str>) -> Result<Option<String>, Error> {
    let Some(token) = token else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Some).ok_or_else(|| Error::validation("Invalid pagination token"))
}

/// Cuts a list that was asked for with one item too many, and names where the next page begins.
pub fn cut<T>(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    if items.len() <= limit {
        return (items, None);
    }
    items.truncate(limit);
    let next = items.last().map(|item| token(&key(item)));
    (items, next)
}
