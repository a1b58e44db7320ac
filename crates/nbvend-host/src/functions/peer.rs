//! Who is at the other end of a loopback connection.
//!
//! The Runtime API has no credentials: whoever reaches the port could take a function's request or forge its
//! answer. So each accepted connection is traced to the socket of its other end (by the kernel's table) and that
//! socket to a process, which must be one of the function's. Done once a connection; runtimes keep theirs.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::net::{IpAddr, SocketAddr};

use rustix::process::Pid;

use super::sockdiag;

/// Whether the socket at `peer`, connected to our `local`, is held by the process `leader`, one of its process
/// group, or one of `others`. Blocking: reads /proc.
pub(super) fn belongs(peer: SocketAddr, local: SocketAddr, leader: Pid, others: &[Pid]) -> bool {
    let Some(inode) = socket_inode(peer, local) else { return false };
    let wanted = format!("socket:[{inode}]");
    if holds(leader, &wanted) {
        return true;
    }
    let mut tried = HashSet::from([leader]);
    others.iter().copied().chain(group_members(leader)).any(|pid| tried.insert(pid) && holds(pid, &wanted))
}

/// The inode of the socket whose own address is `peer` and whose remote address is `local`: asked for, or looked up
/// in the tables where the kernel does not answer.
fn socket_inode(peer: SocketAddr, local: SocketAddr) -> Option<u64> {
    if let (SocketAddr::V4(peer), SocketAddr::V4(local)) = (peer, local)
        && let Ok(inode) = sockdiag::inode(peer, local)
    {
        return Some(inode);
    }
    table_inode(peer, local)
}

fn table_inode(peer: SocketAddr, local: SocketAddr) -> Option<u64> {
    // The table is not read in one piece; a row can be missed while others come and go.
    (0..3).find_map(|_| {
        // A client that opens IPv6 sockets for everything stands in the second table, with mapped addresses.
        ["/proc/self/net/tcp", "/proc/self/net/tcp6"].iter().find_map(|table| {
            // A table has no size to go by; without a guess it is read in many small pieces.
            let mut rows = String::with_capacity(64 << 10);
            File::open(table).and_then(|mut file| file.read_to_string(&mut rows)).ok()?;
            find_inode(&rows, &hex_address(peer), &hex_address(local))
        })
    })
}

/// Looks a row up by its two addresses, in the short or the mapped form. Zero means the socket is closed.
fn find_inode(rows: &str, own: &str, remote: &str) -> Option<u64> {
    rows.lines().find_map(|row| {
        let mut fields = row.split_ascii_whitespace().skip(1);
        let (left, right) = (fields.next()?, fields.next()?);
        if !(same_address(left, own) && same_address(right, remote)) {
            return None;
        }
        fields.nth(6)?.parse().ok().filter(|inode| *inode != 0)
    })
}

fn same_address(shown: &str, wanted: &str) -> bool {
    shown == wanted
        || (shown.len() > wanted.len()
            && shown.strip_prefix(&mapped_prefix()).is_some_and(|rest| rest == wanted))
}

/// `::ffff:0:0/96` as the kernel prints it: three words in the machine's byte order.
fn mapped_prefix() -> String {
    format!("{:08X}{:08X}{:08X}", 0, 0, u32::from_ne_bytes([0, 0, 0xff, 0xff]))
}

/// An IPv4 address as the kernel prints it: one word in the machine's byte order, and the port.
fn hex_address(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip,
        IpAddr::V6(ip) => ip.to_ipv4_mapped().unwrap_or(std::net::Ipv4Addr::UNSPECIFIED),
    };
    format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port())
}

fn holds(pid: Pid, wanted: &str) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())) else { return false };
    entries
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == wanted))
}

/// All processes of `leader`'s group.
fn group_members(leader: Pid) -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        (group_of(&stat)? == leader.as_raw_nonzero().get()).then_some(pid)
    })
}

/// The process group in a line of `/proc/<pid>/stat`; the name before it may hold anything, also `)`.
fn group_of(stat: &str) -> Option<i32> {
    stat.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn rows_are_found_in_both_forms() {
        let rows = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 0100007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 x\n\
             1: 0100007F:1F91 0100007F:0016 06 00000000:00000000 00:00000000 00000000     0        0 0 1 x\n\
             2: 0000000000000000FFFF00000100007F:1F92 0000000000000000FFFF00000100007F:0016 01 0:0 0:0 0 1000 0 4712 1\n";
        let cases = [
            ("0100007F:1F90", Some(4711)),
            ("0100007F:1F91", None),
            ("0100007F:1F92", if cfg!(target_endian = "little") { Some(4712) } else { None }),
            ("0100007F:1F93", None),
        ];
        for (own, wanted) in cases {
            assert_eq!(find_inode(rows, own, "0100007F:0016"), wanted, "{own}");
        }
    }

    #[test]
    fn the_group_is_found_behind_any_name() {
        assert_eq!(group_of("12 (a) b) S 1 77 88 0"), Some(77));
        assert_eq!(group_of("2 (kthreadd) S 0 0 0 0"), Some(0));
        assert_eq!(group_of(""), None);
    }

    #[test]
    fn a_client_with_an_ipv6_socket_is_found() {
        use rustix::net::{AddressFamily, SocketType, connect, socket};
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let Ok(client) = socket(AddressFamily::INET6, SocketType::STREAM, None) else { return };
        let mapped = std::net::SocketAddrV6::new(std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped(), port, 0, 0);
        connect(&client, &mapped).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let local = server.local_addr().unwrap();
        assert!(belongs(peer, local, rustix::process::getpid(), &[]));
        assert!(table_inode(peer, local).is_some());
    }

    #[test]
    fn only_the_process_at_the_other_end_belongs() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let local = server.local_addr().unwrap();
        let me = rustix::process::getpid();
        assert!(belongs(peer, local, me, &[]));
        assert_eq!(table_inode(peer, local), socket_inode(peer, local), "both ways find the same");

        let mut stranger = std::process::Command::new("sleep");
        std::os::unix::process::CommandExt::process_group(&mut stranger, 0);
        let mut stranger = stranger.arg("60").spawn().unwrap();
        let pid = Pid::from_child(&stranger);
        let seen = [belongs(peer, local, pid, &[]), belongs(peer, local, pid, &[me])];
        stranger.kill().unwrap();
        stranger.wait().unwrap();
        assert_eq!(seen, [false, true]);

        drop(client);
        assert!(!belongs(peer, local, me, &[]));
    }
}
