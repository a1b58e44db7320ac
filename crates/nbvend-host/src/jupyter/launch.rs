//! Brings a server's process into being: today an exec of its own for each. A later way (a fork of a preloaded
//! process, in a sandbox) replaces this file's one function and nothing else.
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::{ServerSpec, StartError, pip, settings};

/// Makes the folders ready: the work folder stays as it is, the run folder is emptied but for the last log.
pub(super) fn make_ready(spec: &ServerSpec) -> Result<(), StartError> {
    DirBuilder::new().recursive(true).mode(0o700).create(&spec.home).map_err(StartError::io(&spec.home))?;
    let run_dir = &spec.run_dir;
    DirBuilder::new().recursive(true).mode(0o700).create(run_dir).map_err(StartError::io(run_dir))?;
    // Whoever may enter this folder may use the notebook.
    fs::set_permissions(run_dir, fs::Permissions::from_mode(0o700)).map_err(StartError::io(run_dir))?;
    let log = spec.log();
    let _ = fs::rename(&log, log.with_extension("log.1"));
    for entry in fs::read_dir(run_dir).map_err(StartError::io(run_dir))?.flatten() {
        // The secret that signs Jupyter's cookies is among what goes: each start has its own.
        if entry.file_name() != "server.log.1" && entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Starts the server's process in a session of its own, with its output in the log, so that it outlives the engine.
pub(super) fn spawn(spec: &ServerSpec, marker: &str) -> Result<Child, StartError> {
    let log = spec.log();
    let open = OpenOptions::new().create(true).append(true).mode(0o600).open(&log);
    let output = open.map_err(StartError::io(&log))?;
    let complaints = output.try_clone().map_err(StartError::io(&log))?;
    let program = spec.environment.python();
    let mut command = Command::new(&program);
    command
        .args(settings::arguments(spec))
        .env_clear()
        .envs(settings::environment(spec, marker))
        .current_dir(&spec.home)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(complaints)
        .kill_on_drop(false);
    // SAFETY: between fork and exec the closure makes two system calls, both async-signal-safe, and allocates nothing.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
            Ok(())
        });
    }
    command.spawn().map_err(|source| StartError::Spawn { program, source })
}

/// Keeps a log that a notebook floods from filling the disk: beyond the limit its end goes to the second file and it
/// starts over, which is safe because the server appends.
pub(super) fn trim_log(path: &Path, limit: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.len() > limit {
        fs::write(path.with_extension("log.1"), log_tail(path))?;
        file.set_len(0)?;
    }
    Ok(())
}

/// The last lines of a log; empty if there is none.
pub(super) fn log_tail(path: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(8 << 10)))?;
        let mut text = Vec::new();
        file.take(8 << 10).read_to_end(&mut text)?;
        Ok(text)
    };
    pip::tail(&String::from_utf8_lossy(&read().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_flooded_log_starts_over_and_its_writer_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.log");
        let mut writer = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        writeln!(writer, "{}\nlast words", "x".repeat(100)).unwrap();
        trim_log(&path, 1000).unwrap();
        assert!(log_tail(&path).ends_with("last words"));
        trim_log(&path, 100).unwrap();
        assert_eq!(log_tail(&path), "");
        assert!(log_tail(&path.with_extension("log.1")).ends_with("last words"));
        writeln!(writer, "more").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"more\n");
    }
}
