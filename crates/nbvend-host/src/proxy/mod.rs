//! The reverse proxy: from a request the engine has let in to the notebook's unix socket, and back.
//!
//! The engine decides who may pass. The proxy sees to it that the notebook hears only what it should (one host, one
//! identity, no engine cookies, one framing of the body) and that nobody's requests can use up more than their share.
//!
//! ```text
//!   request ──► check (framing, host) ──► origin rule ──► place at the target ──► headers cleaned, identity set
//!                                                             ├─ websocket: own connection, bytes both ways
//!                                                             └─ else: pooled connection, bodies streamed
//! ```
mod body;
mod connection;
mod forward;
mod framing;
mod headers;
mod origin;
mod outgoing;
mod page;
mod pool;
mod target;
mod tunnel;
mod upload;
mod wire;

pub use body::{Body, BodyError};
pub use forward::{Checked, Peer, check, forward};
pub use origin::{embedding_allowed, origin_allowed};
pub use page::Page;
pub use target::{Limits, Target};
/// What ends a session: cancel it, and the requests and websockets forwarded with it end.
pub use tokio_util::sync::CancellationToken;
