//! A presigned URL: it opens a session and leads away from itself, so that its token stays in no history.

use std::sync::Arc;

use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use nbvend_cloud::door::Peer;
use nbvend_cloud::services::sagemaker::access::{self, Visitor};
use nbvend_host::proxy::{self, Page};

use super::{Place, cookie_name, pages};
use crate::server::Site;

/// Where a link leads when it says nothing else.
const FRONT_PAGE: &str = "/lab";

const OPENING: Page = Page::new(StatusCode::FOUND, "Opening", "Opening the notebook.", "");
const ONLY_GET: Page = Page::new(StatusCode::METHOD_NOT_ALLOWED, "Refused", "A link is opened with GET.", "");
const EMBEDDED: Page = Page::new(
    StatusCode::FORBIDDEN,
    "Refused",
    "Another page tried to open this notebook within itself.",
    "Open the link in a window of its own.",
);

pub async fn open<B>(
    site: &Arc<Site>,
    place: &Place,
    request: &Request<B>,
    token: &str,
    peer: &Peer,
) -> Result<Response<proxy::Body>, Page> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(ONLY_GET);
    }
    if !proxy::embedding_allowed(request.headers()) {
        return Err(EMBEDDED);
    }
    let visitor = Visitor { ip: peer.ip, secure: peer.secure };
    let opened = access::redeem(&site.engine, &place.region, &place.name, token, visitor).await;
    let opened = opened.map_err(|refusal| pages::of(&refusal))?;
    let seconds = opened.expires.seconds_since(site.engine.now()).max(0);
    let mut landing = landing(request.uri().path());
    // As on SageMaker: "When you open a notebook instance, it opens in the directory that contains this repository" (API
    // reference, DefaultCodeRepository). One that could not be cloned is nowhere to land.
    if landing == FRONT_PAGE
        && let Some(folder) = &opened.repository
        && site.notebooks.has_folder(&opened.notebook_id, folder).await
    {
        landing = format!("{FRONT_PAGE}/tree/{folder}");
    }
    let secure = if peer.secure { "; Secure" } else { "" };
    // Always a new one, whatever the browser brought: nobody can choose another's session.
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
        cookie_name(peer.secure),
        opened.cookie
    );
    let mut response = OPENING.answer(request.headers().get(http::header::ACCEPT));
    let headers = response.headers_mut();
    if let (Ok(cookie), Ok(location)) = (HeaderValue::from_str(&cookie), HeaderValue::from_str(&landing)) {
        headers.insert(SET_COOKIE, cookie);
        headers.insert(LOCATION, location);
    }
    Ok(response)
}

/// The path a link asked for, kept on this origin whatever it holds. What a browser or a server further on could read as
/// more than a plain path (empty and dot segments, backslashes, encoded or not) leads to the front page.
fn landing(path: &str) -> String {
    let inner = path.trim_start_matches(['/', '\\']);
    let plain = inner.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let lower = inner.to_ascii_lowercase().replace("%2e", ".").replace("%5c", "\\").replace("%2f", "/");
    let tricky = lower.contains('\\')
        || lower.starts_with('/')
        || lower.split('/').any(|part| part == "." || part == "..")
        || lower.contains("//");
    if inner.is_empty() || !plain || tricky { FRONT_PAGE.to_owned() } else { format!("/{inner}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_lands_on_its_own_origin() {
        for (path, expected) in [
            ("/", "/lab"),
            ("", "/lab"),
            ("/lab/tree/a.ipynb", "/lab/tree/a.ipynb"),
            ("//evil.com/x", "/evil.com/x"),
            ("///evil", "/evil"),
            ("/\\evil", "/evil"),
            ("\\\\evil", "/evil"),
            ("/a\\b", "/lab"),
            ("/a\r\nx", "/lab"),
            ("/%2f%2fevil.com", "/lab"),
            ("/%2Fevil.com", "/lab"),
            ("/%5cevil.com", "/lab"),
            ("/.//evil.com", "/lab"),
            ("/..//evil.com", "/lab"),
            ("/%2e%2e//evil.com", "/lab"),
            ("/a//evil.com", "/lab"),
            ("/https:evil.com", "/https:evil.com"),
            ("/https://evil.com", "/lab"),
            ("/good@evil.com", "/good@evil.com"),
            ("/lab/tree/a%20b.ipynb", "/lab/tree/a%20b.ipynb"),
        ] {
            assert_eq!(landing(path), expected, "{path:?}");
        }
    }
}
