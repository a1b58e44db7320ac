//! What the gateway answers by itself: status, `x-amzn-ErrorType` and body as AWS's, or as the API's gateway responses
//! say.

use http::{HeaderName, HeaderValue, Response, StatusCode};
use nbvend_wire::error::WireError;
use serde_json::json;

use super::exchange::Exchange;
use crate::door::{Body, full};
use crate::services::apigateway::state::GatewayResponse;
use crate::services::apigateway::template::{Mapped, mapped, render};

/// How AWS writes the one member of the body; it has three ways.
#[derive(Debug, Clone, Copy)]
enum Form {
    Compact,
    /// With a blank after the colon: whatever went wrong behind the gateway.
    Spaced,
    /// `Message`: denials by policy.
    Capital,
}

#[derive(Debug)]
pub struct Refusal {
    /// The gateway response type; empty before there is an API to have any.
    kind: &'static str,
    status: u16,
    error_type: String,
    message: String,
    form: Form,
}

impl Refusal {
    fn new(kind: &'static str, status: u16, error_type: &str, message: &str) -> Self {
        let form = if status >= 500 { Form::Spaced } else { Form::Compact };
        Self { kind, status, error_type: error_type.to_owned(), message: message.to_owned(), form }
    }

    /// No such host, API or stage, or one that is switched off.
    pub fn forbidden() -> Self {
        Self::new("", 403, "ForbiddenException", "Forbidden")
    }

    /// No such resource or method: AWS says that the token is missing, whether or not one was sent.
    pub fn no_route() -> Self {
        Self::unsigned()
    }

    pub fn unsigned() -> Self {
        let (kind, text) = ("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token");
        Self::new(kind, 403, "MissingAuthenticationTokenException", text)
    }

    /// A signature that is not good: the code is the JSON protocols', the status always 403.
    pub fn signature(error: &WireError) -> Self {
        if error.status >= 500 {
            return Self::internal();
        }
        let kind = match &*error.code {
            "ExpiredTokenException" => "EXPIRED_TOKEN",
            "MissingAuthenticationTokenException" => return Self::unsigned(),
            _ => "INVALID_SIGNATURE",
        };
        Self::new(kind, 403, &error.code, &error.message)
    }

    pub fn denied(message: &str) -> Self {
        let refusal = Self::new("ACCESS_DENIED", 403, "AccessDeniedException", message);
        Self { form: Form::Capital, ..refusal }
    }

    pub fn throttled() -> Self {
        Self::new("THROTTLED", 429, "TooManyRequestsException", "Too Many Requests")
    }

    pub fn too_large() -> Self {
        Self::new("REQUEST_TOO_LARGE", 413, "RequestTooLargeException", "Request Too Long")
    }

    pub fn bad_request(message: &str) -> Self {
        Self::new("BAD_REQUEST_BODY", 400, "BadRequestException", message)
    }

    pub fn media_type() -> Self {
        Self::new("UNSUPPORTED_MEDIA_TYPE", 415, "BadRequestException", "Unsupported Media Type")
    }

    /// The API is set up so that it cannot answer: a wrong URI, a missing permission, a broken template.
    pub fn configuration() -> Self {
        Self::new("API_CONFIGURATION_ERROR", 500, "InternalServerErrorException", "Internal server error")
    }

    pub fn internal() -> Self {
        Self::new("", 500, "InternalServerErrorException", "Internal server error")
    }

    /// The function failed, or what it answered is no proxy answer.
    pub fn bad_gateway() -> Self {
        Self::new("DEFAULT_5XX", 502, "InternalServerErrorException", "Internal server error")
    }

    pub fn timed_out() -> Self {
        Self::new("INTEGRATION_TIMEOUT", 504, "InternalServerErrorException", "Endpoint request timed out")
    }

    pub fn response(&self, exchange: &Exchange) -> Response<Body> {
        let dressed = exchange.stage.as_ref().filter(|_| !self.kind.is_empty()).and_then(|stage| {
            let default = if self.status < 500 { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
            stage.gateway_responses.get(self.kind).or_else(|| stage.gateway_responses.get(default))
        });
        let (mut status, mut body, mut content_type) = (self.status, self.body(), "application/json");
        let mut headers: Vec<(&str, String)> = vec![("x-amzn-errortype", self.error_type.clone())];
        if let Some(dressed) = dressed {
            status = dressed.status.as_deref().and_then(|status| status.parse().ok()).unwrap_or(status);
            if let Some((kind, text)) = template(dressed, exchange) {
                content_type = kind;
                body = render(text, &|name| self.lookup(exchange, name));
            }
            for (target, value) in &dressed.parameters {
                let Some(name) = target.strip_prefix("gatewayresponse.header.") else { continue };
                let value = match mapped(value) {
                    Ok(Mapped::Fixed(text)) => Some(text.to_owned()),
                    Ok(Mapped::Reference(name)) => self.lookup(exchange, name),
                    Err(_) => None,
                };
                headers.extend(value.map(|value| (name, value)));
            }
        }
        headers.insert(0, ("content-type", content_type.to_owned()));
        let mut response = Response::new(full(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    fn body(&self) -> String {
        let message = json!(self.message);
        match self.form {
            Form::Compact => format!("{{\"message\":{message}}}"),
            Form::Spaced => format!("{{\"message\": {message}}}"),
            Form::Capital => format!("{{\"Message\":{message}}}"),
        }
    }

    fn lookup(&self, exchange: &Exchange, name: &str) -> Option<String> {
        match name {
            "context.error.message" => Some(self.message.clone()),
            "context.error.messageString" => Some(json!(self.message).to_string()),
            "context.error.responseType" => Some(self.kind.to_owned()),
            _ => exchange.lookup(name),
        }
    }
}

/// The template for what the client accepts, JSON by preference; with its content type.
fn template<'a>(response: &'a GatewayResponse, exchange: &Exchange) -> Option<(&'a str, &'a str)> {
    let accepted = exchange.header("accept").unwrap_or_default();
    let accepted = accepted.split([',', ';']).map(str::trim);
    let chosen = accepted.filter_map(|kind| response.templates.get_key_value(kind)).next();
    let chosen = chosen.or_else(|| response.templates.get_key_value("application/json"));
    let (kind, text) = chosen.or_else(|| response.templates.iter().next())?;
    Some((kind, text))
}
