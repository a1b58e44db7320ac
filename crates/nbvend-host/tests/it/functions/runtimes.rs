//! Custom runtimes, packages that cannot run, strangers at the runtime API.

use super::*;

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
