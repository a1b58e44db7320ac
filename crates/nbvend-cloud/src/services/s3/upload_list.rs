//! `ListParts` and `ListMultipartUploads`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::object_list::{list_keys, rolled};
use super::state::{Bucket, Checksum, END_OF_KEY, Part, Upload, UploadChecksum, bucket_arn, object_arn};
use super::upload;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::{GLOBAL, Record};

/// The parts an upload has so far, by number.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListParts {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub upload_id: String,
    /// Only parts of higher numbers.
    pub after: u32,
    pub max_parts: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListPartsOutput {
    pub parts: Vec<PartView>,
    pub more: bool,
    pub initiator: String,
    pub checksum: Option<UploadChecksum>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PartView {
    pub number: u32,
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub size: u64,
    pub last_modified: Timestamp,
    pub checksum: Option<Checksum>,
}

impl Operation for ListParts {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "ListParts";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = Some("s3:ListMultipartUploadParts");
    const DATA: bool = true;
    type Output = ListPartsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        Bucket::load(cx, &self.bucket)?;
        let upload = upload::load(cx, &self.bucket, &self.key, &self.upload_id)?;
        let prefix = format!("{}/", upload.id);
        let after = format!("{prefix}{:05}", self.after);
        let mut parts = cx.tx.list::<Part>(GLOBAL, &prefix, Some(&after), self.max_parts + 1)?;
        let more = parts.len() > self.max_parts;
        parts.truncate(self.max_parts);
        let view = |part: Part| PartView {
            number: part.number,
            e_tag: part.body.e_tag,
            size: part.body.size,
            last_modified: part.modified,
            checksum: part.body.checksum,
        };
        Ok(ListPartsOutput {
            parts: parts.into_iter().map(view).collect(),
            more,
            initiator: upload.initiator,
            checksum: upload.checksum,
        })
    }
}

/// The uploads of a bucket that are neither completed nor aborted, by key and id.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListMultipartUploads {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub prefix: String,
    pub delimiter: Option<String>,
    pub key_marker: Option<String>,
    pub upload_id_marker: Option<String>,
    pub max_uploads: usize,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListMultipartUploadsOutput {
    pub uploads: Vec<UploadView>,
    pub prefixes: Vec<String>,
    /// Key (or prefix) and upload id to go on after, if there are more.
    pub next: Option<(String, String)>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UploadView {
    pub key: String,
    pub upload_id: String,
    pub initiated: Timestamp,
    pub initiator: String,
    pub checksum: Option<UploadChecksum>,
}

impl Operation for ListMultipartUploads {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "ListMultipartUploads";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = Some("s3:ListBucketMultipartUploads");
    const DATA: bool = true;
    type Output = ListMultipartUploadsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        list_keys(&self.prefix, self.delimiter.as_deref(), self.max_uploads, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        Bucket::load(cx, &self.bucket)?;
        let inside = format!("{}/{}", self.bucket, self.prefix);
        let mut after = self.key_marker.as_ref().map(|key| {
            let behind = match &self.upload_id_marker {
                Some(upload) => format!("{END_OF_KEY}{upload}"),
                None => format!("{END_OF_KEY}\u{10FFFF}"),
            };
            match rolled(key, &self.prefix, self.delimiter.as_deref()) == Some(key) {
                true => format!("{}/{key}\u{10FFFF}", self.bucket),
                false => format!("{}/{key}{behind}", self.bucket),
            }
        });
        let mut page = ListMultipartUploadsOutput::default();
        let mut last = (String::new(), String::new());
        loop {
            let batch = cx.tx.list::<Upload>(GLOBAL, &inside, after.as_deref(), self.max_uploads + 1)?;
            let ended = batch.len() <= self.max_uploads;
            for upload in batch {
                after = Some(upload.key());
                let prefix = rolled(&upload.key, &self.prefix, self.delimiter.as_deref()).map(str::to_owned);
                if prefix.is_some() && prefix.as_ref() == page.prefixes.last() {
                    continue;
                }
                if page.uploads.len() + page.prefixes.len() >= self.max_uploads {
                    page.next = (self.max_uploads > 0).then_some(last);
                    return Ok(page);
                }
                match prefix {
                    Some(prefix) => {
                        last = (prefix.clone(), String::new());
                        page.prefixes.push(prefix);
                    }
                    None => {
                        last = (upload.key.clone(), upload.id.clone());
                        page.uploads.push(UploadView {
                            key: upload.key,
                            upload_id: upload.id,
                            initiated: upload.initiated,
                            initiator: upload.initiator,
                            checksum: upload.checksum,
                        });
                    }
                }
            }
            if ended {
                return Ok(page);
            }
        }
    }
}
