//! Runs pip and reads what it says: progress while it works, and the one cause when it fails.
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::{InstallError, Step, python};

/// The files every environment is made of: exact versions with the hashes of their files.
pub(super) const LOCK: &str = include_str!("../../jupyter.lock");
const TAIL: usize = 2000;

/// How many packages a lock file names.
pub(super) fn count(lock: &str) -> usize {
    lock.lines().filter(|line| line.contains("==")).count()
}

/// Installs what `lock_file` names into the venv at `root`. The machine's own pip settings (index, proxy, cache,
/// certificates) apply. `held` is the installation's lock: pip keeps it open too, so that a second installation waits
/// for a pip whose starter was killed.
pub(super) async fn install(
    root: &Path,
    lock_file: &Path,
    total: usize,
    held: &OwnedFd,
    progress: &(impl Fn(Step) + Send + Sync),
) -> Result<(), InstallError> {
    let mut command = std::process::Command::new(root.join("bin/python"));
    command
        .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-compile"])
        .args(["--require-hashes", "--only-binary=:all:", "--progress-bar=off", "-r"])
        .arg(lock_file);
    let held = held.as_fd().try_clone_to_owned().map_err(InstallError::io(lock_file))?;
    command
        .fd_mappings(vec![FdMapping { parent_fd: held, child_fd: 3 }])
        .map_err(|error| InstallError::Failed { what: "Starting pip", tail: error.to_string() })?;
    let mut command = Command::from(command);
    // What the machine says about indexes, proxies and caches is kept; what would install elsewhere or otherwise is not.
    for name in
        ["TARGET", "PREFIX", "ROOT", "CONSTRAINT", "REQUIREMENT", "NO_BINARY", "NO_DEPS", "DRY_RUN", "PYTHON"]
    {
        command.env_remove(format!("PIP_{name}"));
    }
    python::clean(&mut command)
        .env("PIP_USER", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(InstallError::io(root))?;

    let mut complaints = child.stderr.take().expect("stderr is piped");
    let complaints = tokio::spawn(async move {
        let mut text = Vec::new();
        let _ = complaints.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let mut done = 0;
    let mut said = String::new();
    let mut unpacking = false;
    let mut tick = tokio::time::interval(Duration::from_millis(300));
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Ok(Some(line)) = line else { break };
                if let Some(requirement) = line.strip_prefix("Collecting ") {
                    let package = requirement.split(['=', ' ']).next().unwrap_or_default().to_owned();
                    progress(Step::Downloading { done, total, package });
                    done = (done + 1).min(total);
                }
                unpacking |= line.starts_with("Installing collected packages");
                said.push_str(&line);
                said.push('\n');
            }
            _ = tick.tick(), if unpacking => {
                progress(Step::Installing { done: unpacked(root).min(total), total });
            }
        }
    }
    let status = child.wait().await.map_err(InstallError::io(root))?;
    let complaints = complaints.await.unwrap_or_default();
    if status.success() {
        progress(Step::Installing { done: total, total });
        return Ok(());
    }
    Err(explain(root, &format!("{said}{complaints}")))
}

/// pip says nothing while it unpacks, so that the folders it finishes are counted.
fn unpacked(root: &Path) -> usize {
    let Ok(versions) = std::fs::read_dir(root.join("lib")) else { return 0 };
    let folders =
        versions.flatten().filter_map(|version| std::fs::read_dir(version.path().join("site-packages")).ok());
    folders
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".dist-info"))
        .count()
}

