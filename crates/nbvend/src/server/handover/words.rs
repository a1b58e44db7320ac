//! What is said over the socket `upgrade.sock` in the data folder: JSON after its length, and listening sockets.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{UnixListener, UnixStream};

use crate::server::Origin;

/// Two engines hand over to each other only if they mean the same by all this.
pub const PROTOCOL: u32 = 1;

const SOCKET: &str = "upgrade.sock";
const LONGEST: usize = 4 << 20;
const MOST_SOCKETS: usize = 8;

/// The first word of whoever connects.
#[derive(Debug, Serialize, Deserialize)]
pub enum Hello {
    /// Wants to be the engine. Answered by [`Answer`].
    Takeover(Wish),
    /// An HTTP connection follows, of one whose connection is with a process that drains.
    Relay(Origin),
    /// A process that drains; reports follow, each answered by [`Over`].
    Drainer,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wish {
    pub protocol: u32,
    pub version: String,
    pub account: String,
    pub listen: SocketAddr,
}

/// From the old engine to the new one.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// For good, in words.
    Refused(String),
    /// So many listening sockets follow.
    Offer(usize),
    /// It still works on it.
    Wait,
    /// The store is closed and the folder free.
    Yours,
}

/// From the new engine to the old one.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    Ready,
    Serving,
}

/// What a process that drains still has.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    pub connections: usize,
    pub sessions: Vec<Open>,
}

/// A session with something open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub cookie: String,
    pub name: String,
    pub region: String,
    pub ip: IpAddr,
    pub secure: bool,
}

/// The cookies whose sessions are over.
#[derive(Debug, Serialize, Deserialize)]
pub struct Over(pub Vec<String>);

pub async fn send(stream: &mut UnixStream, message: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut whole = length.to_le_bytes().to_vec();
    whole.extend_from_slice(&body);
    stream.write_all(&whole).await
}

/// The next message, and no byte of what follows it.
pub async fn receive<T: DeserializeOwned>(stream: &mut UnixStream) -> io::Result<T> {
    let length = usize::try_from(stream.read_u32_le().await?).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(serde_json::from_slice(&body)?)
}

/// Sends descriptors, with one byte that carries them.
pub async fn send_sockets(stream: &UnixStream, sockets: &[BorrowedFd<'_>]) -> io::Result<()> {
    let send = || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_SOCKETS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(sockets)) {
            return Err(io::Error::other("too many sockets"));
        }
        sendmsg(stream.as_fd(), &[IoSlice::new(b"s")], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    };
    stream.async_io(Interest::WRITABLE, send).await
}

pub async fn receive_sockets(stream: &UnixStream) -> io::Result<Vec<OwnedFd>> {
    let receive = || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_SOCKETS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let mut parts = [IoSliceMut::new(&mut byte)];
        recvmsg(stream.as_fd(), &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let rights = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(rights) => Some(rights),
            _ => None,
        });
        Ok(rights.flatten().collect())
    };
    stream.async_io(Interest::READABLE, receive).await
}

/// Listens at the folder's socket; whoever listened there before is not reached any more.
pub fn listen(folder: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let own = format!("{SOCKET}.{}", std::process::id());
    let path = folder.join(&own);
    // Left by a process that had our number.
    let _ = std::fs::remove_file(&path);
    let listener = briefly(folder, &own, |name| std::os::unix::net::UnixListener::bind(name))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(path, folder.join(SOCKET))?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Takes the folder's socket away: the engine stops, and nobody shall find what leads nowhere.
pub fn remove(folder: &Path) {
    let _ = std::fs::remove_file(folder.join(SOCKET));
}

pub fn connect(folder: &Path) -> io::Result<UnixStream> {
    let stream = briefly(folder, SOCKET, |name| std::os::unix::net::UnixStream::connect(name))?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// A socket's path has 107 bytes at most and a data folder's may be longer; by way of a descriptor it is short.
fn briefly<T>(folder: &Path, name: &str, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    use std::os::fd::AsRawFd;
    let folder = std::fs::File::open(folder)?;
    work(&Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name))
}

/// Whether the process at the other end is this user's.
pub fn ours(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_and_sockets_arrive_in_a_folder_with_a_long_name() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("x".repeat(200));
        std::fs::create_dir(&folder).unwrap();
        assert!(connect(&folder).is_err());
        let first = listen(&folder).unwrap();
        let second = listen(&folder).unwrap();
        let mut client = connect(&folder).unwrap();
        let (mut server, _) = second.accept().await.unwrap();
        assert!(ours(&server) && ours(&client));
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        send(&mut server, &Answer::Offer(1)).await.unwrap();
        send_sockets(&server, &[tcp.as_fd()]).await.unwrap();
        send(&mut server, &Answer::Wait).await.unwrap();
        assert!(matches!(receive(&mut client).await.unwrap(), Answer::Offer(1)));
        let sockets = receive_sockets(&client).await.unwrap();
        let copy = std::net::TcpListener::from(sockets.into_iter().next().unwrap());
        assert_eq!(copy.local_addr().unwrap(), tcp.local_addr().unwrap());
        assert!(matches!(receive(&mut client).await.unwrap(), Answer::Wait));
        drop((server, first));
        assert_eq!(receive::<Answer>(&mut client).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
