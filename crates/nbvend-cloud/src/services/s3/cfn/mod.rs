//! The resource types S3 makes for CloudFormation.

mod bucket;
mod bucket_policy;

use crate::provider::Provider;

pub static PROVIDERS: &[&dyn Provider] = &[&bucket::Bucket, &bucket_policy::BucketPolicy];
