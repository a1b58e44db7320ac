//! Version 2: one tree, controllers as files.

use std::path::Path;

use super::{Limits, at_most, field, number, quota, read, text_of, write};
use crate::sandbox::spec::Usage;

const PERIOD: u64 = 100_000;

pub(super) fn limit_memory(group: &Path, limits: &Limits) -> Result<(), String> {
    write(group, "memory.max", limits.memory)?;
    // Absent where swap is not accounted. One process too many dies, not all: memory.oom.group stays 0.
    let _ = write(group, "memory.swap.max", 0);
    at_most(group, "memory.max", limits.memory)
}

pub(super) fn limit_cpu(group: &Path, limits: &Limits) -> Result<(), String> {
    let wanted = format!("{} {PERIOD}", quota(limits, PERIOD));
    write(group, "cpu.max", &wanted)?;
    match text_of(group, "cpu.max") {
        text if text == wanted => Ok(()),
        text => Err(format!("cpu.max reads {text}, not {wanted}")),
    }
}

pub(super) fn count_memory(group: &Path, usage: &mut Usage) {
    usage.memory = number(group, "memory.current");
    usage.memory_peak = number(group, "memory.peak");
    usage.oom_kills = read(group, "memory.events").map_or(0, |text| field(&text, "oom_kill"));
}

pub(super) fn count_cpu(group: &Path, usage: &mut Usage) {
    let micros = read(group, "cpu.stat").map(|text| field(&text, "usage_usec"));
    // Microseconds of a notebook's life are far below where this would round.
    #[allow(clippy::cast_precision_loss)]
    let seconds = micros.map(|micros| micros as f64 / 1e6);
    usage.cpu_seconds = seconds;
}
