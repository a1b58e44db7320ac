//! Listing current objects: one operation behind ListObjects and ListObjectsV2.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Bucket, Checksum, END_OF_KEY, Version, bucket_arn};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

/// So many records are read at a time. What is passed over (older versions, delete markers) is jumped over at the end of
/// a batch, so a key with many versions costs one batch at most.
const BATCH: usize = 256;

/// Current objects in the order of their keys, those below a delimiter rolled into one prefix.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListObjects {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Only what sorts after this key; a common prefix stands for all that begins with it.
    pub after: Option<String>,
    pub max_keys: usize,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListObjectsOutput {
    pub bucket_region: String,
    pub objects: Vec<ObjectSummary>,
    pub prefixes: Vec<String>,
    /// The last key or prefix of this page, if there are more.
    pub next: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ObjectSummary {
    pub key: String,
    pub size: u64,
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub last_modified: Timestamp,
    pub checksum: Option<Checksum>,
}

impl Operation for ListObjects {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "ListObjects";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = Some("s3:ListBucket");
    const DATA: bool = true;
    type Output = ListObjectsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        list_keys(&self.prefix, self.delimiter.as_deref(), self.max_keys, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        let mut page = ListObjectsOutput { bucket_region: bucket.region, ..ListObjectsOutput::default() };
        if self.max_keys == 0 {
            return Ok(page);
        }
        let inside = format!("{}/{}", bucket.name, self.prefix);
        let mut after = self.after.as_deref().map(|after| self.behind(after));
        // The key whose newest version was seen: its older ones follow.
        let mut seen: Option<String> = None;
        loop {
            let batch = cx.tx.list::<Version>(GLOBAL, &inside, after.as_deref(), BATCH)?;
            let read = batch.len();
            for version in batch {
                after = Some(version.key_of_record());
                if seen.as_ref() == Some(&version.key) {
                    continue;
                }
                seen = Some(version.key.clone());
                let Some(content) = version.content else { continue };
                let rolled = self.rolled(&version.key).map(str::to_owned);
                if rolled.is_some() && rolled.as_ref() == page.prefixes.last() {
                    continue;
                }
                if page.objects.len() + page.prefixes.len() == self.max_keys {
                    page.next = page.last().map(str::to_owned);
                    return Ok(page);
                }
                match rolled {
                    Some(prefix) => page.prefixes.push(prefix),
                    None => page.objects.push(ObjectSummary {
                        key: version.key,
                        size: content.body.size,
                        e_tag: content.body.e_tag,
                        last_modified: version.modified,
                        checksum: content.body.checksum,
                    }),
                }
            }
            if read < BATCH {
                return Ok(page);
            }
            // What the batch ended in the middle of is passed over at once.
            if let Some(key) = &seen {
                after = Some(self.behind(self.rolled(key).unwrap_or(key)));
            }
        }
    }
}

impl ListObjects {
    /// The common prefix that a key goes into.
    fn rolled<'k>(&self, key: &'k str) -> Option<&'k str> {
        rolled(key, &self.prefix, self.delimiter.as_deref())
    }

    /// The place in the records behind a key with all its versions, or behind all that a common prefix stands for.
    fn behind(&self, item: &str) -> String {
        if self.rolled(item) == Some(item) {
            return format!("{}/{item}\u{10FFFF}", self.bucket);
        }
        format!("{}/{item}{END_OF_KEY}\u{10FFFF}", self.bucket)
    }
}

impl ListObjectsOutput {
    fn last(&self) -> Option<&str> {
        let key = self.objects.last().map(|object| object.key.as_str());
        key.max(self.prefixes.last().map(String::as_str))
    }
}

/// The part of a key up to the first delimiter behind the prefix.
pub(super) fn rolled<'k>(key: &'k str, prefix: &str, delimiter: Option<&str>) -> Option<&'k str> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.strip_prefix(prefix)?;
    let at = rest.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len())
}

/// Condition keys of a listing.
pub(super) fn list_keys(prefix: &str, delimiter: Option<&str>, most: usize, keys: &mut ContextKeys) {
    keys.insert("s3:prefix".to_owned(), vec![prefix.to_owned()]);
    keys.insert("s3:max-keys".to_owned(), vec![most.to_string()]);
    if let Some(delimiter) = delimiter {
        keys.insert("s3:delimiter".to_owned(), vec![delimiter.to_owned()]);
    }
}
