//! The crate's trait, in its order: one line a method that is served. What is missing the crate refuses by name.

use s3s::dto;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::{Call, buckets, configs, copies, lists, objects, puts, uploads, versions};

macro_rules! served {
    ($($method:ident: $input:ident -> $output:ident = $function:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for Call {
            $(
                async fn $method(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                    $function(self, request).await.map_err(|error| self.refused(error))
                }
            )*
        }
    };
}

served! {
    abort_multipart_upload: AbortMultipartUploadInput -> AbortMultipartUploadOutput = uploads::abort;
    complete_multipart_upload: CompleteMultipartUploadInput -> CompleteMultipartUploadOutput = uploads::complete;
    copy_object: CopyObjectInput -> CopyObjectOutput = copies::copy;
    create_bucket: CreateBucketInput -> CreateBucketOutput = buckets::create;
    create_multipart_upload: CreateMultipartUploadInput -> CreateMultipartUploadOutput = uploads::create;
    delete_bucket: DeleteBucketInput -> DeleteBucketOutput = buckets::delete;
    delete_bucket_encryption: DeleteBucketEncryptionInput -> DeleteBucketEncryptionOutput = configs::delete_encryption;
    delete_bucket_ownership_controls: DeleteBucketOwnershipControlsInput -> DeleteBucketOwnershipControlsOutput = configs::delete_ownership;
    delete_bucket_policy: DeleteBucketPolicyInput -> DeleteBucketPolicyOutput = configs::delete_policy;
    delete_bucket_tagging: DeleteBucketTaggingInput -> DeleteBucketTaggingOutput = configs::delete_tagging;
    delete_object: DeleteObjectInput -> DeleteObjectOutput = objects::delete;
    delete_object_tagging: DeleteObjectTaggingInput -> DeleteObjectTaggingOutput = versions::delete_tagging;
    delete_objects: DeleteObjectsInput -> DeleteObjectsOutput = objects::delete_many;
    delete_public_access_block: DeletePublicAccessBlockInput -> DeletePublicAccessBlockOutput = configs::delete_public_access;
    get_bucket_acl: GetBucketAclInput -> GetBucketAclOutput = configs::get_acl;
    get_bucket_encryption: GetBucketEncryptionInput -> GetBucketEncryptionOutput = configs::get_encryption;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput = buckets::location;
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput -> GetBucketOwnershipControlsOutput = configs::get_ownership;
    get_bucket_policy: GetBucketPolicyInput -> GetBucketPolicyOutput = configs::get_policy;
    get_bucket_policy_status: GetBucketPolicyStatusInput -> GetBucketPolicyStatusOutput = configs::get_policy_status;
    get_bucket_tagging: GetBucketTaggingInput -> GetBucketTaggingOutput = configs::get_tagging;
    get_bucket_versioning: GetBucketVersioningInput -> GetBucketVersioningOutput = configs::get_versioning;
    get_object: GetObjectInput -> GetObjectOutput = objects::get;
    get_object_attributes: GetObjectAttributesInput -> GetObjectAttributesOutput = versions::attributes;
    get_object_tagging: GetObjectTaggingInput -> GetObjectTaggingOutput = versions::get_tagging;
    get_public_access_block: GetPublicAccessBlockInput -> GetPublicAccessBlockOutput = configs::get_public_access;
    head_bucket: HeadBucketInput -> HeadBucketOutput = buckets::head;
    head_object: HeadObjectInput -> HeadObjectOutput = objects::head;
    list_buckets: ListBucketsInput -> ListBucketsOutput = buckets::list;
    list_multipart_uploads: ListMultipartUploadsInput -> ListMultipartUploadsOutput = uploads::list;
    list_object_versions: ListObjectVersionsInput -> ListObjectVersionsOutput = versions::list;
    list_objects: ListObjectsInput -> ListObjectsOutput = lists::list;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output = lists::list_v2;
    list_parts: ListPartsInput -> ListPartsOutput = uploads::parts;
    put_bucket_acl: PutBucketAclInput -> PutBucketAclOutput = configs::put_acl;
    put_bucket_encryption: PutBucketEncryptionInput -> PutBucketEncryptionOutput = configs::put_encryption;
    put_bucket_ownership_controls: PutBucketOwnershipControlsInput -> PutBucketOwnershipControlsOutput = configs::put_ownership;
    put_bucket_policy: PutBucketPolicyInput -> PutBucketPolicyOutput = configs::put_policy;
    put_bucket_tagging: PutBucketTaggingInput -> PutBucketTaggingOutput = configs::put_tagging;
    put_bucket_versioning: PutBucketVersioningInput -> PutBucketVersioningOutput = configs::put_versioning;
    put_object: PutObjectInput -> PutObjectOutput = puts::put;
    put_object_tagging: PutObjectTaggingInput -> PutObjectTaggingOutput = versions::put_tagging;
    put_public_access_block: PutPublicAccessBlockInput -> PutPublicAccessBlockOutput = configs::put_public_access;
    upload_part: UploadPartInput -> UploadPartOutput = uploads::part;
    upload_part_copy: UploadPartCopyInput -> UploadPartCopyOutput = copies::copy_part;
}
