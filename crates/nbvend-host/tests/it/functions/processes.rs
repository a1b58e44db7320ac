//! Processes: reused, bounded, replaced, dropped, and gone with their engine.

use super::*;
use crate::support::again::{self, Engine};

#[tokio::test]
async fn a_process_is_reused_and_serves_one_request_at_a_time() {
    let world = World::new();
    let spec = world.python("n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n\n");
    for wanted in 1..=3 {
        let outcome = world.call(&spec, &json!(null)).await;
        assert_eq!(value(&outcome), wanted);
        assert_eq!(outcome.init_ms.is_some(), wanted == 1);
        assert_eq!(has_line(&outcome, "Init Duration"), wanted == 1);
    }
    assert_eq!(world.pool.processes(), (0, 1));
    // Another configuration is another process.
    let other = FunctionSpec { key: "other".into(), ..spec.clone() };
    assert_eq!(value(&world.call(&other, &json!(null)).await), 1);
    assert_eq!(world.pool.processes(), (0, 2));
    world.pool.shutdown().await;
    assert_eq!(world.pool.processes(), (0, 0));
    assert_eq!(
        std::fs::read_dir(world.dir.path().join("pool")).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[tokio::test]
async fn requests_at_the_same_time_get_processes_of_their_own() {
    let world = World::new();
    // Each waits for the other's file: only two processes at once can answer.
    let spec = world.python(
        "import os, time\n\
         def handler(event, context):\n\
        \x20   open(event['mine'], 'w').close()\n\
        \x20   while not os.path.exists(event['other']): time.sleep(0.002)\n\
        \x20   return os.getpid()\n",
    );
    let path = |name: &str| world.dir.path().join(name).display().to_string();
    let (one, two) =
        (json!({"mine": path("1"), "other": path("2")}), json!({"mine": path("2"), "other": path("1")}));
    let (one, two) = tokio::join!(world.call(&spec, &one), world.call(&spec, &two));
    assert_ne!(value(&one), value(&two));
    assert_ne!(one.log_stream, two.log_stream);
    assert_eq!(world.pool.processes(), (0, 2));
    world.pool.shutdown().await;
}

#[tokio::test]
async fn a_process_that_ends_is_reported_and_replaced() {
    let world = World::new();
    let spec = world.python(
        "import os, signal, sys\n\
         def handler(event, context):\n\
        \x20   print('going')\n\
        \x20   if event == 'fine': return os.getpid()\n\
        \x20   if event == 'exit': sys.exit(7)\n\
        \x20   os.kill(os.getpid(), int(event)) if event else os._exit(0)\n",
    );
    let cases = [
        (json!("exit"), "Runtime exited with error: exit status 7"),
        (json!(null), "Runtime exited without providing a reason"),
        (json!("15"), "Runtime exited with error: signal: terminated"),
        (json!("9"), "Runtime exited with error: signal: killed"),
    ];
    for (event, reason) in cases {
        let outcome = world.call(&spec, &event).await;
        let got = fault(&outcome);
        assert_eq!(got["errorType"], "Runtime.ExitError", "{got}");
        let message = got["errorMessage"].as_str().unwrap();
        assert!(
            message.starts_with("RequestId: 0000") && message.ends_with(&format!(" Error: {reason}")),
            "{message}"
        );
        assert!(
            has_line(&outcome, "going") && has_line(&outcome, &format!("Error: {reason}\nRuntime.ExitError"))
        );
        assert!(outcome.log.last().unwrap().text.ends_with("\tStatus: error\tError Type: Runtime.ExitError"));
    }
    // Gone while idle: nobody notices.
    let first = value(&world.call(&spec, &json!("fine")).await);
    kill_process(pid(&first), Signal::KILL).unwrap();
    until(|| is_gone(pid(&first))).await;
    let second = value(&world.call(&spec, &json!("fine")).await);
    assert_ne!(first, second);
    world.pool.shutdown().await;
}

/// Serves one request, asks for another and hangs up; ends when told to.
const HANGS_UP: &str = r#"#!/usr/bin/env python3
import os, socket, time, urllib.request
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
api = f"http://{host}:{port}/2018-06-01/runtime/invocation/"
with urllib.request.urlopen(api + "next") as request:
    id = request.headers["Lambda-Runtime-Aws-Request-Id"]
urllib.request.urlopen(urllib.request.Request(api + id + "/response", str(os.getpid()).encode())).close()
with socket.create_connection((host, int(port))) as line:
    line.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
    while not os.path.exists(os.environ["DIR"] + "/hang-up"): time.sleep(0.002)
open(os.environ["DIR"] + "/hung-up", "w").close()
while not os.path.exists(os.environ["DIR"] + "/go"): time.sleep(0.002)
"#;

#[tokio::test]
async fn a_request_that_was_not_taken_goes_to_another_process() {
    let world = World::new();
    let mut spec = world.provided(HANGS_UP);
    spec.env.push(("DIR".into(), world.dir.path().display().to_string()));
    let first = value(&world.call(&spec, &json!(null)).await);
    File::create(world.dir.path().join("hang-up")).unwrap();
    until(|| world.dir.path().join("hung-up").exists()).await;
    // The server hears of it when it runs next.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let outcome = world
        .pool
        .invoke(&spec, Vec::new, invocation(&json!(null)), |line: &LogLine| {
            if line.text.starts_with("START") {
                File::create(world.dir.path().join("go")).unwrap();
            }
        })
        .await;
    assert_ne!(value(&outcome), first);
    assert_eq!(texts(&outcome).iter().filter(|line| line.starts_with("START ")).count(), 1);
    assert!(outcome.init_ms.is_some());
    world.pool.shutdown().await;
}

#[tokio::test]
async fn the_number_of_processes_is_bounded() {
    let world = World::with(Limits { processes: 1, ..Limits::default() });
    let text = "import os\ndef handler(event, context): return os.getpid()\n";
    let (one, two) = (world.python(text), world.python(text));
    let first = value(&world.call(&one, &json!(null)).await);
    let second = value(&world.call(&two, &json!(null)).await);
    until(|| is_gone(pid(&first))).await;
    // Both at once on one place: the second waits its turn, and gets the same warm process.
    let (a, b) = tokio::join!(world.call(&two, &json!(null)), world.call(&two, &json!(null)));
    assert_eq!((value(&a), value(&b)), (second.clone(), second));
    assert_eq!(world.pool.processes(), (0, 1));
    world.pool.shutdown().await;
}

#[tokio::test]
async fn idle_and_dropped_processes_go() {
    let text =
        "import os\ndef handler(event, context): return [os.getpid(), os.getcwd(), os.environ['TMPDIR']]\n";
    let world = World::with(Limits { idle: Duration::from_millis(50), ..Limits::default() });
    let got = value(&world.call(&world.python(text), &json!(null)).await);
    until(|| world.pool.processes() == (0, 0) && is_gone(pid(&got[0]))).await;
    world.pool.shutdown().await;

    let world = World::new();
    let spec = world.python(text);
    let got = value(&world.call(&spec, &json!(null)).await);
    assert!(Path::new(got[1].as_str().unwrap()).exists() && Path::new(got[2].as_str().unwrap()).exists());
    world.pool.drop_function(&spec.key).await;
    assert!(is_gone(pid(&got[0])));
    assert!(!Path::new(got[1].as_str().unwrap()).exists(), "its code is gone");
    assert!(!Path::new(got[2].as_str().unwrap()).exists(), "its scratch folder is gone");
    assert_ne!(value(&world.call(&spec, &json!(null)).await)[0], got[0], "the key can be used again");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn a_busy_process_finishes_when_its_function_is_dropped_and_not_when_the_pool_goes() {
    let world = World::new();
    let text = "import os, time\n\
         def handler(event, context):\n\
        \x20   print('begun')\n\
        \x20   while not os.path.exists(event): time.sleep(0.002)\n\
        \x20   return 'done'\n";
    let spec = world.python(text);
    let go = world.dir.path().join("go");
    let begun = tokio::sync::Notify::new();
    let hear = |line: &LogLine| {
        if line.text == "begun" {
            begun.notify_one();
        }
    };
    let (outcome, ()) =
        tokio::join!(world.pool.invoke(&spec, Vec::new, invocation(&json!(go)), hear), async {
            begun.notified().await;
            world.pool.drop_function(&spec.key).await;
            File::create(&go).unwrap();
        });
    assert_eq!(value(&outcome), "done");
    assert_eq!(world.pool.processes(), (0, 0), "it is not kept");

    let never = world.dir.path().join("never");
    let (outcome, ()) =
        tokio::join!(world.pool.invoke(&spec, Vec::new, invocation(&json!(never)), hear), async {
            begun.notified().await;
            world.pool.shutdown().await;
        });
    assert_eq!(fault(&outcome)["errorType"], "Sandbox.Failure");
    assert_eq!(fault(&world.call(&spec, &json!(never)).await)["errorType"], "Sandbox.Failure");
}

#[tokio::test]
async fn a_dropped_request_kills_its_process() {
    let world = World::new();
    let spec = world.python(
        "import os, time\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(600)\n",
    );
    let seen = Mutex::new(None);
    let found = tokio::sync::Notify::new();
    let hear = |line: &LogLine| {
        if let Ok(pid) = line.text.parse() {
            *seen.lock().unwrap() = Pid::from_raw(pid);
            found.notify_one();
        }
    };
    tokio::select! {
        _ = world.pool.invoke(&spec, Vec::new, invocation(&json!(null)), hear) => unreachable!(),
        () = found.notified() => {}
    }
    let pid = seen.lock().unwrap().unwrap();
    until(|| is_gone(pid)).await;
    assert_eq!(world.pool.processes(), (0, 0));
    world.pool.shutdown().await;
}

/// An engine with a busy function.
async fn be_an_engine(dir: &Path) -> ! {
    let pool = Pool::new(dir).unwrap();
    // Below the folder of the test that kills this: nothing here is dropped in order.
    let world = World { dir: tempfile::tempdir_in(dir).unwrap(), pool };
    // Busy, and so deaf to a connection that breaks: only the kernel can end it.
    let spec = world.python(
        "import os, time\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(600)\n",
    );
    let hear = |line: &LogLine| {
        if line.text.parse::<u32>().is_ok() {
            println!("\nstarted {}", line.text);
        }
    };
    world.pool.invoke(&spec, Vec::new, invocation(&json!(null)), hear).await;
    panic!("the function ended before the engine did");
}

#[tokio::test]
async fn processes_die_with_the_engine_and_the_next_one_clears_away() {
    if let Some(dir) = again::place() {
        be_an_engine(Path::new(&dir)).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut engine = Engine::start(
        "functions::processes::processes_die_with_the_engine_and_the_next_one_clears_away",
        dir.path(),
    );
    let function = pid(&engine.started().await[0].parse::<i64>().unwrap().into());
    assert!(!is_gone(function));
    engine.kill().await;
    until(|| is_gone(function)).await;

    let runs = || {
        let names = std::fs::read_dir(dir.path())
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("run-")).collect::<Vec<_>>()
    };
    let left = runs();
    assert_eq!(left.len(), 1);
    let groups = std::fs::read_to_string(dir.path().join(&left[0]).join("cgroups")).ok();
    let pool = Pool::new(dir.path()).unwrap();
    assert!(!runs().contains(&left[0]) && runs().len() == 1);
    if let Some(base) = groups {
        let prefix = left[0].replace("run-", "nbvend-fn-");
        let same = std::fs::read_dir(base)
            .unwrap()
            .flatten()
            .any(|e| e.file_name().to_str().unwrap().starts_with(&prefix));
        assert!(!same, "its control groups are gone");
    }
    pool.shutdown().await;
}
