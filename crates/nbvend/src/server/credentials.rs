//! The address at which what runs in a notebook gets its execution role's credentials, in the shape that SDKs know from
//! containers (`AWS_CONTAINER_CREDENTIALS_FULL_URI`).

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use nbvend_cloud::Engine;
use nbvend_cloud::door::{Body, full};
use nbvend_cloud::services::sagemaker::credentials::{NoCredentials, credentials_by_token};
use serde_json::{Value, json};

/// A notebook's address on the engine's own port is this and its id. A listener inside a sandbox knows the id by itself.
pub const CREDENTIALS: &str = "/_nbvend/credentials/";

/// Answers one request for the credentials of a notebook's role. Whoever asks shows the token of the notebook's start in
/// `Authorization`, so that neither another notebook nor a web page in somebody's browser gets them.
pub async fn serve_credentials<B>(engine: &Engine, notebook_id: &str, request: Request<B>) -> Response<Body> {
    let (request, _) = request.into_parts();
    if request.method != Method::GET {
        return answer(
            StatusCode::METHOD_NOT_ALLOWED,
            &refusal("MethodNotAllowed", "credentials are read with GET"),
        );
    }
    let shown = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match credentials_by_token(engine, notebook_id, shown).await {
        Ok(made) => answer(
            StatusCode::OK,
            &json!({
                "AccessKeyId": made.access_key_id,
                "SecretAccessKey": made.secret_access_key,
                "Token": made.session_token,
                "Expiration": made.expiration.iso8601(),
                "RoleArn": made.role_arn,
            }),
        ),
        Err(error @ (NoCredentials::Token | NoCredentials::NotRunning)) => {
            // The same for a notebook that is not there: ids are nothing to be guessed at.
            tracing::debug!(%error, "credentials refused");
            answer(StatusCode::FORBIDDEN, &refusal("AccessDenied", "the token is not this notebook's"))
        }
        Err(NoCredentials::Role(reason)) => {
            answer(StatusCode::FORBIDDEN, &refusal("RoleNotAssumable", &reason))
        }
        Err(NoCredentials::Engine(error)) => {
            tracing::error!(%error, "credentials could not be made");
            answer(StatusCode::INTERNAL_SERVER_ERROR, &refusal("InternalFailure", "the engine failed"))
        }
    }
}

fn refusal(code: &str, message: &str) -> Value {
    json!({"code": code, "message": message})
}

fn answer(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(full(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
