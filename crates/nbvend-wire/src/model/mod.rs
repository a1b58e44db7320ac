//! The facts about each AWS service: operations, shapes, constraints, errors.
//!
//! They come from botocore's models by way of `xtask/models.py` and are embedded as one JSON file a service, parsed
//! on the first use of that service. A shape is named by its index, [`ShapeId`], so that walking a value along its
//! shape looks nothing up.

mod load;
mod route;

pub(crate) use route::Route;

use std::collections::HashMap;
use std::sync::OnceLock;

/// How a service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtocolKind {
    /// JSON bodies and `x-amz-target`; the version stands in the content type.
    Json(&'static str),
    /// A form in, XML out.
    Query,
    /// Method and path name the operation; JSON bodies.
    RestJson,
}

/// One AWS service.
#[derive(Debug)]
pub struct Service {
    /// The SigV4 scope name, which is also the name of the model.
    pub id: &'static str,
    pub protocol: ProtocolKind,
    /// What stands before the dot in `x-amz-target`; empty unless JSON.
    pub target_prefix: String,
    pub api_version: String,
    /// Empty unless query.
    pub xml_namespace: String,
    operations: Vec<Operation>,
    by_name: HashMap<String, usize>,
    /// Operations AWS has and the tables leave out.
    others: Vec<Other>,
    shapes: Vec<Shape>,
    shape_by_name: HashMap<String, ShapeId>,
}

/// An operation of which only the name is kept, and for a REST service where it is found.
#[derive(Debug)]
pub struct Other {
    pub name: String,
    pub method: String,
    pub uri: String,
    pub(crate) route: Route,
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    pub name: String,
    pub method: String,
    /// The path template with its fixed query, as `/restapis/{restapi_id}?mode=overwrite`.
    pub uri: String,
    /// The status of a success.
    pub response_code: u16,
    pub input: Option<ShapeId>,
    pub output: Option<ShapeId>,
    /// The element around a query operation's output.
    pub result_wrapper: Option<String>,
    /// Names of error shapes.
    pub errors: Vec<String>,
    pub(crate) route: Route,
}

/// The place of a shape within its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShapeId(pub(crate) u32);

/// A type: what a value may be and what constrains it.
#[derive(Debug)]
pub struct Shape {
    pub name: String,
    pub kind: Kind,
    /// Length of a string, list, map or blob; value of a number.
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// Java's dialect of regular expression.
    pub pattern: Option<String>,
    pub sensitive: bool,
    /// Present on error shapes.
    pub error: Option<ErrorTrait>,
    pub(crate) compiled: OnceLock<Option<crate::validate::Pattern>>,
}

/// What a shape is.
#[derive(Debug)]
pub enum Kind {
    Structure(Structure),
    List { member: Member, flattened: bool },
    Map { key: Member, value: Member, flattened: bool },
    String { values: Vec<String> },
    Boolean,
    Integer,
    Long,
    Float,
    Double,
    Timestamp(Option<TimestampFormat>),
    Blob,
}

/// A structure's members in the model's order.
#[derive(Debug)]
pub struct Structure {
    pub members: Vec<Member>,
    /// The member that is the whole body of a REST request or answer.
    pub payload: Option<String>,
}

/// One member of a structure, or the member, key or value of a list or map.
#[derive(Debug)]
pub struct Member {
    /// Empty for the member of a list and the key and value of a map.
    pub name: String,
    pub shape: ShapeId,
    pub required: bool,
    pub location: Location,
    /// The name on the wire where it differs from `name`.
    pub location_name: Option<String>,
    pub timestamp: Option<TimestampFormat>,
}

/// Where a REST service carries a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    Body,
    Uri,
    Query,
    Header,
    /// All headers that begin with the member's wire name, as a map.
    Headers,
    StatusCode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampFormat {
    Iso8601,
    Rfc822,
    Epoch,
}

/// How an error is told.
#[derive(Debug, Clone)]
pub struct ErrorTrait {
    /// As printed; the shape's name unless the model gives another.
    pub code: String,
    /// Absent where the model leaves it to the fault's side.
    pub status: Option<u16>,
    /// The fault is the server's.
    pub fault: bool,
}

/// The services of the tables, by id.
pub fn services() -> &'static [&'static str] {
    load::IDS
}

/// The service of that id (the SigV4 scope name).
pub fn service(id: &str) -> Option<&'static Service> {
    load::service(id)
}

/// The service and the operation's name of an `x-amz-target`. The operation need not exist.
pub fn by_target(target: &str) -> Option<(&'static Service, &str)> {
    let (prefix, operation) = target.rsplit_once('.')?;
    Some((load::service_of_target(prefix)?, operation))
}

