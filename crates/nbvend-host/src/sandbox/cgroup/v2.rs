//! Version 2: one tree, controllers as files.

use std::path::Path;

use super::v1::{at_most, quota};
use super::{Controller, Limits, field, number, read, text_of, write};
use crate::sandbox::spec::Usage;

const PERIOD: u64 = 100_000;

/// Writes the controller's limit and reads it back.
pub(super) fn limit(controller: Controller, group: &Path, limits: &Limits) -> Result<(), String> {
    match controller {
        Controller::Memory => {
            write(group, "memory.max", limits.memory)?;
            // Absent where swap is not accounted. One process too many dies, not all: memory.oom.group stays 0.
            let _ = write(group, "memory.swap.max", 0);
            at_most(group, "memory.max", limits.memory)
        }
        Controller::Pids => {
            write(group, "pids.max", limits.pids)?;
            at_most(group, "pids.max", limits.pids)
        }
        Controller::Cpu => {
            let wanted = format!("{} {PERIOD}", quota(limits, PERIOD));
            write(group, "cpu.max", &wanted)?;
            match text_of(group, "cpu.max") {
                text if text == wanted => Ok(()),
                text => Err(format!("cpu.max reads {text}, not {wanted}")),
            }
        }
    }
}

pub(super) fn usage(controller: Controller, group: &Path, usage: &mut Usage) {
    match controller {
        Controller::Memory => {
            usage.memory = number(group, "memory.current");
            usage.memory_peak = number(group, "memory.peak");
            usage.oom_kills = read(group, "memory.events").map_or(0, |text| field(&text, "oom_kill"));
        }
        Controller::Pids => {
            usage.pids = number(group, "pids.current");
            usage.forks_refused = read(group, "pids.events").map_or(0, |text| field(&text, "max"));
        }
        Controller::Cpu => {
            let micros = read(group, "cpu.stat").map(|text| field(&text, "usage_usec"));
            // Microseconds of a notebook's life are far below where this would round.
            #[allow(clippy::cast_precision_loss)]
            let seconds = micros.map(|micros| micros as f64 / 1e6);
            usage.cpu_seconds = seconds;
        }
    }
}
