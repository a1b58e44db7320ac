//! Buckets on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::{S3Request, S3Response, dto};

use super::convert::{count, owner, refusal, stamp};
use super::{Answer, Call};
use crate::services::s3::bucket::{CreateBucket, DeleteBucket, GetBucketLocation, HeadBucket, ListBuckets};
use crate::services::s3::error::Error;

pub(super) async fn create(
    call: &Call,
    request: S3Request<dto::CreateBucketInput>,
) -> Answer<S3Response<dto::CreateBucketOutput>> {
    let input = request.input;
    let configuration = input.create_bucket_configuration.unwrap_or_default();
    if configuration.bucket.is_some() || configuration.location.is_some() {
        return Err(refusal(Error::NotImplemented("nbvend does not serve directory buckets".to_owned())));
    }
    let location_constraint = configuration.location_constraint.map(|place| place.as_str().to_owned());
    let made = call
        .make(CreateBucket { bucket: input.bucket, location_constraint, ..CreateBucket::default() })
        .await?;
    Ok(S3Response::new(dto::CreateBucketOutput { location: Some(made.location) }))
}

pub(super) async fn delete(
    call: &Call,
    request: S3Request<dto::DeleteBucketInput>,
) -> Answer<S3Response<dto::DeleteBucketOutput>> {
    call.make(DeleteBucket { bucket: request.input.bucket }).await?;
    Ok(S3Response::new(dto::DeleteBucketOutput::default()))
}

pub(super) async fn head(
    call: &Call,
    request: S3Request<dto::HeadBucketInput>,
) -> Answer<S3Response<dto::HeadBucketOutput>> {
    let found = call.make(HeadBucket { bucket: request.input.bucket }).await?;
    Ok(S3Response::new(dto::HeadBucketOutput {
        bucket_region: Some(found.bucket_region),
        ..Default::default()
    }))
}

pub(super) async fn location(
    call: &Call,
    request: S3Request<dto::GetBucketLocationInput>,
) -> Answer<S3Response<dto::GetBucketLocationOutput>> {
    let found = call.make(GetBucketLocation { bucket: request.input.bucket }).await?;
    let location_constraint = found.location_constraint.map(Into::into);
    Ok(S3Response::new(dto::GetBucketLocationOutput { location_constraint }))
}

pub(super) async fn list(
    call: &Call,
    request: S3Request<dto::ListBucketsInput>,
) -> Answer<S3Response<dto::ListBucketsOutput>> {
    let input = request.input;
    let after = match &input.continuation_token {
        None => None,
        Some(token) => {
            let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let message = "The continuation token provided is incorrect".to_owned();
            let wrong =
                || Error::InvalidArgument { message, name: "continuation-token", value: token.clone() };
            Some(name.ok_or_else(|| refusal(wrong()))?)
        }
    };
    let max_buckets = match input.max_buckets {
        None => None,
        most => Some(count(most, "max-buckets", 10_000)?.max(1)),
    };
    let page = call
        .make(ListBuckets {
            prefix: input.prefix.clone(),
            bucket_region: input.bucket_region,
            max_buckets,
            after,
        })
        .await?;
    let buckets = page.buckets.into_iter().map(|bucket| dto::Bucket {
        name: Some(bucket.name),
        creation_date: Some(stamp(bucket.created)),
        bucket_region: Some(bucket.region),
    });
    Ok(S3Response::new(dto::ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: Some(owner(&call.engine.config().account)),
        continuation_token: page.next.map(|name| URL_SAFE_NO_PAD.encode(name)),
        prefix: input.prefix,
    }))
}
