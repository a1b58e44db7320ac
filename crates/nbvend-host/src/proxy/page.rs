//! What a person sees instead of the notebook: a plain page that says what is the matter and what to do.
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};

use super::Body;

/// A page of one sentence or two; JSON (`{"message": …}`, which Jupyter's own pages show) for what does not ask for
/// HTML. The text is fixed: nothing of a request is ever repeated.
pub fn page(status: StatusCode, text: &'static str, html: bool) -> Response<Body> {
    let (kind, body) = if html {
        let title = status.canonical_reason().unwrap_or("Notebook");
        let page = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n</html>\n"
        );
        ("text/html; charset=utf-8", page)
    } else {
        ("application/json", serde_json::json!({ "message": text }).to_string())
    };
    let mut response = Response::new(Body::whole(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(http::header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
