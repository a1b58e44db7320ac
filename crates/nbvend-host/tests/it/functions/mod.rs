//! Functions as real processes: Python handlers and bootstraps written here.
// The lint spares test functions only, not what they are made of.
#![allow(clippy::unwrap_used)]

mod confined;
mod limits;
mod processes;
mod python;
mod runtimes;

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

/// Set where functions are to be confined as in the level `full`.
const CONFINED: &str = "NBVEND_TEST_CONFINED";

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
            confined: std::env::var_os(CONFINED).is_some(),
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
