//! What goes over the wire, recorded: a successful call of every registered operation, from the signed request to the
//! bytes of the answer.
//!
//! `golden/<service>/*.txt` are the scripts ([`script`] says how they are written). Each runs in a world of its own,
//! through the door's HTTP entry. `UPDATE_GOLDEN=1` writes what is recorded; without it a difference fails the
//! test. `tests/test_goldens.py` reads the same files with botocore's parsers.
//!
//! Ids come from a step's own name and place, so that a new step changes nothing of the others.

mod answers;
mod layout;
mod request;
mod script;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use http::Request;
use nbvend_wire::model;
use nbvend_wire::sigv4::{self, Credentials, ToSign};

use crate::door::{self, Peer};
use crate::services::SERVICES;
use crate::testing::{REGION, ROOT_KEY, ROOT_SECRET, World};
use answers::{Answer, Answers};
use request::Sent;
use script::{Action, Call, Script, Step};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
const HOST: &str = "localhost:4566";

/// The scripts of a service, in order.
fn scripts(service: &str) -> Vec<PathBuf> {
    let folder = Path::new(FOLDER).join(service);
    let files = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "txt")).collect();
    files.sort();
    files
}

fn read(path: &Path) -> Script {
    Script::parse(&std::fs::read_to_string(path).unwrap())
}

/// A number of a text (FNV-1a).
fn number(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Plays the scripts of a service: what differs from what was recorded, as text.
async fn play(service: &str) -> String {
    let (mut differences, update) = (String::new(), std::env::var_os("UPDATE_GOLDEN").is_some());
    for path in scripts(service) {
        let mut played = read(&path);
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        perform(service, &name, &mut played).await;
        let (then, now) = (std::fs::read_to_string(&path).unwrap(), played.print());
        if update {
            std::fs::write(&path, &now).unwrap();
        } else if then != now {
            differences += &difference(&read(&path), &played, &format!("{service}/{name}.txt"));
        }
    }
    differences
}

async fn perform(service: &str, file: &str, script: &mut Script) {
    let (world, mut answers) = (World::new(), Answers::default());
    let mut titles: Vec<String> = Vec::new();
    for step in &mut script.steps {
        let title = step.title().to_owned();
        let nth = titles.iter().filter(|earlier| **earlier == title).count();
        titles.push(title.clone());
        let place = format!("{service}/{file}: {title}, number {}", nth + 1);
        world.ids.begin_at(number(&place));
        match step.action.clone() {
            Action::Settle(seconds) => {
                world.settle().await;
                for _ in 0..seconds {
                    world.clock.advance(1);
                    world.settle().await;
                }
            }
            Action::Call(call) => {
                let service = call.service.as_deref().unwrap_or(service).to_owned();
                let lines = one(&world, &mut answers, &service, &call, step, &place).await;
                step.recorded = if call.recorded { lines } else { Vec::new() };
            }
        }
    }
}

/// One call, and what went over the wire as lines.
async fn one(
    world: &World,
    answers: &mut Answers,
    service: &str,
    call: &Call,
    step: &Step,
    place: &str,
) -> Vec<String> {
    let mut lines = Vec::new();
    let sent = match model::service(service) {
        Some(model) => {
            let operation =
                model.operation(&call.name).unwrap_or_else(|| panic!("{place}: no such operation"));
            let text = if step.input.is_empty() { "{}".to_owned() } else { step.input.join("\n") };
            let input = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
            let sent = request::encode(model, operation, &answers.input(input));
            lines.push(format!("> {} {}", sent.method, sent.target()));
            lines.extend(sent.headers.iter().map(|(name, value)| format!("> {name}: {value}")));
            let body = String::from_utf8(sent.body.clone());
            lay_out(">", &body.unwrap_or_else(|_| panic!("{place}: sends bytes")), &mut lines);
            sent
        }
        None => written(&answers.fill(&step.input.join("\n"))),
    };
    let answer = send(world, service, sent, &credentials(answers, call)).await;
    assert_eq!(answer.status >= 400, call.fails, "{place}: {} {}", answer.status, answer.body);
    lines.push(format!("< {}", answer.status));
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .map(|(name, value)| format!("< {name}: {}", value.to_str().unwrap_or("(bytes)")))
        .collect();
    headers.sort();
    lines.extend(headers);
    lay_out("<", &answer.body, &mut lines);
    answers.note(&call.name, answer);
    lines
}

fn lay_out(mark: &str, body: &str, lines: &mut Vec<String>) {
    if !body.is_empty() {
        lines.push(mark.to_owned());
        lines.extend(layout::lay_out(body).iter().map(|line| format!("{mark} {line}")));
    }
}

/// A request that the script has as it is: its first line, its headers, its body.
fn written(text: &str) -> Sent {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).expect("METHOD /path");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").expect("name: value");
        (name.to_owned(), value.to_owned())
    };
    Sent {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: lines.map(header).collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn credentials(answers: &Answers, call: &Call) -> Credentials {
    let Some(user) = &call.user else {
        return Credentials {
            access_key_id: ROOT_KEY.to_owned(),
            secret_access_key: ROOT_SECRET.to_owned(),
            session_token: None,
        };
    };
    let text = |name| answers.find(user, name).and_then(|value| value.as_str().map(str::to_owned));
    Credentials {
        access_key_id: text("AccessKeyId").expect("an access key"),
        secret_access_key: text("SecretAccessKey").expect("a secret"),
        session_token: text("SessionToken"),
    }
}

async fn send(world: &World, service: &str, mut sent: Sent, credentials: &Credentials) -> Answer {
    sent.headers.push(("host".to_owned(), HOST.to_owned()));
    sent.headers.push(("user-agent".to_owned(), "goldens".to_owned()));
    let Sent { method, path, query, headers, body } = &sent;
    let to_sign = ToSign { method, path, query, headers, body };
    let added = sigv4::sign(&to_sign, credentials, REGION, service, world.engine.now());
    let mut request = Request::builder().method(method.as_str()).uri(sent.target());
    for (name, value) in headers.iter().chain(&added) {
        request = request.header(name, value);
    }
    if !body.is_empty() || method == "PUT" {
        request = request.header("content-length", body.len());
    }
    let request = request.body(door::full(body.clone())).unwrap();
    let peer = Peer { ip: Ipv4Addr::LOCALHOST.into(), secure: false };
    let (parts, body) = door::handle(&world.engine, request, peer).await.into_parts();
    let body = door::collect(body, 1 << 24).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).expect("an answer of text"),
    }
}

