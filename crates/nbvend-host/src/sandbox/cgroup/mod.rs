//! Control groups of notebooks: memory, number of processes, CPU time; version 1, 2, or some of each.
//!
//! A machine offers what it offers: here each controller is looked for by itself, a group is made and its limit read
//! back before the controller counts as there. Groups are made below the one this process is in, or the nearest parent
//! that lets us; on version 2 that is usually a parent, since a group with processes in it hands no controllers on.

pub(crate) mod locate;
mod pids;
mod v1;
mod v2;

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

pub(crate) use locate::{Version, field};

use super::spec::{Limits, Usage};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Controller {
    Memory,
    Pids,
    Cpu,
}

impl Controller {
    const ALL: [Self; 3] = [Self::Memory, Self::Pids, Self::Cpu];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
        }
    }

    /// Writes the limit and reads it back.
    fn limit(self, version: Version, group: &Path, limits: &Limits) -> Result<(), String> {
        match (self, version) {
            (Self::Pids, _) => pids::limit(group, limits),
            (Self::Memory, Version::V1) => v1::limit_memory(group, limits),
            (Self::Memory, Version::V2) => v2::limit_memory(group, limits),
            (Self::Cpu, Version::V1) => v1::limit_cpu(group, limits),
            (Self::Cpu, Version::V2) => v2::limit_cpu(group, limits),
        }
    }

    fn count(self, version: Version, group: &Path, usage: &mut Usage) {
        match (self, version) {
            (Self::Pids, _) => pids::count(group, usage),
            (Self::Memory, Version::V1) => v1::count_memory(group, usage),
            (Self::Memory, Version::V2) => v2::count_memory(group, usage),
            // The time used is counted by cpuacct, elsewhere.
            (Self::Cpu, Version::V1) => {}
            (Self::Cpu, Version::V2) => v2::count_cpu(group, usage),
        }
    }
}

/// Where this machine lets us make groups, for each controller.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    controllers: Vec<(Controller, Version, PathBuf)>,
    /// Why the others are not among them.
    pub(super) missing: Vec<String>,
    /// The group that counts CPU time on version 1.
    accounting: Option<PathBuf>,
}

