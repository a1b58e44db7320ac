//! A notebook's own address: a presigned URL opens a session, the session's cookie lets requests through to the
//! notebook's server, and nothing else does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use nbvend_cloud::door::{Body, Peer, full};
use nbvend_cloud::services::sagemaker::access::{self, Refusal, Visitor};
use nbvend_host::proxy::{self, CancellationToken};

use super::Site;

/// A notebook as its host names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In lower case, as AWS's hosts have it.
    pub name: String,
    pub region: String,
}

impl Place {
    /// `<name>.notebook.<region>.sagemaker.<suffix>`, or with AWS's own suffix.
    pub fn of_host(host: &str, suffix: &str) -> Option<Self> {
        let bare = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
        let (host, suffix) = (bare(host), bare(suffix));
        let front = host
            .strip_suffix(".sagemaker.aws")
            .or_else(|| host.strip_suffix(&suffix)?.strip_suffix('.')?.strip_suffix(".sagemaker"))?;
        let (name, region) = front.split_once(".notebook.")?;
        Some(Self { name: name.to_owned(), region: region.to_owned() })
    }
}

/// The session's cookie, on http and on https; there its name binds it to this very host.
pub const SESSION_COOKIES: [&str; 2] = ["nbvend-session", "__Host-nbvend-session"];

fn cookie_name(secure: bool) -> &'static str {
    SESSION_COOKIES[usize::from(secure)]
}

/// How often an open session is looked at.
const WATCH: Duration = Duration::from_secs(2);

/// What ends the open requests and websockets of each session, by its cookie.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, CancellationToken>>);

impl Sessions {
    /// The session's token. A watch of its own cancels it when the session ends: in time, with the right of whoever
    /// made the link, or with the notebook.
    fn token(site: &Arc<Site>, place: &Place, cookie: &str, visitor: Visitor) -> CancellationToken {
        let mut sessions = site.sessions.0.lock().expect("nobody panics while holding the sessions");
        if let Some(token) = sessions.get(cookie) {
            return token.clone();
        }
        let token = CancellationToken::new();
        sessions.insert(cookie.to_owned(), token.clone());
        let (site, place, cookie, ending) =
            (Arc::clone(site), place.clone(), cookie.to_owned(), token.clone());
        tokio::spawn(async move {
            while let Ok(visit) = access::session(&site.engine, &place.region, &place.name, &cookie, visitor)
            {
                let left = u64::try_from(visit.expires.0 - site.engine.now().0).unwrap_or(0);
                tokio::time::sleep(WATCH.min(Duration::from_millis(left))).await;
            }
            ending.cancel();
            site.sessions.0.lock().expect("nobody panics while holding the sessions").remove(&cookie);
        });
        token
    }
}

/// Where a link leads when it says nothing else.
const FRONT_PAGE: &str = "/lab";

pub async fn serve(site: &Arc<Site>, place: Place, request: Request<Incoming>, peer: Peer) -> Response<Body> {
    if let Some(token) = query_value(request.uri().query().unwrap_or_default(), "authToken") {
        return open(site, &place, &request, &token, &peer).await;
    }
    let Some(cookie) = cookie(&request, cookie_name(peer.secure)) else {
        return refuse(&Refusal::NoSession);
    };
    let visitor = Visitor { ip: peer.ip, secure: peer.secure };
    let visit = match access::session(&site.engine, &place.region, &place.name, &cookie, visitor) {
        Ok(visit) => visit,
        Err(refusal) => return refuse(&refusal),
    };
    let Some(target) = site.notebooks.target(&visit.notebook_id, &visit.user) else {
        return refuse(&Refusal::NotInService("starting or stopped".to_owned()));
    };
    let ends = Sessions::token(site, &place, &cookie, visitor);
    let peer = proxy::Peer { ip: peer.ip, https: peer.secure };
    proxy::forward(request, &target, peer, &ends)
        .await
        .map(|body| body.map_err(super::dispatch::boxed).boxed_unsync())
}

