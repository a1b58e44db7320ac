//! What an operation is: a typed input (the operation itself), a typed output and one function.
//!
//! It knows neither its wire protocol nor who decoded it. A service registers each by one line, `op::<X>()`, in
//! its flat list; the door, the trail, the coverage tests and the parity page all read that list.

use std::future::Future;
use std::pin::Pin;

use http::Request;
use http::Response;
use nbvend_wire::error::WireError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::context::{ContextKeys, Cx};
use crate::door::{Body, Peer, run_operation, run_waiting};
use crate::engine::Engine;
use crate::error::{EngineError, ServiceError};
use crate::identity::Caller;

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Runs on a reader's snapshot.
    Read,
    /// Runs in the writer's transaction.
    Write,
}

/// A *transactional* operation: nearly all of them.
///
/// The input derives `Deserialize` with `deny_unknown_fields`: a member that AWS knows and this struct does not is
/// refused by name, never ignored.
pub trait Operation: Serialize + DeserializeOwned + Send + 'static {
    /// The service's id in the registry: `sagemaker`.
    const SERVICE: &'static str;
    /// AWS's name of the operation.
    const NAME: &'static str;
    const KIND: Kind;
    /// The IAM action, where it is not `service:Name`.
    const ACTION: Option<&'static str> = None;
    /// Data-plane calls are recorded only when denied, as CloudTrail does by default.
    const DATA: bool = false;
    /// Members (of input or output, at any depth, by AWS's name) that never reach trail or log.
    const SENSITIVE: &'static [&'static str] = &[];
    /// Whether [`Operation::prepare`] does anything.
    const PREPARES: bool = false;

    type Output: Serialize + Send + 'static;
    type Error: ServiceError;

    /// The IAM action of this very call, where it depends on the input (`s3:GetObjectVersion`).
    fn action(&self) -> Option<&'static str> {
        Self::ACTION
    }

    /// ARNs the action is authorised on.
    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let _ = cx;
        vec!["*".to_owned()]
    }

    /// Condition keys of the service for this request.
    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        let _ = (cx, keys);
    }

    /// What the call needs to be allowed besides its own action.
    fn needs(&self, cx: &Cx<'_>) -> Vec<Need> {
        let _ = cx;
        Vec::new()
    }

    /// Heavy work that needs no writer: parsing, hashing. Runs on a snapshot before the transaction for requests
    /// from outside; `run` must cope when it was not called.
    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Self::Error> {
        let _ = cx;
        Ok(())
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Self::Error>;
}

/// A *waiting* operation: admitted in one transaction, waits with none open, recorded in a second.
pub trait Waiting: Serialize + DeserializeOwned + Send + 'static {
    const SERVICE: &'static str;
    const NAME: &'static str;
    const ACTION: Option<&'static str> = None;
    const DATA: bool = false;
    const SENSITIVE: &'static [&'static str] = &[];

    /// What admission hands to the wait.
    type Ticket: Send + 'static;
    /// What the wait hands to the end.
    type Outcome: Send + 'static;
    type Output: Serialize + Send + 'static;
    type Error: ServiceError;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String>;
    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        let _ = (cx, keys);
    }
    /// Whether admission must write; else it runs on a snapshot.
    fn admit_writes(&self) -> bool;
    fn admit(self, cx: &mut Cx<'_>) -> Result<Self::Ticket, Self::Error>;
    fn wait(engine: Engine, ticket: Self::Ticket) -> Pin<Box<dyn Future<Output = Self::Outcome> + Send>>;
    /// Runs in the writer's transaction if [`Waiting::finish_writes`] says so.
    fn finish(outcome: Self::Outcome, cx: &mut Cx<'_>) -> Result<Self::Output, Self::Error>;
    fn finish_writes(outcome: &Self::Outcome) -> bool;
}

/// A further permission that a call needs.
#[derive(Debug, Clone)]
pub struct Need {
    /// `iam:PassRole`.
    pub action: &'static str,
    /// The ARN it is needed on.
    pub resource: String,
    pub context: ContextKeys,
}

impl Need {
    pub fn new(action: &'static str, resource: impl Into<String>) -> Self {
        Self { action, resource: resource.into(), context: ContextKeys::new() }
    }

    /// `iam:PassRole`: handing a role to a service is using it.
    pub fn pass_role(role_arn: &str, service: &str) -> Self {
        Self::new("iam:PassRole", role_arn).with("iam:PassedToService", service)
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.context.insert(key.to_owned(), vec![value.to_owned()]);
        self
    }
}

/// The answer of an erased call, in the model's member names.
pub type Answer = Pin<Box<dyn Future<Output = Result<Value, WireError>> + Send>>;

/// One line of a service's list.
#[derive(Clone, Copy)]
pub struct Entry {
    pub service: &'static str,
    pub name: &'static str,
    /// `None` for waiting operations.
    pub kind: Option<Kind>,
    pub action: Option<&'static str>,
    pub data: bool,
    pub sensitive: &'static [&'static str],
    /// Decodes, authorises, runs and records: steps 3 to 6 of the door.
    pub run: fn(Engine, Caller, Value) -> Answer,
}

