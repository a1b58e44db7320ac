//! The new engine's side of a hand-over.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UnixStream;

use super::failpoint;
use super::words::{self, Answer, Hello, PROTOCOL, Reply, Wish};
use crate::home::Home;
use crate::server::Listeners;

/// How long the old one may be silent at first before it is taken for one that hangs, and while it lets go.
const SILENCE: Duration = Duration::from_secs(15);
const SILENCE_LATER: Duration = Duration::from_secs(20);

/// Why there is no hand-over.
pub enum Miss {
    /// The old engine serves, and will not hand over to such a one.
    Refused(String),
    /// It is of an older version, hangs, or died meanwhile. With its sockets, if they have come already.
    Unable(String, Option<Listeners>),
}

/// What the old engine lets go of. It serves until [`Offer::take`].
pub struct Offer {
    stream: UnixStream,
    pub listeners: Listeners,
}

/// The data folder is ours; the old engine waits for [`Owned::serving`].
pub struct Owned {
    stream: UnixStream,
}

/// Asks the engine that runs on `home` to hand over.
pub async fn ask(home: &Home, account: &str, listen: SocketAddr) -> Result<Offer, Miss> {
    let unable = |why: String| Miss::Unable(why, None);
    let mut stream = words::connect(home.root())
        .map_err(|error| unable(format!("it has no socket for upgrades ({error})")))?;
    let wish = Wish {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        account: account.to_owned(),
        listen,
    };
    words::send(&mut stream, &Hello::Takeover(wish)).await.map_err(|error| unable(error.to_string()))?;
    failpoint("asked");
    let count = match hear(&mut stream, SILENCE).await.map_err(unable)? {
        Answer::Offer(count) => count,
        Answer::Refused(why) => return Err(Miss::Refused(why)),
        other => return Err(unable(format!("it answered {other:?}"))),
    };
    let sockets = tokio::time::timeout(SILENCE, words::receive_sockets(&stream)).await;
    let sockets = sockets.map_err(|_| unable(SILENT.to_owned()))?;
    let listeners = sockets.and_then(Listeners::given).map_err(|error| unable(error.to_string()))?;
    if listeners.sockets().len() != count {
        return Err(unable("its sockets did not come".to_owned()));
    }
    failpoint("offered");
    Ok(Offer { stream, listeners })
}

const SILENT: &str = "it does not answer";

async fn hear(stream: &mut UnixStream, patience: Duration) -> Result<Answer, String> {
    let heard = tokio::time::timeout(patience, words::receive(stream)).await;
    heard.map_err(|_| SILENT.to_owned())?.map_err(|error| format!("it broke off: {error}"))
}

impl Offer {
    /// Says that all is ready, and returns when the old engine has let go.
    pub async fn take(mut self) -> Result<(Listeners, Owned), Miss> {
        match self.wait().await {
            Ok(()) => {
                failpoint("yours");
                Ok((self.listeners, Owned { stream: self.stream }))
            }
            Err(why) => Err(Miss::Unable(why, Some(self.listeners))),
        }
    }

    async fn wait(&mut self) -> Result<(), String> {
        words::send(&mut self.stream, &Reply::Ready).await.map_err(|error| error.to_string())?;
        failpoint("ready");
        loop {
            match hear(&mut self.stream, SILENCE_LATER).await? {
                Answer::Wait => {}
                Answer::Yours => return Ok(()),
                other => return Err(format!("it answered {other:?}")),
            }
        }
    }
}

impl Owned {
    /// Lets the old one drain.
    pub async fn serving(mut self) {
        failpoint("serving");
        if let Err(error) = words::send(&mut self.stream, &Reply::Serving).await {
            tracing::warn!(%error, "the old engine ended instead of draining");
        }
    }

    /// The store is open and the servers are adopted.
    pub fn opened(&self) {
        failpoint("opened");
    }
}
