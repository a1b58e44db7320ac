//! The old engine's side of a hand-over.

use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::net::UnixStream;

use super::door::Taker;
use super::words::{self, Answer, PROTOCOL, Reply, Wish};
use crate::server::life::Life;

/// How long the new one may prepare itself: loading JupyterLab takes it some seconds.
const PREPARING: Duration = Duration::from_secs(60);
/// How long it may take from `yours` to `serving`. A store that has to be migrated is read once.
const BEGINNING: Duration = Duration::from_secs(60);
/// How often it hears that we still work on it.
const PULSE: Duration = Duration::from_secs(1);

/// How a hand-over ended.
pub enum Given {
    /// Nothing was changed; the engine serves.
    Kept,
    /// The store was closed and nobody took it: the engine has to begin anew.
    Left,
    /// Another process is the engine.
    Gone,
}

/// Hands the engine over, if all goes well.
pub async fn give(life: &mut Life, taker: Taker) -> Given {
    let Taker { mut stream, wish, _turn } = taker;
    let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
    tracing::info!(pid, version = wish.version, "another process asks to take over");
    if let Err(error) = introduce(life, &mut stream, &wish).await {
        tracing::warn!(%error, "nothing came of the hand-over; this engine goes on");
        return Given::Kept;
    }
    let settled = tokio::select! {
        () = life.settle() => Ok(()),
        error = pulse(&mut stream) => Err(error),
    };
    if let Err(error) = settled {
        tracing::warn!(%error, "the process that asked is gone; this engine goes on");
        life.resume().await;
        return Given::Kept;
    }
    life.close().await;
    let handed = async {
        words::send(&mut stream, &Answer::Yours).await?;
        words::receive::<Reply>(&mut stream).await
    };
    match tokio::time::timeout(BEGINNING, handed).await {
        Ok(Ok(Reply::Serving)) => Given::Gone,
        Ok(Ok(reply)) => left(pid, &format!("it said {reply:?}")),
        Ok(Err(error)) => left(pid, &error.to_string()),
        Err(_) => left(pid, "it did not begin in time"),
    }
}

async fn introduce(life: &Life, stream: &mut UnixStream, wish: &Wish) -> std::io::Result<()> {
    if let Some(why) = refusal(life, wish) {
        words::send(stream, &Answer::Refused(why.clone())).await?;
        return Err(std::io::Error::other(why));
    }
    let sockets = life.listeners.sockets();
    words::send(stream, &Answer::Offer(sockets.len())).await?;
    words::send_sockets(stream, &sockets).await?;
    match tokio::time::timeout(PREPARING, words::receive(stream)).await?? {
        Reply::Ready => Ok(()),
        Reply::Serving => Err(std::io::Error::other("it serves without being asked to")),
    }
}

fn refusal(life: &Life, wish: &Wish) -> Option<String> {
    if wish.protocol != PROTOCOL {
        return Some(format!("this engine speaks protocol {PROTOCOL} of upgrades, not {}", wish.protocol));
    }
    let account = &life.site.engine.config().account;
    if wish.account != *account {
        return Some(format!(
            "the engine's account is {account}; it cannot become {} while it runs. Stop it with `nbvend down` first",
            wish.account
        ));
    }
    let address = life.listeners.address();
    let same = wish.listen.ip() == address.ip() && [0, address.port()].contains(&wish.listen.port());
    (!same).then(|| {
        format!(
            "the engine listens on {address}, which an upgrade in place keeps; give --listen {address}, or stop it with \
             `nbvend down` first"
        )
    })
}

/// Says again and again that we are at it; returns when nobody hears it.
async fn pulse(stream: &mut UnixStream) -> std::io::Error {
    loop {
        if let Err(error) = words::send(stream, &Answer::Wait).await {
            return error;
        }
        // It has nothing to say now: what can be read is its end.
        match tokio::time::timeout(PULSE, stream.readable()).await {
            Err(_) => {}
            Ok(Err(error)) => return error,
            Ok(Ok(())) => match stream.try_read(&mut [0]) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return error,
                Ok(_) => return std::io::ErrorKind::UnexpectedEof.into(),
            },
        }
    }
}

/// The other one may not go on with a store that is ours again.
fn left(pid: Option<i32>, why: &str) -> Given {
    tracing::error!(why, "the engine was handed over and not taken; this one begins anew");
    let process = pid.and_then(Pid::from_raw).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    if let Some(process) = process {
        let _ = pidfd_send_signal(process, Signal::KILL);
    }
    Given::Left
}
