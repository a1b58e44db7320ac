//! Buckets: made, found, listed, ended.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::name;
use super::state::{Bucket, Encryption, Part, PublicAccess, Tag, Upload, Version, Versioning, bucket_arn};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

/// Makes a bucket. In us-east-1 the owner may make it again, and nothing changes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateBucket {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    /// The region the bucket is to lie in, where it is not the caller's.
    pub location_constraint: Option<String>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateBucketOutput {
    pub location: String,
}

impl CreateBucket {
    /// Where the bucket is to lie. The endpoint of us-east-1 makes buckets anywhere, the others only their own.
    fn region(&self, cx: &Cx<'_>) -> Result<String, Error> {
        let here = cx.region();
        match self.location_constraint.as_deref() {
            None if here == "us-east-1" => Ok(here.to_owned()),
            None => Err(Error::IllegalLocation("unspecified".to_owned())),
            // A quirk of S3: the one region that must not be named.
            Some("us-east-1") if here == "us-east-1" => Err(Error::InvalidLocation("us-east-1".to_owned())),
            Some("EU") if matches!(here, "us-east-1" | "eu-west-1") => Ok("eu-west-1".to_owned()),
            Some(there) if here == "us-east-1" || here == there => {
                let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                if there.is_empty() || !there.chars().all(word) {
                    return Err(Error::InvalidLocation(there.to_owned()));
                }
                Ok(there.to_owned())
            }
            Some(there) => Err(Error::IllegalLocation(there.to_owned())),
        }
    }
}

impl Operation for CreateBucket {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "CreateBucket";
    const KIND: Kind = Kind::Write;
    type Output = CreateBucketOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        if let Some(place) = &self.location_constraint {
            keys.insert("s3:locationconstraint".to_owned(), vec![place.clone()]);
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        name::check_bucket(&self.bucket)?;
        name::check_tags(cx, &self.tags, 50)?;
        let region = self.region(cx)?;
        let location = format!("/{}", self.bucket);
        if let Some(old) = cx.get_global::<Bucket>(&self.bucket)? {
            if region == "us-east-1" && old.region == region {
                return Ok(CreateBucketOutput { location });
            }
            return Err(Error::BucketAlreadyOwnedByYou(self.bucket));
        }
        cx.put_global(&Bucket {
            name: self.bucket,
            region,
            created: cx.now(),
            versioning: Versioning::Off,
            encryption: Encryption::default(),
            public_access: Some(PublicAccess {
                block_public_acls: true,
                ignore_public_acls: true,
                block_public_policy: true,
                restrict_public_buckets: true,
            }),
            ownership: true,
            policy: None,
            tags: self.tags,
        })?;
        Ok(CreateBucketOutput { location })
    }
}

/// Ends an empty bucket; uploads that were never completed end with it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeleteBucket {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for DeleteBucket {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "DeleteBucket";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        let inside = format!("{}/", bucket.name);
        if !cx.tx.list::<Version>(GLOBAL, &inside, None, 1)?.is_empty() {
            let versions = bucket.versioning != Versioning::Off;
            return Err(Error::BucketNotEmpty { bucket: bucket.name, versions });
        }
        for upload in cx.tx.list::<Upload>(GLOBAL, &inside, None, usize::MAX)? {
            end_upload(cx, &upload)?;
        }
        cx.tx.delete::<Bucket>(GLOBAL, &bucket.name)?;
        Ok(())
    }
}

/// Removes an upload with its parts; their blobs are swept later.
pub(super) fn end_upload(cx: &Cx<'_>, upload: &Upload) -> Result<(), Error> {
    for part in cx.tx.list::<Part>(GLOBAL, &format!("{}/", upload.id), None, usize::MAX)? {
        cx.tx.delete::<Part>(GLOBAL, &crate::store::Record::key(&part))?;
    }
    cx.tx.delete::<Upload>(GLOBAL, &crate::store::Record::key(upload))?;
    Ok(())
}

/// Whether a bucket is there, and where.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadBucket {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HeadBucketOutput {
    pub bucket_region: String,
}

impl Operation for HeadBucket {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "HeadBucket";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = Some("s3:ListBucket");
    const DATA: bool = true;
    type Output = HeadBucketOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        Ok(HeadBucketOutput { bucket_region: Bucket::load(cx, &self.bucket)?.region })
    }
}

/// The region of a bucket, `None` for us-east-1.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GetBucketLocation {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetBucketLocationOutput {
    pub location_constraint: Option<String>,
}

impl Operation for GetBucketLocation {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetBucketLocation";
    const KIND: Kind = Kind::Read;
    type Output = GetBucketLocationOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let region = Bucket::load(cx, &self.bucket)?.region;
        Ok(GetBucketLocationOutput { location_constraint: (region != "us-east-1").then_some(region) })
    }
}

/// The account's buckets by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListBuckets {
    pub prefix: Option<String>,
    pub bucket_region: Option<String>,
    /// At most so many; without it all.
    pub max_buckets: Option<usize>,
    /// The last name of the page before.
    pub after: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListBucketsOutput {
    pub buckets: Vec<BucketSummary>,
    /// The last name of this page, if there are more.
    pub next: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BucketSummary {
    pub name: String,
    pub region: String,
    pub created: Timestamp,
}

impl Operation for ListBuckets {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "ListBuckets";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = Some("s3:ListAllMyBuckets");
    type Output = ListBucketsOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let most = self.max_buckets.unwrap_or(usize::MAX - 1);
        let all = cx.tx.list::<Bucket>(GLOBAL, prefix, self.after.as_deref(), usize::MAX)?;
        let here =
            |bucket: &Bucket| self.bucket_region.as_ref().is_none_or(|region| *region == bucket.region);
        let mut buckets: Vec<_> = all
            .into_iter()
            .filter(here)
            .take(most + 1)
            .map(|bucket| BucketSummary { name: bucket.name, region: bucket.region, created: bucket.created })
            .collect();
        let more = buckets.len() > most;
        buckets.truncate(most);
        let next = buckets.last().filter(|_| more).map(|last| last.name.clone());
        Ok(ListBucketsOutput { buckets, next })
    }
}
