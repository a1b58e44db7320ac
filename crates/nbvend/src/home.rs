//! The data folder: where it is, the root key in it, and how a command finds the running engine.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nbvend_cloud::config::RootKey;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// A data folder that exists and is its owner's alone.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
}

/// What a running engine says of itself in `engine.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    /// Field 22 of `/proc/<pid>/stat`: tells the process from a later one with its pid. 0 where there is no `/proc`.
    pub started: u64,
    /// `http://localhost:4566`
    pub endpoint: String,
    pub version: String,
    /// What came of the engine before it, if this one replaced one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<String>,
}

impl Home {
    /// `--data`, else `NBVEND_HOME`, else the XDG data folder.
    pub fn locate(given: Option<&Path>) -> Result<PathBuf, Failure> {
        if let Some(path) = given {
            return std::path::absolute(path).map_err(|e| Failure::io("the data folder", path, &e));
        }
        let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        if let Some(path) = from("NBVEND_HOME") {
            return std::path::absolute(&path).map_err(|e| Failure::io("the data folder", &path, &e));
        }
        let base = from("XDG_DATA_HOME").or_else(|| from("HOME").map(|home| home.join(".local/share")));
        base.map(|base| base.join("nbvend")).ok_or_else(|| {
            Failure::new("there is no home folder to keep data in; give one with --data DIR or NBVEND_HOME")
        })
    }

    /// Makes the folder if need be.
    pub fn open(given: Option<&Path>) -> Result<Self, Failure> {
        let root = Self::locate(given)?;
        std::fs::create_dir_all(&root).map_err(|e| Failure::io("the data folder", &root, &e))?;
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o700))
            .map_err(|e| Failure::io("the data folder", &root, &e))?;
        Ok(Self { root })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The root key, made at the first start. `given` replaces what is there.
    pub fn root_key(&self, given: Option<&str>) -> Result<RootKey, Failure> {
        let path = self.path("root-key");
        if let Some(text) = given {
            let key = parse_key(text).ok_or_else(|| {
                Failure::usage("--root-key takes ID:SECRET, both of at least 16 characters")
            })?;
            write_private(&path, text)?;
            return Ok(key);
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => parse_key(text.trim()).ok_or_else(|| {
                Failure::new(format!(
                    "{} does not hold ID:SECRET; delete it to get a new root key",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text =
                    format!("AKIA{}:{}", random(16, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), random(40, SECRET));
                write_private(&path, &text)?;
                parse_key(&text).ok_or_else(|| Failure::new("the new root key is malformed"))
            }
            Err(error) => Err(Failure::io("the root key", &path, &error)),
        }
    }

    /// The engine that runs on this folder, if one does.
    pub fn running(&self) -> Option<Running> {
        let text = std::fs::read_to_string(self.path("engine.json")).ok()?;
        let running: Running = serde_json::from_str(&text).ok()?;
        (start_time(running.pid)? == running.started).then_some(running)
    }

    /// The engine that runs on this folder, or a sentence that says there is none.
    pub fn must_run(&self) -> Result<Running, Failure> {
        self.running().ok_or_else(|| {
            Failure::new(format!(
                "no engine is running on {}; start one with `nbvend up`",
                self.root.display()
            ))
        })
    }

    pub fn announce(&self, endpoint: &str, began: Option<String>) -> Result<(), Failure> {
        let pid = std::process::id();
        let running = Running {
            pid,
            started: start_time(pid).unwrap_or(0),
            endpoint: endpoint.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            began,
        };
        let text = serde_json::to_string(&running).map_err(|e| Failure::new(e.to_string()))?;
        write_private(&self.path("engine.json"), &text)
    }

    /// Where an engine of this folder listened last: its links and addresses name that port.
    pub fn listened(&self) -> Option<std::net::SocketAddr> {
        std::fs::read_to_string(self.path("listen")).ok()?.trim().parse().ok()
    }

    pub fn retract(&self) {
        // Left behind, it would be recognised as stale by pid and start time.
        let _ = std::fs::remove_file(self.path("engine.json"));
    }
}

const SECRET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn random(length: usize, alphabet: &[u8]) -> String {
    let mut bytes = vec![0u8; length];
    getrandom::fill(&mut bytes).expect("the machine gives random bytes");
    // Both alphabets have a power of two of letters, so the remainder is even.
    bytes.iter().map(|b| char::from(alphabet[usize::from(*b) % alphabet.len()])).collect()
}

fn parse_key(text: &str) -> Option<RootKey> {
    let (id, secret) = text.split_once(':')?;
    (id.len() >= 16 && secret.len() >= 16)
        .then(|| RootKey { access_key_id: id.to_owned(), secret_access_key: secret.to_owned() })
}

/// When a process started, in clock ticks since boot; `None` if there is no such process, or it has ended and nobody
/// has asked how. One whose first thread has ended is still one while others have not: they hold its files and ports.
pub fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in brackets and may hold spaces and brackets itself.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let threads: u32 = fields.nth(16)?.parse().ok()?;
    let ended = matches!(state, "Z" | "X") && threads <= 1;
    if ended { None } else { fields.nth(1)?.parse().ok() }
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    // A name of its own: two commands may write the same file at once.
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().map_err(|e| Failure::io("a file", path, &e))
}
