//! S3's error documents, and the headers that every answer has.

use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt;
use nbvend_wire::error::WireError;

use crate::door::{self, Body};

/// The error as S3 writes it. Members named like headers leave as headers, the others as elements.
pub(super) fn render(error: &WireError, request_id: &str) -> Response<Body> {
    let code = match &*error.code {
        // The door's word for a denial is that of the newer services.
        "AccessDeniedException" => "AccessDenied",
        "InternalFailure" => "InternalError",
        code => code,
    };
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    let mut element = |name: &str, text: &str| {
        xml.push_str(&format!("<{name}>{}</{name}>", escaped(text)));
    };
    element("Code", code);
    element("Message", &error.message);
    let mut headers = Vec::new();
    for (name, value) in &error.members {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if name.chars().any(|c| c.is_ascii_uppercase()) {
            element(name, &text);
        } else {
            headers.push((name, text));
        }
    }
    element("RequestId", request_id);
    element("HostId", &host_id(request_id));
    xml.push_str("</Error>");
    let mut response = Response::new(door::full(xml));
    *response.status_mut() = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, text) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(text)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// The ids of the request on every answer.
pub(super) fn stamp(response: &mut Response<Body>, request_id: &str) {
    let ids = [("x-amz-request-id", request_id.to_owned()), ("x-amz-id-2", host_id(request_id))];
    for (name, id) in ids {
        if let Ok(value) = HeaderValue::try_from(id) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}

/// AWS's is an opaque text of the serving host; ours is made of the request's id.
fn host_id(request_id: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("nbvend/{request_id}"))
}

/// An error that the crate itself found, with the text that it leaves out.
pub(super) async fn of_crate(response: Response<s3s::Body>) -> WireError {
    let status = response.status().as_u16();
    let body =
        response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let between = |name: &str| {
        let from = text.find(&format!("<{name}>"))? + name.len() + 2;
        let to = text[from..].find(&format!("</{name}>"))? + from;
        Some(plain(&text[from..to]))
    };
    let code = between("Code").unwrap_or_else(|| "InternalError".to_owned());
    let (code, status, usual): (&str, u16, &str) = match code.as_str() {
        "InvalidBucketName" => ("InvalidBucketName", 400, "The specified bucket is not valid."),
        "KeyTooLongError" => ("KeyTooLongError", 400, "Your key is too long"),
        "InvalidURI" => ("InvalidURI", 400, "Couldn't parse the specified URI."),
        "MalformedXML" | "MalformedACLError" => (
            "MalformedXML",
            400,
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
        "MissingContentLength" => {
            ("MissingContentLength", 411, "You must provide the Content-Length HTTP header.")
        }
        "MethodNotAllowed" => {
            ("MethodNotAllowed", 405, "The specified method is not allowed against this resource.")
        }
        "SignatureDoesNotMatch" => (
            "SignatureDoesNotMatch",
            403,
            "The request signature we calculated does not match the signature you provided. Check your key and signing \
             method.",
        ),
        // All that fails inside the crate is reading a document's body whose hash is not the stated one.
        "InternalError" => (
            "XAmzContentSHA256Mismatch",
            400,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        other => {
            let message = between("Message").unwrap_or_else(|| other.to_owned());
            return WireError::new(other.to_owned(), status, message);
        }
    };
    WireError::new(code, status, between("Message").unwrap_or_else(|| usual.to_owned()))
}

/// The whole answer of a document that s3s has no shape for.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML cannot carry the others at all.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn members_are_elements_or_headers() {
        let error = WireError::new("NoSuchKey", 404, "a <b> & c")
            .with("Key", Value::String("k".to_owned()))
            .with("x-amz-delete-marker", Value::String("true".to_owned()));
        let response = render(&error, "RID");
        assert_eq!(response.headers()["x-amz-delete-marker"], "true");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            text.contains(
                "<Code>NoSuchKey</Code><Message>a &lt;b&gt; &amp; c</Message><Key>k</Key><RequestId>RID<"
            ),
            "{text}"
        );
    }
}
