//! S3: buckets and objects.
//!
//! **How a request goes.** [`wire`] verifies the signature with the door's keys and the engine's clock, then hands the
//! request to the `s3s` crate, which knows S3's wire form: it reads headers, queries and XML, checks the hash or the chunk
//! signatures of the body, and writes answers. What it calls are the functions of [`wire`]; they receive a body into a
//! blob, and make one of the typed operations listed here, which pass the door's steps 4 to 6 as all others do.
//!
//! **What differs from AWS**
//! - Encryption is a statement: every object says `AES256` or the `aws:kms` that its bucket or uploader asked for, but
//!   bodies lie unencrypted in the data folder, readable by its owner alone, and no KMS key is looked up.
//! - Any region's endpoint serves every bucket; there are no redirects. A bucket still knows its region.
//! - ACLs are as in every new bucket on AWS: off (`BucketOwnerEnforced`). Storage classes other than STANDARD, object
//!   lock, SSE-C, website hosting, CORS, lifecycle, notification, replication, logging and POST uploads from forms are
//!   refused by name.
//! - Completing a multipart upload copies the parts into one blob. Uploads never completed stay until aborted, as on AWS.
//! - Keys with U+0000 or U+0001 are refused.
//! - Signature version 2 is taken in presigned queries alone, which boto3 still makes by default; elsewhere it is refused.
//!
//! A body is first a blob that no record points to; the commit points to it. [`sweep`] removes blobs that nothing
//! points to.

mod bucket;
mod cfn;
mod checksum;
mod condition;
mod config;
mod error;
pub mod location;
mod name;
pub mod object;
mod object_attributes;
mod object_copy;
mod object_delete;
mod object_list;
mod object_put;
mod object_tagging;
mod object_versions;
mod state;
mod sweep;
#[cfg(test)]
mod tests;
mod upload;
mod upload_complete;
mod upload_list;
mod version;
mod wire;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub use location::{Location, location};
pub use wire::handle;

pub static SERVICE: Service = Service {
    id: "s3",
    action_prefix: "s3",
    event_source: "s3.amazonaws.com",
    resource_policy: Some(config::policy::of_resource),
    operations: &[
        op::<upload::AbortMultipartUpload>(),
        op::<upload_complete::CompleteMultipartUpload>(),
        op::<object_copy::CopyObject>(),
        op::<bucket::CreateBucket>(),
        op::<upload::CreateMultipartUpload>(),
        op::<bucket::DeleteBucket>(),
        op::<config::encryption::DeleteBucketEncryption>(),
        op::<config::ownership::DeleteBucketOwnershipControls>(),
        op::<config::policy::DeleteBucketPolicy>(),
        op::<config::tagging::DeleteBucketTagging>(),
        op::<object_delete::DeleteObject>(),
        op::<object_tagging::DeleteObjectTagging>(),
        op::<object_delete::DeleteObjects>(),
        op::<config::public_access::DeletePublicAccessBlock>(),
        op::<config::ownership::GetBucketAcl>(),
        op::<config::encryption::GetBucketEncryption>(),
        op::<bucket::GetBucketLocation>(),
        op::<config::ownership::GetBucketOwnershipControls>(),
        op::<config::policy::GetBucketPolicy>(),
        op::<config::policy::GetBucketPolicyStatus>(),
        op::<config::tagging::GetBucketTagging>(),
        op::<config::versioning::GetBucketVersioning>(),
        op::<object::GetObject>(),
        op::<object_attributes::GetObjectAttributes>(),
        op::<object_tagging::GetObjectTagging>(),
        op::<config::public_access::GetPublicAccessBlock>(),
        op::<bucket::HeadBucket>(),
        op::<object::HeadObject>(),
        op::<bucket::ListBuckets>(),
        op::<upload_list::ListMultipartUploads>(),
        op::<object_versions::ListObjectVersions>(),
        op::<object_list::ListObjects>(),
        op::<upload_list::ListParts>(),
        op::<config::ownership::PutBucketAcl>(),
        op::<config::encryption::PutBucketEncryption>(),
        op::<config::ownership::PutBucketOwnershipControls>(),
        op::<config::policy::PutBucketPolicy>(),
        op::<config::tagging::PutBucketTagging>(),
        op::<config::versioning::PutBucketVersioning>(),
        op::<object_put::PutObject>(),
        op::<object_tagging::PutObjectTagging>(),
        op::<config::public_access::PutPublicAccessBlock>(),
        op::<upload::UploadPart>(),
        op::<upload::UploadPartCopy>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = cfn::PROVIDERS;

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(sweep::Sweep::default())]
}
