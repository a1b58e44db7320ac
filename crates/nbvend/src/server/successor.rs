//! The upgrade that a signal asks for: the program that now lies at our own path is run with our own words and takes over.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::failure::Failure;

/// How this process was started. Made at its start: later the path may lead to another program, which is the purpose.
pub struct Successor {
    program: PathBuf,
    words: Vec<OsString>,
}

impl Successor {
    pub fn of_this_process() -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::new(format!("nbvend cannot find itself: {error}")))?;
        let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
        if !words.iter().any(|word| word == "--replace") {
            words.push("--replace".into());
        }
        Ok(Self { program, words })
    }

    /// Starts it, with this process's streams, and says so if it ends at once.
    pub fn start(&self) {
        tracing::info!(program = %self.program.display(), "a successor is started");
        let started = tokio::process::Command::new(&self.program)
            .args(&self.words)
            .stdin(std::process::Stdio::null())
            .spawn();
        match started {
            Ok(mut child) => {
                tokio::spawn(async move {
                    if let Ok(status) = child.wait().await {
                        tracing::warn!(%status, "the successor has ended");
                    }
                });
            }
            Err(error) => {
                tracing::error!(program = %self.program.display(), %error, "no successor can be started");
            }
        }
    }
}
