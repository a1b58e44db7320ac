//! Real JupyterLab servers: installed once (below NBVEND_JUPYTER_ENV, or the target folder), started, used through the
//! proxy, stopped, killed and adopted.
use std::path::Path;
use std::time::Duration;

use nbvend_host::jupyter::{ExitReason, Limits, StartError, Supervisor, identity};
use nbvend_host::proxy::Target;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::support::again::{self, Engine};
use crate::support::client::{call, parse};
use crate::support::gate::Gate;
use crate::support::notebook::{
    Browser, ID, Place, environment, kill, left, own_environment, processes, replace,
};

#[tokio::test]
async fn a_notebook_is_used_stopped_and_started_again() {
    let place = Place::new();
    let supervisor = place.supervisor();
    let running = supervisor.start(place.spec(1).await).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        supervisor.start(place.spec(1).await).await.unwrap(),
        running,
        "starting again changes nothing"
    );
    assert_eq!(supervisor.socket(ID), Some(running.socket.clone()));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&running.socket).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    // Without the proxy's word nobody is anybody, cookies and tokens or not.
    let mut direct = UnixStream::connect(&running.socket).await.unwrap();
    let request =
        "GET /api/contents?token= HTTP/1.1\r\nHost: x\r\nAuthorization: token \r\nConnection: close\r\n\r\n";
    direct.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    direct.read_to_end(&mut answer).await.unwrap();
    assert_eq!(parse(&answer).status, 403);

    let gate = Gate::open(Target::new(running.socket.clone(), identity("Jörg Demo"))).await;
    let browser = Browser::open(&gate).await;
    assert_eq!(browser.get("/api/status").await["kernels"], 0);
    let forged = call(gate.address, "GET", "/api/me", &[("X-Nbvend-User", "root")], b"").await.json();
    assert_eq!(forged["identity"]["username"], "Jörg Demo");

    // Writing needs the XSRF token, and then the file is in the work folder.
    let file = json!({"type": "file", "format": "text", "content": "kept"}).to_string();
    let bare = call(gate.address, "PUT", "/api/contents/a.txt", &[], file.as_bytes()).await;
    assert_eq!(bare.status, 403, "{}", bare.text());
    assert!(!place.home().join("a.txt").exists());
    browser.send("PUT", "/api/contents/a.txt", serde_json::from_str(&file).unwrap()).await;
    assert_eq!(std::fs::read_to_string(place.home().join("a.txt")).unwrap(), "kept");

    // A module of the user's with the name of one that the server needs must not hinder the next start.
    std::fs::write(place.home().join("json.py"), "raise SystemExit('loaded the wrong module')").unwrap();

    let kernel = browser.send("POST", "/api/kernels", json!({"name": "python3"})).await;
    let kernel = kernel["id"].as_str().unwrap();
    std::fs::remove_file(place.home().join("json.py")).unwrap();
    assert_eq!(browser.run(kernel, "6*7").await, "42");
    assert_eq!(browser.run(kernel, "import os; int(os.environ['NBVEND_TEST'])").await, "42");
    assert_eq!(browser.run(kernel, "'CARGO_MANIFEST_DIR' in os.environ").await, "False");
    let ipc = std::fs::read_dir(place.dir.path().join("run")).unwrap().flatten();
    assert!(
        ipc.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().contains("-ipc-")),
        "kernels use ipc"
    );
    let activity = supervisor.status(ID).await.unwrap();
    assert_eq!(activity.kernels.len(), 1);
    let terminal = browser.send("POST", "/api/terminals", json!({})).await;
    assert_eq!(terminal["name"], "1");

    // A process that leaves the kernel's session and outlives it.
    browser
        .run(kernel, "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True).pid")
        .await;
    assert!(processes(&place).len() >= 4, "{:?}", processes(&place));
    supervisor.stop(ID).await.unwrap();
    assert_eq!(left(&place).await, Vec::<String>::new());
    assert_eq!((supervisor.socket(ID), supervisor.status(ID).await), (None, None));
    assert_eq!(call(gate.address, "GET", "/api/status", &[], b"").await.status, 503);
    supervisor.stop(ID).await.unwrap();

    std::fs::write(place.home().join("json.py"), "raise SystemExit('loaded the wrong module')").unwrap();
    let again = supervisor.start(place.spec(2).await).await.unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(again.pid, running.pid);
    assert_eq!(browser.get("/api/contents/a.txt").await["content"], "kept");
    let older = supervisor.start(place.spec(1).await).await.unwrap_err();
    assert!(matches!(older, StartError::Superseded { running: 2 }), "{older}");
    supervisor.stop(ID).await.unwrap();
}

