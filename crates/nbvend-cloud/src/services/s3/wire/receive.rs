//! Receives a body into a blob, hashing it on the way. Nothing is kept of a body that is not what its sender said.
//!
//! Bytes are gathered to a quarter of a megabyte and then hashed and written on a thread for blocking work, so that
//! neither slow clients nor large bodies hold up others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt;
use http::HeaderMap;
use nbvend_wire::error::WireError;
use s3s::dto::StreamingBlob;
use s3s::{S3Request, TrailingHeaders};

use super::convert::refusal;
use super::{Answer, Call};
use crate::Engine;
use crate::error::EngineError;
use crate::services::s3::checksum::{self, Digester};
use crate::services::s3::error::Error;
use crate::services::s3::state::{Checksum, StoredBody};
use crate::store::{BlobWriter, StoreError};

const GATHERED: usize = 256 << 10;
/// The largest body of one request.
const LARGEST: u64 = 5 << 30;

/// What the sender says of the body.
#[derive(Default)]
pub(super) struct Stated {
    length: Option<u64>,
    /// Hexadecimal.
    sha256: Option<String>,
    md5: Option<Vec<u8>>,
    checksum: Option<Checksum>,
    /// The algorithm of a checksum that comes behind the body.
    trailing: Option<(String, TrailingHeaders)>,
    /// What to make if nothing is stated.
    algorithm: Option<String>,
}

impl Stated {
    /// Reads it from the headers. `algorithm` is what to make otherwise.
    pub(super) fn read<T>(request: &S3Request<T>, algorithm: Option<&str>) -> Answer<Self> {
        let headers = &request.headers;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut stated = Self { algorithm: algorithm.map(str::to_owned), ..Self::default() };
        stated.length = text("x-amz-decoded-content-length")
            .or_else(|| text("content-length"))
            .and_then(|length| length.parse().ok());
        stated.sha256 = text("x-amz-content-sha256").filter(|hash| hash.len() == 64);
        if let Some(md5) = text("content-md5") {
            let bytes = STANDARD.decode(md5).ok().filter(|bytes| bytes.len() == 16);
            stated.md5 = Some(bytes.ok_or_else(|| refusal(Error::InvalidDigest))?);
        }
        stated.checksum = one_checksum(headers)?;
        if let (Some(name), Some(trailers)) = (text("x-amz-trailer"), &request.trailing_headers) {
            let algorithm = name.trim().to_ascii_lowercase();
            let algorithm = algorithm.strip_prefix("x-amz-checksum-").map(str::to_ascii_uppercase);
            let known = algorithm.filter(|algorithm| checksum::ALGORITHMS.contains(&algorithm.as_str()));
            let known = known.ok_or_else(|| {
                refusal(Error::InvalidRequest(
                    "The value specified in the x-amz-trailer header is not supported".to_owned(),
                ))
            })?;
            stated.trailing = Some((known, trailers.clone()));
        }
        let announced = text("x-amz-sdk-checksum-algorithm");
        if announced.is_some() && stated.checksum.is_none() && stated.trailing.is_none() {
            let text = "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer \
                headers were found.";
            return Err(refusal(Error::InvalidRequest(text.to_owned())));
        }
        Ok(stated)
    }

    /// Whether a checksum comes with the body or behind it.
    pub(super) fn states_checksum(&self) -> bool {
        self.checksum.is_some() || self.trailing.is_some()
    }

    fn algorithm(&self) -> &str {
        let stated = self.checksum.as_ref().map(|checksum| checksum.algorithm.as_str());
        let trailing = self.trailing.as_ref().map(|(algorithm, _)| algorithm.as_str());
        stated.or(trailing).or(self.algorithm.as_deref()).unwrap_or(checksum::DEFAULT)
    }

    /// The checksum that came with the body or behind it.
    fn expected(&self) -> Answer<Option<Checksum>> {
        let Some((_, trailers)) = &self.trailing else { return Ok(self.checksum.clone()) };
        let after = trailers.read(one_checksum).transpose()?.flatten();
        match after {
            Some(checksum) => Ok(Some(checksum)),
            None => Err(refusal(Error::InvalidRequest(
                "The checksum announced in x-amz-trailer did not come".to_owned(),
            ))),
        }
    }
}

/// The one checksum that stands among headers.
fn one_checksum(headers: &HeaderMap) -> Answer<Option<Checksum>> {
    let mut found = None;
    for algorithm in checksum::ALGORITHMS {
        let name = format!("x-amz-checksum-{}", algorithm.to_ascii_lowercase());
        let Some(value) = headers.get(&name).and_then(|value| value.to_str().ok()) else { continue };
        let good = STANDARD.decode(value).is_ok_and(|bytes| bytes.len() == checksum::length(algorithm));
        if !good {
            return Err(refusal(Error::InvalidRequest(format!("Value for {name} header is invalid."))));
        }
        if found.is_some() {
            let text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(refusal(Error::InvalidRequest(text.to_owned())));
        }
        found = Some(Checksum { algorithm: algorithm.to_owned(), value: value.to_owned(), composite: false });
    }
    Ok(found)
}

