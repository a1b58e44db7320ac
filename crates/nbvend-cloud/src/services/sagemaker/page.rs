//! Page tokens: opaque to clients, the last item's key to us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Error;

pub fn write(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

pub fn read(token: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Error::Validation("Invalid pagination token".to_owned()))
}
