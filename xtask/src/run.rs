//! Running programs, and saying so.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Why a task ended.
pub struct Failure(pub String);

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Where tests and benchmarks keep what they install and make.
pub fn scratch() -> PathBuf {
    root().join("target/xtask")
}

/// A line for whoever watches.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A program to run at the root.
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: PathBuf,
}

impl Command {
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: root().to_path_buf(),
        }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    fn shown(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments).map(|w| w.to_string_lossy());
        words.collect::<Vec<_>>().join(" ")
    }

    fn build(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().map(|(n, v)| (n, v)));
        command.current_dir(&self.folder);
        command
    }

    /// Runs it in sight; a bad end is a failure.
    pub fn run(self) -> Result<(), Failure> {
        let shown = self.shown();
        say(&format!("$ {shown}"));
        match self.build().status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure(format!("`{shown}` failed ({status})"))),
            Err(error) => Err(Failure(format!("`{shown}` cannot be run: {error}"))),
        }
    }

    /// Whether it ends well, unseen.
    pub fn works(self) -> bool {
        self.build().output().is_ok_and(|output| output.status.success())
    }
}
