//! A test that runs once more, in a process of its own: as the engine that is to be killed, or alone because it counts
//! what all tests of a process share.
use std::ffi::OsString;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Set in the other process; holds the folder it works in.
const PLACE: &str = "NBVEND_TEST_PLACE";

/// In the other process, the folder it is to work in.
pub fn place() -> Option<OsString> {
    std::env::var_os(PLACE)
}

/// The test of this name (its path in this program) in a process of its own, which ends with this one.
pub fn command(test: &str, place: &std::path::Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(PLACE, place).kill_on_drop(true);
    command
}

/// Runs the rest of a test by itself; answers whether this is the process to run it in.
pub async fn alone(test: &str) -> bool {
    if place().is_some() {
        return true;
    }
    let done = command(test, &std::env::temp_dir()).output().await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}{errors}");
    false
}

/// An engine in a process of its own: what it says it has started, and itself, to be killed.
pub struct Engine {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Engine {
    pub fn start(test: &str, place: &std::path::Path) -> Self {
        let mut process = command(test, place).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// The words of its line that says what it has started.
    pub async fn started(&mut self) -> Vec<String> {
        loop {
            let line = self.lines.next_line().await.unwrap().expect("the engine starts something");
            if let Some(words) = line.strip_prefix("started ") {
                return words.split(' ').map(str::to_owned).collect();
            }
        }
    }

    pub async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }
}

/// The engine's part: says what it has started, and waits to be killed.
pub async fn started(words: &str) -> ! {
    println!("\nstarted {words}");
    std::future::pending().await
}
