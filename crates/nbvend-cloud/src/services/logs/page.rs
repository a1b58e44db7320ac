//! Page tokens: opaque to clients, the last item's place to us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Error;

pub fn write(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

pub fn read<T: DeserializeOwned>(token: &str) -> Result<T, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Error::Token)?;
    serde_json::from_slice(&bytes).map_err(|_| Error::Token)
}
