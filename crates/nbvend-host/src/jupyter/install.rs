//! Makes the JupyterLab environment, once: a virtual environment named by what goes into it, finished by a marker.
//!
//! Interrupted at any point, the next run makes it anew; two runs at a time wait for one another. A changed lock file
//! or setting is another environment beside the old one, so that running servers keep theirs; our own Python modules
//! lie in a folder of their own inside it.
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::{InstallError, pip, python, settings};

/// What an environment takes on disk, with room for unpacking.
pub(super) const NEED_MIB: u64 = 600;
const MARKER: &str = "nbvend-environment.json";

/// A finished environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    root: PathBuf,
    version: String,
}

/// What `prepare` is doing. Nothing is reported when the environment is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Another process is installing into the same place; it is waited for.
    Waiting,
    CreatingVenv {
        python: PathBuf,
        version: String,
    },
    Downloading {
        done: usize,
        total: usize,
        package: String,
    },
    Installing {
        done: usize,
        total: usize,
    },
    Compiling,
    Checking,
    Ready {
        jupyterlab: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Marker {
    jupyterlab: String,
    /// The interpreter the venv stands on: when it is gone (an upgrade of the system), the venv is made anew.
    python: PathBuf,
}

impl Environment {
    /// The virtual environment's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The version of JupyterLab in it.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn python(&self) -> PathBuf {
        self.root.join("bin/python")
    }

    /// What the interpreter under it is installed in, which notebooks must see too.
    pub(super) fn interpreter_prefix(&self) -> PathBuf {
        let base = fs::canonicalize(self.python()).unwrap_or_else(|_| self.python());
        base.ancestors().nth(2).unwrap_or(Path::new("/usr")).to_owned()
    }

    /// Our own Python in it.
    pub fn ours(&self) -> PathBuf {
        settings::ours(&self.root)
    }

    /// Changes when packages are added or removed: what was loaded before is not what is there now.
    pub(super) fn stamp(&self) -> Option<SystemTime> {
        let versions = fs::read_dir(self.root.join("lib")).ok()?;
        let packages = versions.flatten().map(|version| version.path().join("site-packages"));
        packages.filter_map(|packages| fs::metadata(packages).ok()?.modified().ok()).max()
    }
}

/// Returns the environment below `dir`, making it first if it is not there: about half a minute and 250 MB.
pub async fn prepare(dir: &Path, progress: impl Fn(Step) + Send + Sync) -> Result<Environment, InstallError> {
    prepare_from(dir, pip::LOCK, &python::candidates(), progress).await
}

/// The environment below `dir`, if it is there; makes nothing.
pub fn prepared(dir: &Path) -> Option<Environment> {
    finished(&real(dir).join(name(pip::LOCK))).filter(|environment| environment.ours().exists())
}

/// The folder's path without links.
fn real(dir: &Path) -> PathBuf {
    dir.canonicalize().unwrap_or_else(|_| dir.to_owned())
}

/// The interpreter, with its version, that [`prepare`] would use.
pub async fn usable_python() -> Result<(PathBuf, String), InstallError> {
    let python = python::find(&python::candidates()).await?;
    Ok((python.program, python.version))
}

async fn prepare_from(
    dir: &Path,
    lock: &str,
    candidates: &[PathBuf],
    progress: impl Fn(Step) + Send + Sync,
) -> Result<Environment, InstallError> {
    // Python names its own folders without links, and a sandbox shows the environment at one path.
    std::fs::create_dir_all(dir).map_err(InstallError::io(dir))?;
    let dir = &real(dir);
    let root = dir.join(name(lock));
    if let Some(environment) = finished(&root) {
        settings::write_ours(&root).map_err(InstallError::io(&root))?;
        return Ok(environment);
    }
    let held = hold(&root.with_extension("lock"), &progress).await?;
    if let Some(environment) = finished(&root) {
        settings::write_ours(&root).map_err(InstallError::io(&root))?;
        return Ok(environment);
    }

    let python = python::find(candidates).await?;
    match free_mib(dir) {
        Some(have_mib) if have_mib < NEED_MIB => {
            return Err(InstallError::NoSpace { dir: dir.to_owned(), need_mib: NEED_MIB, have_mib });
        }
        _ => {}
    }
    if root.exists() {
        fs::remove_dir_all(&root).map_err(InstallError::io(&root))?;
    }
    progress(Step::CreatingVenv { python: python.program.clone(), version: python.version.clone() });
    let mut venv = Command::new(&python.program);
    run("Making a virtual environment", venv.args(["-m", "venv"]).arg(&root)).await?;

    let lock_file = root.join("jupyter.lock");
    fs::write(&lock_file, lock).map_err(InstallError::io(&lock_file))?;
    pip::install(&root, &lock_file, pip::count(lock), &held, &progress).await?;
    settings::write_into(&root).map_err(InstallError::io(&root))?;
    settings::write_ours(&root).map_err(InstallError::io(&root))?;

    progress(Step::Compiling);
    // Without it each start of a server costs twice the CPU time. Some packages carry files that no Python 3 compiles,
    // for which compileall answers 1: the check below is what counts.
    let mut compile = Command::new(root.join("bin/python"));
    compile.args(["-m", "compileall", "-q", "-j", "0"]).arg(root.join("lib"));
    let _ = run("Compiling", &mut compile).await;

    progress(Step::Checking);
    let mut check = Command::new(root.join("bin/python"));
    check.args(["-P", "-c", "import jupyterlab, ipykernel; print(jupyterlab.__version__)"]);
    let jupyterlab = run("Checking the new environment", &mut check).await?.trim().to_owned();

    let marker = Marker { jupyterlab: jupyterlab.clone(), python: python.program };
    finish(&root, &marker).map_err(InstallError::io(&root))?;
    progress(Step::Ready { jupyterlab: jupyterlab.clone() });
    Ok(Environment { root, version: jupyterlab })
}

