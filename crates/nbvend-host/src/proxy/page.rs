//! What a person sees instead of the notebook: a plain page that says what is the matter and what to do.
use std::sync::LazyLock;

use base64::Engine;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};

use super::Body;

/// A page. Its texts are the program's own, known when it is built: nothing of a request can stand in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub status: StatusCode,
    pub title: &'static str,
    /// What happened.
    pub text: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// A command that does it, if there is one.
    pub command: Option<&'static str>,
    /// Seconds after which the page asks again by itself: for what is over soon.
    pub again: Option<u8>,
}

const STYLE: &str = "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#f5f6f8;\
    color:#1d2430;font:16px/1.55 system-ui,sans-serif}\
    main{max-width:34rem;margin:1.5rem;padding:2rem 2.25rem;background:#fff;border-top:4px solid #e46e2e;\
    border-radius:6px;box-shadow:0 1px 4px #0002}\
    h1{margin:0 0 .75rem;font-size:1.35rem;font-weight:600}p{margin:.5rem 0}\
    code{padding:.15em .4em;border-radius:4px;background:#eef0f3}small{color:#667080}\
    @media(prefers-color-scheme:dark){body{background:#15181d;color:#e4e7ec}main{background:#1f242c}\
    code{background:#2c333d}small{color:#98a2b0}}";

/// The one style is allowed by its hash; there are no scripts, pictures or forms.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

impl Page {
    pub const fn new(
        status: StatusCode,
        title: &'static str,
        text: &'static str,
        advice: &'static str,
    ) -> Self {
        Self { status, title, text, advice, command: None, again: None }
    }

    #[must_use]
    pub const fn command(self, command: &'static str) -> Self {
        Self { command: Some(command), ..self }
    }

    #[must_use]
    pub const fn again(self, seconds: u8) -> Self {
        Self { again: Some(seconds), ..self }
    }

    /// The answer: HTML for who asks for it, else JSON (`{"message": …}`, which Jupyter's own pages show).
    /// `accept` is what the request said in its Accept.
    pub fn answer(&self, accept: Option<&HeaderValue>) -> Response<Body> {
        let html = accept.and_then(|accept| accept.to_str().ok()).is_some_and(|it| it.contains("text/html"));
        let (kind, body) = if html {
            ("text/html; charset=utf-8", self.html())
        } else {
            let message =
                format!("{}. {} {} {}", self.title, self.text, self.advice, self.command.unwrap_or_default());
            ("application/json", serde_json::json!({ "message": message.trim() }).to_string())
        };
        let mut response = Response::new(Body::whole(Bytes::from(body)));
        *response.status_mut() = self.status;
        let fixed: [(HeaderName, &'static str); 4] = [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "no-store"),
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        let headers = response.headers_mut();
        headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
        headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from(u16::from(self.again.unwrap_or(5))));
        }
        response
    }

    fn html(&self) -> String {
        let Self { title, text, advice, .. } = self;
        let again = self.again.map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">"));
        let waiting = self.again.map(|_| "<p><small>This page looks again by itself.</small></p>");
        let command = self.command.map(|command| format!("<p><code>{command}</code></p>"));
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">{}\
             <title>{title}</title><style>{STYLE}</style></head>\n\
             <body><main><h1>{title}</h1><p>{text}</p><p>{advice}</p>{}{}</main></body></html>\n",
            again.unwrap_or_default(),
            command.unwrap_or_default(),
            waiting.unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_for_people_or_for_programs() {
        let page = Page::new(StatusCode::SERVICE_UNAVAILABLE, "Starting", "It starts.", "Wait.").again(2);
        assert_eq!(page.answer(None).headers()["content-type"], "application/json");
        let answer = page.answer(Some(&HeaderValue::from_static("text/html,*/*")));
        assert_eq!(answer.headers()["retry-after"], "2");
        let html = page.html();
        assert!(html.contains("http-equiv=\"refresh\" content=\"2\"") && html.contains("<h1>Starting</h1>"));
        let lasting = Page { again: None, ..page };
        assert!(!lasting.html().contains("refresh"));
    }

    /// The hash in the policy is that of the one style in the page, or a browser shows it bare.
    #[test]
    fn the_policy_allows_the_style_and_nothing_else() {
        let page = Page::new(StatusCode::FORBIDDEN, "a", "b", "c").command("nbvend open USER");
        let html = page.html();
        let style = html.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style));
        let answer = page.answer(None);
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && policy.contains(&format!("'sha256-{hash}'")));
        assert!(!policy.contains("unsafe"));
        assert!(!html.contains("style=") && !html.contains("<script"));
    }
}
