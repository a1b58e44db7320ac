//! What this machine has: cores, memory, and how much of it is free now. In a container, what the container may have.

use std::path::Path;

use nbvend_cloud::ports::Capacity;

/// Measured now; some tens of microseconds.
pub fn capacity() -> Capacity {
    let cores =
        std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let (mut memory, mut free) = meminfo(&text).unwrap_or_else(unknown);
    if let Some((limit, used)) = container(Path::new("/sys/fs/cgroup")).filter(|(limit, _)| *limit < memory) {
        memory = limit;
        free = free.min(limit.saturating_sub(used));
    }
    Capacity { cores, memory, free_memory: free }
}

/// `MemTotal` and `MemAvailable` in bytes.
fn meminfo(text: &str) -> Option<(u64, u64)> {
    let value = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
    };
    Some((value("MemTotal")?, value("MemAvailable")?))
}

/// A system without /proc says nothing of its memory: nothing is refused for its sake.
fn unknown() -> (u64, u64) {
    (1 << 50, 1 << 50)
}

/// The limit of the container this runs in, and what is used of it beside caches; of cgroups v2, then v1.
fn container(root: &Path) -> Option<(u64, u64)> {
    let number = |name: &str| std::fs::read_to_string(root.join(name)).ok()?.trim().parse::<u64>().ok();
    let stat = |name: &str, key: &str| {
        let text = std::fs::read_to_string(root.join(name)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ').map(str::to_owned));
        line.and_then(|value| value.parse::<u64>().ok()).unwrap_or_default()
    };
    if let (Some(limit), Some(used)) = (number("memory.max"), number("memory.current")) {
        return Some((limit, used.saturating_sub(stat("memory.stat", "inactive_file"))));
    }
    let (limit, used) = (number("memory/memory.limit_in_bytes")?, number("memory/memory.usage_in_bytes")?);
    Some((limit, used.saturating_sub(stat("memory/memory.stat", "total_inactive_file"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_the_machine() {
        let text = "MemTotal:       24576000 kB\nMemFree:  1 kB\nMemAvailable:    1024 kB\n";
        assert_eq!(meminfo(text), Some((24_576_000 << 10, 1 << 20)));
        assert_eq!(meminfo("MemTotal: 5 kB"), None);
        let here = capacity();
        assert!(here.cores > 0 && here.memory > here.free_memory && here.free_memory > 0, "{here:?}");
    }

    #[test]
    fn memory_of_a_container() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(container(dir.path()), None);
        std::fs::write(dir.path().join("memory.max"), "max\n").unwrap();
        std::fs::write(dir.path().join("memory.current"), "3000\n").unwrap();
        assert_eq!(container(dir.path()), None, "no limit");
        std::fs::write(dir.path().join("memory.max"), "8000\n").unwrap();
        std::fs::write(dir.path().join("memory.stat"), "anon 5\ninactive_file 1000\n").unwrap();
        assert_eq!(container(dir.path()), Some((8000, 2000)));
    }
}
