//! Limits of single processes, which hold also where no control groups are.

use rustix::process::{Resource, Rlimit, getrlimit};

use super::spec::{Level, Limits};

pub(super) struct ResourceLimit {
    /// As in `RLIMIT_…`.
    pub(super) name: &'static str,
    resource: Resource,
    pub(super) value: u64,
}

/// Open files, for each process; what they take of the kernel's memory counts as the notebook's.
const OPEN_FILES: u64 = 65_536;

pub(super) fn of(level: Level, most: &Limits) -> Vec<ResourceLimit> {
    let mut limits = vec![
        ResourceLimit { name: "CORE", resource: Resource::Core, value: 0 },
        ResourceLimit { name: "NOFILE", resource: Resource::Nofile, value: OPEN_FILES },
    ];
    if level == Level::Userns {
        // Counted for the user of the namespace, so for the notebook.
        limits.push(ResourceLimit { name: "NPROC", resource: Resource::Nproc, value: most.pids });
        limits.push(ResourceLimit { name: "DATA", resource: Resource::Data, value: most.memory });
    }
    limits
}

impl ResourceLimit {
    /// Never more than what is in force: that would need a right nobody has here.
    pub(super) fn clamped(&self) -> (Resource, Rlimit) {
        let value = getrlimit(self.resource).maximum.map_or(self.value, |most| most.min(self.value));
        (self.resource, Rlimit { current: Some(value), maximum: Some(value) })
    }
}
