//! `AWS::S3::BucketPolicy`: the policy of one bucket, which has no other.

use serde_json::Value;

use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, required};
use crate::services::s3::config::policy::{DeleteBucketPolicy, PutBucketPolicy};
use crate::services::s3::state;

pub struct BucketPolicy;

static SCHEMA: Schema = Schema {
    type_name: "AWS::S3::BucketPolicy",
    properties: &[required("Bucket", Update::Replacement), required("PolicyDocument", Update::InPlace)],
    attributes: &[],
    tags: None,
};

impl Provider for BucketPolicy {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let bucket = request.properties["Bucket"].as_str().unwrap_or_default().to_owned();
        let there = cx.get_global::<state::Bucket>(&bucket)?.and_then(|bucket| bucket.policy);
        if there.is_some() {
            let reason = format!("The bucket policy already exists on bucket {bucket}.");
            return Ok(Progress::Failed { physical_id: None, reason });
        }
        put(cx, bucket, &request.properties)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        put(cx, handle.physical_id.clone(), &request.properties)
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        match cx.call(DeleteBucketPolicy { bucket: handle.physical_id.clone() }) {
            Ok(()) => Ok(Deletion::Done),
            Err(error) if error.code == "NoSuchBucket" => Ok(Deletion::Done),
            Err(error) => Err(error.into()),
        }
    }
}

fn put(cx: &mut Cx<'_>, bucket: String, properties: &Value) -> Result<Progress, EngineError> {
    // A template may carry the document as an object or as its text.
    let policy = match &properties["PolicyDocument"] {
        Value::String(text) => text.clone(),
        document => document.to_string(),
    };
    cx.call(PutBucketPolicy { bucket: bucket.clone(), policy })?;
    Ok(Progress::done(bucket))
}
