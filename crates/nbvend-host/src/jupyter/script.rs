//! Scripts that prepare a notebook: run in its place before its server, with what the server will see, each for a limited
//! time. What they wrote is kept, however they ended.
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::MemfdFlags;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use super::place::{End, Place, Program};
use super::{ExitReason, ServerSpec, settings};

/// Lines and bytes kept of what a script writes.
const LINES: usize = 10_000;
const BYTES: usize = 4 << 20;
/// How long the last output of a script that has ended is waited for.
const REST: Duration = Duration::from_millis(300);

/// A script for bash.
#[derive(Debug, Clone)]
pub struct Script {
    /// For people and for telling scripts apart: `OnStart`.
    pub name: String,
    pub text: Vec<u8>,
    pub limit: Duration,
    /// Whether the server is not to start when it fails.
    pub required: bool,
}

/// What became of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub name: String,
    /// Output and error output, in the order written.
    pub lines: Vec<String>,
    pub end: ScriptEnd,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptEnd {
    #[error("done")]
    Done,
    #[error("it took longer than {} s", .0.as_secs())]
    Late(Duration),
    #[error("{0}")]
    Failed(ExitReason),
    #[error("it cannot be run: {0}")]
    NotRun(String),
}

/// Runs one script to its end; programs that it left in the background run on.
pub(super) async fn run(spec: &ServerSpec, place: &Place, marker: &str, script: &Script) -> Ran {
    let (lines, end) = match begin(spec, place, marker, script).await {
        Ok(ran) => ran,
        Err(error) => (Vec::new(), ScriptEnd::NotRun(error.to_string())),
    };
    Ran { name: script.name.clone(), lines, end }
}

async fn begin(
    spec: &ServerSpec,
    place: &Place,
    marker: &str,
    script: &Script,
) -> io::Result<(Vec<String>, ScriptEnd)> {
    // One pipe for both, so that lines stand in the order in which they were written.
    let (read, write) = io::pipe()?;
    let program = Program {
        // Read from a descriptor: its text may be longer than an argument may be, and its input is its own.
        argv: vec!["/bin/bash".to_owned(), "/dev/fd/3".to_owned()],
        env: settings::environment(spec, place.view(), marker),
        output: write.into(),
        descriptors: vec![(file(&script.text)?, 3)],
        limit: Some(script.limit),
    };
    let kept = Arc::new(Mutex::new(Vec::new()));
    let job = place.run(program).await?;
    let mut reading = tokio::spawn(keep(pipe::Receiver::from_owned_fd(read.into())?, kept.clone()));
    let end = match job.ended().await {
        Ok(End::Of(ExitReason::Code(0))) => ScriptEnd::Done,
        Ok(End::Of(reason)) => ScriptEnd::Failed(reason),
        Ok(End::Late) => ScriptEnd::Late(script.limit),
        Err(error) => ScriptEnd::NotRun(error.to_string()),
    };
    // What the script left in the background may hold the pipe for ever; the reading goes on for its sake.
    let _ = tokio::time::timeout(REST, &mut reading).await;
    let text = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((String::from_utf8_lossy(&text).lines().take(LINES).map(str::to_owned).collect(), end))
}

/// A file in memory that the script's user may open again.
fn file(text: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(rustix::fs::memfd_create("script", MemfdFlags::CLOEXEC)?);
    file.write_all(text)?;
    Ok(file.into())
}

/// Reads on to the end and keeps the beginning: nobody is held up by what he writes.
async fn keep(mut pipe: pipe::Receiver, kept: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < BYTES {
            kept.extend_from_slice(&buffer[..count]);
        }
    }
}
