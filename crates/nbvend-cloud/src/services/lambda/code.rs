//! Deployment packages: from a request or from S3 to a blob that was looked into.
//!
//! A package keeps the blob it came in: the copy in S3 may be overwritten or deleted, blobs are content-addressed and
//! stay as long as a version points to them.

use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;

use super::error::Error;
use super::state::Code;
use crate::context::Cx;
use crate::services::s3::object::GetObject;
use crate::store::StoreError;

/// AWS's limits in bytes: of a package in a request, and of any package unpacked.
const ZIPPED: usize = 52_428_800;
const UNPACKED: u128 = 262_144_000;

/// Where a package comes from.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Source {
    /// Base64 of a zip file.
    pub zip_file: Option<String>,
    #[serde(rename = "S3Bucket")]
    pub s3_bucket: Option<String>,
    #[serde(rename = "S3Key")]
    pub s3_key: Option<String>,
    #[serde(rename = "S3ObjectVersion")]
    pub s3_object_version: Option<String>,
    /// The package, once it was read.
    #[serde(skip)]
    pub ready: Option<Code>,
}

impl Source {
    /// Reads the package: from S3 as the caller, who must be allowed to.
    pub fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<Code, Error> {
        if let Some(ready) = &self.ready {
            return Ok(ready.clone());
        }
        let code = match (&mut self.zip_file, &self.s3_bucket, &self.s3_key) {
            (Some(zip), None, None) => {
                let bytes = STANDARD.decode(std::mem::take(zip)).map_err(|_| broken())?;
                from_bytes(cx, &bytes)?
            }
            (None, Some(bucket), Some(key)) => {
                let object = GetObject {
                    bucket: bucket.clone(),
                    key: key.clone(),
                    version_id: self.s3_object_version.clone(),
                };
                from_s3(cx, object)?
            }
            (Some(_), ..) => {
                return Err(Error::parameter(
                    "Please do not provide other FunctionCode parameters when providing a ZipFile.",
                ));
            }
            _ => return Err(Error::parameter("Please provide a source for function code.")),
        };
        self.ready = Some(code.clone());
        Ok(code)
    }
}

fn broken() -> Error {
    Error::parameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
}

fn from_bytes(cx: &Cx<'_>, bytes: &[u8]) -> Result<Code, Error> {
    if bytes.len() >= ZIPPED {
        return Err(Error::ZipTooLarge);
    }
    look(Cursor::new(bytes))?;
    let blob = cx.tx.blobs().put(bytes)?;
    Ok(Code { blob, size: bytes.len() as u64 })
}

fn from_s3(cx: &mut Cx<'_>, object: GetObject) -> Result<Code, Error> {
    let object = cx.call(object).map_err(|error| refused_by_s3(&error))?;
    // The object may be deleted before this commit points to its blob.
    cx.tx.blobs().refresh(&object.blob)?;
    let path = cx.tx.blobs().path(&object.blob);
    let file =
        File::open(&path).map_err(|error| StoreError::File { path: path.display().to_string(), error })?;
    look(file)?;
    Ok(Code { blob: object.blob, size: object.content_length })
}

fn refused_by_s3(error: &WireError) -> Error {
    let (code, message) = (&error.code, &error.message);
    match error.status {
        403 => Error::Denied(format!(
            "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for the code's bucket and key. S3 Error Code: {code}. S3 Error Message: {message}"
        )),
        500.. => Error::Engine(error.clone().into()),
        _ => Error::parameter(format!(
            "Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"
        )),
    }
}

/// Whether it is a zip that may be unpacked. Only its table of contents is read.
fn look(file: impl Read + Seek) -> Result<(), Error> {
    let archive = zip::ZipArchive::new(file).map_err(|_| broken())?;
    if archive.is_empty() {
        return Err(Error::parameter("Uploaded file must be a non-empty zip"));
    }
    if archive.decompressed_size().is_none_or(|size| size >= UNPACKED) {
        return Err(Error::parameter(format!("Unzipped size must be smaller than {UNPACKED} bytes")));
    }
    Ok(())
}

/// A package of one file: what CloudFormation makes of a function's text. The same text gives the same package.
pub fn package(file: &str, text: &str) -> Result<Vec<u8>, std::io::Error> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().last_modified_time(zip::DateTime::default()).unix_permissions(0o644);
    zip.start_file(file, options)?;
    zip.write_all(text.as_bytes())?;
    Ok(zip.finish()?.into_inner())
}

/// The form of `CodeSha256`: base64 of what names the blob in hex.
pub fn sha256(code: &Code) -> String {
    STANDARD.encode(hex::decode(&code.blob).unwrap_or_default())
}
