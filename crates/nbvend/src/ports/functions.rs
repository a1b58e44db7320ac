//! Functions on this machine: native processes, through `nbvend-host`.

use std::path::Path;
use std::time::Duration;

use nbvend_cloud::ports::{FunctionEvent, FunctionHost, FunctionOutcome, FunctionSpec, PortFuture};
use nbvend_host::functions::{self as host, Pool, Runtime};
use nbvend_wire::timestamp::Timestamp;

/// The pool of function processes.
pub struct Functions(Pool);

impl Functions {
    pub fn open(folder: &Path) -> Self {
        Self(Pool::new(folder))
    }
}

impl FunctionHost for Functions {
    fn invoke(&self, spec: FunctionSpec, event: FunctionEvent) -> PortFuture<'_, FunctionOutcome> {
        Box::pin(async move {
            let mut environment = spec.environment.clone();
            let own = [
                ("AWS_REGION", spec.region.clone()),
                ("AWS_DEFAULT_REGION", spec.region.clone()),
                ("AWS_ENDPOINT_URL", spec.endpoint.clone()),
                ("AWS_ACCESS_KEY_ID", spec.credentials.access_key_id.clone()),
                ("AWS_SECRET_ACCESS_KEY", spec.credentials.secret_access_key.clone()),
                ("AWS_SESSION_TOKEN", spec.credentials.session_token.clone()),
                ("AWS_LAMBDA_LOG_GROUP_NAME", spec.log_group.clone()),
                ("AWS_LAMBDA_LOG_STREAM_NAME", spec.log_stream.clone()),
            ];
            environment.extend(own.map(|(name, value)| (name.to_owned(), value)));
            let runtime = match spec.runtime.strip_prefix("python") {
                Some(version) => Runtime::Python(version.to_owned()),
                None => Runtime::Provided,
            };
            let function = host::FunctionSpec {
                key: spec.key,
                name: spec.name,
                code_zip: spec.code_zip,
                code_id: spec.code_id,
                runtime,
                handler: spec.handler,
                memory_mb: spec.memory_mb,
                timeout: Duration::from_secs(u64::from(spec.timeout_seconds)),
                env: environment.clone(),
                ephemeral_mb: spec.ephemeral_mb,
            };
            let invocation = host::Invocation {
                request_id: event.request_id,
                payload: event.payload,
                function_arn: event.function_arn,
                trace_id: event.trace_id,
                client_context: event.client_context,
            };
            let outcome = self.0.invoke(&function, move || environment.clone(), invocation).await;
            FunctionOutcome {
                result: outcome.result.map_err(|error| {
                    let kind = match error.kind {
                        host::ErrorKind::Handled => "Handled",
                        host::ErrorKind::Unhandled => "Unhandled",
                    };
                    (kind, error.payload)
                }),
                log: outcome.log.into_iter().map(|line| (Timestamp(line.timestamp_ms), line.text)).collect(),
            }
        })
    }

    fn forget(&self, key: &str) -> PortFuture<'_, ()> {
        let key = key.to_owned();
        Box::pin(async move { self.0.drop_function(&key).await })
    }
}
