//! Notebooks in sandboxes: the server and its kernels are inside, scripts run before it, memory runs out, engines and
//! zygotes die. Run at the strongest level this machine offers.
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nbvend_host::jupyter::{
    ExitReason, Isolation, Ran, Running, Script, ScriptEnd, ServerSpec, StartError, Supervisor, identity,
};
use nbvend_host::proxy::Target;
use nbvend_host::sandbox::{Level, Limits};
use serde_json::json;

use crate::sandbox::offer;
use crate::support::again::{self, Engine};
use crate::support::gate::Gate;
use crate::support::notebook::{
    Browser, ID, Place, alive, command, environment, kill, left, own_environment, parent, replace, soon,
};

/// A uid that no other notebook has.
fn uid() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    300_000 + (std::process::id() % 10_000) * 64 + NEXT.fetch_add(1, Ordering::Relaxed)
}

/// None where the machine does not offer this level; said in the output.
async fn isolated(place: &Place, level: Level) -> Option<ServerSpec> {
    let offer = offer();
    if offer.level < level || level == Level::Process {
        println!("SKIPPED: no level {level} here: {:?}", offer.why_not);
        return None;
    }
    let mut spec = place.spec(1).await;
    spec.isolation = Some(Isolation {
        level,
        uid: uid(),
        limits: Limits { cpu: 2.0, memory: 1 << 30, pids: 500 },
        listeners: vec![([127, 0, 0, 1], 4566).into()],
        files: vec![("/opt/ml/metadata/resource-metadata.json".into(), b"{}".to_vec())],
        volume: None,
    });
    Some(spec)
}

/// At the strongest level there is.
async fn strongest(place: &Place) -> Option<ServerSpec> {
    isolated(place, offer().level).await
}

async fn start(supervisor: &Supervisor, spec: &ServerSpec) -> Running {
    supervisor.warmed(&spec.environment).await.unwrap();
    supervisor.start(spec.clone()).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn gate(running: &Running) -> Gate {
    Gate::open(Target::new(running.socket.clone(), identity("Demo-User"))).await
}

/// Every process in the sandbox of this one, by its process namespace.
fn inside(pid: i32) -> Vec<i32> {
    let of = |pid: i32| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let Some(namespace) = of(pid) else { return Vec::new() };
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_string_lossy().parse::<i32>().ok());
    pids.filter(|pid| of(*pid).as_ref() == Some(&namespace)).collect()
}

fn find(pid: i32, text: &str) -> Option<i32> {
    inside(pid).into_iter().find(|pid| command(*pid).contains(text))
}

fn gone(pids: &[i32]) -> bool {
    !pids.iter().any(|pid| alive(*pid))
}

#[tokio::test]
async fn the_server_and_its_kernels_are_inside() {
    used_at(Level::Full).await;
}

#[tokio::test]
async fn the_server_and_its_kernels_are_inside_a_user_namespace() {
    used_at(Level::Userns).await;
}

