//! The few files of `/etc` that a notebook has: some of the host's, which say nothing about it, and some made up.

use super::spec::{HOME, USER};

/// The host's, where it has them.
pub(super) const SHARED: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/alternatives",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/etc/ca-certificates",
    "/etc/bash.bashrc",
    "/etc/profile",
    "/etc/inputrc",
    "/etc/terminfo",
    "/etc/mime.types",
    "/etc/services",
    "/etc/protocols",
    "/etc/fonts",
    "/etc/magic",
];

/// Made up.
pub(super) fn own(uid: u32) -> Vec<(&'static str, String)> {
    vec![
        (
            "/etc/passwd",
            format!(
                "root:x:0:0:root:/root:/usr/sbin/nologin\n{USER}:x:{uid}:{uid}::{HOME}:/bin/bash\n\
                 nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            ),
        ),
        ("/etc/group", format!("root:x:0:\n{USER}:x:{uid}:\nnogroup:x:65534:\n")),
        ("/etc/hosts", "127.0.0.1 localhost notebook\n::1 localhost\n".to_owned()),
        ("/etc/hostname", "notebook\n".to_owned()),
        // There is nobody to ask: what a notebook reaches, it reaches by a proxy that resolves names itself.
        ("/etc/resolv.conf", "# No resolver in here.\n".to_owned()),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n".to_owned()),
    ]
}