/// Turns a presigned URL into a session and leads away from it, so that the token stays in no history.
async fn open(
    site: &Arc<Site>,
    place: &Place,
    request: &Request<Incoming>,
    token: &str,
    peer: &Peer,
) -> Response<Body> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return page(StatusCode::METHOD_NOT_ALLOWED, "Refused", "A link is opened with GET.");
    }
    let visitor = Visitor { ip: peer.ip, secure: peer.secure };
    let opened = match access::redeem(&site.engine, &place.region, &place.name, token, visitor).await {
        Ok(opened) => opened,
        Err(refusal) => return refuse(&refusal),
    };
    let seconds = opened.expires.seconds_since(site.engine.now()).max(0);
    let secure = if peer.secure { "; Secure" } else { "" };
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
        cookie_name(peer.secure),
        opened.cookie
    );
    let mut response = page(StatusCode::FOUND, "Opening", "Opening the notebook.");
    let headers = response.headers_mut();
    if let (Ok(cookie), Ok(location)) =
        (HeaderValue::from_str(&cookie), HeaderValue::from_str(&landing(request.uri().path())))
    {
        headers.insert(SET_COOKIE, cookie);
        headers.insert(LOCATION, location);
    }
    response
}

/// The path a link asked for, kept on this origin whatever it holds: one leading slash, no backslash, no control
/// characters.
fn landing(path: &str) -> String {
    let inner = path.trim_start_matches(['/', '\\']);
    let plain = inner.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if inner.is_empty() || !plain { FRONT_PAGE.to_owned() } else { format!("/{inner}") }
}

fn query_value(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

fn cookie(request: &Request<Incoming>, name: &str) -> Option<String> {
    let headers = request.headers().get_all("cookie").iter().filter_map(|v| v.to_str().ok());
    let mut found = headers.flat_map(|header| header.split(';')).filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then(|| value.to_owned())
    });
    let value = found.next()?;
    // Two of the same name: one of them was tossed in by somebody else.
    found.next().is_none().then_some(value)
}

fn refuse(refusal: &Refusal) -> Response<Body> {
    let (status, title, text) = match refusal {
        Refusal::NoSession => (
            StatusCode::FORBIDDEN,
            "Open this notebook with its link",
            "This address needs a session. Ask for a fresh link: nbvend open USER, or the refresh API.".to_owned(),
        ),
        Refusal::BadToken => (
            StatusCode::FORBIDDEN,
            "This link does not work",
            "It was changed on its way, or the notebook it was made for is gone. Ask for a fresh one.".to_owned(),
        ),
        Refusal::Expired => (
            StatusCode::FORBIDDEN,
            "This link has expired",
            "A link works for five minutes, the session it opens for hours. Ask for a fresh one: nbvend open USER, or the refresh API.".to_owned(),
        ),
        Refusal::Ended => (
            StatusCode::FORBIDDEN,
            "This session has ended",
            "Whoever made its link may not open this notebook any more, or the notebook has another owner. Ask for a fresh one: nbvend open USER, or the refresh API.".to_owned(),
        ),
        Refusal::UnknownNotebook => {
            (StatusCode::NOT_FOUND, "No such notebook", "No notebook has this address.".to_owned())
        }
        Refusal::NotInService(state) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "This notebook is not running",
            format!("It is {state}. Start it with nbvend start USER, then open it again."),
        ),
    };
    page(status, title, &text)
}

/// A plain page. Its texts are the program's own: nothing of the request stands in it.
fn page(status: StatusCode, title: &str, text: &str) -> Response<Body> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>\n"
    );
    let mut response = Response::new(full(Bytes::from(html)));
    *response.status_mut() = status;
    let fixed: [(HeaderName, &'static str); 5] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("content-security-policy"), "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    response.headers_mut().extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_notebooks() {
        let place = |name: &str, region: &str| Some(Place { name: name.into(), region: region.into() });
        let suffix = "localhost:4566";
        for (host, expected) in [
            (
                "demo-user-notebook.notebook.us-east-1.sagemaker.localhost:4566",
                place("demo-user-notebook", "us-east-1"),
            ),
            ("a.notebook.eu-west-1.sagemaker.aws", place("a", "eu-west-1")),
            ("localhost:4566", None),
            ("a.notebook.us-east-1.sagemaker.localhost.evil.com", None),
            ("a.notebook.us-east-1.sagemakerlocalhost", None),
            ("b.s3.localhost:4566", None),
        ] {
            assert_eq!(Place::of_host(host, suffix), expected, "{host}");
        }
    }

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
        ] {
            assert_eq!(landing(path), expected, "{path:?}");
        }
    }
}
