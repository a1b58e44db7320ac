//! The number of processes: the same in both versions.

use std::path::Path;

use super::{Limits, at_most, field, number, read, write};
use crate::sandbox::spec::Usage;

pub(super) fn limit(group: &Path, limits: &Limits) -> Result<(), String> {
    write(group, "pids.max", limits.pids)?;
    at_most(group, "pids.max", limits.pids)
}

pub(super) fn count(group: &Path, usage: &mut Usage) {
    usage.pids = number(group, "pids.current");
    usage.forks_refused = read(group, "pids.events").map_or(0, |text| field(&text, "max"));
}
