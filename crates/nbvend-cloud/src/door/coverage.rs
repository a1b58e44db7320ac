//! Over the whole registry: every operation refuses an unsigned request and a principal without a policy, and says so in
//! the trail. What cannot be asked so stands in `coverage.txt`, so that a gap is a visible change of that file.
//! (`UPDATE_COVERAGE=1` writes it.)

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use http::Request;
use nbvend_wire::model::{self, Kind, ProtocolKind, ShapeId};
use serde_json::{Map, Value, json};

use super::{Peer, collect, full, handle};
use crate::operation::Entry;
use crate::services::SERVICES;
use crate::testing::World;

const EXCEPTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/door/coverage.txt");

/// A value of a shape with the required members alone. It need not be one that AWS would take: decoding is all it must
/// pass.
fn least(service: &model::Service, id: ShapeId, depth: usize) -> Value {
    let shape = service.shape(id);
    match &shape.kind {
        Kind::Structure(structure) if depth < 6 => {
            let required = structure.members.iter().filter(|member| member.required);
            required
                .map(|m| (m.name.clone(), least(service, m.shape, depth + 1)))
                .collect::<Map<_, _>>()
                .into()
        }
        Kind::Structure(_) => json!({}),
        Kind::List { .. } => json!([]),
        Kind::Map { .. } => json!({}),
        Kind::Boolean => json!(false),
        Kind::Integer | Kind::Long | Kind::Float | Kind::Double => json!(1),
        Kind::Timestamp(_) => json!(0),
        Kind::Blob => json!(""),
        Kind::String { .. } => json!("x"),
    }
}

fn input(entry: &Entry) -> Value {
    let Some(service) = model::service(entry.service) else {
        // S3 reads its requests itself: these are the names its operations share.
        return json!({});
    };
    service.operation(entry.name).and_then(|o| o.input).map_or(json!({}), |id| least(service, id, 0))
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    SERVICES.iter().flat_map(|service| service.operations)
}

/// An unsigned request for a modelled operation.
fn unsigned(entry: &Entry) -> Option<Request<super::Body>> {
    let service = model::service(entry.service)?;
    let operation = service.operation(entry.name)?;
    let builder = Request::builder().header("host", "localhost:4566");
    let request = match service.protocol {
        ProtocolKind::Query => builder
            .method("POST")
            .uri("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(full(format!("Action={}&Version={}", entry.name, service.api_version))),
        ProtocolKind::Json(_) => builder
            .method("POST")
            .uri("/")
            .header("x-amz-target", format!("{}.{}", service.target_prefix, entry.name))
            .body(full(input(entry).to_string())),
        ProtocolKind::RestJson => {
            let mut path = String::new();
            for part in operation.uri.split('?').next().unwrap_or_default().split('/').skip(1) {
                path.push('/');
                path.push_str(if part.starts_with('{') { "x" } else { part });
            }
            builder.method(operation.method.as_str()).uri(path).body(full("{}"))
        }
    };
    Some(request.unwrap())
}

#[tokio::test]
async fn nobody_passes_without_a_signature() {
    let world = World::new();
    let peer = Peer { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false };
    for entry in entries() {
        let Some(request) = unsigned(entry) else { continue };
        let answer = handle(&world.engine, request, peer.clone()).await;
        let status = answer.status().as_u16();
        let body = collect(answer.into_body(), 1 << 20).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        // By its path alone, what has no prefix of its own could as well be meant for S3.
        let missing = ["MissingAuthenticationToken", "Missing Authentication Token", "AccessDenied"]
            .iter()
            .any(|code| body.contains(code));
        assert!(missing && (400..=403).contains(&status), "{}:{} {status} {body}", entry.service, entry.name);
    }
}

#[tokio::test]
async fn nobody_passes_without_a_policy() {
    let world = World::new();
    let eve = world.user("eve", &[]).await;
    let mut exceptions = String::new();
    for entry in entries() {
        let outcome = world.wire_raw(eve.clone(), entry, input(entry)).await;
        let (service, name) = (entry.service, entry.name);
        match outcome {
            Err(error) if error.code.starts_with("AccessDenied") => {
                let who = "User: arn:aws:iam::123456789012:user/eve is not authorized to perform: ";
                assert!(error.message.starts_with(who), "{service}:{name} says {}", error.message);
            }
            Err(error) => writeln!(exceptions, "{service}:{name} {} {}", error.code, error.message).unwrap(),
            Ok(_) => writeln!(exceptions, "{service}:{name} is allowed").unwrap(),
        }
    }
    if std::env::var_os("UPDATE_COVERAGE").is_some() {
        std::fs::write(EXCEPTIONS, &exceptions).unwrap();
    }
    let known = std::fs::read_to_string(EXCEPTIONS).unwrap_or_default();
    assert_eq!(exceptions, known, "the exceptions changed: UPDATE_COVERAGE=1 writes them");
}
