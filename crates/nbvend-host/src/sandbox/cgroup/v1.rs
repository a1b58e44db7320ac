//! Version 1: a tree for each controller.

use std::path::Path;

use super::{Controller, Limits, field, number, read, text_of, write};
use crate::sandbox::spec::Usage;

/// Of one quota, in microseconds.
const PERIOD: u64 = 100_000;

/// Writes the controller's limit and reads it back.
pub(super) fn limit(controller: Controller, group: &Path, limits: &Limits) -> Result<(), String> {
    match controller {
        Controller::Memory => {
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
        Controller::Pids => {
            write(group, "pids.max", limits.pids)?;
            at_most(group, "pids.max", limits.pids)
        }
        Controller::Cpu => {
            let quota = quota(limits, PERIOD);
            write(group, "cpu.cfs_period_us", PERIOD)?;
            write(group, "cpu.cfs_quota_us", quota)?;
            at_most(group, "cpu.cfs_quota_us", quota)?;
            at_most(group, "cpu.cfs_period_us", PERIOD)
        }
    }
}

/// Microseconds of CPU time in each period; the kernel takes no less than a thousand.
pub(super) fn quota(limits: &Limits, period: u64) -> u64 {
    // Cores are few and positive: nothing is lost.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let quota = (limits.cpu * period as f64) as u64;
    quota.max(1000)
}

pub(super) fn at_most(group: &Path, file: &str, wanted: u64) -> Result<(), String> {
    match number(group, file) {
        Some(value) if value <= wanted && value > 0 => Ok(()),
        _ => Err(format!("{file} reads {}, not {wanted}", text_of(group, file))),
    }
}

pub(super) fn usage(controller: Controller, group: &Path, usage: &mut Usage) {
    match controller {
        Controller::Memory => {
            usage.memory = number(group, "memory.usage_in_bytes");
            usage.memory_peak = number(group, "memory.max_usage_in_bytes");
            usage.oom_kills = read(group, "memory.oom_control").map_or(0, |text| field(&text, "oom_kill"));
        }
        Controller::Pids => {
            usage.pids = number(group, "pids.current");
            usage.forks_refused = read(group, "pids.events").map_or(0, |text| field(&text, "max"));
        }
        // The time used is counted by cpuacct, elsewhere.
        Controller::Cpu => {}
    }
}
