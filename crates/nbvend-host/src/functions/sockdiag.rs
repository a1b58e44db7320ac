//! Asks the kernel for one TCP socket by its two addresses (netlink, `NETLINK_SOCK_DIAG`).
//!
//! The answer takes well under 0.1 ms however many sockets there are; the text tables in /proc list all, closed ones of
//! the last minute among them, which was 5 to 10 ms with some thousand of those.

use std::net::SocketAddrV4;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

/// `struct nlmsghdr`, then `struct inet_diag_req_v2` or `struct inet_diag_msg`.
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;
/// `idiag_inode` in the answer.
const INODE: usize = HEADER + 68;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const AF_INET: u8 = 2;
const IPPROTO_TCP: u8 = 6;

/// The inode of the socket whose own address is `own` and whose remote address is `remote`.
///
/// # Errors
/// If there is none, or the kernel cannot be asked (its module is missing): the two look the same.
pub(super) fn inode(own: SocketAddrV4, remote: SocketAddrV4) -> Result<u64, Errno> {
    let socket =
        socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(Duration::from_millis(200)))?;
    sendto(&socket, &request(own, remote), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0_u8; 512];
    let (count, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    parse(&answer[..count]).ok_or(Errno::NOENT)
}

fn request(own: SocketAddrV4, remote: SocketAddrV4) -> [u8; REQUEST] {
    let mut bytes = [0; REQUEST];
    bytes[..4].copy_from_slice(&(REQUEST as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&NLM_F_REQUEST.to_ne_bytes());
    let body = &mut bytes[HEADER..];
    body[0] = AF_INET;
    body[1] = IPPROTO_TCP;
    body[4..8].copy_from_slice(&u32::MAX.to_ne_bytes()); // any state
    body[8..10].copy_from_slice(&own.port().to_be_bytes());
    body[10..12].copy_from_slice(&remote.port().to_be_bytes());
    body[12..16].copy_from_slice(&own.ip().octets());
    body[28..32].copy_from_slice(&remote.ip().octets());
    body[48..].fill(0xff); // no cookie
    bytes
}

/// A closed socket has the inode 0.
fn parse(answer: &[u8]) -> Option<u64> {
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    let inode = u32::from_ne_bytes(answer.get(INODE..INODE + 4)?.try_into().ok()?);
    (kind == SOCK_DIAG_BY_FAMILY && inode != 0).then_some(u64::from(inode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_gives_no_inode() {
        let mut answer = [0_u8; INODE + 4];
        answer[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        assert_eq!(parse(&answer), None, "closed");
        answer[INODE..].copy_from_slice(&7_u32.to_ne_bytes());
        assert_eq!(parse(&answer), Some(7));
        assert_eq!(parse(&answer[..INODE]), None, "cut short");
        answer[4..6].copy_from_slice(&2_u16.to_ne_bytes());
        assert_eq!(parse(&answer), None, "an error");
    }
}
