//! Which Python runs a `python3.x` function, and the bootstrap it runs.
//!
//! A name on the path proves nothing: version managers put a `python3.9` there that only says it is not
//! installed. So interpreters are tried until one runs: the exact version, then the nearest ones.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Mutex;

pub(super) const BOOTSTRAP_NAME: &str = "bootstrap.py";
const BOOTSTRAP: &str = include_str!("bootstrap.py");

/// The oldest 3.x the bootstrap is written for.
const OLDEST: u32 = 6;
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes the bootstrap into the runtime folder.
pub(super) fn install(dir: &Path) -> io::Result<()> {
    let path = dir.join(BOOTSTRAP_NAME);
    std::fs::write(&path, BOOTSTRAP)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

/// Without the machine's own packages (they come from the zip), and without writing byte code into the zip's folder.
pub(super) fn arguments(script: &Path) -> Vec<PathBuf> {
    vec!["-S".into(), "-B".into(), script.into()]
}

#[derive(Debug)]
pub(super) struct Interpreter {
    pub(super) path: PathBuf,
    /// `3.11.7`
    pub(super) version: String,
    /// What it is made of: its own prefix, and that of the one it was made from.
    pub(super) prefixes: Vec<PathBuf>,
}

/// Interpreters found so far, by the version asked for.
#[derive(Debug, Default)]
pub(super) struct Interpreters {
    found: Mutex<HashMap<String, Arc<Interpreter>>>,
}

impl Interpreters {
    /// The interpreter for a version like `3.9`. A failure is not remembered: one may be installed meanwhile.
    ///
    /// # Errors
    /// Says what was asked for and what was tried.
    pub(super) async fn find(&self, version: &str) -> Result<Arc<Interpreter>, String> {
        let mut found = self.found.lock().await;
        if let Some(interpreter) = found.get(version) {
            return Ok(Arc::clone(interpreter));
        }
        let minor = version.strip_prefix("3.").and_then(|minor| minor.parse::<u32>().ok());
        let minor = minor.ok_or_else(|| format!("python{version} is not a Python 3 runtime"))?;
        let candidates = tokio::task::spawn_blocking(move || ranked(minor, list(&folders())))
            .await
            .map_err(|error| error.to_string())?;
        for path in &candidates {
            if let Some(interpreter) = probe(path).await {
                tracing::info!(wanted = version, version = interpreter.version, path = %interpreter.path.display(), "interpreter found");
                let interpreter = Arc::new(interpreter);
                found.insert(version.to_string(), Arc::clone(&interpreter));
                return Ok(interpreter);
            }
        }
        let tried: Vec<_> = candidates.iter().map(|path| path.display().to_string()).collect();
        Err(format!("No Python 3 runs on this machine for python{version}; tried: [{}]", tried.join(" ")))
    }
}

/// Where interpreters may be: the path, and where version managers keep theirs.
fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    folders.extend(["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from));
    if let Some(home) = std::env::var_os("HOME").map(PathBuf::from) {
        for manager in [".pyenv/versions", ".local/share/uv/python"] {
            let Ok(versions) = std::fs::read_dir(home.join(manager)) else { continue };
            folders.extend(versions.flatten().map(|version| version.path().join("bin")));
        }
    }
    folders
}

/// All `python3` and `python3.N` in the folders, with N.
fn list(folders: &[PathBuf]) -> Vec<(PathBuf, Option<u32>)> {
    let mut all = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(rest) = name.to_str().and_then(|name| name.strip_prefix("python3")) else { continue };
            let minor = rest.strip_prefix('.').and_then(|minor| minor.parse().ok());
            let path = entry.path();
            if (rest.is_empty() || minor.is_some()) && !all.iter().any(|(known, _)| *known == path) {
                all.push((path, minor));
            }
        }
    }
    all
}

/// Nearest version first, newer before older at the same distance, those without a version in their name last.
/// A version manager's forwarding scripts come after real programs of the same version.
fn ranked(wanted: u32, mut all: Vec<(PathBuf, Option<u32>)>) -> Vec<PathBuf> {
    all.retain(|(_, minor)| minor.is_none_or(|minor| minor >= OLDEST));
    all.sort_by_key(|(path, minor)| {
        let forwarding = path.parent().is_some_and(|folder| folder.ends_with("shims"));
        (minor.map_or(u32::MAX, |minor| minor.abs_diff(wanted)), Reverse(minor.unwrap_or(0)), forwarding)
    });
    all.into_iter().map(|(path, _)| path).collect()
}

