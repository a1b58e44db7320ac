//! `GetObjectAttributes`: what HEAD tells, and the parts.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::object::{self, ObjectView};
use super::state::object_arn;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// All there is to know of an object; which of it is answered is for the wire to choose.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetObjectAttributes {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

impl Operation for GetObjectAttributes {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetObjectAttributes";
    const KIND: Kind = Kind::Read;
    const DATA: bool = true;
    type Output = ObjectView;
    type Error = Error;

    fn action(&self) -> Option<&'static str> {
        Some(if self.version_id.is_some() {
            "s3:GetObjectVersionAttributes"
        } else {
            "s3:GetObjectAttributes"
        })
    }

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        object::existing_tag_keys(cx, &self.bucket, &self.key, self.version_id.as_deref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ObjectView, Error> {
        object::view(cx, &self.bucket, &self.key, self.version_id.as_deref())
    }
}
