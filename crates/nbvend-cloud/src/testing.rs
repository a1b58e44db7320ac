//! An engine in a temporary folder with a clock that stands still, predictable ids, and hosts that remember: for
//! typed calls through the door in process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use nbvend_wire::error::WireError;
use nbvend_wire::protocol;
use nbvend_wire::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::config::{Config, NotebookSettings, RootKey};
use crate::door;
use crate::engine::Engine;
use crate::identity::{Caller, Principal};
use crate::operation::{Entry, Kind, Operation};
use crate::ports::{
    Activity, Capacity, Clock, FunctionEvent, FunctionHost, FunctionOutcome, FunctionSpec, Ids, NotebookHost,
    NotebookSpec, PortFuture, Ports, ScriptLog, StartFailure, Started,
};
use crate::services;

/// A clock that moves only when told.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Ids that count, spread so that no two look alike, of this world or of another.
#[derive(Clone)]
pub struct TestIds(Arc<AtomicU64>);

impl TestIds {
    fn new() -> Self {
        static WORLDS: AtomicU64 = AtomicU64::new(1);
        Self(Arc::new(AtomicU64::new(WORLDS.fetch_add(1, Ordering::SeqCst) << 32)))
    }

    /// Counts on from there, so that what comes next is known whatever was drawn before.
    pub fn begin_at(&self, number: u64) {
        self.0.store(number, Ordering::SeqCst);
    }
}

impl Ids for TestIds {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            // The finalizer of SplitMix64: different for different numbers.
            let mut n = self.0.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(n ^ (n >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

/// Notebooks that only exist in a list. A name in `broken` fails to start with that failure, whose script's log is `log`.
#[derive(Clone)]
pub struct TestNotebooks {
    pub running: Arc<Mutex<BTreeMap<String, NotebookSpec>>>,
    pub broken: Arc<Mutex<BTreeMap<String, StartFailure>>>,
    pub log: Arc<Mutex<Vec<ScriptLog>>>,
    pub deleted: Arc<Mutex<Vec<String>>>,
    pub machine: Arc<Mutex<Capacity>>,
    /// What is seen of notebooks, by name.
    pub seen: Arc<Mutex<BTreeMap<String, Activity>>>,
    pub isolation: Arc<Mutex<&'static str>>,
    /// Ids of notebooks whose volume's size does not hold.
    pub unbounded: Arc<Mutex<Vec<String>>>,
    /// Who holds it for writing holds up every start.
    pub gate: Arc<tokio::sync::RwLock<()>>,
    /// Starts that were begun.
    pub begun: Arc<AtomicU64>,
}

impl Default for TestNotebooks {
    fn default() -> Self {
        let machine = Capacity { cores: 8, memory: 64 << 30, free_memory: 32 << 30 };
        Self {
            running: Arc::default(),
            broken: Arc::default(),
            log: Arc::default(),
            deleted: Arc::default(),
            machine: Arc::new(Mutex::new(machine)),
            seen: Arc::default(),
            isolation: Arc::new(Mutex::new("full")),
            unbounded: Arc::default(),
            gate: Arc::default(),
            begun: Arc::default(),
        }
    }
}

impl NotebookHost for TestNotebooks {
    fn start(&self, spec: NotebookSpec) -> PortFuture<'_, Started> {
        Box::pin(async move {
            self.begun.fetch_add(1, Ordering::SeqCst);
            let _opened = self.gate.read().await;
            let failure = self.broken.lock().unwrap().get(&spec.name).cloned();
            if failure.is_none() {
                self.running.lock().unwrap().insert(spec.id.clone(), spec);
            }
            Started { logs: self.log.lock().unwrap().clone(), failure }
        })
    }

    fn stop(&self, id: &str) -> PortFuture<'_, Result<(), String>> {
        self.running.lock().unwrap().remove(id);
        Box::pin(async { Ok(()) })
    }

    fn delete(&self, id: &str) -> PortFuture<'_, Result<(), String>> {
        self.running.lock().unwrap().remove(id);
        self.deleted.lock().unwrap().push(id.to_owned());
        Box::pin(async { Ok(()) })
    }

    fn is_running(&self, id: &str) -> bool {
        self.running.lock().unwrap().contains_key(id)
    }

    fn capacity(&self) -> Capacity {
        *self.machine.lock().unwrap()
    }

    fn activity(&self, id: &str) -> PortFuture<'_, Option<Activity>> {
        let name = self.running.lock().unwrap().get(id).map(|spec| spec.name.clone());
        let seen = name.and_then(|name| self.seen.lock().unwrap().get(&name).cloned());
        Box::pin(async { seen })
    }

    fn isolation(&self) -> &'static str {
        *self.isolation.lock().unwrap()
    }

    fn enforces_volume(&self, id: &str) -> bool {
        !self.unbounded.lock().unwrap().iter().any(|one| one == id)
    }
}