async fn used_at(level: Level) {
    let place = Place::new();
    let Some(spec) = isolated(&place, level).await else { return };
    let supervisor = place.supervisor();
    let running = start(&supervisor, &spec).await;
    assert!(command(parent(running.pid)).contains("nbvend_zygote.py"));
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let kernel = browser.kernel("python3").await;
    let forker = find(running.pid, "nbvend: kernel forker").unwrap();
    assert_eq!(parent(find(running.pid, "ipykernel_launcher").unwrap()), forker);

    let uid = spec.isolation.as_ref().unwrap().uid;
    for (code, want) in [
        ("import os; os.getuid(), os.getgid()", format!("({uid}, {uid})")),
        ("os.getcwd(), os.environ['HOME']", "('/home/ec2-user/SageMaker', '/home/ec2-user')".to_owned()),
        ("import getpass; getpass.getuser()", "'ec2-user'".to_owned()),
        (
            "s = dict(l.split(':\\t', 1) for l in open('/proc/self/status').read().splitlines()); \
             [s[n].strip('0') for n in ('CapEff', 'CapPrm', 'CapBnd', 'CapAmb')]",
            "['', '', '', '']".to_owned(),
        ),
        ("s['NoNewPrivs'], s['Seccomp']", "('1', '2')".to_owned()),
        (
            "os.path.exists('/run/nb/s.sock'), os.path.exists('/run/nb/kernels.sock')",
            "(False, True)".to_owned(),
        ),
        ("[l.split(':')[0].strip() for l in open('/proc/net/dev') if ':' in l]", "['lo']".to_owned()),
        ("len([p for p in os.listdir('/proc') if p.isdigit()]) < 8", "True".to_owned()),
        ("open('/opt/ml/metadata/resource-metadata.json').read()", "'{}'".to_owned()),
        (
            "import sys; os.access(sys.prefix, os.W_OK), os.access('/usr', os.W_OK)",
            "(False, False)".to_owned(),
        ),
        ("open('kept.txt', 'w').write('kept')", "4".to_owned()),
        // A command is executed, not forked: it has the same user and rights.
        (
            "import subprocess as p; p.run(['id', '-un'], capture_output=True, text=True).stdout",
            "'ec2-user\\n'".to_owned(),
        ),
        ("p.run(['unshare', '-Ur', 'true'], capture_output=True).returncode != 0", "True".to_owned()),
    ] {
        assert_eq!(browser.run(&kernel, code).await, want, "{code}");
    }
    assert_eq!(std::fs::read_to_string(place.home().join("kept.txt")).unwrap(), "kept");
    // The engine's listener inside is reached from the kernel.
    let sandbox = supervisor.sandbox(ID).unwrap();
    let (_, listener) = sandbox.listeners().await.unwrap().remove(0);
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let connect = "import socket; socket.create_connection(('127.0.0.1', 4566), 5).close(); 1";
    let (accepted, answer) = tokio::join!(listener.accept(), browser.run(&kernel, connect));
    assert!(accepted.is_ok());
    assert_eq!(answer, "1");

    let all = inside(running.pid);
    assert!(all.len() >= 4, "{all:?}");
    // Nobody inside holds a namespace, by which he could get into another's.
    let held = |pid: &i32| {
        let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        links.filter_map(|link| std::fs::read_link(link.path()).ok()).collect::<Vec<_>>()
    };
    for link in all.iter().flat_map(held) {
        let link = link.to_string_lossy().into_owned();
        let namespace =
            ["mnt:", "pid:", "net:", "ipc:", "uts:", "user:"].iter().any(|kind| link.starts_with(kind));
        assert!(!namespace, "{link}");
    }
    let begun = Instant::now();
    supervisor.stop(ID).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert!(gone(&all), "{all:?}");
    assert!(!running.socket.exists() && !place.dir.path().join("run.ctl").exists());
    assert_eq!(std::fs::read_to_string(place.home().join("kept.txt")).unwrap(), "kept");

    let again = ServerSpec { generation: 2, ..spec };
    start(&supervisor, &again).await;
    assert_eq!(browser.get("/api/contents/kept.txt").await["content"], "kept");
}

#[tokio::test]
async fn without_the_zygote_the_server_is_in_the_same_sandbox() {
    let place = Place::new();
    let Some(mut spec) = strongest(&place).await else { return };
    spec.environment = own_environment(&place).await;
    replace(&spec.environment, "nbvend_zygote.py", "raise SystemExit('broken on purpose')");
    let supervisor = place.supervisor();
    let running = supervisor.start(spec.clone()).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(command(running.pid).contains("nbvend_server.py"));
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let kernel = browser.kernel("python3").await;
    let uid = spec.isolation.unwrap().uid;
    assert_eq!(
        browser.run(&kernel, "import os; os.getuid(), os.getcwd()").await,
        format!("({uid}, '/home/ec2-user/SageMaker')")
    );
    assert_eq!(parent(find(running.pid, "ipykernel_launcher").unwrap()), running.pid);

    // How it ended is told by the sandbox's first process.
    kill(running.pid);
    let exit = supervisor.exited().await;
    assert_eq!(exit.reason, ExitReason::Signal(9));
}

#[tokio::test]
async fn servers_are_stopped_and_watched_when_their_zygote_is_gone() {
    let (place, other) = (Place::new(), Place::new());
    let Some(spec) = strongest(&place).await else { return };
    let supervisor = place.supervisor();
    let running = start(&supervisor, &spec).await;
    let mut second = strongest(&other).await.unwrap();
    second.id = "another".to_owned();
    let another = start(&supervisor, &second).await;
    let zygote = parent(running.pid);
    assert_eq!(parent(another.pid), zygote);
    kill(zygote);
    let forker = find(running.pid, "nbvend: kernel forker").unwrap();
    kill(forker);
    let next =
        soon("another forker", || find(running.pid, "nbvend: kernel forker").filter(|pid| *pid != forker))
            .await;
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let kernel = browser.kernel("python3").await;
    assert_eq!(browser.run(&kernel, "import os; os.getuid()").await, spec.isolation.unwrap().uid.to_string());
    assert_eq!(parent(find(running.pid, "ipykernel_launcher").unwrap()), next);

    let all = inside(running.pid);
    supervisor.stop(ID).await.unwrap();
    assert!(gone(&all));
    let all = inside(another.pid);
    kill(another.pid);
    assert_eq!(supervisor.exited().await.id, "another");
    assert!(gone(&all));
}

