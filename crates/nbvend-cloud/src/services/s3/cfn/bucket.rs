//! `AWS::S3::Bucket`. Properties of features that are not served (website, CORS, lifecycle, notification, replication,
//! logging, object lock …) are not in the schema, and so refused by name before anything is made.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::context::Cx;
use crate::error::{EngineError, ServiceError};
use crate::provider::{
    Deletion, Handle, Progress, Property, Provider, Request, Schema, Update, generated_name, optional,
};
use crate::services::s3::bucket::{CreateBucket, DeleteBucket};
use crate::services::s3::config::encryption::{DeleteBucketEncryption, PutBucketEncryption};
use crate::services::s3::config::ownership::{DeleteBucketOwnershipControls, PutBucketOwnershipControls};
use crate::services::s3::config::public_access::{DeletePublicAccessBlock, PutPublicAccessBlock};
use crate::services::s3::config::tagging::{DeleteBucketTagging, PutBucketTagging};
use crate::services::s3::config::versioning::PutBucketVersioning;
use crate::services::s3::error::Error;
use crate::services::s3::state::{self, Encryption, PublicAccess, Tag, bucket_arn};

pub struct Bucket;

static SCHEMA: Schema = Schema {
    type_name: "AWS::S3::Bucket",
    properties: &[
        optional("BucketEncryption", Update::InPlace),
        optional("BucketName", Update::Replacement),
        optional("OwnershipControls", Update::InPlace),
        optional("PublicAccessBlockConfiguration", Update::InPlace),
        TAGS,
        optional("VersioningConfiguration", Update::InPlace),
    ],
    attributes: &["Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"],
    tags: Some("Tags"),
};
const TAGS: Property = optional("Tags", Update::InPlace);