impl Place {
    /// Found once in a process: mounts of control groups do not come and go.
    pub(super) fn of_this_machine() -> &'static Self {
        static PLACE: OnceLock<Place> = OnceLock::new();
        PLACE.get_or_init(|| {
            let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
            let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            Self::find(&membership, &mounts)
        })
    }

    fn find(membership: &str, mounts: &str) -> Self {
        let mut place = Self::default();
        for controller in Controller::ALL {
            let mut reason = "not mounted".to_owned();
            let candidates = locate::locate(controller.name(), membership, mounts);
            let found = candidates.iter().find_map(|(version, own, mount)| {
                let mut bases = own.ancestors().take_while(|dir| dir.starts_with(mount));
                bases.find_map(|base| match attempt(controller, *version, base) {
                    Ok(()) => Some((controller, *version, base.to_path_buf())),
                    Err(error) => {
                        reason = format!("{}: {error}", base.display());
                        None
                    }
                })
            });
            match found {
                Some(found) => place.controllers.push(found),
                None => place.missing.push(format!("{} ({reason})", controller.name())),
            }
        }
        if place.version_of(Controller::Cpu) != Some(Version::V2) {
            let trees = locate::locate("cpuacct", membership, mounts);
            let own = trees.into_iter().find(|tree| tree.0 == Version::V1).map(|tree| tree.1);
            // No limit depends on it: without it nobody counts, that is all.
            place.accounting = own.filter(|base| {
                let group = base.join(format!("nbvend-probe-{}", std::process::id()));
                fs::create_dir(&group).and_then(|()| fs::remove_dir(&group)).is_ok()
            });
        }
        place
    }

    fn version_of(&self, controller: Controller) -> Option<Version> {
        self.controllers.iter().find(|entry| entry.0 == controller).map(|entry| entry.1)
    }

    /// For people: "memory v1, pids v1".
    pub(super) fn words(&self) -> String {
        let words = self.controllers.iter().map(|(controller, version, _)| {
            format!("{} {}", controller.name(), if *version == Version::V1 { "v1" } else { "v2" })
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// The groups of one sandbox, with its limits in force. What an earlier sandbox of that name left is killed first.
    pub(super) fn make(&self, name: &str, limits: &Limits) -> Result<Groups, String> {
        let mut groups = Groups::default();
        for (controller, version, base) in &self.controllers {
            groups.members.push((*controller, *version, base.join(name)));
        }
        groups.accounting = self.accounting.as_ref().map(|base| base.join(name));
        if groups.paths().any(Path::exists) {
            groups.end(Duration::from_secs(2))?;
        }
        let made = groups.make(limits);
        if made.is_err() {
            let _ = groups.end(Duration::from_secs(1));
        }
        made.map(|()| groups)
    }
}

/// Makes a group and takes it away again.
fn attempt(controller: Controller, version: Version, base: &Path) -> Result<(), String> {
    let group = base.join(format!("nbvend-probe-{}-{}", std::process::id(), controller.name()));
    fs::create_dir(&group).map_err(|error| error.to_string())?;
    let limits = Limits { cpu: 1.0, memory: 64 << 20, pids: 64 };
    let result = controller.limit(version, &group, &limits);
    let _ = fs::remove_dir(&group);
    result
}

/// The groups of one sandbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Groups {
    members: Vec<(Controller, Version, PathBuf)>,
    accounting: Option<PathBuf>,
}

impl Groups {
    fn make(&self, limits: &Limits) -> Result<(), String> {
        for path in self.paths() {
            // Version 2 has one folder for several controllers.
            match fs::create_dir(path) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(format!("{}: {error}", path.display()));
                }
                _ => {}
            }
        }
        self.limit(limits)
    }

    pub(super) fn limit(&self, limits: &Limits) -> Result<(), String> {
        self.members
            .iter()
            .try_for_each(|(controller, version, path)| controller.limit(*version, path, limits))
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        self.members.iter().map(|member| member.2.as_path()).chain(self.accounting.as_deref())
    }

    /// The files through which a process joins by writing `0`.
    ///
    /// On version 1 it is the file for threads: joining by `cgroup.procs` takes a lock over all forks of the machine,
    /// for which the kernel waits 8 to 19 ms (measured on Linux 6.18); a thread that moves itself is in after 0.1 ms.
    /// So who joins must have one thread.
    pub(super) fn doors(&self) -> Vec<PathBuf> {
        let mut doors: Vec<PathBuf> = Vec::new();
        let members = self.members.iter().map(|(_, version, path)| match version {
            Version::V1 => path.join("tasks"),
            Version::V2 => path.join("cgroup.procs"),
        });
        for door in members.chain(self.accounting.iter().map(|path| path.join("tasks"))) {
            if !doors.contains(&door) {
                doors.push(door);
            }
        }
        doors
    }

    pub(super) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for (controller, version, path) in &self.members {
            controller.count(*version, path, &mut usage);
        }
        if let Some(nanos) = self.accounting.as_ref().and_then(|path| number(path, "cpuacct.usage")) {
            // As above: far below where it would round.
            #[allow(clippy::cast_precision_loss)]
            let seconds = nanos as f64 / 1e9;
            usage.cpu_seconds = Some(seconds);
        }
        usage
    }

    /// Who is in any of them.
    pub(super) fn processes(&self) -> Vec<Pid> {
        let texts = self.paths().filter_map(|path| read(path, "cgroup.procs"));
        let mut pids: Vec<i32> = texts
            .flat_map(|text| text.lines().filter_map(|line| line.trim().parse().ok()).collect::<Vec<_>>())
            .collect();
        pids.sort_unstable();
        pids.dedup();
        pids.into_iter().filter_map(Pid::from_raw).collect()
    }

    /// Kills all that is in them.
    pub(super) fn kill(&self) {
        for path in self.paths() {
            // Version 2 does it at once and misses no fork.
            if path.join("cgroup.kill").exists() && write(path, "cgroup.kill", 1).is_ok() {
                continue;
            }
            for pid in self.processes() {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    /// Kills all that is in them and removes them; an error when something is still there in the end.
    pub(super) fn end(&self, patience: Duration) -> Result<(), String> {
        let until = Instant::now() + patience;
        let mut left = None;
        for path in self.paths() {
            let mut pause = Duration::from_micros(500);
            loop {
                match fs::remove_dir(path) {
                    Ok(()) => break,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
                    Err(error) if Instant::now() > until => {
                        left = Some(format!("{}: {error}", path.display()));
                        break;
                    }
                    Err(_) => {
                        self.kill();
                        thread::sleep(pause);
                        pause = (pause * 2).min(Duration::from_millis(20));
                    }
                }
            }
        }
        left.map_or(Ok(()), Err)
    }
}

fn write(group: &Path, file: &str, value: impl Display) -> Result<(), String> {
    use std::io::Write as _;
    let open = fs::OpenOptions::new().write(true).open(group.join(file));
    open.and_then(|mut file| file.write_all(value.to_string().as_bytes()))
        .map_err(|error| format!("{file}: {error}"))
}

fn read(group: &Path, file: &str) -> Option<String> {
    fs::read_to_string(group.join(file)).ok()
}

/// Whether a limit reads back as no more than was written.
fn at_most(group: &Path, file: &str, wanted: u64) -> Result<(), String> {
    match number(group, file) {
        Some(value) if value <= wanted && value > 0 => Ok(()),
        _ => Err(format!("{file} reads {}, not {wanted}", text_of(group, file))),
    }
}

/// Microseconds of CPU time in each period; the kernel takes no less than a thousand.
fn quota(limits: &Limits, period: u64) -> u64 {
    // Cores are few and positive: nothing is lost.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let quota = (limits.cpu * period as f64) as u64;
    quota.max(1000)
}

fn number(group: &Path, file: &str) -> Option<u64> {
    read(group, file)?.trim().parse().ok()
}

fn text_of(group: &Path, file: &str) -> String {
    read(group, file).map_or_else(|| "nothing".to_owned(), |text| text.trim().to_owned())
}