/// The steps that differ, line by line.
fn difference(then: &Script, now: &Script, file: &str) -> String {
    let mut text = String::new();
    for (then, now) in then.steps.iter().zip(&now.steps).filter(|(then, now)| then != now) {
        let same = then.recorded.iter().zip(&now.recorded).take_while(|(a, b)| a == b).count();
        let tail = then.recorded[same..].iter().rev().zip(now.recorded[same..].iter().rev());
        let same_end = tail.take_while(|(a, b)| a == b).count();
        text += &format!("\n{file}: {}, line {} of the record\n", now.title(), same + 1);
        for (mark, lines) in [("-", &then.recorded), ("+", &now.recorded)] {
            for line in &lines[same..lines.len() - same_end] {
                text += &format!("{mark} {line}\n");
            }
        }
    }
    text
}

macro_rules! services {
    ($($service:ident)*) => {
        $(#[tokio::test]
        async fn $service() {
            let differences = play(stringify!($service)).await;
            assert!(differences.is_empty(), "UPDATE_GOLDEN=1 writes what changed:\n{differences}");
        })*

        const PLAYED: &[&str] = &[$(stringify!($service)),*];
    };
}

services! {
    apigateway cloudformation cloudtrail events iam lambda logs s3 sagemaker servicecatalog ssm sts
}

/// `golden/exceptions.txt` says which operations have none, and why.
#[test]
fn every_operation_has_a_golden() {
    let exceptions = std::fs::read_to_string(Path::new(FOLDER).join("exceptions.txt")).unwrap();
    let mut excepted: BTreeSet<String> = exceptions
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(' ').next().map(str::to_owned))
        .collect();
    for service in SERVICES {
        assert!(PLAYED.contains(&service.id), "nothing plays {}", service.id);
        let mut recorded = BTreeSet::new();
        for step in scripts(service.id).iter().flat_map(|path| read(path).steps) {
            let Action::Call(call) = &step.action else { continue };
            if call.service.is_none() && call.recorded && !call.fails && !step.recorded.is_empty() {
                recorded.insert(call.name.clone());
            }
        }
        for entry in service.operations {
            let name = format!("{}:{}", service.id, entry.name);
            let excepted = excepted.remove(&name);
            assert_ne!(
                recorded.contains(entry.name),
                excepted,
                "{name}: a golden, or a reason why there is none"
            );
        }
    }
    assert!(excepted.is_empty(), "not registered: {excepted:?}");
}