/// The properties as a template writes them.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    bucket_encryption: Option<BucketEncryption>,
    bucket_name: Option<String>,
    ownership_controls: Option<OwnershipControls>,
    public_access_block_configuration: Option<PublicAccessBlock>,
    tags: Vec<Tag>,
    versioning_configuration: Option<VersioningConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BucketEncryption {
    server_side_encryption_configuration: Vec<EncryptionRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EncryptionRule {
    server_side_encryption_by_default: Option<EncryptionDefault>,
    #[serde(default)]
    bucket_key_enabled: Flag,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EncryptionDefault {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: String,
    #[serde(rename = "KMSMasterKeyID")]
    kms_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OwnershipControls {
    rules: Vec<OwnershipRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OwnershipRule {
    object_ownership: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct PublicAccessBlock {
    block_public_acls: Flag,
    block_public_policy: Flag,
    ignore_public_acls: Flag,
    restrict_public_buckets: Flag,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct VersioningConfiguration {
    status: String,
}

/// A boolean; parameters make it the text `true`.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(try_from = "Value")]
struct Flag(bool);

impl TryFrom<Value> for Flag {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match &value {
            Value::Bool(flag) => Ok(Self(*flag)),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Self(true)),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Self(false)),
            other => Err(format!("expected type: Boolean, found: {other}")),
        }
    }
}

fn read(properties: &Value) -> Result<Properties, String> {
    serde_json::from_value(properties.clone())
        .map_err(|error| format!("Properties validation failed: {error}"))
}

impl Provider for Bucket {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let failed = |reason: String| Ok(Progress::Failed { physical_id: None, reason });
        let wanted = match read(&request.properties) {
            Ok(wanted) => wanted,
            Err(reason) => return failed(reason),
        };
        let name = match &wanted.bucket_name {
            Some(name) => name.clone(),
            None => generated_name(cx, request, 63).to_ascii_lowercase(),
        };
        // CreateBucket in us-east-1 would say yes to a bucket that is there already; a stack must not take it over.
        if cx.get_global::<state::Bucket>(&name)?.is_some() {
            return failed(format!("{name} already exists"));
        }
        let here = cx.region().to_owned();
        let location_constraint = (here != "us-east-1").then_some(here);
        cx.call(CreateBucket { bucket: name.clone(), location_constraint, ..CreateBucket::default() })?;
        if let Err(reason) = settle(cx, &name, &wanted, None, &request.tags)? {
            return failed(reason);
        }
        Ok(Progress::Done { attributes: attributes(cx, &name), physical_id: name })
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let name = handle.physical_id.clone();
        let failed = |reason: String| Ok(Progress::Failed { physical_id: Some(name.clone()), reason });
        let (wanted, had) = match (read(&request.properties), read(&handle.properties)) {
            (Ok(wanted), had) => (wanted, had.unwrap_or_default()),
            (Err(reason), _) => return failed(reason),
        };
        if let Err(reason) = settle(cx, &name, &wanted, Some(&had), &request.tags)? {
            return failed(reason);
        }
        Ok(Progress::Done { attributes: attributes(cx, &name), physical_id: name.clone() })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        match cx.call(DeleteBucket { bucket: handle.physical_id.clone() }) {
            Ok(()) => Ok(Deletion::Done),
            Err(error) if error.code == "NoSuchBucket" => Ok(Deletion::Done),
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes the bucket's settings what the template wants; what it no longer wants goes back to how a bucket begins. The
/// inner error is a reason for a person.
fn settle(
    cx: &mut Cx<'_>,
    name: &str,
    wanted: &Properties,
    had: Option<&Properties>,
    stack_tags: &[(String, String)],
) -> Result<Result<(), String>, EngineError> {
    let bucket = || name.to_owned();
    match &wanted.bucket_encryption {
        Some(encryption) => {
            let [EncryptionRule { server_side_encryption_by_default: Some(default), bucket_key_enabled }] =
                &encryption.server_side_encryption_configuration[..]
            else {
                return Ok(Err(Error::MalformedXml.to_wire().message));
            };
            if !matches!(default.algorithm.as_str(), "AES256" | "aws:kms" | "aws:kms:dsse") {
                return Ok(Err(format!("{} is not a valid enum value", default.algorithm)));
            }
            let (algorithm, kms_key) = (default.algorithm.clone(), default.kms_key.clone());
            let encryption = Encryption { algorithm, kms_key, bucket_key: bucket_key_enabled.0 };
            cx.call(PutBucketEncryption { bucket: bucket(), encryption })?;
        }
        None if had.is_some_and(|had| had.bucket_encryption.is_some()) => {
            cx.call(DeleteBucketEncryption { bucket: bucket() })?;
        }
        None => {}
    }
    match &wanted.public_access_block_configuration {
        Some(block) => {
            let settings = PublicAccess {
                block_public_acls: block.block_public_acls.0,
                ignore_public_acls: block.ignore_public_acls.0,
                block_public_policy: block.block_public_policy.0,
                restrict_public_buckets: block.restrict_public_buckets.0,
            };
            cx.call(PutPublicAccessBlock { bucket: bucket(), settings })?;
        }
        None if had.is_some_and(|had| had.public_access_block_configuration.is_some()) => {
            cx.call(DeletePublicAccessBlock { bucket: bucket() })?;
        }
        None => {}
    }
    match &wanted.versioning_configuration {
        Some(versioning) => {
            cx.call(PutBucketVersioning { bucket: bucket(), status: Some(versioning.status.clone()) })?;
        }
        None if had.is_some_and(|had| had.versioning_configuration.is_some()) => {
            cx.call(PutBucketVersioning { bucket: bucket(), status: Some("Suspended".to_owned()) })?;
        }
        None => {}
    }
    match &wanted.ownership_controls {
        Some(controls) => {
            let [rule] = &controls.rules[..] else {
                return Ok(Err(Error::MalformedXml.to_wire().message));
            };
            let object_ownership = rule.object_ownership.clone();
            cx.call(PutBucketOwnershipControls { bucket: bucket(), object_ownership })?;
        }
        None if had.is_some_and(|had| had.ownership_controls.is_some()) => {
            cx.call(DeleteBucketOwnershipControls { bucket: bucket() })?;
        }
        None => {}
    }
    // The template's tags win over the stack's.
    let mut tags = wanted.tags.clone();
    for (key, value) in stack_tags {
        if !tags.iter().any(|tag| tag.key == *key) {
            tags.push(Tag { key: key.clone(), value: value.clone() });
        }
    }
    match (tags.is_empty(), had) {
        (false, _) => cx.call(PutBucketTagging { bucket: bucket(), tags })?,
        (true, Some(_)) => cx.call(DeleteBucketTagging { bucket: bucket() })?,
        (true, None) => {}
    }
    Ok(Ok(()))
}

/// The names by which a bucket is reached. They are AWS's, but for the website's, which ends in the URL suffix.
fn attributes(cx: &Cx<'_>, name: &str) -> Map<String, Value> {
    let (region, suffix) = (cx.region(), &cx.config().url_suffix);
    let pairs = [
        ("Arn", bucket_arn(cx, name)),
        ("DomainName", format!("{name}.s3.amazonaws.com")),
        ("DualStackDomainName", format!("{name}.s3.dualstack.{region}.amazonaws.com")),
        ("RegionalDomainName", format!("{name}.s3.{region}.amazonaws.com")),
        ("WebsiteURL", format!("http://{name}.s3-website-{region}.{suffix}")),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}