impl Service {
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.by_name.get(name).map(|&at| &self.operations[at])
    }

    /// Whether AWS has an operation of this name, be its shapes in the tables or not.
    pub fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name) || self.others.iter().any(|other| other.name == name)
    }

    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter()
    }

    /// Operations AWS has and the tables leave out.
    pub fn others(&self) -> impl Iterator<Item = &Other> {
        self.others.iter()
    }

    pub fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0 as usize]
    }

    pub fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.shapes.iter()
    }

    pub fn shape_named(&self, name: &str) -> Option<&Shape> {
        self.shape_by_name.get(name).map(|&id| self.shape(id))
    }

    /// The error shape of a code, given as the shape's name or as printed.
    pub fn error_shape(&self, code: &str) -> Option<&Shape> {
        self.shape_named(code)
            .filter(|shape| shape.error.is_some())
            .or_else(|| self.shapes.iter().find(|shape| shape.error.as_ref().is_some_and(|e| e.code == code)))
    }

    /// The HTTP status of an error of this service: the model's, else 500 for a fault of the server's and 400.
    /// `None` when the service has no such error.
    pub fn error_status(&self, code: &str) -> Option<u16> {
        let error = self.error_shape(code)?.error.as_ref()?;
        Some(error.status.unwrap_or(if error.fault { 500 } else { 400 }))
    }
}

impl Shape {
    /// The members, empty unless a structure.
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Structure(structure) => &structure.members,
            _ => &[],
        }
    }

    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.name == name)
    }

    /// The member that is the whole body.
    pub fn payload(&self) -> Option<&Member> {
        match &self.kind {
            Kind::Structure(structure) => self.member(structure.payload.as_deref()?),
            _ => None,
        }
    }
}

impl Member {
    /// The name on the wire.
    pub fn wire_name(&self) -> &str {
        self.location_name.as_deref().unwrap_or(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_loads() {
        for id in services() {
            let service = service(id).unwrap();
            assert_eq!(service.id, *id);
            assert!(service.operations().count() > 5, "{id}");
            for operation in service.operations() {
                assert!(service.knows(&operation.name));
                for error in &operation.errors {
                    assert!(service.error_status(error).is_some_and(|status| status >= 400), "{id} {error}");
                }
            }
            for other in service.others() {
                assert!(service.knows(&other.name) && service.operation(&other.name).is_none());
            }
        }
        assert!(service("s3").is_none());
    }

    #[test]
    fn names_protocols() {
        let kind = |id| service(id).map(|service| service.protocol);
        for id in ["servicecatalog", "sagemaker", "events", "cloudtrail", "ssm", "logs"] {
            assert_eq!(kind(id), Some(ProtocolKind::Json("1.1")));
        }
        for id in ["cloudformation", "iam", "sts"] {
            assert_eq!(kind(id), Some(ProtocolKind::Query));
        }
        for id in ["lambda", "apigateway"] {
            assert_eq!(kind(id), Some(ProtocolKind::RestJson));
        }
    }

    #[test]
    fn targets_name_operations() {
        fn found(target: &str) -> Option<(&str, &str)> {
            by_target(target).map(|(service, operation)| (service.id, operation))
        }
        assert_eq!(found("AmazonSSM.GetParameter"), Some(("ssm", "GetParameter")));
        assert_eq!(found("AWS242ServiceCatalogService.X"), Some(("servicecatalog", "X")));
        assert_eq!(
            found("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"),
            Some(("cloudtrail", "LookupEvents"))
        );
        assert_eq!(found("DynamoDB_20120810.ListTables"), None);
        assert_eq!(found("GetParameter"), None);
        for id in services() {
            let service = service(id).unwrap();
            if let ProtocolKind::Json(_) = service.protocol {
                let target = format!("{}.Op", service.target_prefix);
                assert_eq!(found(&target), Some((*id, "Op")));
            }
        }
    }

    #[test]
    fn errors_have_codes_and_statuses() {
        let iam = service("iam").unwrap();
        let error = iam.error_shape("NoSuchEntityException").and_then(|shape| shape.error.clone()).unwrap();
        assert_eq!((error.code.as_str(), error.status), ("NoSuchEntity", Some(404)));
        assert_eq!(iam.error_status("NoSuchEntity"), Some(404));
        assert_eq!(iam.error_status("GetRole"), None);
        assert_eq!(service("ssm").unwrap().error_status("ParameterNotFound"), Some(400));
        assert_eq!(service("events").unwrap().error_status("InternalException"), Some(500));
        assert_eq!(service("lambda").unwrap().error_status("TooManyRequestsException"), Some(429));
    }
}
