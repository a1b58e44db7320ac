//! Packets between the engine and the zygote: a unix socket that keeps each message whole and carries descriptors.
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use tokio::io::unix::AsyncFd;

/// A packet may hold this many bytes; ours are far smaller.
const LARGEST: usize = 64 << 10;
/// And this many descriptors.
const DESCRIPTORS: usize = 32;

#[derive(Debug)]
pub(super) struct Packets(AsyncFd<OwnedFd>);

impl Packets {
    /// Our end, and the other's, which blocks and is closed in every program we start unless it is handed over.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )?;
        let flags = rustix::fs::fcntl_getfl(&theirs)?;
        rustix::fs::fcntl_setfl(&theirs, flags - rustix::fs::OFlags::NONBLOCK)?;
        // SAFETY: the descriptor is owned by the OwnedFd inside, which nobody takes out or replaces.
        #[allow(unsafe_code)]
        let ours = unsafe { AsyncFd::register(ours) }?;
        Ok((Self(ours), theirs))
    }

    pub(super) async fn send(&self, data: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        loop {
            let mut ready = self.0.writable().await?;
            let sent = ready.try_io(|socket| {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
                let mut ancillary = SendAncillaryBuffer::new(&mut space);
                if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
                    return Err(io::Error::other("too many descriptors for one packet"));
                }
                let parts = [IoSlice::new(data)];
                rustix::net::sendmsg(socket.get_ref(), &parts, &mut ancillary, SendFlags::NOSIGNAL)?;
                Ok(())
            });
            if let Ok(sent) = sent {
                return sent;
            }
        }
    }

    /// The next packet; none when the other side is gone.
    pub(super) async fn receive(&self) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
        loop {
            let mut ready = self.0.readable().await?;
            let received = ready.try_io(|socket| receive(socket.get_ref().as_fd()));
            match received {
                Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Ok(received) => return received,
                Err(_) => {}
            }
        }
    }
}

fn receive(socket: BorrowedFd<'_>) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut data = vec![0; LARGEST];
    let mut parts = [IoSliceMut::new(&mut data)];
    let message = rustix::net::recvmsg(socket, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    if message.bytes == 0 && descriptors.is_empty() {
        return Ok(None);
    }
    data.truncate(message.bytes);
    Ok(Some((data, descriptors)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn packets_stay_whole_and_carry_descriptors() {
        let (ours, theirs) = Packets::pair().unwrap();
        let (other, mine) = Packets::pair().unwrap();
        ours.send(b"first", &[mine.as_fd()]).await.unwrap();
        ours.send(b"second", &[]).await.unwrap();
        drop(mine);
        let (data, mut descriptors) = receive(theirs.as_fd()).unwrap().unwrap();
        assert_eq!((data.as_slice(), descriptors.len()), (b"first".as_slice(), 1));
        let carried = descriptors.remove(0);
        assert_eq!(receive(theirs.as_fd()).unwrap().unwrap().0, b"second");

        // What came by the packet is a working end of the other socket.
        rustix::net::send(&carried, b"hello", SendFlags::empty()).unwrap();
        assert_eq!(other.receive().await.unwrap().unwrap().0, b"hello");
        drop(carried);
        assert!(other.receive().await.unwrap().is_none(), "the last holder is gone");
        drop(ours);
        assert!(receive(theirs.as_fd()).unwrap().is_none());
    }
}
