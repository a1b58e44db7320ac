//! The memory limit of a function process: a control group where the machine allows it, else the kernel's limit
//! on writable data. (A limit on address space would break runtimes that reserve much and use little.)

use std::fmt;
use std::fs;
use std::io;

use rustix::process::Pid;

use super::cgroup::{Cgroups, Group, Version};
use super::rundir::RunDir;

/// How memory is limited on this machine; to be shown to whoever runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryControl {
    CgroupV1,
    CgroupV2,
    /// `RLIMIT_DATA`: holds for each process, not for the sum of a function's processes, and a function that
    /// hits it sees an allocation fail instead of being killed.
    DataSegment,
}

impl fmt::Display for MemoryControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MemoryControl::CgroupV1 => "cgroup v1",
            MemoryControl::CgroupV2 => "cgroup v2",
            MemoryControl::DataSegment => "RLIMIT_DATA",
        })
    }
}

#[derive(Debug)]
pub(super) struct Memory {
    groups: Option<Cgroups>,
}

impl Memory {
    pub(super) fn detect(run: &RunDir, cgroups: bool) -> io::Result<Self> {
        let groups = if cgroups { Cgroups::detect(&run.group_prefix()) } else { None };
        if let Some(groups) = &groups {
            run.note_cgroups(&groups.base)?;
        }
        Ok(Self { groups })
    }

    pub(super) fn control(&self) -> MemoryControl {
        match self.groups.as_ref().map(|groups| groups.version) {
            Some(Version::V1) => MemoryControl::CgroupV1,
            Some(Version::V2) => MemoryControl::CgroupV2,
            None => MemoryControl::DataSegment,
        }
    }

    /// The limit for process number `id`.
    pub(super) fn limit(&self, id: u64, memory_mb: u32) -> io::Result<Limit> {
        let bytes = u64::from(memory_mb) << 20;
        Ok(match &self.groups {
            Some(groups) => Limit::Group(groups.make(&id.to_string(), bytes)?),
            None => Limit::Data(bytes),
        })
    }
}

/// One process's limit.
#[derive(Debug)]
pub(super) enum Limit {
    Group(Group),
    Data(u64),
}

impl Limit {
    pub(super) fn group(&self) -> Option<&Group> {
        match self {
            Limit::Group(group) => Some(group),
            Limit::Data(_) => None,
        }
    }

    pub(super) fn oom_kills(&self) -> u64 {
        self.group().map_or(0, Group::oom_kills)
    }

    /// The most memory held so far in MiB, rounded up; of the first process alone when there is no group.
    pub(super) fn peak_mb(&self, leader: Pid) -> u64 {
        let bytes = self.group().and_then(Group::peak).or_else(|| high_water(leader)).unwrap_or(0);
        bytes.div_ceil(1 << 20)
    }
}

/// `VmHWM` of a process in bytes.
fn high_water(pid: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_high_water_mark_is_plausible() {
        let me = rustix::process::getpid();
        let bytes = high_water(me).unwrap();
        assert!((1 << 20..1 << 40).contains(&bytes), "{bytes}");
    }
}
