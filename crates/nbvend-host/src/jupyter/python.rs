//! Finds a Python that can carry JupyterLab, by trying each one: a name on the path proves nothing (version managers
//! leave launchers for versions that are not installed, distributions ship Python without venv).
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::InstallError;

const CANDIDATES: [&str; 5] = ["python3.13", "python3.12", "python3.11", "python3.14", "python3"];
/// The versions the lock file holds hashes for.
const MINORS: std::ops::RangeInclusive<u32> = 11..=14;
const PATIENCE: Duration = Duration::from_secs(20);

/// Prints version, implementation, the real path, and whether the modules that a venv needs are there.
const QUESTION: &str = "
import importlib.util, os, sys
has = all(importlib.util.find_spec(m) for m in ('venv', 'ensurepip'))
print(*sys.version_info[:3], sys.implementation.name, int(has), os.path.realpath(sys.executable))
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Python {
    pub(super) program: PathBuf,
    pub(super) version: String,
}

pub(super) fn candidates() -> Vec<PathBuf> {
    CANDIDATES.iter().map(PathBuf::from).collect()
}

/// The first candidate that is new enough and can make virtual environments.
pub(super) async fn find(candidates: &[PathBuf]) -> Result<Python, InstallError> {
    let mut tried = Vec::new();
    let mut without_venv = None;
    for candidate in candidates {
        let Some(answer) = ask(candidate).await else { continue };
        match judge(&answer) {
            Verdict::Usable(python) => return Ok(python),
            Verdict::NoVenv(python) => without_venv = without_venv.or(Some(python)),
            Verdict::Unfit(what) => tried.push(format!("{} is {what}", candidate.display())),
        }
    }
    if let Some(Python { program, version }) = without_venv {
        return Err(InstallError::NoVenv { python: program, version });
    }
    let names: Vec<_> = candidates.iter().map(|c| c.display().to_string()).collect();
    let tried = if tried.is_empty() { format!("tried {}", names.join(", ")) } else { tried.join(", ") };
    Err(InstallError::NoPython { tried })
}

async fn ask(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    clean(&mut command).args(["-c", QUESTION]).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Takes away what would make Python load modules from elsewhere, or not from where we put them.
pub(super) fn clean(command: &mut Command) -> &mut Command {
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"] {
        command.env_remove(name);
    }
    command.env("PYTHONNOUSERSITE", "1").env("PYTHONUNBUFFERED", "1")
}

enum Verdict {
    Usable(Python),
    NoVenv(Python),
    Unfit(String),
}

fn judge(answer: &str) -> Verdict {
    let words: Vec<&str> = answer.splitn(6, ' ').collect();
    let [major, minor, micro, implementation, has_venv, program] = words[..] else {
        return Verdict::Unfit("not a Python we understand".to_owned());
    };
    let version = format!("{major}.{minor}.{micro}");
    let minor_fits = minor.parse().is_ok_and(|minor| MINORS.contains(&minor));
    if major != "3" || !minor_fits || implementation != "cpython" {
        return Verdict::Unfit(format!("{implementation} {version}"));
    }
    let python = Python { program: PathBuf::from(program), version };
    if has_venv == "1" { Verdict::Usable(python) } else { Verdict::NoVenv(python) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn fake(dir: &Path, name: &str, answer: &str) -> PathBuf {
        let path = dir.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{answer}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test]
    async fn the_first_usable_one_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let old = fake(dir.path(), "old", "echo 3 10 9 cpython 1 /usr/bin/old");
        let shim = fake(dir.path(), "shim", "echo not installed >&2; exit 127");
        let bare = fake(dir.path(), "bare", "echo 3 12 1 cpython 0 /usr/bin/bare");
        let pypy = fake(dir.path(), "pypy", "echo 3 11 4 pypy 1 /usr/bin/pypy");
        let good = fake(dir.path(), "good", "echo 3 11 2 cpython 1 /opt/a folder/python");
        let missing = dir.path().join("missing");

        let all = [missing.clone(), old.clone(), shim, bare.clone(), pypy, good];
        let found = find(&all).await.unwrap();
        assert_eq!(found, Python { program: "/opt/a folder/python".into(), version: "3.11.2".to_owned() });

        let error = find(&[old.clone(), bare]).await.unwrap_err();
        assert!(matches!(&error, InstallError::NoVenv { version, .. } if version == "3.12.1"), "{error}");
        let error = find(&[old, missing]).await.unwrap_err();
        assert!(error.to_string().contains("old is cpython 3.10.9"), "{error}");
    }
}
