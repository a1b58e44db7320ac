//! Page tokens: opaque to clients, the last item's key to us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Error;

pub fn token(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

pub fn after(token: Option<&str>) -> Result<Option<String>, Error> {
    // An empty token asks for the first page, as the CLI's `--starting-token ""` sends it.
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(Some).ok_or(Error::NextToken)
}
