//! A place for one real server, and what a browser does with it.
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nbvend_host::jupyter::{Environment, ServerSpec, Supervisor, prepare};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{call, host};
use super::gate::Gate;
use super::websocket::Websocket;

pub const ID: &str = "demo-user-notebook";

pub async fn environment() -> Environment {
    let dir = std::env::var_os("NBVEND_JUPYTER_ENV");
    let dir = dir.map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("jupyter"), PathBuf::from);
    let environment = prepare(&dir, |_| {}).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(environment.version().starts_with("4."));
    environment
}

/// Folders for one server; whatever of it still runs at the end is ended.
pub struct Place {
    pub dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        // Paths of unix sockets are short.
        Self { dir: tempfile::Builder::new().prefix("nb").tempdir_in("/tmp").unwrap() }
    }

    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub fn supervisor(&self) -> Supervisor {
        Supervisor::new(&self.state())
    }

    pub async fn spec(&self, generation: u64) -> ServerSpec {
        ServerSpec {
            id: ID.to_owned(),
            generation,
            home: self.home(),
            run_dir: self.dir.path().join("run"),
            user_name: "Demo-User".to_owned(),
            environment: environment().await,
            env: vec![("NBVEND_TEST".to_owned(), "42".to_owned())],
            isolation: None,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let state = self.state();
        let stop = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let supervisor = Supervisor::new(&state);
                let names =
                    std::fs::read_dir(&state).into_iter().flatten().flatten().map(|entry| entry.file_name());
                for name in names {
                    if let Some(id) = name.to_string_lossy().strip_suffix(".server") {
                        let _ = supervisor.stop(id).await;
                    }
                }
            });
        });
        let _ = stop.join();
    }
}

/// The living processes of this place's server, found independently of the supervisor's own search: everything whose
/// environment names the place's run folder, and, because a fork shows another's environment, what works in the place.
pub fn processes(place: &Place) -> Vec<i32> {
    let run = format!("JUPYTER_RUNTIME_DIR={}", place.dir.path().join("run").display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let here =
            std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(place.dir.path()));
        if here || environment.split(|byte| *byte == 0).any(|variable| variable == run.as_bytes()) {
            found.push(pid);
        }
    }
    found
}

/// An environment of the test's own, of the same files; the common one must stay whole.
pub async fn own_environment(place: &Place) -> Environment {
    let common = environment().await;
    let folder = place.dir.path().join("environment");
    std::fs::create_dir(&folder).unwrap();
    let copied = std::process::Command::new("cp").arg("-al").arg(common.root()).arg(&folder).status();
    if !copied.is_ok_and(|status| status.success()) {
        // On another file system.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        assert!(
            std::process::Command::new("cp")
                .arg("-a")
                .arg(common.root())
                .arg(&folder)
                .status()
                .unwrap()
                .success()
        );
    }
    prepare(&folder, |_| panic!("the copy is whole")).await.unwrap()
}

/// Replaces one of our files, which is a link to the common one.
pub fn replace(environment: &Environment, name: &str, text: &str) {
    let path = environment.ours().join(name);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(path, text).unwrap();
}

/// The processes that stay: one that was killed takes a moment to be gone.
pub async fn left(place: &Place) -> Vec<String> {
    for _ in 0..3000 {
        if processes(place).is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    processes(place).into_iter().map(|pid| format!("{pid} {}", command(pid))).collect()
}

/// A process's command line, its arguments separated by spaces.
pub fn command(pid: i32) -> String {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned()
}

/// Whether a process runs: one that has ended and that nobody has waited for yet does not.
pub fn alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

pub fn parent(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().nth(1).and_then(|ppid| ppid.parse().ok()).unwrap_or_default()
}

/// Asks again and again until there is something, for a minute: JupyterLab may have to be loaded anew.
pub async fn soon<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..6000 {
        if let Some(found) = ask() {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what}: not within a minute")
}

pub fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// A browser's cookie jar, as far as one notebook needs it.
pub struct Browser<'a> {
    pub gate: &'a Gate,
    xsrf: String,
}

