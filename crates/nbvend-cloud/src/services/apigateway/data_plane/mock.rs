//! Step 6 for a mock integration: an answer from templates, as CORS preflights are.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::exchange::Exchange;
use super::headers;
use super::refusal::Refusal;
use super::routes::Route;
use crate::door::{Body, full};
use crate::services::apigateway::integration_response::selection;
use crate::services::apigateway::state::{Integration, IntegrationResponse};
use crate::services::apigateway::template::{Mapped, mapped, render};

pub fn answer(exchange: &Exchange, route: &Route, body: &Bytes) -> Result<Response<Body>, Refusal> {
    let integration = route.method.integration.as_ref().ok_or_else(Refusal::configuration)?;
    let request = request(exchange, integration, body)?;
    let status = status_code(&request).ok_or_else(Refusal::configuration)?;
    let (status, response) = select(integration, &status).ok_or_else(Refusal::configuration)?;

    let (content_type, text) = template(exchange, response);
    let mut answer = Response::new(full(render(text, &|name| exchange.lookup(name))));
    *answer.status_mut() = status
        .parse()
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(Refusal::configuration)?;
    headers::add(answer.headers_mut(), "content-type", content_type);
    for (target, value) in &response.parameters {
        let Some(name) = target.strip_prefix("method.response.header.") else { continue };
        let value = match mapped(value).map_err(|_| Refusal::configuration())? {
            Mapped::Fixed(text) => text.to_owned(),
            Mapped::Reference(name) => exchange.lookup(name).unwrap_or_default(),
        };
        if name.eq_ignore_ascii_case("content-type") {
            answer.headers_mut().remove("content-type");
        }
        headers::add(answer.headers_mut(), name, &value);
    }
    Ok(answer)
}

/// What the backend would be sent: the template of the request's content type, or else the body.
fn request(exchange: &Exchange, integration: &Integration, body: &Bytes) -> Result<String, Refusal> {
    let content_type = exchange.header("content-type").unwrap_or("application/json");
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    if let Some(text) = integration.request_templates.get(content_type) {
        return Ok(render(text, &|name| exchange.lookup(name)));
    }
    let none = integration.request_templates.is_empty();
    match integration.passthrough.as_str() {
        "NEVER" => Err(Refusal::media_type()),
        "WHEN_NO_TEMPLATES" if !none => Err(Refusal::media_type()),
        _ => Ok(String::from_utf8_lossy(body).into_owned()),
    }
}

/// The number after `statusCode`. AWS reads this JSON leniently: names without quotes are usual.
fn status_code(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("statusCode")?;
    let rest = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?.trim_start();
    let rest = rest.trim_start_matches(['"', '\'']);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (digits.len() == 3).then_some(digits)
}

/// The response whose pattern meets the status, or else the default one.
fn select<'a>(integration: &'a Integration, status: &str) -> Option<(&'a str, &'a IntegrationResponse)> {
    let pattern = |response: &'a IntegrationResponse| {
        response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty())
    };
    let responses = || integration.responses.iter().map(|(status, response)| (status.as_str(), response));
    let chosen = responses().find(|(_, response)| {
        pattern(response)
            .and_then(|pattern| selection(pattern).ok())
            .is_some_and(|regex| regex.is_match(status))
    });
    chosen.or_else(|| responses().find(|(_, response)| pattern(response).is_none()))
}

/// The template for what the client accepts, JSON by preference; an empty body if there is none.
fn template<'a>(exchange: &Exchange, response: &'a IntegrationResponse) -> (&'a str, &'a str) {
    let accepted = exchange.header("accept").unwrap_or_default();
    let accepted = accepted.split([',', ';']).map(str::trim);
    let chosen = accepted.filter_map(|kind| response.templates.get_key_value(kind)).next();
    let chosen = chosen.or_else(|| response.templates.get_key_value("application/json"));
    let chosen = chosen.or_else(|| response.templates.iter().next());
    chosen.map_or(("application/json", ""), |(kind, text)| (kind.as_str(), text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_codes_are_read_leniently() {
        for (text, expected) in [
            ("{\n  \"statusCode\" : 200\n}\n", Some("200")),
            ("{ statusCode: 204 }", Some("204")),
            ("{\"statusCode\": \"404\"}", Some("404")),
            ("{'statusCode':200}", Some("200")),
            ("{}", None),
            ("", None),
            ("{\"statusCode\": \"x\"}", None),
        ] {
            assert_eq!(status_code(text).as_deref(), expected, "{text}");
        }
    }
}
