//! `CreatePresignedNotebookInstanceUrl`: a link that works for five minutes and opens a session of up to twelve hours.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::Error;
use super::minter::Bond;
use super::state::{Link, Notebook, Status};
use super::tags;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// A link is usable for so long (the operation's page: "the URL ... is valid only for 5 minutes").
pub const USABLE_SECONDS: i64 = 300;
/// The longest session, and the default.
const LONGEST_SESSION: i64 = 43_200;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreatePresignedNotebookInstanceUrl {
    pub notebook_instance_name: String,
    pub session_expiration_duration_in_seconds: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatePresignedNotebookInstanceUrlOutput {
    pub authorized_url: String,
}

/// What is kept of a token or a cookie.
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

impl Operation for CreatePresignedNotebookInstanceUrl {
    const SERVICE: &'static str = "sagemaker";
    const NAME: &'static str = "CreatePresignedNotebookInstanceUrl";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["AuthorizedUrl"];
    type Output = CreatePresignedNotebookInstanceUrlOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Notebook::arn_of(cx, &self.notebook_instance_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::resource_keys(cx, &self.notebook_instance_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let notebook = Notebook::find(cx, &self.notebook_instance_name)?;
        if notebook.status != Status::InService {
            return Err(Error::Validation(format!(
                "Notebook Instance ({}) is {}: a link can only be made while it is InService",
                notebook.arn,
                notebook.status.name()
            )));
        }
        let mut secret = [0u8; 32];
        cx.ids().fill(&mut secret);
        let token = hex::encode(secret);
        cx.put(&Link {
            digest: digest(&token),
            notebook: notebook.key_name(),
            notebook_id: notebook.id.clone(),
            generation: notebook.generation,
            minted_by: cx.caller.principal.clone(),
            bond: Bond::of(cx, &notebook)?,
            usable_until: cx.now().plus_seconds(USABLE_SECONDS),
            session_seconds: self.session_expiration_duration_in_seconds.unwrap_or(LONGEST_SESSION),
        })?;
        let scheme = if cx.config().https_links { "https" } else { "http" };
        let host = notebook.host(cx.region(), &cx.config().url_suffix);
        Ok(CreatePresignedNotebookInstanceUrlOutput {
            authorized_url: format!("{scheme}://{host}?authToken={token}"),
        })
    }
}
