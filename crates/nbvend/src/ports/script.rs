//! Lifecycle scripts and the cloning of repositories: run before the notebook's server, as its user, five minutes at the
//! most. What they wrote is kept however they ended.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nbvend_cloud::ports::{Repository, ScriptLog, StartFailure};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};

/// AWS gives a script five minutes; one that takes longer fails the start.
const LIMIT: Duration = Duration::from_secs(300);
/// Repositories are a convenience: they may not hold a start up for long.
const CLONE_LIMIT: Duration = Duration::from_secs(60);
/// Lines and bytes kept of what a script writes.
const LINES: usize = 10_000;
const BYTES: usize = 4 << 20;
/// How long the last output of a script that ended is waited for.
const REST: Duration = Duration::from_millis(300);

/// Where and with what a script runs.
pub struct Place<'a> {
    pub home: &'a Path,
    pub environment: &'a Path,
    pub variables: &'a [(String, String)],
}

/// Runs one script with bash in the notebook's folder.
pub async fn run(hook: &'static str, script: &[u8], place: &Place<'_>) -> (ScriptLog, Option<StartFailure>) {
    let (lines, end) = bash(script, place, LIMIT).await;
    let failure = match end {
        End::Done => None,
        End::Late => Some(StartFailure::ScriptTooSlow { hook }),
        End::Failed(status) => Some(StartFailure::ScriptFailed { hook, status }),
        End::NotRun(error) => Some(StartFailure::Other(format!("the {hook} script cannot be run: {error}"))),
    };
    (ScriptLog { hook, lines }, failure)
}

/// Clones what is not there yet. A repository that cannot be reached is said so in the engine's log and fails nothing.
pub async fn clone(repositories: &[Repository], place: &Place<'_>) {
    for repository in repositories.iter().filter(|one| !place.home.join(&one.folder).exists()) {
        // Both were checked when the notebook was made: an https URL of visible characters and a plain folder name.
        let quoted = repository.url.replace('\'', "'\\''");
        let script =
            format!("GIT_TERMINAL_PROMPT=0 exec git clone --quiet -- '{quoted}' './{}'", repository.folder);
        let (lines, end) = bash(script.as_bytes(), place, CLONE_LIMIT).await;
        if !matches!(end, End::Done) {
            let said = lines.last().map(String::as_str).unwrap_or_default();
            tracing::warn!(url = repository.url, said, "a repository was not cloned");
        }
    }
}

enum End {
    Done,
    Late,
    /// `exit status: 1`
    Failed(String),
    NotRun(String),
}

async fn bash(script: &[u8], place: &Place<'_>, limit: Duration) -> (Vec<String>, End) {
    let (mut child, pipe) = match spawn(script, place) {
        Ok(spawned) => spawned,
        Err(error) => return (Vec::new(), End::NotRun(error.to_string())),
    };
    let group = child.id().and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?));
    let text = Arc::new(Mutex::new(Vec::new()));
    let mut reading = tokio::spawn(keep(pipe, Arc::clone(&text)));
    let end = match tokio::time::timeout(limit, child.wait()).await {
        Ok(Ok(status)) if status.success() => End::Done,
        Ok(Ok(status)) => End::Failed(status.to_string()),
        Ok(Err(error)) => End::NotRun(error.to_string()),
        Err(_) => {
            if let Some(group) = group {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            End::Late
        }
    };
    // A program that the script left in the background may hold the pipe for ever.
    if tokio::time::timeout(REST, &mut reading).await.is_err() {
        reading.abort();
    }
    let text = text.lock().expect("nobody panics while keeping text");
    (String::from_utf8_lossy(&text).lines().take(LINES).map(str::to_owned).collect(), end)
}

fn spawn(script: &[u8], place: &Place<'_>) -> std::io::Result<(Child, Receiver)> {
    let bin = place.environment.join("bin");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", bin.display());
    // One pipe for both, so that lines stand in the order in which they were written.
    let (read, write) = std::io::pipe()?;
    let child = Command::new("/bin/bash")
        .arg("-c")
        .arg(OsStr::from_bytes(script))
        .current_dir(place.home)
        .env_clear()
        .envs(place.variables.iter().map(|(name, value)| (name, value)))
        .envs([("PATH", path.as_str()), ("LANG", "C.UTF-8"), ("USER", "ec2-user")])
        .env("HOME", place.home)
        .stdin(Stdio::null())
        .stdout(write.try_clone()?)
        .stderr(write)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    Ok((child, Receiver::from_owned_fd(read.into())?))
}

/// Reads on to the end and keeps the beginning: a script is never held up by what it writes.
async fn keep(mut pipe: Receiver, text: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0u8; 8192];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        let mut text = text.lock().expect("nobody panics while keeping text");
        if text.len() < BYTES {
            text.extend_from_slice(&buffer[..count]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ran(script: &str, limit: u64) -> (Vec<String>, End, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        let variables = [("COLOUR".to_owned(), "blue".to_owned())];
        let place = Place { home: home.path(), environment: Path::new("/none"), variables: &variables };
        let (lines, end) = bash(script.as_bytes(), &place, Duration::from_millis(limit)).await;
        (lines, end, home)
    }

    #[tokio::test]
    async fn output_is_kept_however_it_ends() {
        let (lines, end, home) = ran("echo $COLOUR; echo bad >&2; echo there; touch made", 10_000).await;
        assert!(matches!(end, End::Done));
        assert_eq!(lines, ["blue", "bad", "there"]);
        assert!(home.path().join("made").exists());
        let (lines, end, _) = ran("echo first; exit 7", 10_000).await;
        assert_eq!(lines, ["first"]);
        assert!(matches!(end, End::Failed(status) if status == "exit status: 7"));
    }

    #[tokio::test]
    async fn one_that_takes_too_long_is_ended_with_all_it_began() {
        let (lines, end, home) = ran("echo begun; (sleep 1; touch late) & wait", 200).await;
        assert!(matches!(end, End::Late));
        assert_eq!(lines, ["begun"]);
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert!(!home.path().join("late").exists());
    }

    #[tokio::test]
    async fn a_program_left_in_the_background_holds_nothing_up() {
        let begun = std::time::Instant::now();
        let (lines, end, _home) = ran("sleep 5 & echo done", 10_000).await;
        assert!(matches!(end, End::Done));
        assert_eq!(lines, ["done"]);
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}
