//! Control groups, version 1 or 2, for the memory of one process and its children.
//!
//! A group is made below the one this process is in, or below the nearest parent that lets us: then whatever
//! limits the engine limits its functions too. On version 2 a group with processes in it cannot hand its
//! controllers to children, so there it is usually a parent's. A limit counts only after it was read back.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

pub(super) use crate::sandbox::cgroup::Version;
use crate::sandbox::cgroup::{field, locate::locate};

/// A place where groups can be made.
#[derive(Debug)]
pub(super) struct Cgroups {
    pub(super) version: Version,
    pub(super) base: PathBuf,
    prefix: String,
}

impl Cgroups {
    /// Finds a place by making a group and reading its limit back.
    pub(super) fn detect(prefix: &str) -> Option<Self> {
        let membership = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        for (version, own, mount) in locate("memory", &membership, &mounts) {
            for base in own.ancestors().take_while(|dir| dir.starts_with(&mount)) {
                let place = Self { version, base: base.to_path_buf(), prefix: prefix.to_string() };
                match place.make("probe", 64 << 20) {
                    Ok(group) => {
                        group.remove();
                        return Some(place);
                    }
                    Err(error) => tracing::debug!(base = %base.display(), %error, "no memory group here"),
                }
            }
        }
        None
    }

    /// A group limited to `bytes` of memory, without swap.
    pub(super) fn make(&self, name: &str, bytes: u64) -> io::Result<Group> {
        let path = self.base.join(format!("{}{name}", self.prefix));
        fs::create_dir(&path)?;
        let group = Group { version: self.version, path };
        match group.limit(bytes) {
            Ok(()) => Ok(group),
            Err(error) => {
                group.remove();
                Err(error)
            }
        }
    }
}

/// One group. Not removed on drop: its last process may still be dying, see [`Group::remove`].
#[derive(Debug)]
pub(super) struct Group {
    version: Version,
    path: PathBuf,
}

impl Group {
    fn limit(&self, bytes: u64) -> io::Result<()> {
        let (limit, extras) = match self.version {
            // With swap accounting the sum of both is what would be exceeded next.
            Version::V1 => {
                ("memory.limit_in_bytes", vec![("memory.memsw.limit_in_bytes", bytes.to_string())])
            }
            Version::V2 => (
                "memory.max",
                vec![("memory.swap.max", "0".to_string()), ("memory.oom.group", "1".to_string())],
            ),
        };
        self.write(limit, &bytes.to_string())?;
        let effective =
            self.number(limit).ok_or_else(|| io::Error::other("the memory limit cannot be read back"))?;
        if effective > bytes {
            return Err(io::Error::other(format!("the memory limit reads {effective}, not {bytes}")));
        }
        for (file, value) in extras {
            // Present only where swap is accounted or the kernel is new enough; the limit above holds without.
            let _ = self.write(file, &value);
        }
        Ok(())
    }

    fn write(&self, file: &str, value: &str) -> io::Result<()> {
        use std::io::Write as _;
        OpenOptions::new().write(true).open(self.path.join(file))?.write_all(value.as_bytes())
    }

    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.path.join(file)).ok()
    }

    fn number(&self, file: &str) -> Option<u64> {
        self.read(file)?.trim().parse().ok()
    }

    /// The file through which a process with one thread joins by writing `0`. Opened before the fork, written after.
    ///
    /// On version 1 it is the file for threads. Joining by `cgroup.procs` takes a lock over all forks of the machine,
    /// for which the kernel waits 8 to 19 ms (measured on Linux 6.18); a thread that moves itself needs no such lock
    /// and is in after 0.1 ms.
    pub(super) fn door(&self) -> io::Result<File> {
        let name = match self.version {
            Version::V1 => "tasks",
            Version::V2 => "cgroup.procs",
        };
        OpenOptions::new().write(true).open(self.path.join(name))
    }

    /// The most the group has held, in bytes.
    pub(super) fn peak(&self) -> Option<u64> {
        self.number(match self.version {
            Version::V1 => "memory.max_usage_in_bytes",
            Version::V2 => "memory.peak",
        })
    }

    /// How many of its processes the kernel killed for memory.
    pub(super) fn oom_kills(&self) -> u64 {
        let file = match self.version {
            Version::V1 => "memory.oom_control",
            Version::V2 => "memory.events",
        };
        self.read(file).map_or(0, |text| field(&text, "oom_kill"))
    }

    pub(super) fn members(&self) -> Vec<Pid> {
        let text = self.read("cgroup.procs").unwrap_or_default();
        text.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?)).collect()
    }

    /// Kills everything in it, also what left the process group.
    pub(super) fn kill(&self) {
        if self.version == Version::V2 && self.write("cgroup.kill", "1").is_ok() {
            return;
        }
        for pid in self.members() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Empties and removes it. Waits up to a second for its processes to be gone.
    pub(super) fn remove(&self) {
        for _ in 0..200 {
            match fs::remove_dir(&self.path) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return,
                Err(_) => {
                    self.kill();
                    thread::sleep(Duration::from_millis(5));
                }
            }
        }
        tracing::warn!(path = %self.path.display(), "a control group cannot be removed");
    }
}

/// Removes all groups below `base` whose name begins with `prefix`.
pub(super) fn sweep(base: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(prefix)) {
            // Killing and removing need no version: both have cgroup.procs.
            Group { version: Version::V1, path }.remove();
        }
    }
}