type Body = dyn Fn(&FunctionSpec, &FunctionEvent) -> Result<Bytes, (&'static str, Bytes)> + Send + Sync;

/// Functions that are closures: the test says what code does. Without one, the event is echoed.
#[derive(Clone, Default)]
pub struct TestFunctions {
    pub calls: Arc<Mutex<Vec<(String, Value)>>>,
    pub body: Arc<Mutex<Option<Box<Body>>>>,
    /// What every run logs; one line without a time where nothing is set.
    pub log: Arc<Mutex<Vec<(Timestamp, String)>>>,
    /// Keys whose processes were ended.
    pub forgotten: Arc<Mutex<Vec<String>>>,
}

impl FunctionHost for TestFunctions {
    fn invoke(&self, spec: FunctionSpec, event: FunctionEvent) -> PortFuture<'_, FunctionOutcome> {
        Box::pin(async move {
            let payload = serde_json::from_slice(&event.payload).unwrap_or(Value::Null);
            self.calls.lock().unwrap().push((spec.name.clone(), payload));
            let result = match self.body.lock().unwrap().as_ref() {
                Some(body) => body(&spec, &event),
                None => Ok(event.payload.clone()),
            };
            let mut log = self.log.lock().unwrap().clone();
            if log.is_empty() {
                log.push((Timestamp(0), "ran".to_owned()));
            }
            FunctionOutcome { result, log, log_stream: "2026/11/22/[$LATEST]0".to_owned() }
        })
    }

    fn forget(&self, key: &str) -> PortFuture<'_, ()> {
        self.forgotten.lock().unwrap().push(key.to_owned());
        Box::pin(async {})
    }
}

