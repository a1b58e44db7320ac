//! Version 1: a tree for each controller.

use std::path::Path;

use super::{Limits, at_most, field, number, quota, read, write};
use crate::sandbox::spec::Usage;

/// Of one quota, in microseconds.
const PERIOD: u64 = 100_000;

pub(super) fn limit_memory(group: &Path, limits: &Limits) -> Result<(), String> {
    let bytes = limits.memory;
    // Lowered and raised alike: the sum with swap may never be the smaller one.
    let both = |first, second| write(group, first, bytes).and_then(|()| write(group, second, bytes));
    let (plain, sum) = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes");
    if both(plain, sum).is_err() {
        // Where swap is not accounted there is no sum.
        let _ = write(group, sum, bytes);
        write(group, plain, bytes)?;
    }
    at_most(group, plain, bytes)
}

pub(super) fn limit_cpu(group: &Path, limits: &Limits) -> Result<(), String> {
    let quota = quota(limits, PERIOD);
    write(group, "cpu.cfs_period_us", PERIOD)?;
    write(group, "cpu.cfs_quota_us", quota)?;
    at_most(group, "cpu.cfs_quota_us", quota)?;
    at_most(group, "cpu.cfs_period_us", PERIOD)
}

pub(super) fn count_memory(group: &Path, usage: &mut Usage) {
    usage.memory = number(group, "memory.usage_in_bytes");
    usage.memory_peak = number(group, "memory.max_usage_in_bytes");
    usage.oom_kills = read(group, "memory.oom_control").map_or(0, |text| field(&text, "oom_kill"));
}
