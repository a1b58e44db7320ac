//! Markers of pages: opaque to clients, the last item's key to us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Error;

/// Items a page at the most, as AWS answers however many are asked for.
pub const PAGE: usize = 50;

pub fn write(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

pub fn read(marker: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(marker).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| Error::parameter("Invalid marker."))
}