/// An engine and the levers of its world.
pub struct World {
    pub engine: Engine,
    pub clock: TestClock,
    pub ids: TestIds,
    pub notebooks: TestNotebooks,
    pub functions: TestFunctions,
    folder: Arc<tempfile::TempDir>,
}

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "us-east-1";
pub const ROOT_KEY: &str = "AKIAROOTROOTROOTROOT";
pub const ROOT_SECRET: &str = "root-secret-of-the-tests";

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    pub fn new() -> Self {
        // 2026-11-22T12:00:00Z
        let clock = TestClock(Arc::new(AtomicI64::new(1_795_348_800_000)));
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let settings = NotebookSettings::default();
        Self::open(clock, folder, TestNotebooks::default(), TestFunctions::default(), settings)
    }

    /// An engine on a folder that an earlier one left, at that time (milliseconds).
    pub fn on(folder: tempfile::TempDir, now: i64) -> Self {
        let clock = TestClock(Arc::new(AtomicI64::new(now)));
        let settings = NotebookSettings::default();
        Self::open(clock, Arc::new(folder), TestNotebooks::default(), TestFunctions::default(), settings)
    }

    fn open(
        clock: TestClock,
        folder: Arc<tempfile::TempDir>,
        notebooks: TestNotebooks,
        functions: TestFunctions,
        settings: NotebookSettings,
    ) -> Self {
        let config = Config {
            data: folder.path().to_path_buf(),
            account: ACCOUNT.to_owned(),
            root_key: RootKey {
                access_key_id: ROOT_KEY.to_owned(),
                secret_access_key: ROOT_SECRET.to_owned(),
            },
            url_suffix: "localhost:4566".to_owned(),
            endpoint: "http://127.0.0.1:4566".to_owned(),
            https_links: false,
            notebooks: settings,
        };
        let ids = TestIds::new();
        let ports = Ports {
            clock: Box::new(clock.clone()),
            ids: Box::new(ids.clone()),
            notebooks: Box::new(notebooks.clone()),
            functions: Box::new(functions.clone()),
        };
        let engine = Engine::open(config, ports).unwrap();
        Self { engine, clock, ids, notebooks, functions, folder }
    }

    /// The engine dies and another opens the same folder; the hosts live on.
    pub fn restart(self) -> Self {
        let settings = self.engine.config().notebooks.clone();
        self.restart_with(settings)
    }

    /// The same with other settings.
    pub fn restart_with(self, settings: NotebookSettings) -> Self {
        let Self { engine, clock, notebooks, functions, folder, .. } = self;
        engine.store().close();
        drop(engine);
        Self::open(clock, folder, notebooks, functions, settings)
    }

    /// The account's root user.
    pub fn root(&self) -> Caller {
        Caller {
            principal: Principal::Root,
            access_key_id: Some(ROOT_KEY.to_owned()),
            session_issued: None,
            region: REGION.to_owned(),
            source_ip: "127.0.0.1".to_owned(),
            user_agent: "tests".to_owned(),
            request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
            invoked_by: None,
            secure: false,
        }
    }

    /// An IAM user who may do that (`ssm:*`) to everything.
    pub async fn user(&self, name: &str, actions: &[&str]) -> Caller {
        let made = self.wire("iam", "CreateUser", json!({"UserName": name})).await.unwrap();
        if !actions.is_empty() {
            self.allow("User", name, actions).await;
        }
        let id = made["User"]["UserId"].as_str().unwrap().to_owned();
        let principal = Principal::User { name: name.to_owned(), id, path: "/".to_owned() };
        Caller { principal, access_key_id: None, ..self.root() }
    }

    /// Lets a `User`, `Role` or `Group` do that to everything.
    pub async fn allow(&self, kind: &str, name: &str, actions: &[&str]) {
        let document = json!({"Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}});
        let input = json!({(format!("{kind}Name")): name, "PolicyName": "may", "PolicyDocument": document.to_string()});
        self.wire("iam", &format!("Put{kind}Policy"), input).await.unwrap();
    }

    /// Takes back what [`World::allow`] gave.
    pub async fn forbid(&self, kind: &str, name: &str) {
        let input = json!({(format!("{kind}Name")): name, "PolicyName": "may"});
        self.wire("iam", &format!("Delete{kind}Policy"), input).await.unwrap();
    }

    /// A typed call as root.
    pub async fn call<O: Operation>(&self, operation: O) -> Result<O::Output, WireError> {
        door::call(&self.engine, self.root(), operation).await
    }

    /// A call by name with a JSON input in the model's member names, validated as one from outside.
    pub async fn wire(&self, service: &str, operation: &str, input: Value) -> Result<Value, WireError> {
        self.wire_as(self.root(), service, operation, input).await
    }

    pub async fn wire_as(
        &self,
        caller: Caller,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, WireError> {
        let model = nbvend_wire::model::service(service).unwrap();
        let shape = model.operation(operation).unwrap();
        nbvend_wire::validate::validate(model, shape, &input)?;
        let entry = services::find(service).unwrap().operation(operation).expect("not registered");
        let answer = self.wire_raw(caller, entry, input).await?;
        // What the model does not know would be left out of the answer without a word.
        let mut sent = answer.clone();
        drop_nulls(&mut sent);
        let strangers = protocol::unmodelled(model, shape, protocol::Side::Output, &sent);
        assert!(strangers.is_empty(), "{service}:{operation} answers {strangers:?}");
        Ok(answer)
    }

    /// The same for an input that was not validated. Every call that is recorded at all must leave one record, whatever
    /// becomes of it.
    pub async fn wire_raw(
        &self,
        mut caller: Caller,
        entry: &Entry,
        input: Value,
    ) -> Result<Value, WireError> {
        caller.request_id = self.engine.ids().uuid();
        let id = caller.request_id.clone();
        let outcome = (entry.run)(self.engine.clone(), caller, input).await;
        let denied =
            outcome.as_ref().is_err_and(|error| error.message.contains("is not authorized to perform"));
        let died = outcome.as_ref().is_err_and(|error| error.code == "InternalFailure");
        let reads = entry.kind == Some(Kind::Read);
        // Reads are recorded in batches; what did not decode was recorded by the door, which is not passed here.
        let decoded = !outcome.as_ref().is_err_and(|error| error.message.contains(entry.name));
        if !reads && decoded && !died && (denied || !entry.data) {
            assert_eq!(self.recorded(&id), 1, "records of {}:{}", entry.service, entry.name);
        }
        outcome
    }

    /// How many records of the trail a request left.
    fn recorded(&self, request_id: &str) -> i64 {
        let pattern = format!("%\"requestID\":\"{request_id}\"%");
        let count = self.engine.store().read(|tx| {
            tx.connection()
                .query_row("SELECT COUNT(*) FROM trail WHERE body LIKE ?1", [pattern], |row| row.get(0))
        });
        count.unwrap().unwrap()
    }

    /// Keys of all records of a kind, by region and key.
    pub fn store_keys(&self, kind: &str) -> Vec<String> {
        let read = self.engine.store().read(|tx| {
            let mut statement =
                tx.connection().prepare("SELECT key FROM record WHERE kind = ?1 ORDER BY region, key")?;
            let rows = statement.query_map([kind], |row| row.get(0))?;
            rows.collect::<Result<Vec<String>, _>>()
        });
        read.unwrap().unwrap()
    }

    /// Lets all slow work run until nothing is left to do at the clock's time.
    pub async fn settle(&self) {
        self.engine.settle().await.unwrap();
    }

    /// From now on the store fails to write records of that kind, or does not any more.
    pub async fn fail_writes(&self, kind: &'static str, failing: bool) {
        let sql = if failing {
            format!(
                "CREATE TRIGGER failing BEFORE INSERT ON record WHEN NEW.kind = '{kind}'
                 BEGIN SELECT RAISE(ABORT, 'the test does not want it'); END"
            )
        } else {
            "DROP TRIGGER failing".to_owned()
        };
        let done = self.engine.store().write(move |tx| tx.connection().execute_batch(&sql)).await;
        done.unwrap().unwrap();
    }
}

/// Drops members without a value, as the wire does.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