/// The cause in pip's many words. Order matters: out of space and no network both end in secondary errors.
fn explain(root: &Path, said: &str) -> InstallError {
    let after =
        |mark: &str| said.split_once(mark).map(|(_, rest)| rest.lines().next().unwrap_or_default().trim());
    if said.contains("No space left on device") || said.contains("Errno 28") {
        let have_mib = super::install::free_mib(root).unwrap_or(0);
        return InstallError::NoSpace { dir: root.to_owned(), need_mib: super::install::NEED_MIB, have_mib };
    }
    if said.contains("DO NOT MATCH THE HASHES") {
        let package = after("update the hashes as well.").filter(|rest| !rest.is_empty()).or_else(|| {
            let line = said.lines().find(|line| line.contains("==") && line.contains("from"))?;
            Some(line.trim())
        });
        let package = package.unwrap_or("a package").split([' ', ';']).next().unwrap_or_default().to_owned();
        return InstallError::HashMismatch { package };
    }
    const NETWORK: [&str; 12] = [
        "Temporary failure in name resolution",
        "Name or service not known",
        "Failed to establish a new connection",
        "Network is unreachable",
        "Connection refused",
        "Max retries exceeded",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "Read timed out",
        "ProxyError",
        "Cannot connect to proxy",
        "SSLError",
    ];
    if let Some(detail) = NETWORK.iter().find(|mark| said.contains(**mark)) {
        return InstallError::NoNetwork { detail: (*detail).to_owned() };
    }
    if let Some(requirement) = after("No matching distribution found for") {
        let requirement = requirement.split(' ').next().unwrap_or_default().to_owned();
        return InstallError::NotOffered { requirement };
    }
    InstallError::Failed { what: "Installing JupyterLab with pip", tail: tail(said) }
}

/// The end of a text, cut at a line.
pub(super) fn tail(text: &str) -> String {
    let text = text.trim_end();
    let mut from = text.len().saturating_sub(TAIL);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let cut = if from == 0 { 0 } else { text[from..].find('\n').map_or(from, |at| from + at + 1) };
    text[cut..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_has_a_hash_and_no_index_is_named() {
        let mut pins = 0;
        for line in LOCK.replace("\\\n", "").lines().filter(|line| !line.starts_with('#')) {
            let (pin, hashes) = line.split_once("--hash=sha256:").expect(line);
            assert!(pin.contains("=="), "{line}");
            assert!(hashes.split("--hash=sha256:").all(|hash| hash.trim().len() == 64), "{line}");
            pins += 1;
        }
        assert_eq!(pins, count(LOCK));
        assert!(!LOCK.contains("://") && !LOCK.contains("index"), "the lock file must not name an index");
    }

    /// No older than the releases that fixed the known holes.
    #[test]
    fn pins_are_at_least_the_safe_versions() {
        let version = |name: &str| -> Vec<u32> {
            let line = LOCK.lines().find_map(|line| line.strip_prefix(&format!("{name}=="))).expect(name);
            line.split(' ').next().unwrap().split('.').map(|part| part.parse().unwrap()).collect()
        };
        assert!(version("jupyter-server") >= vec![2, 20, 0]);
        assert!(version("jupyterlab") >= vec![4, 5, 7]);
        assert!(version("nbconvert") >= vec![7, 17, 1]);
        for absent in ["notebook==", "jupyter-server-proxy=="] {
            assert!(!LOCK.lines().any(|line| line.starts_with(absent)), "{absent} is not to be there");
        }
    }

    #[test]
    fn the_cause_is_found() {
        let root = Path::new("/nowhere");
        let says = |text: &str| explain(root, text).to_string();
        let offline = "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(': Failed to \
            establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/anyio/\n\
            ERROR: Could not find a version that satisfies the requirement anyio==4 (from versions: none)\n\
            ERROR: No matching distribution found for anyio==4";
        assert!(says(offline).contains("name resolution"));
        let absent = "ERROR: No matching distribution found for pyzmq==27.3.0 (from -r lock (line 9))";
        assert!(says(absent).contains("no file of pyzmq==27.3.0"));
        let full = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device";
        assert!(says(full).contains("room"));
        let wrong = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the \
            package versions, please update the hashes. Otherwise, examine the package contents carefully.\n    \
            anyio==4.16.0 from file:///x/anyio-4.16.0-py3-none-any.whl (from -r lock (line 1)):\n        Expected sha256 0";
        assert!(says(wrong).contains("file of anyio==4.16.0 is not"));
        assert!(says("ERROR: something else").contains("something else"));
    }

    #[test]
    fn tails_begin_with_a_whole_line() {
        assert_eq!(tail("a\nb\n"), "a\nb");
        let long = format!("{}\nlast", "ä".repeat(3000));
        assert_eq!(tail(&long), "last");
    }
}
