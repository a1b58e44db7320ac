//! Namespaces: making them, the user mapping of `userns`, the loopback interface and the listeners on it.

use std::ffi::{c_int, c_ulong};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use super::spec::{Level, Spec};
use super::sys;

/// In the order in which they are to be entered.
pub(super) fn names(level: Level) -> &'static [&'static str] {
    match level {
        Level::Full => &["mnt", "pid", "ipc", "uts", "net"],
        Level::Userns => &["user", "mnt", "pid", "ipc", "uts", "net"],
        Level::Process => &[],
    }
}

/// Makes them all; the process namespace begins with the next fork.
pub(super) fn make(spec: &Spec) -> io::Result<()> {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let flags =
        libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWNET;
    match spec.level {
        Level::Process => Ok(()),
        Level::Full => sys::unshare(flags),
        Level::Userns => {
            sys::unshare(flags | libc::CLONE_NEWUSER)?;
            // An unprivileged process may map one user: itself, and groups only once it has given up changing them.
            fs::write("/proc/self/setgroups", "deny")?;
            fs::write("/proc/self/uid_map", format!("{} {uid} 1", spec.uid))?;
            fs::write("/proc/self/gid_map", format!("{} {gid} 1", spec.uid))
        }
    }
}

/// The descriptors of this process's namespaces.
pub(super) fn open_own(level: Level) -> io::Result<Vec<OwnedFd>> {
    names(level).iter().map(|name| Ok(fs::File::open(format!("/proc/self/ns/{name}"))?.into())).collect()
}

/// `struct ifreq` as far as it is used: an interface's name and flags or an IPv4 address.
#[repr(C)]
struct Interface {
    name: [u8; 16],
    value: [u8; 24],
}

impl Interface {
    fn new(name: &str) -> Self {
        let mut interface = Self { name: [0; 16], value: [0; 24] };
        for (to, from) in interface.name.iter_mut().take(15).zip(name.bytes()) {
            *to = from;
        }
        interface
    }

    fn flags(mut self, flags: c_int) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "the kernel's field is a short")]
        self.value[..2].copy_from_slice(&(flags as i16).to_ne_bytes());
        self
    }

    /// A `struct sockaddr_in` without a port.
    fn address(mut self, address: Ipv4Addr) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "families are small numbers")]
        self.value[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
        self.value[4..8].copy_from_slice(&address.octets());
        self
    }
}

/// Loopback up, with the listeners' addresses on it.
pub(super) fn loopback(listeners: &[SocketAddr]) -> io::Result<()> {
    let socket =
        rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let set =
        |request: c_ulong, mut interface: Interface| sys::ioctl(&socket, request, &mut interface).map(drop);
    let up = libc::IFF_UP | libc::IFF_RUNNING;
    set(libc::SIOCSIFFLAGS as c_ulong, Interface::new("lo").flags(up))?;
    let mut added: Vec<Ipv4Addr> = Vec::new();
    for address in listeners {
        if let SocketAddr::V4(address) = address
            && !address.ip().is_loopback()
            && !added.contains(address.ip())
        {
            let label = format!("lo:{}", added.len() + 1);
            set(libc::SIOCSIFADDR as c_ulong, Interface::new(&label).address(*address.ip()))?;
            set(libc::SIOCSIFNETMASK as c_ulong, Interface::new(&label).address(Ipv4Addr::BROADCAST))?;
            added.push(*address.ip());
        }
    }
    Ok(())
}

/// Made here, accepted from by the engine, wherever that is: a socket stays in the namespace it was made in.
pub(super) fn listen(addresses: &[SocketAddr]) -> io::Result<Vec<TcpListener>> {
    let listen = |address: &SocketAddr| {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(socket.as_fd(), true)?;
        rustix::net::bind(&socket, address)?;
        rustix::net::listen(&socket, 128)?;
        Ok(TcpListener::from(socket))
    };
    let named = |address: &SocketAddr| {
        listen(address)
            .map_err(|error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}")))
    };
    addresses.iter().map(named).collect()
}
