//! Reading the embedded tables. A table that cannot be read is a defect of the build, so this panics; the tests read
//! all of them.

use super::{
    ErrorTrait, Kind, Location, Member, Operation, Other, ProtocolKind, Route, Service, Shape, ShapeId,
    Structure, TimestampFormat,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::OnceLock;

/// One embedded table. The target prefix stands here too, so that finding a service by it parses nothing else.
struct Table {
    id: &'static str,
    target: &'static str,
    json: &'static str,
    service: OnceLock<Service>,
}

macro_rules! tables {
    ($($id:literal $target:literal,)*) => {
        pub(super) const IDS: &[&str] = &[$($id),*];
        static TABLES: [Table; IDS.len()] = [$(Table {
            id: $id,
            target: $target,
            json: include_str!(concat!("../../models/", $id, ".json")),
            service: OnceLock::new(),
        }),*];
    };
}

tables! {
    "apigateway" "",
    "cloudformation" "",
    "cloudtrail" "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
    "events" "AWSEvents",
    "iam" "",
    "lambda" "",
    "logs" "Logs_20140328",
    "sagemaker" "SageMaker",
    "servicecatalog" "AWS242ServiceCatalogService",
    "ssm" "AmazonSSM",
    "sts" "",
}

pub(super) fn service(id: &str) -> Option<&'static Service> {
    TABLES.iter().find(|table| table.id == id).map(Table::load)
}

pub(super) fn service_of_target(prefix: &str) -> Option<&'static Service> {
    TABLES.iter().find(|table| !prefix.is_empty() && table.target == prefix).map(Table::load)
}

