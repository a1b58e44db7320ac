//! AWS and Lambda for the tests: an HTTP server in this process that answers as told and remembers what it was
//! asked, and a clock that sleeping moves.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::aws::{Client, Environment};
use crate::clock::Clock;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Method and path.
    pub line: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Asked {
    /// The operation of a JSON 1.1 call, else the method and path.
    pub fn what(&self) -> &str {
        let target = self.headers.get("x-amz-target").and_then(|t| t.split_once('.'));
        target.map_or(&self.line, |(_, operation)| operation)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// How a request is answered: status, further header lines, body. Status 0 hangs up instead.
type Answer = (u16, String, String);

#[derive(Default)]
struct State {
    /// By operation; the last one is given again and again.
    answers: HashMap<String, Vec<Answer>>,
    asked: Vec<Asked>,
}

/// The server, on a port of its own.
pub struct Fake {
    state: Arc<Mutex<State>>,
    pub address: String,
}

impl Fake {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        Self { state, address }
    }

    /// Adds an answer to `what` ([`Asked::what`]).
    pub fn answer(&self, what: &str, status: u16, body: &Value) -> &Self {
        self.answer_with(what, status, "", &body.to_string())
    }

    /// The same with header lines (each ended by CR LF) and a body of any kind.
    pub fn answer_with(&self, what: &str, status: u16, headers: &str, body: &str) -> &Self {
        let mut state = self.state.lock().unwrap();
        let answers = state.answers.entry(what.to_owned()).or_default();
        answers.push((status, headers.to_owned(), body.to_owned()));
        self
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The operations asked for, in order.
    pub fn operations(&self) -> Vec<String> {
        self.asked().iter().map(|asked| asked.what().to_owned()).collect()
    }

    /// The input of the last call of `operation`.
    pub fn input(&self, operation: &str) -> Value {
        self.asked().iter().rfind(|asked| asked.what() == operation).unwrap().json()
    }

    pub fn client<'a>(&self, clock: &'a dyn Clock) -> Client<'a> {
        let endpoint = format!("http://{}", self.address);
        Client::new(environment(&[("AWS_ENDPOINT_URL", &endpoint)]).unwrap(), clock)
    }

    /// A notebook with the tags of a launch, `tags` as key and value.
    pub fn notebook(&self, status: &str, tags: &[(&str, &str)]) -> &Self {
        let tags: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        self.status(status).answer("ListTags", 200, &json!({ "Tags": tags }))
    }

    /// Only what DescribeNotebookInstance answers.
    pub fn status(&self, status: &str) -> &Self {
        let arn = "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance/demo-user-notebook";
        let mut body = json!({
            "NotebookInstanceName": "Demo-User-Notebook",
            "NotebookInstanceArn": arn,
            "NotebookInstanceStatus": status,
            "NewMember": { "of": "tomorrow" },
        });
        if status == "Failed" {
            body["FailureReason"] = "no capacity".into();
        }
        self.answer("DescribeNotebookInstance", 200, &body)
    }

    pub fn no_notebook(&self) -> &Self {
        let body = json!({ "__type": "ValidationException", "message": "RecordNotFound" });
        self.answer("DescribeNotebookInstance", 400, &body)
    }

    /// Lets a link be made and stored.
    pub fn links(&self) -> &Self {
        self.answer("CreatePresignedNotebookInstanceUrl", 200, &json!({ "AuthorizedUrl": URL }))
            .answer("PutParameter", 200, &json!({ "Version": 1, "Tier": "Standard" }))
            .answer("AddTagsToResource", 200, &json!({}))
    }
}

pub const URL: &str = "https://demo-user-notebook.notebook.us-east-1.sagemaker.aws?authToken=eyJhbGciOiJI";
pub const PRODUCT_TAG: (&str, &str) = (
    "aws:servicecatalog:provisionedProductArn",
    "arn:aws:servicecatalog:us-east-1:111122223333:stack/Demo-User-notebook/pp-abcdefghijklm",
);
pub const OWNER: &str = "arn:aws:iam::111122223333:user/alice";
pub const OWNER_TAG: (&str, &str) = ("aws:servicecatalog:provisioningPrincipalArn", OWNER);

/// An environment with a key and a region, and `more`.
pub fn environment(more: &[(&str, &str)]) -> Result<Environment, String> {
    let all: HashMap<String, String> = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "session"),
    ]
    .into_iter()
    .chain(more.iter().copied())
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    Environment::new(move |name| all.get(name).cloned())
}

/// A clock that stands still but for sleeping.
pub struct FakeClock {
    now: Cell<SystemTime>,
    pub slept: RefCell<Vec<Duration>>,
}

impl FakeClock {
    pub fn new() -> Self {
        let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        Self { now: Cell::new(start), slept: RefCell::default() }
    }

    pub fn total(&self) -> Duration {
        self.slept.borrow().iter().sum()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> SystemTime {
        self.now.get()
    }

    fn sleep(&self, pause: Duration) {
        self.slept.borrow_mut().push(pause);
        self.now.set(self.now.get() + pause);
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        let answer = {
            let mut state = state.lock().unwrap();
            let answer = match state.answers.get_mut(asked.what()) {
                Some(left) if left.len() > 1 => left.remove(0),
                Some(last) => last[0].clone(),
                None => (400, String::new(), json!({ "__type": "UnknownOperationException" }).to_string()),
            };
            state.asked.push(asked);
            answer
        };
        let (status, headers, body) = answer;
        if status == 0 {
            return;
        }
        let text = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
        if reader.get_mut().write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request of a connection; None at its end.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut next = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = next()?;
    let line = first.rsplit_once(' ')?.0.to_owned();
    let mut headers = HashMap::new();
    while let Some((name, value)) = next()?.split_once(": ") {
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { line, headers, body: String::from_utf8(body).unwrap() })
}