/// A body half received.
struct Taking {
    writer: BlobWriter,
    digester: Digester,
}

impl Taking {
    fn take(mut self, chunks: Vec<Bytes>) -> Result<Self, StoreError> {
        for chunk in chunks {
            self.digester.update(&chunk);
            self.writer.write(&chunk)?;
        }
        Ok(self)
    }
}

impl Call {
    /// Receives a body and checks all that was stated of it.
    pub(super) async fn receive(&self, body: Option<StreamingBlob>, stated: Stated) -> Answer<StoredBody> {
        let writer = self.engine.store().blobs().writer().map_err(failed)?;
        let mut taking = Taking { writer, digester: Digester::new(stated.algorithm()) };
        let (mut gathered, mut bytes, mut size) = (Vec::new(), 0, 0_u64);
        if let Some(mut body) = body {
            while let Some(chunk) = body.next().await {
                let chunk = chunk.map_err(|error| broken(&*error))?;
                bytes += chunk.len();
                size += chunk.len() as u64;
                gathered.push(chunk);
                if size > LARGEST {
                    return Err(refusal(Error::EntityTooLarge));
                }
                if bytes >= GATHERED {
                    bytes = 0;
                    let chunks = std::mem::take(&mut gathered);
                    taking = blocking(move || taking.take(chunks)).await?.map_err(failed)?;
                }
            }
        }
        if stated.length.is_some_and(|length| length != size) {
            return Err(refusal(Error::IncompleteBody));
        }
        let expected = stated.expected()?;
        blocking(move || finish(taking, gathered, &stated, expected)).await?
    }
}

fn finish(
    taking: Taking,
    rest: Vec<Bytes>,
    stated: &Stated,
    expected: Option<Checksum>,
) -> Answer<StoredBody> {
    let Taking { writer, digester } = taking.take(rest).map_err(failed)?;
    let (md5, checksum) = digester.finish();
    if stated.md5.as_ref().is_some_and(|expected| hex::encode(expected) != md5) {
        let text = "The Content-MD5 you specified did not match what we received.";
        return Err(refusal(Error::BadDigest(text.to_owned())));
    }
    if expected.is_some_and(|expected| expected.value != checksum.value) {
        let text = format!("The {} you specified did not match the calculated checksum.", checksum.algorithm);
        return Err(refusal(Error::BadDigest(text)));
    }
    let (blob, size) = writer.finish().map_err(failed)?;
    // A blob's id is the hash of its bytes. In signed headers the crate has compared it before; in queries nobody has.
    if stated.sha256.as_ref().is_some_and(|expected| !expected.eq_ignore_ascii_case(&blob)) {
        return Err(refusal(Error::ContentSha256));
    }
    Ok(StoredBody { blob, size, e_tag: md5.clone(), md5, checksum: Some(checksum) })
}

/// Work that blocks, away from the threads that serve.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "work on a body died");
        internal()
    })
}

pub(super) fn failed(error: StoreError) -> WireError {
    refusal(Error::Engine(EngineError::from(error)))
}

fn internal() -> WireError {
    WireError::new("InternalError", 500, "We encountered an internal error. Please try again.")
}

/// What the crate's streams say when a body is not what was signed; their types are not public.
fn broken(error: &(dyn std::error::Error + Send + Sync)) -> WireError {
    let text = error.to_string();
    refusal(if text.contains("Sha256Mismatch") {
        Error::ContentSha256
    } else if text.contains("SignatureMismatch") {
        Error::ChunkSignature
    } else {
        tracing::debug!(error = text, "a body broke off");
        Error::IncompleteBody
    })
}

/// Reads an existing blob, or a part of it, into a new one: for parts that are copied, and for parts that become one.
pub(super) fn copy_blobs(
    engine: &Engine,
    sources: &[(String, u64, u64)],
    algorithm: &str,
) -> Answer<StoredBody> {
    use std::io::{Read, Seek, SeekFrom};
    let blobs = engine.store().blobs();
    let writer = blobs.writer().map_err(failed)?;
    let mut taking = Taking { writer, digester: Digester::new(algorithm) };
    let broken = |error: std::io::Error| {
        tracing::error!(%error, "a blob could not be read");
        internal()
    };
    let mut buffer = vec![0; GATHERED];
    for (blob, from, length) in sources {
        let mut file = std::fs::File::open(blobs.path(blob)).map_err(broken)?;
        file.seek(SeekFrom::Start(*from)).map_err(broken)?;
        let mut file = file.take(*length);
        loop {
            let read = file.read(&mut buffer).map_err(broken)?;
            if read == 0 {
                break;
            }
            taking.digester.update(&buffer[..read]);
            taking.writer.write(&buffer[..read]).map_err(failed)?;
        }
    }
    finish(taking, Vec::new(), &Stated::default(), None)
}
