//! What a running server did, for the engine to judge: what it says of itself, and the kernel's books of its processes.

use std::time::SystemTime;

use nbvend_cloud::ports::Activity;
use nbvend_host::jupyter;
use nbvend_wire::timestamp::Timestamp;

/// The kernel counts CPU time in hundredths of a second, on all its architectures.
const TICKS: f64 = 100.0;

/// The server's own account, in the engine's terms.
pub fn of(server: &jupyter::Activity, cpu_seconds: Option<f64>) -> Activity {
    let connections = server.kernels.iter().map(|kernel| kernel.connections).sum::<u64>();
    Activity {
        started: timestamp(server.started),
        busy_kernels: u32::try_from(server.busy_kernels()).unwrap_or(u32::MAX),
        kernel_active: server.kernels.iter().filter_map(|one| one.last_activity).max().map(timestamp),
        terminal_output: server.terminals.iter().filter_map(|one| one.last_activity).max().map(timestamp),
        requested: server.last_use.map(timestamp),
        connections: u32::try_from(connections).unwrap_or(u32::MAX),
        cpu_seconds,
    }
}

/// Milliseconds since 1970; what is not after that is its beginning.
fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// CPU time of a process and all below it, with what ended below it. `None` where it cannot be read.
pub fn cpu_seconds(pid: i32) -> Option<f64> {
    let mut ticks = 0;
    let mut left = vec![pid];
    let mut first = true;
    while let Some(pid) = left.pop() {
        match ticks_of(pid) {
            Some(used) => ticks += used,
            None if first => return None,
            // Ended between the list and the question; its parent's books have it at the next look.
            None => {}
        }
        first = false;
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            left.extend(children.split_whitespace().filter_map(|child| child.parse::<i32>().ok()));
        }
    }
    Some(ticks as f64 / TICKS)
}

/// Fields 14 to 17 of proc(5)'s stat: its own time and its ended children's, in user and kernel mode.
fn ticks_of(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    Some(after_name.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_of_children_counts() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = cpu_seconds(own).unwrap();
        let burn = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", burn]).status().unwrap().success());
        let used = cpu_seconds(own).unwrap() - before;
        assert!(used > 0.02, "{used}");
        assert_eq!(cpu_seconds(i32::MAX), None);
    }
}
