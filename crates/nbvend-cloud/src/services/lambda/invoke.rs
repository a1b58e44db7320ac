//! `Invoke`: a waiting operation.

use std::future::Future;
use std::pin::Pin;

use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::Waiting;

/// Runs a function and waits for its answer (`RequestResponse`), queues an event (`Event`), or checks whether the
/// caller may (`DryRun`). API Gateway calls this as `apigateway.amazonaws.com` through `door::wait_for`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Invoke {
    pub function_name: String,
    pub invocation_type: Option<String>,
    pub log_type: Option<String>,
    pub client_context: Option<String>,
    pub qualifier: Option<String>,
    /// Base64 of the event's bytes.
    pub payload: Option<String>,
    /// `aws:SourceArn` of a call from inside the engine.
    #[serde(skip)]
    pub source_arn: Option<String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvokeOutput {
    pub status_code: i64,
    /// `Handled` or `Unhandled`.
    pub function_error: Option<String>,
    pub log_result: Option<String>,
    pub executed_version: Option<String>,
    /// Base64 of the answer's bytes.
    pub payload: Option<String>,
}

impl Waiting for Invoke {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "Invoke";
    const ACTION: Option<&'static str> = Some("lambda:InvokeFunction");
    const DATA: bool = true;
    type Ticket = ();
    type Outcome = ();
    type Output = InvokeOutput;
    type Error = EngineError;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![cx.arn("lambda", &format!("function:{}", self.function_name))]
    }

    fn admit_writes(&self) -> bool {
        false
    }

    fn admit(self, _cx: &mut Cx<'_>) -> Result<(), EngineError> {
        Err(WireError::new("NotImplemented", 501, "lambda:Invoke").into())
    }

    fn wait(_engine: Engine, _ticket: ()) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async {})
    }

    fn finish(_outcome: (), _cx: &mut Cx<'_>) -> Result<InvokeOutput, EngineError> {
        Ok(InvokeOutput::default())
    }

    fn finish_writes(_outcome: &()) -> bool {
        false
    }
}
