//! The CLI's own AWS client: signed requests over one connection a call to the running engine. It speaks the same
//! APIs as everybody else; there is no back door.

mod person;
mod query;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use nbvend_cloud::config::RootKey;
use nbvend_wire::sigv4::{self, Credentials, ToSign};
use nbvend_wire::timestamp::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::failure::Failure;
use crate::home::{Home, Running};

/// The region the CLI vends in, unless the environment says otherwise.
pub fn region() -> String {
    ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
        .unwrap_or_else(|| "us-east-1".to_owned())
}

/// A client of one engine.
pub struct Client {
    /// `localhost:4566`
    authority: String,
    credentials: Credentials,
    pub region: String,
}

/// An error as AWS answers it.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.message.is_empty() {
            return write!(f, "{} (status {})", self.code, self.status);
        }
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::new(error.to_string())
    }
}

impl Client {
    /// A client with the root key of the engine that runs on `home`.
    pub fn of(home: &Home) -> Result<Self, Failure> {
        Ok(Self::new(&home.must_run()?, &home.root_key(None)?))
    }

    pub fn new(running: &Running, key: &RootKey) -> Self {
        let credentials = Credentials {
            access_key_id: key.access_key_id.clone(),
            secret_access_key: key.secret_access_key.clone(),
            session_token: None,
        };
        Self::signing(running.endpoint.trim_start_matches("http://"), credentials)
    }

    /// A client of the engine at that address (`localhost:4566`).
    fn signing(authority: &str, credentials: Credentials) -> Self {
        Self { authority: authority.trim_end_matches('/').to_owned(), credentials, region: region() }
    }

    /// A call of a JSON service.
    pub async fn json(&self, service: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
        let model = nbvend_wire::model::service(service).ok_or_else(|| local("no such service"))?;
        let headers = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("{}.{operation}", model.target_prefix)),
        ];
        let (status, body) =
            self.send(service, "POST", "/", "", &headers, Bytes::from(input.to_string()), None).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_else(|_| json!({}));
        if status < 300 {
            return Ok(answer);
        }
        let text =
            |names: &[&str]| names.iter().find_map(|n| answer[*n].as_str()).unwrap_or_default().to_owned();
        let code = text(&["__type", "code"]);
        Err(ApiError {
            status,
            code: code.rsplit('#').next().unwrap_or_default().to_owned(),
            message: text(&["message", "Message"]),
        })
    }

    /// A call of a query service; lists are arrays, as in the model.
    pub async fn query(&self, service: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
        let model = nbvend_wire::model::service(service).ok_or_else(|| local("no such service"))?;
        let body = query::form(operation, &model.api_version, &input);
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
        let (status, body) = self.send(service, "POST", "/", "", &headers, Bytes::from(body), None).await?;
        let answer = query::document(&String::from_utf8_lossy(&body));
        if status < 300 {
            return Ok(answer[format!("{operation}Response")][format!("{operation}Result")].clone());
        }
        let error = &answer["ErrorResponse"]["Error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        Err(ApiError { status, code: text("Code"), message: text("Message") })
    }

    /// Puts an object.
    pub async fn put_object(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), ApiError> {
        use sha2::{Digest, Sha256};
        let headers = [("x-amz-content-sha256", hex::encode(Sha256::digest(&body)))];
        let (status, answer) =
            self.send("s3", "PUT", &format!("/{bucket}/{key}"), "", &headers, body, None).await?;
        if status < 300 {
            return Ok(());
        }
        let answer = query::document(&String::from_utf8_lossy(&answer));
        let text = |name: &str| answer["Error"][name].as_str().unwrap_or_default().to_owned();
        Err(ApiError { status, code: text("Code"), message: text("Message") })
    }

    /// The engine's own addresses.
    pub async fn internal(&self, method: &str, path: &str) -> Result<Value, ApiError> {
        let (status, body) = self.send("nbvend", method, path, "", &[], Bytes::new(), None).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_else(|_| json!({}));
        if status < 300 {
            return Ok(answer);
        }
        let message = answer["message"].as_str().unwrap_or_default().to_owned();
        Err(ApiError { status, code: "Refused".to_owned(), message })
    }

    /// A signed request of any kind: status and body of the answer. `host` where it is not the engine's own.
    #[allow(clippy::too_many_arguments)]
    pub async fn send(
        &self,
        service: &str,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, String)],
        body: Bytes,
        host: Option<&str>,
    ) -> Result<(u16, Bytes), ApiError> {
        let mut all: Vec<(String, String)> =
            vec![("host".to_owned(), host.unwrap_or(&self.authority).to_owned())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let to_sign = ToSign { method, path, query, headers: &all, body: &body };
        let signed = sigv4::sign(&to_sign, &self.credentials, &self.region, service, now());
        all.extend(signed);
        let uri = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in &all {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).map_err(local)?;
        let stream = TcpStream::connect(&self.authority).await.map_err(|error| {
            local(format!(
                "the engine at {} does not answer ({error}); is it running? `nbvend status`",
                self.authority
            ))
        })?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(local)?;
        let driver = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(local)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(local)?.to_bytes();
        driver.abort();
        Ok((status, body))
    }
}

fn now() -> Timestamp {
    use nbvend_cloud::ports::Clock;
    crate::ports::SystemClock.now()
}

fn local(error: impl std::fmt::Display) -> ApiError {
    ApiError { status: 0, code: "ClientError".to_owned(), message: error.to_string() }
}
