//! Objects.

use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};

use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::{Kind, Operation};

/// An object: what there is to know of it, and the blob with its bytes (`cx.tx.blobs().read(&blob)`).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetObject {
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ObjectView {
    /// The id of the blob that holds the body.
    pub blob: String,
    pub content_length: u64,
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub version_id: Option<String>,
}

impl Operation for GetObject {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetObject";
    const KIND: Kind = Kind::Read;
    type Output = ObjectView;
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<ObjectView, EngineError> {
        Err(WireError::new("NotImplemented", 501, "s3:GetObject").into())
    }
}