impl Table {
    fn load(&'static self) -> &'static Service {
        self.service.get_or_init(|| {
            let raw: RawService = serde_json::from_str(self.json)
                .unwrap_or_else(|error| panic!("the table of {} cannot be read: {error}", self.id));
            raw.build(self.id)
        })
    }
}

#[derive(Deserialize)]
struct RawService {
    protocol: String,
    version: String,
    json: Option<String>,
    #[serde(default)]
    target: String,
    #[serde(default)]
    namespace: String,
    other: Vec<Value>,
    operations: Map<String, Value>,
    shapes: Map<String, Value>,
}

#[derive(Deserialize)]
struct RawOperation {
    #[serde(default = "post")]
    method: String,
    #[serde(default = "root")]
    uri: String,
    #[serde(default = "ok")]
    status: u16,
    input: Option<String>,
    output: Option<String>,
    wrapper: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawShape {
    r#type: String,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    r#enum: Vec<String>,
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    exception: bool,
    #[serde(default)]
    fault: bool,
    error: Option<RawError>,
    payload: Option<String>,
    #[serde(default)]
    flattened: bool,
    timestamp_format: Option<String>,
    #[serde(default)]
    members: Map<String, Value>,
    member: Option<RawMember>,
    key: Option<RawMember>,
    value: Option<RawMember>,
}

#[derive(Deserialize)]
struct RawError {
    code: Option<String>,
    status: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMember {
    shape: String,
    location: Option<String>,
    location_name: Option<String>,
    timestamp_format: Option<String>,
}

fn post() -> String {
    "POST".to_owned()
}

fn root() -> String {
    "/".to_owned()
}

fn ok() -> u16 {
    200
}

fn read<T: for<'de> Deserialize<'de>>(value: Value) -> T {
    serde_json::from_value(value).expect("tables are written by xtask/models.py and read by the tests")
}

impl RawService {
    fn build(self, id: &'static str) -> Service {
        let protocol = match (self.protocol.as_str(), self.json.as_deref()) {
            ("json", Some("1.0")) => ProtocolKind::Json("1.0"),
            ("json", _) => ProtocolKind::Json("1.1"),
            ("query", _) => ProtocolKind::Query,
            ("rest-json", _) => ProtocolKind::RestJson,
            (other, _) => panic!("the table of {id} names the protocol {other}"),
        };
        let ids: HashMap<String, ShapeId> =
            self.shapes.keys().zip(0..).map(|(name, at)| (name.clone(), ShapeId(at))).collect();
        let shapes =
            self.shapes.into_iter().map(|(name, raw)| read::<RawShape>(raw).build(name, &ids)).collect();
        let operations: Vec<Operation> = self
            .operations
            .into_iter()
            .map(|(name, raw)| read::<RawOperation>(raw).build(name, &ids))
            .collect();
        let by_name = operations.iter().enumerate().map(|(at, op)| (op.name.clone(), at)).collect();
        let others = self.other.into_iter().map(other).collect();
        Service {
            id,
            protocol,
            target_prefix: self.target,
            api_version: self.version,
            xml_namespace: self.namespace,
            operations,
            by_name,
            others,
            shapes,
            shape_by_name: ids,
        }
    }
}

fn other(raw: Value) -> Other {
    if let Value::String(name) = raw {
        return Other { route: Route::parse(&root()), name, method: post(), uri: root() };
    }
    let (name, method, uri): (String, String, String) = read(raw);
    Other { route: Route::parse(&uri), name, method, uri }
}

impl RawOperation {
    fn build(self, name: String, ids: &HashMap<String, ShapeId>) -> Operation {
        Operation {
            name,
            method: self.method,
            route: Route::parse(&self.uri),
            uri: self.uri,
            response_code: self.status,
            input: self.input.map(|shape| ids[&shape]),
            output: self.output.map(|shape| ids[&shape]),
            result_wrapper: self.wrapper,
            errors: self.errors,
        }
    }
}

impl RawShape {
    fn build(self, name: String, ids: &HashMap<String, ShapeId>) -> Shape {
        let error = self.exception.then(|| {
            let (code, status) = self.error.map_or((None, None), |error| (error.code, error.status));
            ErrorTrait { code: code.unwrap_or_else(|| name.clone()), status, fault: self.fault }
        });
        let anonymous = |raw: Option<RawMember>| {
            raw.expect("a list has a member, a map a key and a value").build(String::new(), &[], ids)
        };
        let kind = match self.r#type.as_str() {
            "structure" => {
                let member = |(name, raw)| read::<RawMember>(raw).build(name, &self.required, ids);
                let members = self.members.into_iter().map(member).collect();
                Kind::Structure(Structure { members, payload: self.payload })
            }
            "list" => Kind::List { member: anonymous(self.member), flattened: self.flattened },
            "map" => Kind::Map {
                key: anonymous(self.key),
                value: anonymous(self.value),
                flattened: self.flattened,
            },
            "boolean" => Kind::Boolean,
            "integer" => Kind::Integer,
            "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "timestamp" => Kind::Timestamp(self.timestamp_format.as_deref().map(timestamp_format)),
            "blob" => Kind::Blob,
            "string" | "character" => Kind::String { values: self.r#enum },
            other => panic!("the shape {name} is of the unknown type {other}"),
        };
        Shape {
            name,
            kind,
            min: self.min,
            max: self.max,
            pattern: self.pattern,
            sensitive: self.sensitive,
            error,
            compiled: OnceLock::new(),
        }
    }
}

impl RawMember {
    fn build(self, name: String, required: &[String], ids: &HashMap<String, ShapeId>) -> Member {
        let location = match self.location.as_deref() {
            None => Location::Body,
            Some("uri") => Location::Uri,
            Some("querystring") => Location::Query,
            Some("header") => Location::Header,
            Some("headers") => Location::Headers,
            Some("statusCode") => Location::StatusCode,
            Some(other) => panic!("the member {name} is at the unknown location {other}"),
        };
        Member {
            required: required.contains(&name),
            name,
            shape: ids[&self.shape],
            location,
            location_name: self.location_name,
            timestamp: self.timestamp_format.as_deref().map(timestamp_format),
        }
    }
}

fn timestamp_format(name: &str) -> TimestampFormat {
    match name {
        "iso8601" => TimestampFormat::Iso8601,
        "rfc822" => TimestampFormat::Rfc822,
        _ => TimestampFormat::Epoch,
    }
}