/// An engine with a server.
async fn be_an_engine(dir: &Path) -> ! {
    let place = std::mem::ManuallyDrop::new(Place { dir: tempfile::tempdir_in("/tmp").unwrap() });
    let mut spec = place.spec(7).await;
    spec.home = dir.join("home");
    spec.run_dir = dir.join("run");
    std::fs::remove_dir(place.dir.path()).unwrap();
    let supervisor = Supervisor::new(&dir.join("state"));
    let running = supervisor.start(spec).await.unwrap_or_else(|error| panic!("{error}"));
    again::started(&running.pid.to_string()).await
}

#[tokio::test]
async fn a_server_outlives_the_engine_and_is_adopted() {
    if let Some(dir) = again::place() {
        be_an_engine(Path::new(&dir)).await;
    }
    let place = Place::new();
    environment().await;
    let mut engine = Engine::start("jupyter::a_server_outlives_the_engine_and_is_adopted", place.dir.path());
    let pid: i32 = engine.started().await[0].parse().unwrap();
    engine.kill().await;

    let supervisor = place.supervisor();
    assert_eq!(supervisor.socket(ID), None);
    let adopted = supervisor.adopt().await;
    assert_eq!(adopted.len(), 1);
    assert_eq!((adopted[0].pid, adopted[0].generation, adopted[0].adopted), (pid, 7, true));
    assert_eq!(supervisor.adopt().await, adopted, "adopting again changes nothing");
    assert_eq!(supervisor.start(place.spec(7).await).await.unwrap(), adopted[0]);
    assert_eq!(supervisor.status(ID).await.unwrap().kernels, []);

    // Another engine that is asked to start it before it has adopted finds it too.
    drop(supervisor);
    let supervisor = place.supervisor();
    assert_eq!(supervisor.start(place.spec(7).await).await.unwrap().pid, pid);

    kill(pid);
    let exit = supervisor.exited().await;
    assert_eq!((exit.id.as_str(), exit.generation, exit.reason), (ID, 7, ExitReason::Unknown));
    assert!(exit.log_tail.contains("Jupyter"), "{}", exit.log_tail);
    assert_eq!(supervisor.socket(ID), None);
    assert_eq!(left(&place).await, Vec::<String>::new());
    assert_eq!(place.supervisor().adopt().await, []);
}

#[tokio::test]
async fn a_server_that_ends_by_itself_is_reported_and_leaves_nothing() {
    let place = Place::new();
    let supervisor = place.supervisor();
    let running = supervisor.start(place.spec(1).await).await.unwrap_or_else(|error| panic!("{error}"));
    let gate = Gate::open(Target::new(running.socket.clone(), identity("Demo-User"))).await;
    let browser = Browser::open(&gate).await;
    browser.send("POST", "/api/kernels", json!({"name": "python3"})).await;
    kill(running.pid);
    let exit = supervisor.exited().await;
    assert_eq!((exit.id.as_str(), exit.reason), (ID, ExitReason::Signal(9)));
    assert!(exit.reason.to_string().contains("memory"));
    assert_eq!(left(&place).await, Vec::<String>::new(), "the kernel is gone too");
    assert!(!running.socket.exists());
}

#[tokio::test]
async fn a_start_that_fails_says_why_and_leaves_nothing() {
    let place = Place::new();
    let supervisor = place.supervisor();
    let mut broken = place.spec(1).await;
    broken.environment = own_environment(&place).await;
    replace(&broken.environment, "nbvend_server.py", "raise SystemExit('broken on purpose')");
    let error = supervisor.start(broken).await.unwrap_err();
    assert!(matches!(&error, StartError::Died { reason: ExitReason::Code(1), .. }), "{error}");
    assert!(error.log().unwrap().contains("broken on purpose"), "{error}");

    let mut long = place.spec(1).await;
    long.run_dir = place.dir.path().join("x".repeat(60));
    let error = supervisor.start(long).await.unwrap_err();
    assert!(matches!(error, StartError::RunDirTooLong { .. }), "{error}");

    let hasty = Supervisor::with_limits(
        &place.state(),
        Limits { start: Duration::from_millis(30), ..Limits::default() },
    );
    let error = hasty.start(place.spec(1).await).await.unwrap_err();
    assert!(matches!(error, StartError::Timeout { .. }), "{error}");
    assert_eq!(left(&place).await, Vec::<String>::new());
    assert_eq!(place.supervisor().adopt().await, []);
    let records = std::fs::read_dir(place.state()).unwrap().flatten().map(|entry| entry.file_name());
    assert_eq!(records.filter(|name| name.to_string_lossy().ends_with(".server")).count(), 0);
}
