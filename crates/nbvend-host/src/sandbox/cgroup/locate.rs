//! Where this process is in the trees of control groups, read from `/proc/self/cgroup` and `/proc/self/mountinfo`.

use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Version {
    V1,
    V2,
}

/// Where this process is, for each hierarchy that could hold the controller: version, own group, mount.
pub(crate) fn locate(controller: &str, membership: &str, mounts: &str) -> Vec<(Version, PathBuf, PathBuf)> {
    let mut found = Vec::new();
    for line in membership.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let version = match controllers {
            "" => Version::V2,
            list if list.split(',').any(|name| name == controller) => Version::V1,
            _ => continue,
        };
        if let Some((root, mount)) = mount_of(controller, mounts, version) {
            // In a container the mount shows only a part of the tree, and the path may lie outside it.
            let below = Path::new(path).strip_prefix(root).unwrap_or(Path::new(""));
            let own = if below.as_os_str().is_empty() { mount.to_path_buf() } else { mount.join(below) };
            found.push((version, own, mount.to_path_buf()));
        }
    }
    found
}

fn mount_of<'a>(controller: &str, mounts: &'a str, version: Version) -> Option<(&'a Path, &'a Path)> {
    mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut right = right.split(' ');
        let (kind, options) = (right.next()?, right.nth(1)?);
        let wanted = match version {
            Version::V1 => kind == "cgroup" && options.split(',').any(|option| option == controller),
            Version::V2 => kind == "cgroup2",
        };
        let mut left = left.split(' ').skip(3);
        wanted.then_some((Path::new(left.next()?), Path::new(left.next()?)))
    })
}

/// The value of a line `name value`.
pub(crate) fn field(text: &str, name: &str) -> u64 {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_located_in_every_layout() {
        let v1 = "30 29 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
                  31 29 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                  32 29 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
        let v2 = "40 29 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        let part = "40 29 0:26 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let cases = [
            ("memory", "4:memory:/x/y\n1:cpu:/\n", v1, vec![(Version::V1, "/sys/fs/cgroup/memory/x/y")]),
            (
                "memory",
                "9:name=systemd:/\n3:memory:/\n0::/z\n",
                v1,
                vec![(Version::V1, "/sys/fs/cgroup/memory"), (Version::V2, "/sys/fs/cgroup/unified/z")],
            ),
            (
                "memory",
                "0::/user.slice/a.scope\n",
                v2,
                vec![(Version::V2, "/sys/fs/cgroup/user.slice/a.scope")],
            ),
            ("memory", "4:memory:/docker/abc\n", part, vec![(Version::V1, "/sys/fs/cgroup/memory")]),
            ("memory", "4:memory:/elsewhere\n", part, vec![(Version::V1, "/sys/fs/cgroup/memory")]),
            ("memory", "4:cpu,memory:/x\n", v2, vec![]),
            ("cpu", "4:cpu,cpuacct:/x\n", v1, vec![(Version::V1, "/sys/fs/cgroup/cpu,cpuacct/x")]),
            ("pids", "4:cpu,cpuacct:/x\n", v1, vec![]),
        ];
        for (controller, membership, mounts, wanted) in cases {
            let found: Vec<_> =
                locate(controller, membership, mounts).into_iter().map(|(v, own, _)| (v, own)).collect();
            let wanted: Vec<_> = wanted.into_iter().map(|(v, own)| (v, PathBuf::from(own))).collect();
            assert_eq!(found, wanted, "{controller} {membership}");
        }
    }

    #[test]
    fn a_counter_is_read_by_its_whole_name() {
        assert_eq!(field("oom 3\noom_kill 2\noom_group_kill 1\n", "oom_kill"), 2);
        assert_eq!(field("under_oom 0\n", "oom_kill"), 0);
    }
}
