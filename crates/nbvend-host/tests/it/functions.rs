//! Functions as real processes: Python handlers and bootstraps written here.

// The lint spares test functions only, not what they are made of.
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use nbvend_host::functions::{
    ErrorKind, FunctionSpec, Invocation, Limits, LogLine, MemoryControl, Outcome, Pool, Runtime,
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A pool in a folder of its own, and the packages its functions come from.
struct World {
    dir: tempfile::TempDir,
    pool: Pool,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl World {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pool = Pool::with_limits(&dir.path().join("pool"), limits).unwrap();
        Self { dir, pool }
    }

    fn package(&self, files: &[(&str, u32, &str)]) -> (PathBuf, String) {
        let id = format!("code{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let path = self.dir.path().join(format!("{id}.zip"));
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, mode, text) in files {
            zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        (path, id)
    }

    fn spec(&self, runtime: Runtime, files: &[(&str, u32, &str)]) -> FunctionSpec {
        let (code_zip, code_id) = self.package(files);
        FunctionSpec {
            key: code_id.clone(),
            name: "hello".into(),
            code_zip,
            code_id,
            runtime,
            handler: "app.handler".into(),
            memory_mb: 128,
            timeout: Duration::from_secs(30),
            env: vec![],
            ephemeral_mb: 512,
        }
    }

    /// A function from the text of its module.
    fn python(&self, text: &str) -> FunctionSpec {
        self.spec(Runtime::Python("3.11".into()), &[("app.py", 0o644, text)])
    }

    /// A custom runtime: an executable script with this text.
    fn provided(&self, text: &str) -> FunctionSpec {
        let mut spec = self.spec(Runtime::Provided, &[("bootstrap", 0o755, text)]);
        // The script finds its interpreter where the tests do.
        spec.env.push(("PATH".into(), std::env::var("PATH").unwrap()));
        spec
    }

    async fn call(&self, spec: &FunctionSpec, event: &Value) -> Outcome {
        self.pool.invoke(spec, Vec::new, invocation(event), |_| ()).await
    }
}

fn invocation(event: &Value) -> Invocation {
    Invocation {
        request_id: format!("00000000-0000-4000-8000-{:012}", NEXT.fetch_add(1, Ordering::Relaxed)),
        payload: Bytes::from(event.to_string()),
        function_arn: "arn:aws:lambda:us-east-1:123456789012:function:hello".into(),
        trace_id: "Root=1-5759e988-bd862e3fe1be46a994272793".into(),
        client_context: None,
    }
}

fn value(outcome: &Outcome) -> Value {
    let payload =
        outcome.result.as_ref().unwrap_or_else(|error| panic!("{:?}\n{:#?}", error.payload, outcome.log));
    serde_json::from_slice(payload).unwrap()
}

fn fault(outcome: &Outcome) -> Value {
    let error = outcome.result.as_ref().expect_err("the function should have failed");
    assert_eq!(error.kind, ErrorKind::Unhandled);
    serde_json::from_slice(&error.payload).unwrap()
}

fn texts(outcome: &Outcome) -> Vec<&str> {
    outcome.log.iter().map(|line| line.text.as_str()).collect()
}

fn has_line(outcome: &Outcome, part: &str) -> bool {
    outcome.log.iter().any(|line| line.text.contains(part))
}

fn pid(value: &Value) -> Pid {
    Pid::from_raw(i32::try_from(value.as_i64().unwrap()).unwrap()).unwrap()
}

/// Waits for something that must come about; the test's own time limit is the only one.
async fn until(mut what: impl FnMut() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_gone(pid: Pid) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    test_kill_process(pid).is_err() || state.is_ok_and(|text| text.contains(") Z "))
}

#[tokio::test]
async fn a_python_function_answers_with_its_context_and_log() {
    let world = World::new();
    let spec = world.python(
        "import os, sys, logging\n\
         print('loading')\n\
         def handler(event, context):\n\
        \x20   print('out'); print('err', file=sys.stderr); logging.getLogger().warning('two\\nlines')\n\
        \x20   sys.stdout.write('no newline')\n\
        \x20   return dict(event=event, id=context.aws_request_id, arn=context.invoked_function_arn,\n\
        \x20       name=context.function_name, memory=context.memory_limit_in_mb, version=context.function_version,\n\
        \x20       left=context.get_remaining_time_in_millis(), stream=context.log_stream_name,\n\
        \x20       group=context.log_group_name, trace=os.environ['_X_AMZN_TRACE_ID'],\n\
        \x20       custom=context.client_context.custom, path=sys.path[0], root=os.environ['LAMBDA_TASK_ROOT'],\n\
        \x20       cwd=os.getcwd(), site=[p for p in sys.path if p.endswith('-packages')])\n",
    );
    let mut inv = invocation(&json!({"a": "ü"}));
    inv.client_context = Some(r#"{"custom":{"k":"ö"}}"#.into());
    let id = inv.request_id.clone();
    let heard = Mutex::new(Vec::new());
    let outcome = world
        .pool
        .invoke(&spec, Vec::new, inv, |line: &LogLine| heard.lock().unwrap().push(line.clone()))
        .await;
    let got = value(&outcome);
    assert_eq!(got["event"], json!({"a": "ü"}));
    assert_eq!(got["id"], json!(id));
    assert_eq!(got["arn"], "arn:aws:lambda:us-east-1:123456789012:function:hello");
    assert_eq!(
        (&got["name"], &got["memory"], &got["version"]),
        (&json!("hello"), &json!("128"), &json!("$LATEST"))
    );
    assert_eq!(got["group"], "/aws/lambda/hello");
    assert_eq!(got["stream"], json!(outcome.log_stream));
    assert_eq!(got["trace"], "Root=1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(got["custom"], json!({"k": "ö"}));
    assert!((20_001..=30_000).contains(&got["left"].as_u64().unwrap()), "{}", got["left"]);
    assert_eq!(got["path"], got["root"]);
    assert_eq!(got["cwd"], got["root"]);
    assert_eq!(got["site"], json!([]), "nothing of this machine's packages");

    let lines = texts(&outcome);
    assert!(
        lines[0].starts_with("INIT_START Runtime Version: python:3.11\tInterpreter: Python 3."),
        "{lines:?}"
    );
    assert_eq!(lines[1..5], ["loading", &format!("START RequestId: {id} Version: $LATEST"), "out", "err"]);
    assert!(
        lines[5].starts_with("[WARNING]\t") && lines[5].ends_with(&format!("Z\t{id}\ttwo\rlines")),
        "{lines:?}"
    );
    assert_eq!(lines[6..8], ["no newline", &format!("END RequestId: {id}")]);
    let report = lines[8];
    assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{report}");
    assert!(
        report.contains(" ms\tBilled Duration: ")
            && report.contains("\tMemory Size: 128 MB\tMax Memory Used: ")
    );
    assert!(report.contains(" MB\tInit Duration: "), "{report}");
    assert_eq!(*heard.lock().unwrap(), outcome.log);
    assert!(outcome.max_memory_mb > 0 && outcome.init_ms.is_some());
    world.pool.shutdown().await;
}

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
async fn errors_of_python_functions_have_awss_form() {
    let world = World::new();
    let raising = "class Odd(Exception): pass\ndef handler(event, context):\n    raise Odd('no\\nway')\n";
    let outcome = world.call(&world.python(raising), &json!({})).await;
    let got = fault(&outcome);
    assert_eq!((&got["errorType"], &got["errorMessage"]), (&json!("Odd"), &json!("no\nway")));
    let trace = got["stackTrace"].as_array().unwrap();
    assert_eq!(trace.len(), 1, "{trace:?}");
    let frame = trace[0].as_str().unwrap();
    assert!(
        frame.starts_with("  File \"/")
            && frame.contains("/app.py\", line 3, in handler\n    raise Odd('no\\nway')\n")
    );
    assert!(has_line(&outcome, "[ERROR] Odd: no\rway\rTraceback (most recent call last):\r  File "));
    assert!(
        !outcome.log.last().unwrap().text.contains("Status:"),
        "the function's own error is no sandbox error"
    );

    let handler = "def handler(event, context):\n";
    let cases = [
        (
            "import nothing_of_this_name\n".to_string(),
            "app.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'nothing_of_this_name'",
        ),
        (
            "x = 1\n".into(),
            "app.handler",
            "Runtime.HandlerNotFound",
            "Handler 'handler' missing on module 'app'",
        ),
        ("def (:\n".into(), "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "),
        (String::new(), "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler': "),
        (
            String::new(),
            "time.sleep",
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module time as a handler module",
        ),
        ("raise KeyError('early')\n".into(), "app.handler", "KeyError", "'early'"),
        (
            format!("{handler}    return set()\n"),
            "app.handler",
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
    ];
    for (text, name, kind, message) in cases {
        let spec = FunctionSpec { handler: name.into(), ..world.python(&text) };
        let outcome = world.call(&spec, &json!({})).await;
        let got = fault(&outcome);
        assert_eq!(got["errorType"], kind);
        assert!(got["errorMessage"].as_str().unwrap().starts_with(message), "{got}");
        assert!(has_line(&outcome, &format!("[ERROR] {kind}: {message}")), "{:#?}", outcome.log);
        let lines = texts(&outcome);
        assert!(
            lines.iter().any(|line| line.starts_with("START "))
                && lines.iter().any(|line| line.starts_with("END "))
        );
    }
    let spec = world.python(&format!("{handler}    return event\n"));
    let mut inv = invocation(&json!(null));
    inv.payload = Bytes::from_static(b"{not json");
    let outcome = world.pool.invoke(&spec, Vec::new, inv, |_| ()).await;
    assert_eq!(fault(&outcome)["errorType"], "Runtime.UnmarshalError");
    assert_eq!(value(&world.call(&spec, &json!(1)).await), 1, "the process lives on");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn a_function_over_its_time_is_killed_with_its_children() {
    let world = World::new();
    let mut spec = world.python(
        "import os, subprocess, time\n\
         n = 0\n\
         def handler(event, context):\n\
        \x20   global n\n\
        \x20   n += 1\n\
        \x20   if not event: return n\n\
        \x20   child = subprocess.Popen(['sleep', '600'], start_new_session=event['leave'])\n\
        \x20   print(os.getpid(), child.pid)\n\
        \x20   time.sleep(600)\n",
    );
    spec.timeout = Duration::from_secs(1);
    assert_eq!(value(&world.call(&spec, &json!(null)).await), 1);
    let leave = world.pool.memory_control() != MemoryControl::DataSegment;
    let outcome = world.call(&spec, &json!({"leave": leave})).await;
    let got = fault(&outcome);
    let id = texts(&outcome)[0].split(' ').nth(2).unwrap().to_string();
    assert_eq!(got["errorType"], "Sandbox.Timedout");
    assert_eq!(got["errorMessage"], format!("RequestId: {id} Error: Task timed out after 1.00 seconds"));
    assert!(has_line(&outcome, &format!("Z {id} Task timed out after 1.00 seconds")));
    assert!(outcome.log.last().unwrap().text.ends_with("\tStatus: timeout"), "{:?}", outcome.log);
    assert!(outcome.log.last().unwrap().text.contains("\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\t"));
    let pids: Vec<Pid> =
        texts(&outcome)[1].split(' ').map(|text| Pid::from_raw(text.parse().unwrap()).unwrap()).collect();
    for pid in pids {
        until(|| is_gone(pid)).await;
    }
    assert_eq!(value(&world.call(&spec, &json!(null)).await), 1, "a new process");
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
async fn memory_is_limited() {
    memory_is_limited_by(World::new()).await;
}

#[tokio::test]
async fn memory_is_limited_without_control_groups() {
    let world = World::with(Limits { cgroups: false, ..Limits::default() });
    assert_eq!(world.pool.memory_control(), MemoryControl::DataSegment);
    memory_is_limited_by(world).await;
}

async fn memory_is_limited_by(world: World) {
    let spec = world.python(
        "def handler(event, context):\n\
        \x20   data = bytearray(event << 20)\n\
        \x20   for at in range(0, len(data), 4096): data[at] = 1\n\
        \x20   return len(data)\n",
    );
    let outcome = world.call(&spec, &json!(60)).await;
    assert_eq!(value(&outcome), 60 << 20);
    assert!((60..=128).contains(&outcome.max_memory_mb), "{}", outcome.max_memory_mb);
    let outcome = world.call(&spec, &json!(200)).await;
    let got = fault(&outcome);
    match world.pool.memory_control() {
        MemoryControl::CgroupV1 | MemoryControl::CgroupV2 => {
            assert_eq!(got["errorType"], "Runtime.OutOfMemory");
            assert!(
                got["errorMessage"]
                    .as_str()
                    .unwrap()
                    .ends_with("Error: Runtime exited with error: signal: killed")
            );
            assert!(outcome.log.last().unwrap().text.contains("Max Memory Used: 128 MB"));
        }
        MemoryControl::DataSegment => assert_eq!(got["errorType"], "MemoryError"),
    }
    assert_eq!(value(&world.call(&spec, &json!(1)).await), 1 << 20);
    world.pool.shutdown().await;
}

#[tokio::test]
async fn the_environment_is_the_functions_own() {
    let world = World::new();
    let mut spec = world.python(
        "import os, resource\n\
         def handler(event, context):\n\
        \x20   big = os.path.join(os.environ['TMPDIR'], 'big')\n\
        \x20   try:\n\
        \x20       with open(big, 'wb') as file: file.truncate(3 << 20)\n\
        \x20       fits = True\n\
        \x20   except OSError: fits = False\n\
        \x20   return [dict(os.environ), fits, resource.getrlimit(resource.RLIMIT_NOFILE)[0], os.getsid(0) == os.getpid()]\n",
    );
    spec.env = vec![("A".into(), "spec".into()), ("B".into(), "spec".into())];
    spec.ephemeral_mb = 2;
    let spawned = AtomicU64::new(0);
    let fresh = || vec![("B".into(), format!("fresh {}", spawned.fetch_add(1, Ordering::Relaxed)))];
    let mut last = Value::Null;
    for _ in 0..2 {
        last = value(&world.pool.invoke(&spec, fresh, invocation(&json!(null)), |_| ()).await);
    }
    let env = &last[0];
    assert_eq!(
        (&env["A"], &env["B"]),
        (&json!("spec"), &json!("fresh 0")),
        "made once, at the start of the process"
    );
    assert_eq!(env["_HANDLER"], "app.handler");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_NAME"], "hello");
    assert!(env["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(
        std::env::vars().any(|(name, _)| name.starts_with("CARGO")),
        "this test has what must not get through"
    );
    let leaked: Vec<_> =
        env.as_object().unwrap().keys().filter(|name| name.starts_with("CARGO") || *name == "HOME").collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    assert_eq!(last[1], false, "a file over the limit is refused");
    assert_eq!((&last[2], &last[3]), (&json!(1024), &json!(true)));

    spec.key = "impossible".into();
    spec.env = vec![("A=B".into(), "x".into())];
    assert_eq!(fault(&world.call(&spec, &json!(null)).await)["errorType"], "Sandbox.Failure");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn payloads_of_six_megabytes_pass_and_larger_answers_do_not() {
    let world = World::new();
    let spec = world.python(
        "def handler(event, context):\n    return event if isinstance(event, str) else 'x' * event\n",
    );
    let text = "y".repeat((6 << 20) - 2);
    let outcome = world.call(&spec, &json!(text)).await;
    assert_eq!(outcome.result.as_ref().unwrap().len(), 6 << 20);
    assert_eq!(value(&outcome), json!(text));
    // The limit counts the two quotes.
    assert_eq!(world.call(&spec, &json!(6_291_554)).await.result.unwrap().len(), 6_291_556);
    for size in [6_291_555, 20_000_000] {
        let got = fault(&world.call(&spec, &json!(size)).await);
        assert_eq!(got["errorType"], "Function.ResponseSizeTooLarge");
        assert_eq!(
            got["errorMessage"],
            "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
        );
    }
    assert_eq!(value(&world.call(&spec, &json!("still")).await), "still");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn logs_are_kept_in_order_and_bounded() {
    let world = World::new();
    let spec = world.python(
        "import os\n\
         def handler(event, context):\n\
        \x20   for n in range(5000): print(n)\n\
        \x20   os.write(1, b'x' * 300000 + b'\\n')\n\
        \x20   os.write(2, b'last')\n",
    );
    let outcome = world.call(&spec, &json!(null)).await;
    assert_eq!(value(&outcome), json!(null));
    let lines = texts(&outcome);
    let numbers: Vec<String> = (0..5000).map(|n| n.to_string()).collect();
    assert_eq!(lines[2..5002], numbers.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(lines[5002].len(), 256 * 1024);
    assert_eq!(lines[5003], "last");
    assert!(lines[5004].starts_with("END "));
    world.pool.shutdown().await;
}

/// A custom runtime in Python: answers `error` with an error, anything else with itself.
const BOOTSTRAP: &str = r##"#!/usr/bin/env python3
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
def call(path, body=None, headers={}):
    try:
        with urllib.request.urlopen(urllib.request.Request(api + path, body, headers)) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
while True:
    status, headers, body = call("invocation/next")
    id = headers["Lambda-Runtime-Aws-Request-Id"]
    event = json.loads(body)
    if event == "error":
        call("invocation/" + id + "/error", b'{"errorMessage":"m","errorType":"T"}',
             {"Lambda-Runtime-Function-Error-Type": "Handled"})
    elif event == "wrong":
        tries = [call("invocation/other/response", b"1"), call("init/error", b"1"), call("invocation/next"),
                 call("nowhere"), call("invocation/" + id + "/response", b"")]
        print(json.dumps([(status, json.loads(body or b"{}").get("errorType")) for status, _, body in tries]), flush=True)
    else:
        names = ["Deadline-Ms", "Invoked-Function-Arn", "Trace-Id"]
        found = {name: headers["Lambda-Runtime-" + name] for name in names}
        call("invocation/" + id + "/response", json.dumps([event, found]).encode())
"##;

#[tokio::test]
async fn a_custom_runtime_speaks_the_api() {
    let world = World::new();
    let spec = world.provided(BOOTSTRAP);
    let outcome = world.call(&spec, &json!({"a": 1})).await;
    let got = value(&outcome);
    assert_eq!(got[0], json!({"a": 1}));
    assert_eq!(got[1]["Invoked-Function-Arn"], "arn:aws:lambda:us-east-1:123456789012:function:hello");
    assert_eq!(got[1]["Trace-Id"], "Root=1-5759e988-bd862e3fe1be46a994272793");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let deadline: u128 = got[1]["Deadline-Ms"].as_str().unwrap().parse().unwrap();
    assert!((now..now + 30_001).contains(&deadline), "{deadline} {now}");
    assert!(texts(&outcome)[0].starts_with("INIT_START Runtime Version: provided\tMemory Limit: "));

    let error = world.call(&spec, &json!("error")).await.result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Handled);
    assert_eq!(error.payload, r#"{"errorMessage":"m","errorType":"T"}"#);

    let outcome = world.call(&spec, &json!("wrong")).await;
    assert_eq!(outcome.result.as_ref().unwrap(), "");
    let codes: Value = serde_json::from_str(texts(&outcome)[1]).unwrap();
    assert_eq!(
        codes,
        json!([
            [400, "InvalidRequestID"],
            [403, "InvalidStateTransition"],
            [403, "InvalidStateTransition"],
            [404, "NotFound"],
            [202, null]
        ])
    );
    world.pool.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_executed_is_named() {
    let world = World::new();
    let missing = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
    let cases: [(&str, u32, &str, &str, &str); 6] = [
        ("other", 0o755, "", "Runtime.InvalidEntrypoint", missing),
        (
            "bootstrap",
            0o644,
            "#!/bin/sh\n",
            "Runtime.InvalidEntrypoint",
            "fork/exec /var/task/bootstrap: permission denied",
        ),
        (
            "bootstrap",
            0o755,
            "\x7fELF nonsense",
            "Runtime.InvalidEntrypoint",
            "fork/exec /var/task/bootstrap: exec format error",
        ),
        (
            "bootstrap",
            0o755,
            "#!/none/such\n",
            "Runtime.InvalidEntrypoint",
            "fork/exec /var/task/bootstrap: no such file or directory",
        ),
        (
            "bootstrap",
            0o755,
            "#!/bin/sh\necho starting\nexit 3\n",
            "Runtime.ExitError",
            "Runtime exited with error: exit status 3",
        ),
        (
            "../bootstrap",
            0o755,
            "#!/bin/sh\n",
            "Sandbox.Failure",
            "the package has a name that is not allowed: \"../bootstrap\"",
        ),
    ];
    for (name, mode, text, kind, message) in cases {
        let spec = world.spec(Runtime::Provided, &[(name, mode, text)]);
        let outcome = world.call(&spec, &json!(null)).await;
        let got = fault(&outcome);
        assert_eq!(got["errorType"], kind, "{got}");
        assert!(got["errorMessage"].as_str().unwrap().ends_with(&format!("Error: {message}")), "{got}");
        assert!(!outcome.log_stream.is_empty());
        assert_eq!(has_line(&outcome, "starting"), text.contains("starting"));
    }
    assert!(!world.dir.path().join("pool/bootstrap").exists());
    let mut spec = world.python("");
    spec.runtime = Runtime::Python("2.7".into());
    assert_eq!(fault(&world.call(&spec, &json!(null)).await)["errorType"], "Runtime.InvalidEntrypoint");
    spec.runtime = Runtime::Provided;
    spec.code_zip = world.dir.path().join("none.zip");
    spec.key = "gone".into();
    spec.code_id = "gone".into();
    assert_eq!(fault(&world.call(&spec, &json!(null)).await)["errorType"], "Sandbox.Failure");
    assert_eq!(world.pool.processes(), (0, 0));
    world.pool.shutdown().await;
}

#[tokio::test]
async fn a_slow_start_is_cut_and_made_again_on_the_functions_time() {
    let world = World::with(Limits { init: Duration::from_millis(500), ..Limits::default() });
    let mut spec = world.python(
        "import os, time\n\
         first = not os.path.exists(os.environ['MARK'])\n\
         open(os.environ['MARK'], 'w').close()\n\
         if first or 'ALWAYS' in os.environ: time.sleep(600)\n\
         def handler(event, context): return 'here'\n",
    );
    spec.env = vec![("MARK".into(), world.dir.path().join("mark").display().to_string())];
    let outcome = world.call(&spec, &json!(null)).await;
    assert_eq!(value(&outcome), "here");
    assert!(
        texts(&outcome)[1].starts_with("INIT_REPORT Init Duration: ")
            && texts(&outcome)[1].ends_with("\tPhase: init\tStatus: timeout")
    );
    assert_eq!(outcome.init_ms, None, "the second start is part of the duration");

    spec.key = "never".into();
    spec.env.push(("ALWAYS".into(), "1".into()));
    spec.timeout = Duration::from_secs(1);
    let got = fault(&world.call(&spec, &json!(null)).await);
    assert_eq!(got["errorType"], "Sandbox.Timedout");
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

#[tokio::test]
async fn a_stranger_at_the_port_gets_nothing() {
    let world = World::new();
    let spec =
        world.python("import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_RUNTIME_API']\n");
    let address = value(&world.call(&spec, &json!(null)).await);
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address.as_str().unwrap()).unwrap();
        // The door may be shut before the request is written.
        let _ = stream.write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    });
    assert_eq!(answer.await.unwrap(), b"");
    assert!(world.call(&spec, &json!(null)).await.init_ms.is_none(), "the process is not disturbed");
    world.pool.shutdown().await;
}

/// The engine that [`processes_die_with_the_engine`] kills. Does nothing in an ordinary run.
#[tokio::test]
async fn engine_to_be_killed() {
    let Ok(dir) = std::env::var("NBVEND_TEST_POOL") else { return };
    let pool = Pool::new(Path::new(&dir)).unwrap();
    // Below the folder of the test that kills this: nothing here is dropped in order.
    let world = World { dir: tempfile::tempdir_in(&dir).unwrap(), pool };
    // Busy, and so deaf to a connection that breaks: only the kernel can end it.
    let spec = world.python(
        "import os, time\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(600)\n",
    );
    let hear = |line: &LogLine| {
        if line.text.parse::<u32>().is_ok() {
            std::fs::write(Path::new(&dir).join("pid.new"), &line.text).unwrap();
            std::fs::rename(Path::new(&dir).join("pid.new"), Path::new(&dir).join("pid")).unwrap();
        }
    };
    world.pool.invoke(&spec, Vec::new, invocation(&json!(null)), hear).await;
}

#[tokio::test]
async fn processes_die_with_the_engine_and_the_next_one_clears_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "functions::engine_to_be_killed"])
        .env("NBVEND_TEST_POOL", dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let file = dir.path().join("pid");
    until(|| file.exists()).await;
    let function = pid(&serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap());
    assert!(!is_gone(function));
    engine.kill().unwrap();
    engine.wait().unwrap();
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
