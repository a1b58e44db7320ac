//! The folder of one engine run: unpacked code, scratch folders, the Python bootstrap.
//!
//! Nothing in it is worth keeping, so each run has a folder of its own, locked while the run lives. A folder
//! whose lock is free belongs to a run that is gone (however it ended) and is removed, with its cgroups.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use super::cgroup;

const LOCK: &str = "lock";
/// Where the run's cgroups are made, one line; absent when it has none.
const CGROUPS: &str = "cgroups";

#[derive(Debug)]
pub(super) struct RunDir {
    path: PathBuf,
    id: String,
    _lock: File,
}

impl RunDir {
    /// Makes this run's folder under `parent` and clears away what dead runs left.
    pub(super) fn create(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        sweep(parent);
        let id = random_hex(4);
        // Locked before it has its name, so that another engine's sweep never meets it unlocked.
        let making = parent.join(format!("making-{id}"));
        fs::create_dir(&making)?;
        let lock = File::create(making.join(LOCK))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        for folder in ["code", "scratch", "runtime"] {
            fs::create_dir(making.join(folder))?;
        }
        // Functions that are users of their own read it; who may come this far, the folders above say.
        fs::set_permissions(making.join("runtime"), fs::Permissions::from_mode(0o755))?;
        let path = parent.join(format!("run-{id}"));
        fs::rename(making, &path)?;
        Ok(Self { path: path.canonicalize()?, id, _lock: lock })
    }

    pub(super) fn code(&self) -> PathBuf {
        self.path.join("code")
    }

    pub(super) fn scratch(&self) -> PathBuf {
        self.path.join("scratch")
    }

    pub(super) fn runtime(&self) -> PathBuf {
        self.path.join("runtime")
    }

    /// The name all cgroups of this run begin with.
    pub(super) fn group_prefix(&self) -> String {
        group_prefix(&self.id)
    }

    /// Removes it now; for an orderly end, when the process may be gone before the last owner is dropped.
    pub(super) fn remove(&self) {
        match remove(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::debug!(path = %self.path.display(), %error, "run folder stays until the next start");
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// A number for the user of the process with this number, which no user of the machine has: two processes share one
    /// once in a billion times.
    pub(super) fn uid(&self, serial: u64) -> u32 {
        let digest = Sha256::digest(format!("{}/{serial}", self.path.display()));
        let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        0x4000_0000 | (number & 0x3fff_ffff)
    }

    pub(super) fn note_cgroups(&self, base: &Path) -> io::Result<()> {
        fs::write(self.path.join(CGROUPS), base.as_os_str().as_encoded_bytes())
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        self.remove();
    }
}

fn group_prefix(id: &str) -> String {
    format!("nbvend-fn-{id}-")
}

/// Ends what engines that were killed have left running below this folder, and removes their files. One that lives keeps
/// its own.
pub fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(id) = name.strip_prefix("run-") else { continue };
        // Without a lock file it was being removed when its engine went.
        let lock = File::open(path.join(LOCK));
        if lock.as_ref().is_ok_and(|lock| flock(lock, FlockOperation::NonBlockingLockExclusive).is_err()) {
            continue;
        }
        if let Ok(base) = fs::read_to_string(path.join(CGROUPS)) {
            cgroup::sweep(Path::new(&base), &group_prefix(id));
        }
        if let Err(error) = remove(&path) {
            tracing::warn!(path = %path.display(), %error, "what a dead run left cannot be removed");
        }
    }
}

/// The lock goes last, so that nobody takes a folder for a dead one's while it is being removed.
fn remove(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)?.flatten().filter(|entry| entry.file_name() != LOCK) {
        crate::remove_tree(&entry.path())?;
    }
    crate::remove_tree(path)
}

/// As many random bytes in hex; from the time if the machine has no randomness (names only, never secrets).
pub(super) fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0_u8; bytes];
    if getrandom::fill(&mut buffer).is_err() {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        for (target, source) in buffer.iter_mut().zip(nanos.as_nanos().to_le_bytes()) {
            *target = source;
        }
    }
    hex::encode(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_run_is_cleared_and_a_living_one_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join("run-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("left"), "x").unwrap();
        let removed_by_half = parent.path().join("run-half");
        fs::create_dir(&removed_by_half).unwrap();

        let first = RunDir::create(parent.path()).unwrap();
        assert!(!dead.exists());
        assert!(!removed_by_half.exists());
        let second = RunDir::create(parent.path()).unwrap();
        assert!(first.path.exists() && second.path.exists());
        let gone = first.path.clone();
        drop(first);
        assert!(!gone.exists());
    }
}
