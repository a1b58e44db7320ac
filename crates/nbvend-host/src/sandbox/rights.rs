//! Giving up every right that is not needed, and reading back what is left.

use std::fs;
use std::io;

use super::control::Standing;
use super::spec::{Level, Spec};
use super::{namespaces, seccomp, sys};

/// Another user, without capabilities and, where they may be changed, groups; for good.
pub(super) fn become_stranger(uid: u32, drop_groups: bool) -> io::Result<()> {
    sys::drop_bounding()?;
    sys::become_user(uid, uid, drop_groups)?;
    sys::drop_capabilities()
}

/// No privileges by any program, and only the system calls that need none.
pub(super) fn bar() -> io::Result<()> {
    sys::no_new_privileges()?;
    sys::install_filter(&seccomp::program())
}

/// The bounding set must go while there is the right to empty it, the filter last, since it bars what comes before.
pub(super) fn give_up(spec: &Spec) -> io::Result<()> {
    if spec.level.contained() {
        become_stranger(spec.uid, spec.level == Level::Full)?;
    }
    // Nobody of the same user may look into this process, which holds doors and listeners.
    sys::not_dumpable()?;
    if spec.level.contained() {
        bar()?;
    }
    Ok(())
}

/// What this process is, as the kernel tells it.
pub(super) fn standing(level: Level) -> io::Result<Standing> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = |name: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        found.unwrap_or_default().trim()
    };
    let numbers =
        |name: &str| line(name).split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
    let mask = |name: &str| u64::from_str_radix(line(name), 16).unwrap_or(u64::MAX);
    let masks = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    let namespaces = namespaces::names(level).iter().map(|name| {
        let link = fs::read_link(format!("/proc/self/ns/{name}"))?;
        Ok(link.to_string_lossy().into_owned())
    });
    let mut root: Vec<String> =
        fs::read_dir("/")?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    root.sort();
    Ok(Standing {
        pid: rustix::process::getpid().as_raw_nonzero().get(),
        uids: numbers("Uid"),
        gids: numbers("Gid"),
        groups: numbers("Groups"),
        capabilities: masks.iter().fold(0, |all, name| all | mask(name)),
        no_new_privileges: line("NoNewPrivs") == "1",
        seccomp: line("Seccomp").parse().unwrap_or(0),
        namespaces: namespaces.collect::<io::Result<_>>()?,
        root,
    })
}

impl Standing {
    /// What of it is not as the level promises.
    pub(super) fn fault(&self, spec: &Spec) -> Option<String> {
        if !spec.level.contained() {
            return None;
        }
        let own = names_of_this_process(spec.level);
        let uid = spec.uid;
        let faults = [
            (self.pid != 1, "its first process is not number 1"),
            (self.uids != [uid; 4], "it runs as another user"),
            (self.gids != [uid; 4], "it runs as another group"),
            // In a user namespace groups cannot be dropped; the kernel shows those that are not mapped as 65534.
            (spec.level == Level::Full && !self.groups.is_empty(), "it kept groups"),
            (self.capabilities != 0, "it kept capabilities"),
            (!self.no_new_privileges, "it may gain privileges"),
            (self.seccomp != 2, "its system calls are not filtered"),
            (self.namespaces.len() != namespaces::names(spec.level).len(), "namespaces are missing"),
            (self.namespaces.iter().any(|name| own.contains(name)), "it shares a namespace with the engine"),
            (self.root.iter().any(|name| name == "sys" || name == "boot"), "it sees the host's root"),
        ];
        faults.into_iter().find(|(wrong, _)| *wrong).map(|(_, words)| words.to_owned())
    }
}

fn names_of_this_process(level: Level) -> Vec<String> {
    let links = namespaces::names(level)
        .iter()
        .filter_map(|name| fs::read_link(format!("/proc/self/ns/{name}")).ok());
    links.map(|link| link.to_string_lossy().into_owned()).collect()
}
