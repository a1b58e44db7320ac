//! Functions on this machine: native processes, through `nbvend-host`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nbvend_cloud::ports::{FunctionEvent, FunctionHost, FunctionOutcome, FunctionSpec, PortFuture};
use nbvend_host::functions::{self as host, Pool, Runtime};
use nbvend_wire::timestamp::Timestamp;

use crate::failure::Failure;

/// The pool of function processes. Cheap to clone.
#[derive(Clone)]
pub struct Functions {
    pool: Arc<Pool>,
    confined: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Functions {
    /// `confined`: whether the machine can keep functions apart as it does notebooks in the level `full`; asked when one
    /// is to run.
    pub fn open(folder: &Path, confined: impl Fn() -> bool + Send + Sync + 'static) -> Result<Self, Failure> {
        let pool = Pool::new(folder).map_err(|error| Failure::io("the functions' folder", folder, &error))?;
        Ok(Self { pool: Arc::new(pool), confined: Arc::new(confined) })
    }

    /// Ends the processes that are kept; the next invocations start anew.
    pub async fn forget_all(&self) {
        self.pool.drop_all().await;
    }

    /// Ends all function processes, for good.
    pub async fn stop(&self) {
        self.pool.shutdown().await;
    }
}

impl FunctionHost for Functions {
    fn invoke(&self, spec: FunctionSpec, event: FunctionEvent) -> PortFuture<'_, FunctionOutcome> {
        Box::pin(async move {
            let fresh = [
                ("AWS_REGION", spec.region.clone()),
                ("AWS_DEFAULT_REGION", spec.region.clone()),
                ("AWS_ENDPOINT_URL", spec.endpoint.clone()),
                ("AWS_ACCESS_KEY_ID", spec.credentials.access_key_id.clone()),
                ("AWS_SECRET_ACCESS_KEY", spec.credentials.secret_access_key.clone()),
                ("AWS_SESSION_TOKEN", spec.credentials.session_token.clone()),
                ("AWS_LAMBDA_LOG_GROUP_NAME", spec.log_group.clone()),
            ];
            let fresh = fresh.map(|(name, value)| (name.to_owned(), value)).to_vec();
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
                env: spec.environment,
                ephemeral_mb: spec.ephemeral_mb,
                confined: (self.confined)(),
            };
            let invocation = host::Invocation {
                request_id: event.request_id,
                payload: event.payload,
                function_arn: event.function_arn,
                trace_id: event.trace_id,
                client_context: event.client_context,
            };
            let outcome = self.pool.invoke(&function, || fresh.clone(), invocation, |_| {}).await;
            FunctionOutcome {
                result: outcome.result.map_err(|error| (error.kind.as_str(), error.payload)),
                log_stream: outcome.log_stream,
                log: outcome.log.into_iter().map(|line| (timestamp(line.timestamp_ms), line.text)).collect(),
            }
        })
    }

    fn forget(&self, key: &str) -> PortFuture<'_, ()> {
        let key = key.to_owned();
        Box::pin(async move { self.pool.drop_function(&key).await })
    }
}

fn timestamp(ms: u64) -> Timestamp {
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}