/// Runs it to learn its version and its real place (a forwarding script costs time at each start).
async fn probe(path: &Path) -> Option<Interpreter> {
    let script = "import sys; print(sys.executable); print('.'.join(map(str, sys.version_info[:3]))); \
                  print(sys.base_prefix); print(sys.base_exec_prefix)";
    let mut command = Command::new(path);
    command.args(["-S", "-B", "-c", script]).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let mut lines = text.trim().lines();
    let (real, version) = (lines.next()?, lines.next()?);
    let minor: u32 = version.strip_prefix("3.")?.split('.').next()?.parse().ok()?;
    let path = if real.is_empty() { path.to_path_buf() } else { PathBuf::from(real) };
    let (path, own) = at_home(path, minor);
    let mut prefixes: Vec<PathBuf> = own.into_iter().chain(lines.map(PathBuf::from)).collect();
    prefixes.sort();
    prefixes.dedup();
    (minor >= OLDEST).then(|| Interpreter { path, version: version.to_string(), prefixes })
}

/// An interpreter where it has its prefix around it, and that prefix. A link in a folder of programs (`~/.local/bin`) has
/// not: what lies around it is somebody's, and no part of Python.
fn at_home(path: PathBuf, minor: u32) -> (PathBuf, Option<PathBuf>) {
    let library = format!("lib/python3.{minor}/os.py");
    let prefix = |path: &Path| {
        let folder = path.parent()?.canonicalize().ok()?;
        let prefix = folder.parent()?.to_path_buf();
        let found = prefix.join("pyvenv.cfg").exists() || prefix.join(&library).exists();
        found.then_some((folder.join(path.file_name()?), Some(prefix)))
    };
    let real = path.canonicalize().unwrap_or_else(|_| path.clone());
    prefix(&path).or_else(|| prefix(&real)).unwrap_or((real, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_version_is_tried_first() {
        let all = [
            ("/usr/bin/python3", None),
            ("/usr/bin/python3.11", Some(11)),
            ("/home/shims/python3.9", Some(9)),
            ("/opt/python3.9", Some(9)),
            ("/opt/python3.5", Some(5)),
            ("/opt/python3.8", Some(8)),
            ("/opt/python3.10", Some(10)),
        ];
        let all = all.map(|(path, minor)| (PathBuf::from(path), minor)).to_vec();
        let order: Vec<_> = ranked(9, all).into_iter().map(|path| path.display().to_string()).collect();
        assert_eq!(
            order,
            [
                "/opt/python3.9",
                "/home/shims/python3.9",
                "/opt/python3.10",
                "/opt/python3.8",
                "/usr/bin/python3.11",
                "/usr/bin/python3",
            ]
        );
    }

    #[test]
    fn names_that_only_look_alike_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["python3", "python3.12", "python3-config", "python3.12-config", "python", "python38"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let mut found = list(&[dir.path().to_path_buf(), dir.path().to_path_buf()]);
        found.sort();
        let found: Vec<_> =
            found.iter().map(|(path, minor)| (path.file_name().unwrap().to_str().unwrap(), *minor)).collect();
        assert_eq!(found, [("python3", None), ("python3.12", Some(12))]);
    }

    #[test]
    fn only_pythons_own_folders_are_its_prefix() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in [
            "py/bin",
            "py/lib/python3.12",
            "venv/bin",
            "home/.local/bin",
            "home/.local/lib/python3.12",
            "bare",
        ] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        for file in ["py/bin/python3.12", "py/lib/python3.12/os.py", "venv/pyvenv.cfg", "bare/python3"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        let link =
            |from: &str| std::os::unix::fs::symlink(root.join("py/bin/python3.12"), root.join(from)).unwrap();
        ["venv/bin/python3", "home/.local/bin/python3.12"].into_iter().for_each(link);
        std::os::unix::fs::symlink(root.join("py/bin"), root.join("bin")).unwrap();
        for (path, program, own) in [
            ("py/bin/python3.12", "py/bin/python3.12", Some("py")),
            ("bin/python3.12", "py/bin/python3.12", Some("py")),
            ("venv/bin/python3", "venv/bin/python3", Some("venv")),
            ("home/.local/bin/python3.12", "py/bin/python3.12", Some("py")),
            ("bare/python3", "bare/python3", None),
        ] {
            let expected = (root.join(program), own.map(|own| root.join(own)));
            assert_eq!(at_home(root.join(path), 12), expected, "{path}");
        }
    }

    #[tokio::test]
    async fn what_does_not_run_is_no_interpreter() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let cases = [
            "#!/bin/sh\necho not installed >&2; exit 127\n",
            "#!/bin/sh\necho hello\n",
            "#!/bin/sh\necho; echo 2.7.18\n",
        ];
        for text in cases {
            let path = dir.path().join("python3.9");
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            assert!(probe(&path).await.is_none(), "{text}");
        }
        assert!(Interpreters::default().find("2.7").await.is_err());
    }
}
