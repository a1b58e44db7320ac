//! What the listener asks at a notebook's own address: whether a link opens it, and whether a session still holds.

use nbvend_wire::timestamp::Timestamp;

pub use super::minter::Visitor;
use super::minter::{self, OWNER};
use super::presign::digest;
use super::repository;
use super::state::{Link, Notebook, Session, Status};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::{Caller, Principal};
use crate::store::{StoreError, Tx};

/// Why a notebook does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    UnknownNotebook,
    /// The state it is in, in words.
    NotInService(String),
    NoSession,
    BadToken,
    Expired,
    /// Whoever made the link may not any more, or the notebook has another owner.
    Ended,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a session could not be looked up");
        Self::NoSession
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        tracing::error!(%error, "a session could not be opened");
        Self::NoSession
    }
}

/// A session just opened.
#[derive(Debug)]
pub struct Opened {
    /// The cookie's value.
    pub cookie: String,
    pub expires: Timestamp,
    /// The host's id of the notebook.
    pub notebook_id: String,
    /// The folder of its default repository, whether or not it could be cloned.
    pub repository: Option<String>,
}

/// A session that holds.
#[derive(Debug)]
pub struct Visit {
    /// The host's id of the notebook.
    pub notebook_id: String,
    /// Whom Jupyter is told it serves.
    pub user: String,
    pub expires: Timestamp,
}

/// Opens a session with a presigned URL's token. `host_name` is the notebook's name as its host has it.
pub async fn redeem(
    engine: &Engine,
    region: &str,
    host_name: &str,
    token: &str,
    visitor: Visitor,
) -> Result<Opened, Refusal> {
    let token = digest(token);
    // Looked at before the writer is taken; `open` looks at the rest again.
    let link = engine.store().read(|tx| tx.get::<Link>(region, &token))??;
    if let Some(link) = link
        && !minter::may(engine, region, &link.notebook, &link.minted_by, &link.bond, visitor)
    {
        return Err(Refusal::Ended);
    }
    let (engine_in, region, host_name) = (engine.clone(), region.to_owned(), host_name.to_owned());
    let opened = engine.store().write(move |tx| open(&engine_in, tx, &region, &host_name, &token));
    opened.await?
}

fn open(engine: &Engine, tx: &Tx<'_>, region: &str, host_name: &str, token: &str) -> Result<Opened, Refusal> {
    let now = engine.now();
    let link: Link = tx.get(region, token)?.ok_or(Refusal::BadToken)?;
    if link.notebook != host_name {
        return Err(Refusal::BadToken);
    }
    if now > link.usable_until {
        return Err(Refusal::Expired);
    }
    let notebook = same_start(tx, region, host_name, &link.notebook_id, link.generation)?;
    if !link.bond.holds(&cx(engine, tx, region), &link.minted_by, &notebook)? {
        return Err(Refusal::Ended);
    }
    let mut secret = [0u8; 32];
    engine.ids().fill(&mut secret);
    let cookie = hex::encode(secret);
    let expires = now.plus_seconds(link.session_seconds);
    let notebook_id = link.notebook_id.clone();
    tx.put(
        region,
        &Session {
            digest: digest(&cookie),
            notebook: link.notebook,
            notebook_id: link.notebook_id,
            generation: link.generation,
            minted_by: link.minted_by,
            bond: link.bond,
            expires,
        },
    )?;
    let default = repository::of(&notebook).into_iter().find(|repository| repository.default);
    Ok(Opened { cookie, expires, notebook_id, repository: default.map(|repository| repository.folder) })
}

/// The bond is looked at as the service itself: that is no call of anybody's.
fn cx<'a>(engine: &'a Engine, tx: &'a Tx<'a>, region: &str) -> Cx<'a> {
    Cx::new(engine, tx, Caller::service(super::PRINCIPAL, region))
}

/// Whether a cookie's session holds: for this notebook, this start of it, now, and by leave of whoever made the link.
pub fn session(
    engine: &Engine,
    region: &str,
    host_name: &str,
    cookie: &str,
    visitor: Visitor,
) -> Result<Visit, Refusal> {
    let key = digest(cookie);
    let (session, visit) = engine.store().read(|tx| {
        let session: Session = tx.get(region, &key)?.ok_or(Refusal::NoSession)?;
        if session.notebook != host_name {
            return Err(Refusal::NoSession);
        }
        if engine.now() >= session.expires {
            return Err(Refusal::Expired);
        }
        let notebook = same_start(tx, region, host_name, &session.notebook_id, session.generation)?;
        if !session.bond.holds(&cx(engine, tx, region), &session.minted_by, &notebook)? {
            return Err(Refusal::Ended);
        }
        let user = owner(&notebook, &session.minted_by);
        let visit = Visit { notebook_id: session.notebook_id.clone(), user, expires: session.expires };
        Ok((session, visit))
    })??;
    if !minter::may(engine, region, host_name, &session.minted_by, &session.bond, visitor) {
        return Err(Refusal::Ended);
    }
    Ok(visit)
}

/// The notebook, if it is the very one and the very start that a link or session was made for, and in service.
fn same_start(tx: &Tx<'_>, region: &str, name: &str, id: &str, generation: u64) -> Result<Notebook, Refusal> {
    let notebook: Notebook = tx.get(region, name)?.ok_or(Refusal::UnknownNotebook)?;
    if notebook.id != id || notebook.generation != generation {
        return Err(Refusal::NoSession);
    }
    if notebook.status != Status::InService {
        return Err(Refusal::NotInService(notebook.status.name().to_ascii_lowercase()));
    }
    Ok(notebook)
}

/// Who the notebook's person is: the principal that asked the catalog for it, else the one that made the link.
fn owner(notebook: &Notebook, minted_by: &Principal) -> String {
    let asked = notebook.tags.get(OWNER);
    let name = asked.and_then(|arn| arn.rsplit(['/', ':']).next()).filter(|name| !name.is_empty());
    name.map_or_else(|| minted_by.user_name().to_owned(), str::to_owned)
}

/// The host says that a notebook's server ended although nobody stopped it.
pub async fn server_died(engine: &Engine, notebook_id: &str, reason: &str) -> Result<(), EngineError> {
    super::reconcile::died(engine, notebook_id, reason).await
}
