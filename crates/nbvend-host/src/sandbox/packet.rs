//! One message: a JSON value and descriptors beside it, over a unix socket that keeps messages apart.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::io::retry_on_intr;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, recvmsg, sendmsg, sockopt,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Less than what a socket's buffer takes by default.
const LONGEST: usize = 160 << 10;
/// The kernel's own limit is 253.
const MOST_FDS: usize = 64;

pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// A socket bound to a path; whatever was there before is gone. Not listening yet.
pub(super) fn bind(path: &Path) -> io::Result<OwnedFd> {
    let address = SocketAddrUnix::new(path)?;
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    rustix::net::bind(&socket, &address)?;
    Ok(socket)
}

pub(super) fn connect(path: &Path) -> io::Result<OwnedFd> {
    let address = SocketAddrUnix::new(path)?;
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    patience(&socket, Duration::from_secs(5))?;
    retry_on_intr(|| rustix::net::connect(&socket, &address))?;
    Ok(socket)
}

/// How long sending and receiving may block.
pub(super) fn patience(socket: impl AsFd, time: Duration) -> io::Result<()> {
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(time))?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(time))?;
    Ok(())
}

pub(super) fn send(socket: impl AsFd, message: &impl Serialize, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > LONGEST || fds.len() > MOST_FDS {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the message is too long for a sandbox"));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(fds));
    }
    retry_on_intr(|| sendmsg(&socket, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL))?;
    Ok(())
}

/// The next message; `UnexpectedEof` when the other side is gone.
pub(super) fn receive<T: DeserializeOwned>(socket: impl AsFd) -> io::Result<(T, Vec<OwnedFd>)> {
    let mut bytes = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    // With a time limit on the socket a signal interrupts for good, and the engine has children whose ends are signals.
    let received = retry_on_intr(|| {
        recvmsg(&socket, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
    })?;
    let fds: Vec<OwnedFd> = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        })
        .flatten()
        .collect();
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::Error::other("a message was cut off"));
    }
    Ok((serde_json::from_slice(&bytes[..received.bytes])?, fds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_with_its_descriptors() {
        let (one, other) = pair().unwrap();
        let (reader, writer) = io::pipe().unwrap();
        send(&one, &("hello", 5), &[reader.as_fd(), writer.as_fd()]).unwrap();
        send(&one, &"next", &[]).unwrap();
        let ((word, number), fds) = receive::<(String, u32)>(&other).unwrap();
        assert_eq!((word.as_str(), number, fds.len()), ("hello", 5, 2));
        drop(writer);
        io::Write::write_all(&mut std::fs::File::from(fds.into_iter().nth(1).unwrap()), b"x").unwrap();
        assert_eq!(io::read_to_string(reader).unwrap(), "x");
        assert_eq!(receive::<String>(&other).unwrap().0, "next");
        drop(one);
        assert_eq!(receive::<String>(&other).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(send(&other, &"x".repeat(LONGEST), &[]).is_err());
    }
}
