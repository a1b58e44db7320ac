//! Scripts that prepare a notebook: run in its place before its server, with what the server will see, each for a limited
//! time. What they wrote is kept, however they ended.
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::fs::MemfdFlags;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use super::place::{End, Place, Program};
use super::{ExitReason, ServerSpec, settings};

/// Lines and bytes kept of what a script writes.
const LINES: usize = 10_000;
const BYTES: usize = 4 << 20;

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
    let mut output = Output::of(read.into())?;
    let job = place.run(program).await?;
    let ended = job.ended();
    tokio::pin!(ended);
    let end = tokio::select! {
        end = &mut ended => end,
        () = output.read_on() => ended.as_mut().await,
    };
    let end = match end {
        Ok(End::Of(ExitReason::Code(0))) => ScriptEnd::Done,
        Ok(End::Of(reason)) => ScriptEnd::Failed(reason),
        Ok(End::Late) => ScriptEnd::Late(script.limit),
        Err(error) => ScriptEnd::NotRun(error.to_string()),
    };
    output.drain();
    let text = std::mem::take(&mut output.kept);
    // What the script left in the background may hold the pipe for ever, and is not to be held up by what it writes.
    tokio::spawn(async move { tokio::io::copy(&mut output.pipe, &mut tokio::io::sink()).await });
    Ok((String::from_utf8_lossy(&text).lines().take(LINES).map(str::to_owned).collect(), end))
}

/// A file in memory that the script's user may open again.
fn file(text: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(rustix::fs::memfd_create("script", MemfdFlags::CLOEXEC)?);
    file.write_all(text)?;
    Ok(file.into())
}

/// What a script writes: all of it is read, the beginning is kept.
struct Output {
    pipe: pipe::Receiver,
    buffer: Box<[u8]>,
    kept: Vec<u8>,
}

impl Output {
    fn of(pipe: OwnedFd) -> io::Result<Self> {
        let pipe = pipe::Receiver::from_owned_fd(pipe)?;
        Ok(Self { pipe, buffer: vec![0; 8192].into(), kept: Vec::new() })
    }

    /// Reads for as long as somebody has the other end. May be dropped at any time: nothing is lost.
    async fn read_on(&mut self) {
        while let Ok(count @ 1..) = self.pipe.read(&mut self.buffer).await {
            self.keep(count);
        }
    }

    /// Takes what is in the pipe at this moment, past tokio's idea of it, which may not have heard of the last bytes yet.
    fn drain(&mut self) {
        // A pipe holds 64 KiB; what is written meanwhile is somebody else's.
        for _ in 0..32 {
            match rustix::io::read(self.pipe.as_fd(), &mut *self.buffer) {
                Ok(count @ 1..) => self.keep(count),
                Err(rustix::io::Errno::INTR) => {}
                _ => break,
            }
        }
    }

    fn keep(&mut self, count: usize) {
        if self.kept.len() < BYTES {
            self.kept.extend_from_slice(&self.buffer[..count]);
        }
    }
}
