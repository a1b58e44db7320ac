//! Sandboxes for tests: folders of their own, commands run by plain Python and shell, everything ended afterwards.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nbvend_host::sandbox::{Command, End, Level, Limits, Offer, Sandbox, Spec, basic_environment, probe};
use tempfile::TempDir;

pub fn offer() -> &'static Offer {
    static OFFER: OnceLock<Offer> = OnceLock::new();
    OFFER.get_or_init(|| probe(tempfile::tempdir().unwrap().path()))
}

/// The level under attack: the strongest here unless a test asks for another.
pub fn level() -> Level {
    match std::env::var("NBVEND_TEST_LEVEL").as_deref() {
        Ok("userns") => Level::Userns,
        _ => offer().level.max(Level::Userns),
    }
}

/// Whether tests of this level can run; says by name why not.
pub fn available(level: Level) -> bool {
    let offer = offer();
    let there = offer.level >= level;
    if !there {
        println!("SKIPPED: no level {level} here: {:?}", offer.why_not);
    }
    there
}

pub struct Place {
    pub dir: TempDir,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Place {
    pub fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("nbsb-").tempdir_in("/tmp").unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn spec(&self, name: &str, level: Level) -> Spec {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Spec {
            id: name.to_owned(),
            level,
            uid: 0x6e62_1000 + std::process::id() % 50_000 * 100 + next,
            work: self.path(&format!("{name}.work")),
            run_dir: self.path(&format!("{name}.run")),
            environment: interpreter().1,
            interpreter_prefix: interpreter().1,
            limits: Limits { cpu: 1.0, memory: 256 << 20, pids: 64 },
            listeners: vec!["127.0.0.1:4566".parse().unwrap(), "169.254.170.2:80".parse().unwrap()],
            files: vec![(
                "/opt/ml/metadata/resource-metadata.json".into(),
                b"{\"ResourceName\":\"a\"}".to_vec(),
            )],
            control: self.path(&format!("{name}.ctl")),
            volume: None,
        }
    }

    pub async fn sandbox(&self, name: &str, level: Level) -> Box_ {
        Box_::create(&self.spec(name, level)).await
    }
}

/// A sandbox that ends with its test.
pub struct Box_ {
    pub sandbox: Sandbox,
    pub spec: Spec,
}

impl std::ops::Deref for Box_ {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Box_ {
    pub async fn create(spec: &Spec) -> Self {
        let sandbox = Sandbox::create(spec).await.unwrap_or_else(|error| panic!("{error}"));
        Self { sandbox, spec: spec.clone() }
    }

    /// Output of a shell command, standard error included, and how it ended.
    pub async fn shell(&self, script: &str) -> (String, End) {
        run(&self.sandbox, &["/bin/sh", "-c", script]).await
    }

    /// The same for Python.
    pub async fn python(&self, script: &str) -> (String, End) {
        run(&self.sandbox, &[interpreter().0.to_str().unwrap(), "-c", script]).await
    }

    /// What Python printed, which must have ended well.
    pub async fn says(&self, script: &str) -> String {
        let (text, end) = self.python(script).await;
        assert!(end.success(), "{end:?}\n{text}");
        text.trim_end().to_owned()
    }

    pub fn host_pid(&self) -> i32 {
        self.sandbox.record().pid
    }
}

impl Drop for Box_ {
    fn drop(&mut self) {
        let sandbox = self.sandbox.clone();
        let end = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { sandbox.kill().await })
        });
        let _ = end.join();
    }
}

pub async fn run(sandbox: &Sandbox, argv: &[&str]) -> (String, End) {
    run_for(sandbox, argv, Duration::from_secs(30)).await
}

pub async fn run_for(sandbox: &Sandbox, argv: &[&str], timeout: Duration) -> (String, End) {
    let (reader, writer) = std::io::pipe().unwrap();
    let command = Command {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: basic_environment(),
        stdout: Some(OwnedFd::from(writer.try_clone().unwrap())),
        stderr: Some(OwnedFd::from(writer)),
        timeout: Some(timeout),
        ..Command::default()
    };
    let output = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        reader.take(1 << 20).read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    });
    let end = sandbox.run(command).await.unwrap_or_else(|error| panic!("{argv:?}: {error}"));
    (output.await.unwrap(), end)
}

/// A Python 3 and its prefix.
pub fn interpreter() -> (PathBuf, PathBuf) {
    static FOUND: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    let find = || {
        let script = "import sys; print(sys.executable); print(sys.base_prefix)";
        let output = std::process::Command::new("python3").args(["-c", script]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines().map(PathBuf::from);
        (fs::canonicalize(lines.next().unwrap()).unwrap(), lines.next().unwrap())
    };
    FOUND.get_or_init(find).clone()
}

/// The living processes of the machine, by pid, with their command lines.
pub fn processes() -> Vec<(i32, String)> {
    let alive = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let state = stat.rsplit_once(')')?.1.trim_start().chars().next()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        (state != 'Z' && state != 'X').then(|| (pid, String::from_utf8_lossy(&line).replace('\0', " ")))
    };
    fs::read_dir("/proc").unwrap().flatten().filter_map(alive).collect()
}

/// A line of `/proc/<pid>/status`.
pub fn status(pid: i32, name: &str) -> String {
    let text = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
    line.unwrap_or_else(|| panic!("no {name}")).to_owned()
}
