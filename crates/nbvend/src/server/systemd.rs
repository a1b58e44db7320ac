//! A word to systemd, where it wants one (sd_notify(3)): which process is the service's main one.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// This process is the engine now.
pub fn ready() {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return };
    let text = format!("READY=1\nMAINPID={}\n", std::process::id());
    let send = || {
        // A name in no folder is written with an at sign.
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address)
    };
    if let Err(error) = send() {
        tracing::warn!(%error, "systemd cannot be told that the engine is ready");
    }
}
