//! Brings a server's process into being: by a fork of the zygote, or, where there is none that can, by running Python.
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::nursery::Nursery;
use super::place::{Place, Program, private_folder};
use super::process::Process;
use super::record::Record;
use super::zygote::{Request, Role};
use super::{ServerSpec, StartError, pip, settings};

/// Makes the folders ready: the work folder stays as it is, the run folder is emptied, the log begun anew.
pub(super) fn make_ready(spec: &ServerSpec, log: &Path) -> Result<(), StartError> {
    private_folder(&spec.home).map_err(StartError::io(&spec.home))?;
    let run_dir = &spec.run_dir;
    private_folder(run_dir).map_err(StartError::io(run_dir))?;
    fs::set_permissions(run_dir, fs::Permissions::from_mode(0o700)).map_err(StartError::io(run_dir))?;
    let _ = fs::rename(log, before(log));
    for entry in fs::read_dir(run_dir).map_err(StartError::io(run_dir))?.flatten() {
        // The secret that signs Jupyter's cookies is among what goes: each start has its own.
        if entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// What the server listens on. It is bound here, where the notebook cannot put another in its place, and what connects
/// before the server is up waits in it.
pub(super) fn bind(socket: &Path) -> Result<UnixListener, StartError> {
    let _ = fs::remove_file(socket);
    let listener = UnixListener::bind(socket).map_err(StartError::io(socket))?;
    // Whoever may connect may use the notebook.
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600)).map_err(StartError::io(socket))?;
    Ok(listener)
}

/// A server's processes as they were started.
pub(super) struct Launched {
    pub(super) server: Process,
    /// Forks its kernels; a server without one starts them itself.
    pub(super) forker: Option<Process>,
}

pub(super) fn open_log(log: &Path) -> Result<File, StartError> {
    let open = OpenOptions::new().create(true).append(true).mode(0o600).open(log);
    open.map_err(StartError::io(log))
}

/// Starts the server's process with its output in the log, in a session of its own, so that it outlives the engine.
pub(super) async fn launch(
    nursery: &Nursery,
    spec: &ServerSpec,
    place: &Place,
    record: &Record,
    listener: UnixListener,
) -> Result<Launched, StartError> {
    match by_zygote(nursery, spec, place, record, &listener).await? {
        Ok(launched) => Ok(launched),
        Err(why) => {
            tracing::warn!(id = spec.id, why, "started without the zygote");
            plainly(spec, place, record, listener).await
        }
    }
}

/// The inner error is why the zygote could not; nothing is left of the attempt.
async fn by_zygote(
    nursery: &Nursery,
    spec: &ServerSpec,
    place: &Place,
    record: &Record,
    listener: &UnixListener,
) -> Result<Result<Launched, String>, StartError> {
    let zygote = match nursery.zygote(&spec.environment).await {
        Ok(zygote) => zygote,
        Err(why) => return Ok(Err(why)),
    };
    let output = open_log(&record.log)?;
    let view = place.view();
    let (entry, namespaces) = match place.entry().await {
        Ok(entry) => entry,
        Err(why) => return Ok(Err(why)),
    };
    let variables = settings::environment(spec, view, &record.marker);
    let request = Request {
        role: Role::Server,
        entry: &entry,
        argv: settings::arguments(view),
        env: variables.into_iter().map(|(name, value)| (name, value.into())).collect(),
        cwd: view.work.to_string_lossy().into_owned(),
        title: format!("nbvend: notebook {}", spec.id),
        kernels: Some(view.kernels().to_string_lossy().into_owned()),
        memory: place.memory(),
    };
    let mut descriptors = vec![output.as_fd(), listener.as_fd()];
    descriptors.extend(namespaces.iter().map(AsFd::as_fd));
    let born = match zygote.fork(&request, &descriptors).await {
        Ok(born) => born,
        Err(why) => return Ok(Err(why)),
    };
    let server = Process::of_fork(born.process, zygote).map_err(StartError::io(Path::new("/proc")))?;
    let forker = born.forker.and_then(|pidfd| Process::watch(pidfd, async { None }).ok());
    Ok(Ok(Launched { server, forker }))
}

/// Runs Python, which loads all of JupyterLab anew.
async fn plainly(
    spec: &ServerSpec,
    place: &Place,
    record: &Record,
    listener: UnixListener,
) -> Result<Launched, StartError> {
    let program = spec.environment.python();
    let script = spec.environment.ours().join("nbvend_server.py");
    let mut given = json!({"listener": 3, "limit": place.memory()});
    let mut descriptors = vec![(OwnedFd::from(listener), 3)];
    if let Some(counts) = place.memory_counts().await {
        given["memory"] = 4.into();
        descriptors.push((counts, 4));
    }
    let text = |path: &Path| path.to_string_lossy().into_owned();
    // -I: what the notebook's variables say to Python is for its kernels. A module of the user's named json.py would
    // otherwise keep the server from starting.
    let mut argv = vec![text(&program), "-I".to_owned(), text(&script), given.to_string()];
    argv.extend(settings::arguments(place.view()));
    let wanted = Program {
        argv,
        env: settings::environment(spec, place.view(), &record.marker),
        output: open_log(&record.log)?.into(),
        descriptors,
        limit: None,
    };
    let job = place.run(wanted).await.map_err(|source| StartError::Spawn { program, source })?;
    let server = job.watch().map_err(StartError::io(Path::new("/proc")))?;
    Ok(Launched { server, forker: None })
}

/// How often a log's length is looked at. A notebook can write some gigabytes in between.
const LOOK: Duration = Duration::from_secs(1);

/// Where the log of the start before is kept.
fn before(log: &Path) -> std::path::PathBuf {
    log.with_added_extension("1")
}

pub(super) fn remove_logs(log: &Path) {
    for log in [log, &before(log)] {
        let _ = fs::remove_file(log);
    }
}

/// Looks after a server's log for as long as it is polled.
pub(super) async fn keep_short(log: &Path, limit: u64) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(LOOK).await;
        let log = log.to_owned();
        // Giving back gigabytes takes a while.
        let _ = tokio::task::spawn_blocking(move || trim_log(&log, limit)).await;
    }
}

/// Keeps a log that a notebook floods from filling the disk: beyond the limit its end goes to the second file and it
/// starts over, which is safe because the server appends.
pub(super) fn trim_log(path: &Path, limit: u64) -> io::Result<()> {
    let meta = fs::metadata(path)?;
    // What was reserved beyond its end counts too.
    if meta.len().max(meta.blocks() * 512) > limit {
        let tail = log_tail(path);
        OpenOptions::new().write(true).open(path)?.set_len(0)?;
        let end = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(before(path));
        end?.write_all(tail.as_bytes())?;
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
        trim_log(&path, 10_000).unwrap();
        assert!(log_tail(&path).ends_with("last words"));
        trim_log(&path, 100).unwrap();
        assert_eq!(log_tail(&path), "");
        assert!(log_tail(&before(&path)).ends_with("last words"));
        writeln!(writer, "more").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"more\n");
    }
}