fn script(name: &str, text: &str, required: bool) -> Script {
    Script { name: name.to_owned(), text: text.as_bytes().to_vec(), limit: Duration::from_secs(20), required }
}

#[tokio::test]
async fn one_that_is_being_started_is_known_and_can_be_stopped() {
    let place = Place::new();
    let supervisor = std::sync::Arc::new(place.supervisor());
    let spec = place.spec(1).await;
    let begun = place.home().join("begun");
    let slow = script("OnStart", "touch begun; sleep 1", true);
    let starting = tokio::spawn({
        let supervisor = supervisor.clone();
        async move { supervisor.start_after(spec, vec![slow]).await.result }
    });
    soon("the script", || begun.exists().then_some(())).await;
    assert!(supervisor.running().is_empty());
    assert_eq!(supervisor.known(), [ID]);
    supervisor.stop(ID).await.unwrap();
    let _ = starting.await.unwrap();
    assert_eq!(left(&place).await, Vec::<String>::new());
    assert_eq!(supervisor.known(), Vec::<String>::new());
}

#[tokio::test]
async fn scripts_run_inside_before_the_server() {
    scripts_at(offer().level).await;
}

#[tokio::test]
async fn scripts_run_without_a_sandbox_too() {
    scripts_at(Level::Process).await;
}

async fn scripts_at(level: Level) {
    let place = Place::new();
    let spec = match level {
        Level::Process => Some(place.spec(1).await),
        level => isolated(&place, level).await,
    };
    let Some(mut spec) = spec else { return };
    let supervisor = place.supervisor();
    let scripts = vec![
        script("clone", "echo cannot >&2; exit 3", false),
        script(
            "OnCreate",
            "#!/bin/bash\nset -e\necho $NBVEND_TEST; echo bad >&2; pwd; id -un\ncat; sleep 300 &\ntouch made",
            true,
        ),
        script("OnStart", "test -e made && type -P jupyter > /dev/null && echo second", true),
    ];
    let attempt = supervisor.start_after(spec.clone(), scripts.clone()).await;
    let running = attempt.result.unwrap_or_else(|error| panic!("{error}"));
    let (folder, user) = match level {
        Level::Process => (place.home().display().to_string(), attempt.ran[1].lines[3].clone()),
        _ => ("/home/ec2-user/SageMaker".to_owned(), "ec2-user".to_owned()),
    };
    let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    let ran = |name: &str, said: &[&str], end| Ran { name: name.to_owned(), lines: lines(said), end };
    assert_eq!(
        attempt.ran,
        [
            ran("clone", &["cannot"], ScriptEnd::Failed(ExitReason::Code(3))),
            ran("OnCreate", &["42", "bad", &folder, &user], ScriptEnd::Done),
            ran("OnStart", &["second"], ScriptEnd::Done),
        ]
    );
    // Not again while it runs.
    let again = supervisor.start_after(spec.clone(), scripts).await;
    assert_eq!((again.ran.len(), again.result.unwrap().pid), (0, running.pid));

    spec.generation = 2;
    let fails =
        vec![script("OnStart", "echo the reason; kill -9 $$", true), script("later", "touch later", true)];
    let attempt = supervisor.start_after(spec.clone(), fails).await;
    let error = attempt.result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "OnStart failed: killed by signal 9, perhaps for want of memory: the reason"
    );
    assert!(matches!(error, StartError::Script(ran) if Some(&ran) == attempt.ran.last()));
    assert!(!place.home().join("later").exists());
    assert!(supervisor.socket(ID).is_none());
    let slow = Script {
        limit: Duration::from_secs(3),
        ..script("OnStart", "echo begun; (sleep 6; touch late) & wait", true)
    };
    spec.generation = 3;
    let attempt = supervisor.start_after(spec, vec![slow]).await;
    assert_eq!(attempt.ran[0].end, ScriptEnd::Late(Duration::from_secs(3)));
    assert_eq!(attempt.ran[0].lines, ["begun"]);
    assert!(attempt.result.is_err());
    tokio::time::sleep(Duration::from_millis(6200)).await;
    assert!(!place.home().join("late").exists(), "what it began is ended with it");
    assert_eq!(place.supervisor().adopt().await, []);
}

