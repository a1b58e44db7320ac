//! Whether a link or session still stands: it is bound to who made the link, and to whose notebook it opens.
//!
//! AWS enforces the policies of the identity that made a presigned URL on every request and websocket frame of the session it
//! opens (the operation's page). So here, at each request and every few seconds of an open websocket:
//!
//! - **The key** the link was asked with is still there and active. A user's key that was deleted or deactivated, or a
//!   user that was deleted, ends the session. Temporary credentials end a session when they are taken away before their time (with
//!   their user), not when their time is over: a function's credentials live for an hour, the session its link opens for
//!   twelve.
//! - **The right**: the identity may still make a link to this notebook, asked of IAM with the visitor's address and the
//!   present time. A function's link is judged by the function's role; the person it is for has no part in that.
//! - **The owner**: the notebook is still launched by whom it was when the link was made, and if that is a user of this
//!   account, the user is still there. That is what ends a person's sessions, whoever made the links, when she is removed.
//!   Nobody's notebook is opened by a former owner's link.

use std::net::IpAddr;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::presign::CreatePresignedNotebookInstanceUrl;
use super::state::Notebook;
use crate::context::Cx;
use crate::door;
use crate::engine::Engine;
use crate::identity::{AccessKey, Caller, KeyStatus, Principal};
use crate::services::iam::lookup;
use crate::store::StoreError;

/// The tag by which Service Catalog says who launched a notebook. Nobody else can write tags of that name.
pub const OWNER: &str = "aws:servicecatalog:provisioningPrincipalArn";

/// What a link and its sessions remember of how the link was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bond {
    pub access_key_id: Option<String>,
    /// When the credentials were issued, for temporary ones.
    pub session_issued: Option<Timestamp>,
    /// Who had launched the notebook, by ARN.
    pub owner: Option<String>,
    /// The unique id of that user, if there was one: another user of the same name is somebody else.
    pub owner_id: Option<String>,
}

/// Who comes with a session's cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    pub ip: IpAddr,
    /// Whether over TLS.
    pub secure: bool,
}

impl Bond {
    /// Of a link that the caller makes now.
    pub fn of(cx: &Cx<'_>, notebook: &Notebook) -> Result<Self, StoreError> {
        let owner = notebook.tags.get(OWNER).cloned();
        let owner_id = match &owner {
            Some(arn) => lookup::user_id(cx, arn)?,
            None => None,
        };
        Ok(Self {
            access_key_id: cx.caller.access_key_id.clone(),
            session_issued: cx.caller.session_issued,
            owner,
            owner_id,
        })
    }

    /// Whether key and owner are still what they were.
    pub fn holds(&self, cx: &Cx<'_>, minted_by: &Principal, notebook: &Notebook) -> Result<bool, StoreError> {
        if notebook.tags.get(OWNER) != self.owner.as_ref() {
            return Ok(false);
        }
        if let (Some(arn), Some(id)) = (&self.owner, &self.owner_id)
            && lookup::user_id(cx, arn)?.as_ref() != Some(id)
        {
            return Ok(false);
        }
        let Some(id) = &self.access_key_id else { return Ok(true) };
        if *minted_by == Principal::Root && self.session_issued.is_none() {
            return Ok(*id == cx.config().root_key.access_key_id);
        }
        let key = AccessKey::get(cx.tx, id)?;
        Ok(key.is_some_and(|key| key.status == KeyStatus::Active))
    }
}

/// Whether IAM still lets the maker of a link make one to this notebook.
pub fn may(
    engine: &Engine,
    region: &str,
    notebook: &str,
    minted_by: &Principal,
    bond: &Bond,
    visitor: Visitor,
) -> bool {
    let caller = Caller {
        principal: minted_by.clone(),
        access_key_id: bond.access_key_id.clone(),
        session_issued: bond.session_issued,
        region: region.to_owned(),
        source_ip: visitor.ip.to_string(),
        user_agent: String::new(),
        request_id: String::new(),
        invoked_by: None,
        secure: visitor.secure,
    };
    let again = CreatePresignedNotebookInstanceUrl {
        notebook_instance_name: notebook.to_owned(),
        session_expiration_duration_in_seconds: None,
    };
    if let Err(error) = door::allowed(engine, &caller, &again) {
        tracing::info!(notebook, reason = error.message, "a session ends");
        return false;
    }
    true
}
