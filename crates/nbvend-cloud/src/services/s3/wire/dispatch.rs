//! The crate's trait, in its order: one line a method that is served. What is missing the crate refuses by name.

use s3s::dto;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::{Call, buckets, lists, objects, puts};

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
    create_bucket: CreateBucketInput -> CreateBucketOutput = buckets::create;
    delete_bucket: DeleteBucketInput -> DeleteBucketOutput = buckets::delete;
    delete_object: DeleteObjectInput -> DeleteObjectOutput = objects::delete;
    delete_objects: DeleteObjectsInput -> DeleteObjectsOutput = objects::delete_many;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput = buckets::location;
    get_object: GetObjectInput -> GetObjectOutput = objects::get;
    head_bucket: HeadBucketInput -> HeadBucketOutput = buckets::head;
    head_object: HeadObjectInput -> HeadObjectOutput = objects::head;
    list_buckets: ListBucketsInput -> ListBucketsOutput = buckets::list;
    list_objects: ListObjectsInput -> ListObjectsOutput = lists::list;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output = lists::list_v2;
    put_object: PutObjectInput -> PutObjectOutput = puts::put;
}
