//! Whether somebody works with a notebook, from what the host saw.
//!
//! Work is: a kernel that computes, processes that use the CPU, a terminal that writes, a request that a person caused. An
//! open tab is none. What is not known counts for nothing, and without any evidence nothing is stopped.

use nbvend_wire::timestamp::Timestamp;

use super::limits::Limits;
use crate::ports::Activity;

/// The share of a core above which a notebook is at work, also if no kernel says so: a program in a terminal.
const BUSY_SHARE: f64 = 0.05;
/// A terminal that wrote so recently is running something.
const TERMINAL_SECONDS: i64 = 60;
/// So long before a stop its people are warned; half of the idle time where that is shorter.
const WARNING_SECONDS: i64 = 300;

/// What the engine itself remembers of a notebook beside the host's evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Memory {
    /// The last work an earlier look found: the host may have been restarted since.
    pub last_active: Option<Timestamp>,
    /// The share of a core its processes used since the last look.
    pub cpu_share: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What it is doing now: `1 kernel computes`.
    pub busy: Option<String>,
    /// The last work seen, and what it was.
    pub last_active: Timestamp,
    pub last_by: &'static str,
    /// When it will be stopped if nothing happens; in the past if something that runs must end first.
    pub stops_at: Option<Timestamp>,
    /// `idle since 2026-11-22T12:00:00Z`
    pub because: Option<String>,
    /// Whether the stop is near.
    pub warning: bool,
}

impl Verdict {
    /// Whether it is to be stopped now.
    pub fn due(&self, now: Timestamp) -> bool {
        self.busy.is_none() && self.stops_at.is_some_and(|time| time <= now)
    }
}

pub fn judge(limits: Limits, seen: &Activity, memory: Memory, now: Timestamp) -> Verdict {
    let busy = busy(seen, memory, now);
    let (last_active, last_by) = match &busy {
        Some(_) => (now, "work under way"),
        None => last(seen, memory, now),
    };
    let idle = limits.idle_minutes.filter(|_| busy.is_none()).map(|minutes| {
        let because = format!("idle since {}", last_active.iso8601());
        (last_active.plus_seconds(i64::from(minutes) * 60), i64::from(minutes) * 60, because)
    });
    let lifetime = limits.lifetime_hours.map(|hours| {
        let because = format!("started {hours} hours ago, at {}", seen.started.iso8601());
        (seen.started.plus_seconds(i64::from(hours) * 3600), i64::from(hours) * 3600, because)
    });
    let first = [idle, lifetime].into_iter().flatten().min_by_key(|(time, ..)| *time);
    let warning = first
        .as_ref()
        .is_some_and(|(time, length, _)| time.seconds_since(now) <= WARNING_SECONDS.min(length / 2));
    let (stops_at, because) = first.map_or((None, None), |(time, _, because)| (Some(time), Some(because)));
    Verdict { busy, last_active, last_by, stops_at, because, warning }
}

fn busy(seen: &Activity, memory: Memory, now: Timestamp) -> Option<String> {
    match seen.busy_kernels {
        0 => {}
        1 => return Some("1 kernel computes".to_owned()),
        many => return Some(format!("{many} kernels compute")),
    }
    if let Some(share) = memory.cpu_share.filter(|share| *share > BUSY_SHARE) {
        return Some(format!("its processes use {share:.2} of a core"));
    }
    let wrote = seen.terminal_output.is_some_and(|time| now.seconds_since(time) < TERMINAL_SECONDS);
    wrote.then(|| "a terminal writes".to_owned())
}

/// The last work. A time in the future is a clock that was set back: it counts as now.
fn last(seen: &Activity, memory: Memory, now: Timestamp) -> (Timestamp, &'static str) {
    let all = [
        // What is named last goes before where times are the same.
        (memory.last_active, "work seen earlier"),
        (Some(seen.started), "its start"),
        (seen.kernel_active, "a kernel"),
        (seen.terminal_output, "a terminal"),
        (seen.requested, "a request"),
    ];
    let known = all.into_iter().filter_map(|(time, by)| Some((time?.min(now), by)));
    known.max_by_key(|(time, _)| *time).unwrap_or((now, "nothing known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_795_348_800_000);
    const HOUR: Limits = Limits { idle_minutes: Some(60), lifetime_hours: None };

    fn seen() -> Activity {
        Activity {
            started: START,
            busy_kernels: 0,
            kernel_active: None,
            terminal_output: None,
            requested: None,
            connections: 0,
            cpu_seconds: None,
        }
    }

    fn after(minutes: i64) -> Timestamp {
        START.plus_seconds(minutes * 60)
    }

    #[test]
    fn every_kind_of_work_counts_and_an_open_tab_does_not() {
        let now = after(61);
        let due = |seen: &Activity| judge(HOUR, seen, Memory::default(), now).due(now);
        assert!(due(&seen()));
        assert!(due(&Activity { connections: 3, ..seen() }), "an open tab alone");
        assert!(!due(&Activity { busy_kernels: 1, ..seen() }));
        assert!(!due(&Activity { kernel_active: Some(after(2)), ..seen() }));
        assert!(!due(&Activity { terminal_output: Some(after(2)), ..seen() }));
        assert!(!due(&Activity { requested: Some(after(2)), ..seen() }));
        let memory = |share, last| Memory { cpu_share: share, last_active: last };
        assert!(!judge(HOUR, &seen(), memory(Some(0.5), None), now).due(now));
        assert!(judge(HOUR, &seen(), memory(Some(0.01), None), now).due(now));
        assert!(!judge(HOUR, &seen(), memory(None, Some(after(2))), now).due(now));
    }

    #[test]
    fn warned_before_and_told_why() {
        let at = |minutes| judge(HOUR, &seen(), Memory::default(), after(minutes));
        assert!(!at(54).warning);
        assert!(at(55).warning);
        assert!(!at(59).due(after(59)));
        assert_eq!(at(55).stops_at, Some(after(60)));
        assert_eq!(at(55).because.unwrap(), "idle since 2026-11-22T12:00:00Z");
        let short = Limits { idle_minutes: Some(4), lifetime_hours: None };
        assert!(!judge(short, &seen(), Memory::default(), after(1)).warning);
        assert!(judge(short, &seen(), Memory::default(), after(2)).warning);
    }

    #[test]
    fn a_lifetime_ends_only_what_does_not_compute() {
        let limits = Limits { idle_minutes: None, lifetime_hours: Some(2) };
        let verdict = |seen: &Activity| judge(limits, seen, Memory::default(), after(121));
        assert!(
            verdict(&Activity { requested: Some(after(120)), ..seen() }).due(after(121)),
            "in use, not at work"
        );
        let computing = verdict(&Activity { busy_kernels: 2, ..seen() });
        assert!(!computing.due(after(121)));
        assert_eq!(computing.busy.as_deref(), Some("2 kernels compute"));
        assert_eq!(computing.stops_at, Some(after(120)));
        assert!(!verdict(&Activity { terminal_output: Some(after(121)), ..seen() }).due(after(121)));
    }

    #[test]
    fn the_earlier_limit_counts() {
        let limits = Limits { idle_minutes: Some(60), lifetime_hours: Some(2) };
        let active = Activity { requested: Some(after(100)), ..seen() };
        let verdict = judge(limits, &active, Memory::default(), after(110));
        assert_eq!(verdict.stops_at, Some(after(120)));
        assert!(verdict.because.unwrap().starts_with("started 2 hours ago"));
        let none = judge(Limits::default(), &seen(), Memory::default(), after(10_000));
        assert_eq!((none.stops_at, none.due(after(10_000))), (None, false));
    }
}