/// A name for what goes into the environment: another lock file or setting gives another name.
fn name(lock: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(lock);
    for (path, text) in settings::FILES {
        hash.update(path);
        hash.update(text);
    }
    format!("jupyter-{}", &hex::encode(hash.finalize())[..12])
}

fn finished(root: &Path) -> Option<Environment> {
    let marker: Marker = serde_json::from_slice(&fs::read(root.join(MARKER)).ok()?).ok()?;
    let usable = marker.python.exists() && root.join("bin/python").exists();
    usable.then(|| Environment { root: root.to_owned(), version: marker.jupyterlab })
}

/// Writes the marker so that it is there whole or not at all, after all that it vouches for.
fn finish(root: &Path, marker: &Marker) -> std::io::Result<()> {
    let path = root.join(MARKER);
    let partial = path.with_extension("partial");
    fs::write(&partial, serde_json::to_vec(marker)?)?;
    rustix::fs::syncfs(File::open(root)?)?;
    fs::rename(&partial, &path)
}

/// Waits until no other installation into this place is under way. The lock ends with the file description, which
/// pip shares. Asked again and again rather than waited for in a thread, so that the caller can give up.
async fn hold(path: &Path, progress: &(impl Fn(Step) + Send + Sync)) -> Result<OwnedFd, InstallError> {
    let file = File::create(path).map_err(InstallError::io(path))?;
    let mut told = false;
    loop {
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file.into()),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(error) => return Err(InstallError::io(path)(error.into())),
        }
        if !told {
            progress(Step::Waiting);
            told = true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

pub(super) fn free_mib(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize) >> 20)
}

/// Runs a step to its end and returns what it printed.
async fn run(what: &'static str, command: &mut Command) -> Result<String, InstallError> {
    let output = python::clean(command).stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| InstallError::Failed { what, tail: error.to_string() })?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let tail = pip::tail(&format!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    Err(InstallError::Failed { what, tail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_python_is_one_clear_sentence_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let none = [dir.path().join("python3.11")];
        let error = prepare_from(dir.path(), pip::LOCK, &none, |_| {}).await.unwrap_err();
        assert!(error.to_string().starts_with("JupyterLab needs CPython 3.11"), "{error}");
        assert!(!dir.path().join(name(pip::LOCK)).exists());
    }

    /// pip itself refuses: a file that is not the pinned one, and a pin that the index does not have.
    #[tokio::test]
    async fn another_file_or_none_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thing-1.0-py3-none-any.whl"), "not what was pinned").unwrap();
        let index = format!("--no-index\n--find-links {}\n", dir.path().display());
        let hash = "0".repeat(64);
        let lock = |pin: &str| format!("{index}{pin} --hash=sha256:{hash}\n");

        let wrong =
            prepare_from(dir.path(), &lock("thing==1.0"), &python::candidates(), |_| {}).await.unwrap_err();
        assert!(
            matches!(&wrong, InstallError::HashMismatch { package } if package == "thing==1.0"),
            "{wrong}"
        );
        let lock = lock("absent==2.0");
        let absent = prepare_from(dir.path(), &lock, &python::candidates(), |_| {}).await.unwrap_err();
        assert!(
            matches!(&absent, InstallError::NotOffered { requirement } if requirement == "absent==2.0"),
            "{absent}"
        );
        assert!(finished(&dir.path().join(name(&lock))).is_none());
    }

    #[test]
    fn an_environment_is_finished_only_with_its_marker_and_its_python() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir(root.join("bin")).unwrap();
        fs::write(root.join("bin/python"), "").unwrap();
        assert_eq!(finished(root), None);
        let base = root.join("base-python");
        finish(root, &Marker { jupyterlab: "4.6.6".to_owned(), python: base.clone() }).unwrap();
        assert_eq!(finished(root), None, "the interpreter under it is gone");
        fs::write(base, "").unwrap();
        assert_eq!(finished(root).unwrap().version(), "4.6.6");
    }

    #[test]
    fn what_goes_in_is_in_the_name() {
        assert_ne!(name("a==1"), name("a==2"));
        assert_eq!(name("a==1"), name("a==1"));
    }
}
