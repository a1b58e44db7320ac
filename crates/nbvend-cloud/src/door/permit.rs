//! Steps 4 and 6 for a call that no model describes: API Gateway's data plane, which routes and authenticates its
//! requests itself. The same question is asked as of every operation, and a no leaves the same record.

use nbvend_policy::Policy;
use nbvend_wire::error::WireError;
use serde_json::Value;

use super::authorise::{Question, authorise};
use crate::context::{ContextKeys, Cx};
use crate::trail::{self, Call};

/// A data-plane call.
pub struct DataCall<'a> {
    /// The service as CloudTrail names it before `.amazonaws.com`: `execute-api`.
    pub service: &'a str,
    pub operation: &'a str,
    /// `execute-api:Invoke`.
    pub action: &'a str,
    pub resources: &'a [String],
    pub context: &'a ContextKeys,
    /// The policy that stands on what is asked for.
    pub policy: Option<&'a Policy>,
    pub read_only: bool,
    /// What the record is to say of the request.
    pub input: Value,
}

/// Whether IAM allows the call. A denial is recorded.
pub fn permit(cx: &Cx<'_>, call: &DataCall<'_>) -> Result<(), WireError> {
    let question = Question {
        service: call.service,
        action: call.action,
        resources: call.resources,
        context: call.context,
        policy: call.policy,
        needs: &[],
    };
    authorise(cx, &question).map_err(|error| denied(cx, call, error))
}

/// Records a denial that was decided elsewhere (by the API's own policy), and hands its error back.
pub fn denied(cx: &Cx<'_>, call: &DataCall<'_>, error: WireError) -> WireError {
    let record = Call {
        service: call.service,
        operation: call.operation,
        read_only: call.read_only,
        sensitive: &[],
        input: Some(call.input.clone()),
        outcome: Err(&error),
        resources: call.resources,
    };
    if let Err(failure) = trail::note(cx, record) {
        // The answer is no either way.
        tracing::error!(%failure, "a denial could not be recorded");
    }
    error
}