#[tokio::test]
async fn a_kernel_that_takes_all_memory_is_ended_alone_and_its_user_is_told() {
    let place = Place::new();
    let Some(mut spec) = strongest(&place).await else { return };
    if !offer().limits.contains("memory") {
        println!("SKIPPED: no memory limits here: {:?}", offer().missing_limits);
        return;
    }
    spec.isolation.as_mut().unwrap().limits.memory = 300 << 20;
    let supervisor = place.supervisor();
    let running = start(&supervisor, &spec).await;
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let quiet = browser.kernel("python3").await;
    assert_eq!(browser.run(&quiet, "x = 7; x").await, "7");
    let kernel = browser.kernel("python3").await;
    let mut cell = browser.begin(&kernel, "x = b'x' * (1 << 30)").await;
    let told = cell.until("stream").await;
    let text = told["content"]["text"].as_str().unwrap();
    assert!(text.contains("memory limit of 300 MiB"), "{text}");
    assert_eq!(told["parent_header"]["msg_id"], cell.last.as_str(), "it is told in the cell that ran");
    while cell.until("status").await["content"]["execution_state"] != "restarting" {}
    assert_eq!(browser.run(&quiet, "x").await, "7");
    assert_eq!(browser.run(&kernel, "6*7").await, "42");
    assert_eq!(supervisor.socket(ID), Some(running.socket.clone()));
    let log = std::fs::read_to_string(&running.log).unwrap();
    assert!(log.contains("memory limit of 300 MiB"), "{log}");
    assert!(supervisor.sandbox(ID).unwrap().oom_kills() > 0);
}

/// An engine with a kernel that knows something.
async fn be_an_engine(dir: &Path) -> ! {
    let place = std::mem::ManuallyDrop::new(Place::new());
    let mut spec = strongest(&place).await.unwrap();
    std::fs::remove_dir(place.dir.path()).unwrap();
    spec.home = dir.join("home");
    spec.run_dir = dir.join("run");
    let supervisor = Supervisor::new(&dir.join("state"));
    let running = start(&supervisor, &spec).await;
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let kernel = browser.kernel("python3").await;
    assert_eq!(browser.run(&kernel, "x = 11; x").await, "11");
    again::started(&format!("{} {kernel}", running.pid)).await
}

#[tokio::test]
async fn a_sandbox_outlives_the_engine_with_its_kernels() {
    if let Some(dir) = again::place() {
        be_an_engine(Path::new(&dir)).await;
    }
    if offer().level == Level::Process {
        println!("SKIPPED: no sandboxes here: {:?}", offer().why_not);
        return;
    }
    let place = Place::new();
    environment().await;
    let mut engine =
        Engine::start("isolated::a_sandbox_outlives_the_engine_with_its_kernels", place.dir.path());
    let started = engine.started().await;
    let (pid, kernel) = (started[0].parse::<i32>().unwrap(), started[1].clone());
    let zygote = parent(pid);
    engine.kill().await;
    soon("the zygote's end with its engine", || gone(&[zygote]).then_some(())).await;

    let supervisor = place.supervisor();
    let adopted = supervisor.adopt().await;
    assert_eq!(adopted.iter().map(|one| (one.pid, one.adopted)).collect::<Vec<_>>(), [(pid, true)]);
    let gate = gate(&adopted[0]).await;
    let browser = Browser::open(&gate).await;
    assert_eq!(browser.run(&kernel, "x").await, "11");
    assert_eq!(supervisor.sandbox(ID).unwrap().listeners().await.unwrap().len(), 1);

    // The new engine gives it a new forker when the old one is gone.
    let forker = find(pid, "nbvend: kernel forker").unwrap();
    kill(forker);
    soon("another forker", || find(pid, "nbvend: kernel forker").filter(|pid| *pid != forker)).await;
    let second = browser.kernel("python3").await;
    assert_eq!(browser.run(&second, "6*7").await, "42");

    let all = inside(pid);
    kill(pid);
    let exit = supervisor.exited().await;
    assert_eq!(exit.id, ID);
    assert!(gone(&all), "{all:?}");
    assert_eq!(place.supervisor().adopt().await, []);
    assert!(!place.dir.path().join("run.ctl").exists());
}

/// The record says nothing of the sandbox yet, or is gone altogether: what an engine killed at that moment leaves.
#[tokio::test]
async fn a_sandbox_that_was_never_noted_is_ended() {
    let place = Place::new();
    let Some(spec) = strongest(&place).await else { return };
    let supervisor = place.supervisor();
    let running = start(&supervisor, &spec).await;
    let all = inside(running.pid);
    let path = place.state().join(format!("{ID}.server"));
    let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for name in ["sandbox", "leader", "forker"] {
        record[name] = json!(null);
    }
    record["ready"] = json!(false);
    std::fs::write(&path, record.to_string()).unwrap();
    assert_eq!(place.supervisor().adopt().await, []);
    assert!(gone(&all), "{all:?}");
    assert!(!path.exists());
}
