//! SecureStrings: AES-256-GCM under a key of the data folder, bound to the parameter's ARN.
//!
//! The key (`ssm.key`, 32 bytes, readable by the engine's owner alone) is made when the first SecureString is. A copy of the
//! database without it can't be read, so a backup has to hold both. It stands in for the account's `alias/aws/ssm`; there
//! is no KMS here, so no other key can be named.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::Error;
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::store::StoreError;

/// The key that encrypts where none is named.
pub const DEFAULT_KEY: &str = "alias/aws/ssm";
const NONCE: usize = 12;

/// The name of the file in the data folder that holds the key.
pub const KEY_FILE: &str = "ssm.key";

#[derive(Default)]
struct Cipher(OnceLock<Aes256Gcm>);

/// Reads the key, or makes it if there is none yet and `make` says so.
fn cipher(engine: &Engine, make: bool) -> Result<Option<Aes256Gcm>, EngineError> {
    let kept = engine.cache::<Cipher>();
    if let Some(cipher) = kept.0.get() {
        return Ok(Some(cipher.clone()));
    }
    let path = engine.config().data.join(KEY_FILE);
    let key = match std::fs::read(&path) {
        Ok(key) => key,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && make => create(engine, &path)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(&path, error)),
    };
    let malformed = || std::io::Error::new(std::io::ErrorKind::InvalidData, "not a key of 32 bytes");
    let cipher = Aes256Gcm::new_from_slice(&key).map_err(|_| failure(&path, malformed()))?;
    Ok(Some(kept.0.get_or_init(|| cipher).clone()))
}

/// Writes a new key under another name first: a key is there whole or not at all.
fn create(engine: &Engine, path: &PathBuf) -> Result<Vec<u8>, EngineError> {
    let mut key = vec![0; 32];
    engine.ids().fill(&mut key);
    let draft = path.with_extension(format!("new-{}", engine.ids().lower(8)));
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&key)?;
        file.sync_all()?;
        // Does not replace: who came first made the key.
        let linked = std::fs::hard_link(&draft, path);
        std::fs::remove_file(&draft)?;
        if let Some(folder) = path.parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        match linked {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => std::fs::read(path),
            Err(error) => Err(error),
            Ok(()) => Ok(key.clone()),
        }
    };
    write().map_err(|error| failure(path, error))
}

fn failure(path: &std::path::Path, error: std::io::Error) -> EngineError {
    StoreError::File { path: path.display().to_string(), error }.into()
}

/// Sees to it that the key is at hand, before the writer is taken.
pub fn ready(engine: &Engine) -> Result<(), Error> {
    Ok(cipher(engine, true).map(|_| ())?)
}

/// The name of a key as it is kept, if it is the one there is.
pub fn checked_key(cx: &Cx<'_>, given: Option<&str>) -> Result<String, Error> {
    match given {
        None | Some(DEFAULT_KEY) => Ok(DEFAULT_KEY.to_owned()),
        Some(arn) if arn == cx.arn("kms", DEFAULT_KEY) => Ok(arn.to_owned()),
        Some(other) => Err(Error::InvalidKeyId(format!(
            "nbvend encrypts SecureStrings with {DEFAULT_KEY} alone, not with {other}"
        ))),
    }
}

/// Ciphertext in base64: a fresh nonce, then what GCM made.
pub fn encrypt(cx: &Cx<'_>, arn: &str, value: &str) -> Result<String, Error> {
    let mut nonce = [0; NONCE];
    cx.ids().fill(&mut nonce);
    let payload = Payload { msg: value.as_bytes(), aad: arn.as_bytes() };
    let sealed =
        cipher(cx.engine, true)?.and_then(|cipher| cipher.encrypt(Nonce::from_slice(&nonce), payload).ok());
    let sealed = sealed.ok_or_else(|| Error::InvalidKeyId("The value could not be encrypted.".to_owned()))?;
    Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
}

/// The value again.
pub fn decrypt(cx: &Cx<'_>, arn: &str, ciphertext: &str) -> Result<String, Error> {
    let open = |cipher: Aes256Gcm| {
        let bytes = STANDARD.decode(ciphertext).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let payload = Payload { msg: sealed, aad: arn.as_bytes() };
        String::from_utf8(cipher.decrypt(Nonce::from_slice(nonce), payload).ok()?).ok()
    };
    cipher(cx.engine, false)?.and_then(open).ok_or_else(|| {
        Error::InvalidKeyId(format!("The parameter can't be decrypted with {KEY_FILE} of the data folder."))
    })
}