impl<'a> Browser<'a> {
    pub async fn open(gate: &'a Gate) -> Self {
        let answer = call(gate.address, "GET", "/lab", &[], b"").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.header("set-cookie").expect("Lab sets _xsrf");
        let xsrf = cookie.strip_prefix("_xsrf=").unwrap().split(';').next().unwrap().to_owned();
        Self { gate, xsrf }
    }

    pub async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let cookie = format!("_xsrf={}", self.xsrf);
        let origin = format!("http://{}", host(self.gate.address));
        let headers = [("Cookie", cookie.as_str()), ("X-XSRFToken", &self.xsrf), ("Origin", &origin)];
        let answer = call(self.gate.address, method, path, &headers, body.to_string().as_bytes()).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = call(self.gate.address, "GET", path, &[], b"").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Starts a kernel and returns its id.
    pub async fn kernel(&self, name: &str) -> String {
        let kernel = self.send("POST", "/api/kernels", json!({"name": name})).await;
        kernel["id"].as_str().unwrap().to_owned()
    }

    /// Runs code in a kernel and returns the result's text.
    pub async fn run(&self, kernel: &str, code: &str) -> String {
        let mut cell = self.begin(kernel, code).await;
        loop {
            let message = cell.message().await;
            match message["msg_type"].as_str().unwrap() {
                "execute_result" => {
                    return message["content"]["data"]["text/plain"].as_str().unwrap().to_owned();
                }
                "error" => panic!("{message}"),
                _ => {}
            }
        }
    }

    /// Sends code to a kernel over a websocket of its own.
    pub async fn begin(&self, kernel: &str, code: &str) -> Cell {
        let mut cell = self.cell(kernel).await;
        cell.send(code).await;
        cell
    }

    pub async fn cell(&self, kernel: &str) -> Cell {
        let origin = format!("http://{}", host(self.gate.address));
        let cookie = format!("_xsrf={}", self.xsrf);
        // Each like a tab of its own: Jupyter keeps a session's messages for its return.
        static SESSIONS: AtomicU32 = AtomicU32::new(0);
        let session = format!("s{}", SESSIONS.fetch_add(1, Ordering::Relaxed));
        let path = format!("/api/kernels/{kernel}/channels?session_id={session}");
        let headers = [("Origin", origin.as_str()), ("Cookie", &cookie)];
        let websocket = Websocket::open(self.gate.address, &path, &headers).await;
        Cell { websocket: websocket.map_err(|answer| answer.text()).unwrap(), session, last: String::new() }
    }
}

/// Code that runs.
pub struct Cell {
    websocket: Websocket,
    session: String,
    /// Of the last message sent: Jupyter refuses one that it has seen already.
    pub last: String,
}

impl Cell {
    pub async fn send(&mut self, code: &str) {
        static MESSAGES: AtomicU32 = AtomicU32::new(0);
        self.last = format!("m{}", MESSAGES.fetch_add(1, Ordering::Relaxed));
        let header = json!({"msg_id": self.last, "session": self.session, "username": "u", "date": "", "version": "5.3",
            "msg_type": "execute_request"});
        let content = json!({"code": code, "silent": false, "store_history": true, "user_expressions": {},
            "allow_stdin": false, "stop_on_error": false});
        let message = json!({"header": header, "parent_header": {}, "metadata": {}, "content": content,
            "channel": "shell", "buffers": []});
        self.websocket.send(&message.to_string()).await;
    }

    pub async fn message(&mut self) -> Value {
        let patience = std::time::Duration::from_secs(30);
        let text = tokio::time::timeout(patience, self.websocket.next()).await.expect("the kernel answers");
        serde_json::from_str(&text.expect("the kernel answers")).unwrap()
    }

    /// The next message of a type.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let message = self.message().await;
            if message["msg_type"] == kind {
                return message;
            }
        }
    }
}
