//! Processes of the level `process`, which no namespace holds together.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Kills all descendants of a process that gathers orphans, until there are none; false if time ran out.
pub(super) fn kill_descendants(ancestor: i32, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    loop {
        let left = descendants(ancestor);
        if left.is_empty() {
            return true;
        }
        for pid in left.into_iter().filter_map(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
        if Instant::now() > until {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Those alive.
fn descendants(ancestor: i32) -> Vec<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        let mut fields = rest.split_ascii_whitespace();
        let (Some(state), Some(parent)) = (fields.next(), fields.next().and_then(|word| word.parse().ok()))
        else {
            continue;
        };
        if state != "Z" {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut found, mut next) = (Vec::new(), vec![ancestor]);
    while let Some(pid) = next.pop() {
        let of = children.remove(&pid).unwrap_or_default();
        found.extend(&of);
        next.extend(of);
    }
    found
}
