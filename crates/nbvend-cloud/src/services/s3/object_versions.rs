//! `ListObjectVersions`: every version and delete marker, by key, newest first.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::object_list::{list_keys, rolled};
use super::state::{Bucket, Checksum, END_OF_KEY, Version, bucket_arn};
use super::version;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

const BATCH: usize = 256;

/// The versions of a bucket's objects.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListObjectVersions {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Go on after this key, or after one version of it.
    pub key_marker: Option<String>,
    pub version_id_marker: Option<String>,
    pub max_keys: usize,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListObjectVersionsOutput {
    pub bucket_region: String,
    pub versions: Vec<VersionView>,
    pub prefixes: Vec<String>,
    /// Key (or prefix) and version to go on after, if there are more.
    pub next: Option<(String, String)>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionView {
    pub key: String,
    pub version_id: String,
    pub is_latest: bool,
    pub last_modified: Timestamp,
    /// `None` for a delete marker.
    pub body: Option<BodyView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BodyView {
    pub size: u64,
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub checksum: Option<Checksum>,
}

impl ListObjectVersions {
    /// The place in the records to go on after, and the key whose newest version lies before it.
    fn start(&self, cx: &Cx<'_>) -> Result<(Option<String>, Option<String>), Error> {
        let Some(key) = &self.key_marker else {
            return match &self.version_id_marker {
                None => Ok((None, None)),
                Some(marker) => Err(Error::InvalidArgument {
                    message: "A version-id marker cannot be specified without a key marker.".to_owned(),
                    name: "version-id-marker",
                    value: marker.clone(),
                }),
            };
        };
        if rolled(key, &self.prefix, self.delimiter.as_deref()) == Some(key) {
            return Ok((Some(format!("{}/{key}\u{10FFFF}", self.bucket)), None));
        }
        let marker = match &self.version_id_marker {
            None => None,
            Some(id) => version::by_id(cx, &self.bucket, key, id)?,
        };
        Ok(match (marker, &self.version_id_marker) {
            (Some(version), _) => (Some(version.key_of_record()), Some(key.clone())),
            // The version is gone by now: its place is in its id.
            (None, Some(id)) if id != "null" => {
                let place = id.get(..16).unwrap_or(id);
                (Some(format!("{}/{key}{END_OF_KEY}{place}", self.bucket)), Some(key.clone()))
            }
            _ => (Some(format!("{}/{key}{END_OF_KEY}\u{10FFFF}", self.bucket)), None),
        })
    }
}

impl Operation for ListObjectVersions {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "ListObjectVersions";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = Some("s3:ListBucketVersions");
    const DATA: bool = true;
    type Output = ListObjectVersionsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        list_keys(&self.prefix, self.delimiter.as_deref(), self.max_keys, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        let mut page =
            ListObjectVersionsOutput { bucket_region: bucket.region, ..ListObjectVersionsOutput::default() };
        if self.max_keys == 0 {
            return Ok(page);
        }
        let inside = format!("{}/{}", bucket.name, self.prefix);
        let (mut after, mut seen) = self.start(cx)?;
        let mut last = (String::new(), String::new());
        loop {
            let batch = cx.tx.list::<Version>(GLOBAL, &inside, after.as_deref(), BATCH)?;
            let ended = batch.len() < BATCH;
            for version in batch {
                after = Some(version.key_of_record());
                let prefix = rolled(&version.key, &self.prefix, self.delimiter.as_deref()).map(str::to_owned);
                if prefix.is_some() && prefix.as_ref() == page.prefixes.last() {
                    continue;
                }
                if page.versions.len() + page.prefixes.len() == self.max_keys {
                    page.next = Some(last);
                    return Ok(page);
                }
                if let Some(prefix) = prefix {
                    last = (prefix.clone(), String::new());
                    page.prefixes.push(prefix);
                    continue;
                }
                let is_latest = seen.as_ref() != Some(&version.key);
                seen = Some(version.key.clone());
                let version_id = version.version_id.unwrap_or_else(|| "null".to_owned());
                last = (version.key.clone(), version_id.clone());
                page.versions.push(VersionView {
                    key: version.key,
                    version_id,
                    is_latest,
                    last_modified: version.modified,
                    body: version.content.map(|content| BodyView {
                        size: content.body.size,
                        e_tag: content.body.e_tag,
                        checksum: content.body.checksum,
                    }),
                });
            }
            if ended {
                return Ok(page);
            }
            // A common prefix the batch ended in is passed over at once.
            if let Some(prefix) = page.prefixes.last().filter(|prefix| last.0 == **prefix) {
                after = Some(format!("{}/{prefix}\u{10FFFF}", self.bucket));
            }
        }
    }
}
