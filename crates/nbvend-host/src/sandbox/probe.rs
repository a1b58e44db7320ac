//! What this machine offers: found by making a sandbox of each level, the strongest first, and ending it again.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::cgroup::Place;
use super::create::{create, end_process};
use super::{Level, Limits, SandboxError, Spec, Volume, volume};

/// What most notebooks' volumes have; after the probe an empty one of this size is ready to be copied.
const USUAL_SIZE: u64 = 5 << 30;

/// A number no distribution gives to anybody.
const NOBODY_IN_PARTICULAR: u32 = 0x6e62_0000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// The strongest level that could be made.
    pub level: Level,
    /// The stronger ones, and why not.
    pub why_not: Vec<(Level, String)>,
    /// Which limits hold and by what: "memory v1, pids v1, cpu v1"; empty for none.
    pub limits: String,
    /// Which do not, and why.
    pub missing_limits: Vec<String>,
    /// Why a volume's size cannot be enforced, if so.
    pub no_volumes: Option<String>,
}

/// Blocks for some tens of milliseconds. `scratch` is a folder of the engine's; nothing stays in it but a lock. What an
/// engine that was killed meanwhile left there is ended.
#[must_use]
pub fn probe(scratch: &Path) -> Offer {
    // All probes of a folder have the same names, so that each finds what the last one left; one at a time, therefore.
    let lock = fs::create_dir_all(scratch).and_then(|()| fs::File::create(scratch.join("probe.lock")));
    let _held = lock.and_then(|file| file.lock().map(|()| file));
    let mut why_not = Vec::new();
    let mut level = Level::Process;
    let mut no_volumes = None;
    for candidate in [Level::Full, Level::Userns] {
        match with_volume(candidate, scratch) {
            Ok(without) => {
                (level, no_volumes) = (candidate, without);
                break;
            }
            Err(error) => why_not.push((candidate, error.to_string())),
        }
    }
    let no_volumes = match level {
        Level::Full => no_volumes,
        _ => Some(format!("needs the level full, not {level}")),
    };
    let place = Place::of_this_machine();
    Offer { level, why_not, limits: place.words(), missing_limits: place.missing.clone(), no_volumes }
}

/// Tries a level as it would be used; says why it has no volumes, if so.
fn with_volume(level: Level, scratch: &Path) -> Result<Option<String>, SandboxError> {
    if level == Level::Full {
        let volume = Volume { image: scratch.join("probe-volume"), bytes: USUAL_SIZE };
        let tried = volume::tools().and_then(|()| make(level, scratch, Some(volume.clone())));
        let _ = fs::remove_file(&volume.image);
        return match tried {
            Ok(()) => Ok(None),
            Err(with) => attempt(level, scratch).map(|()| Some(with.to_string())),
        };
    }
    attempt(level, scratch).map(|()| None)
}

/// Makes a sandbox of this level and ends it.
pub fn attempt(level: Level, scratch: &Path) -> Result<(), SandboxError> {
    make(level, scratch, None)
}

fn make(level: Level, scratch: &Path, volume: Option<Volume>) -> Result<(), SandboxError> {
    if level == Level::Full && !rustix::process::geteuid().is_root() {
        return Err(SandboxError::Step {
            step: "users".to_owned(),
            reason: "only root has others to give".to_owned(),
        });
    }
    let folder = scratch.join(format!("probe-{level}"));
    fs::create_dir_all(&folder).map_err(SandboxError::io(folder.display().to_string()))?;
    let spec = Spec {
        id: "probe".to_owned(),
        level,
        uid: NOBODY_IN_PARTICULAR,
        work: folder.join("work"),
        run_dir: folder.join("run"),
        environment: "/usr".into(),
        interpreter_prefix: "/usr".into(),
        limits: Limits { cpu: 1.0, memory: 64 << 20, pids: 16 },
        listeners: vec![([127, 0, 0, 1], 80).into()],
        files: Vec::new(),
        control: folder.join("ctl"),
        volume,
    };
    let made = create(&spec).map(|(record, pidfd)| {
        end_process(&pidfd, Duration::from_secs(2));
        if let Err(left) = record.groups.end(Duration::from_secs(2)) {
            tracing::warn!(%left, "a probe leaves something behind");
        }
    });
    let _ = fs::remove_dir_all(&folder);
    made
}