/// Registers a transactional operation.
pub const fn op<O: Operation>() -> Entry {
    Entry {
        service: O::SERVICE,
        name: O::NAME,
        kind: Some(O::KIND),
        action: O::ACTION,
        data: O::DATA,
        sensitive: O::SENSITIVE,
        run: |engine, caller, input| Box::pin(run_operation::<O>(engine, caller, input)),
    }
}

/// Registers a waiting operation.
pub const fn waiting<O: Waiting>() -> Entry {
    Entry {
        service: O::SERVICE,
        name: O::NAME,
        kind: None,
        action: O::ACTION,
        data: O::DATA,
        sensitive: O::SENSITIVE,
        run: |engine, caller, input| Box::pin(run_waiting::<O>(engine, caller, input)),
    }
}

/// A request that is not decoded by a model: S3's, and API Gateway's data plane.
pub type RawHandler = fn(Engine, Request<Body>, Peer) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// Finds the policy that stands on a resource, by its ARN, as JSON text.
pub type ResourcePolicy = fn(&Cx<'_>, &str) -> Result<Option<String>, EngineError>;

/// A service as the registry knows it.
pub struct Service {
    /// Its id: the SigV4 scope name and the name of its model.
    pub id: &'static str,
    /// The prefix of its IAM actions.
    pub action_prefix: &'static str,
    /// CloudTrail's eventSource: `sagemaker.amazonaws.com`.
    pub event_source: &'static str,
    /// The policies that stand on its resources, if it has such policies.
    pub resource_policy: Option<ResourcePolicy>,
    /// One flat alphabetic list.
    pub operations: &'static [Entry],
}

impl Service {
    pub fn operation(&self, name: &str) -> Option<&'static Entry> {
        self.operations.binary_search_by(|entry| entry.name.cmp(name)).ok().map(|at| &self.operations[at])
    }
}

/// Reads the typed input; a member this operation does not serve is refused by name.
pub(crate) fn typed<T: DeserializeOwned>(
    service: &str,
    operation: &str,
    input: Value,
) -> Result<T, WireError> {
    serde_json::from_value(input).map_err(|error| {
        let text = error.to_string();
        let code = match service {
            "cloudformation" | "iam" | "sts" => "ValidationError",
            "lambda" => "InvalidParameterValueException",
            "apigateway" => "BadRequestException",
            "logs" => "InvalidParameterException",
            "servicecatalog" => "InvalidParametersException",
            _ => "ValidationException",
        };
        let message = match text.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
            Some((member, _)) => format!("{member} of {operation} is not supported by nbvend"),
            None => format!("{operation}: {text}"),
        };
        WireError::new(code, 400, message)
    })
}
