//! A notebook's own address: a presigned URL opens a session ([`link`]), the session's cookie ([`sessions`]) lets
//! requests through to the notebook's server, and nothing else does.

mod link;
mod pages;
mod sessions;

use std::sync::Arc;

use http::header::{ACCEPT, COOKIE};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use nbvend_cloud::door::{Body, Peer};
use nbvend_cloud::services::sagemaker::access::{Refusal, Visitor};
use nbvend_host::proxy::{self, Page};

use super::Site;
use super::handover::Permit;
pub use sessions::Sessions;

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
        fn bare(text: &str) -> &str {
            text.split(':').next().unwrap_or_default()
        }
        let host = bare(host);
        let front = host
            .strip_suffix(".sagemaker.aws")
            .or_else(|| host.strip_suffix(bare(suffix))?.strip_suffix('.')?.strip_suffix(".sagemaker"))?;
        let (name, region) = front.split_once(".notebook.")?;
        Some(Self { name: name.to_owned(), region: region.to_owned() })
    }
}

/// The session's cookie, on http and on https; there its name binds it to this very host.
pub const SESSION_COOKIES: [&str; 2] = ["nbvend-session", "__Host-nbvend-session"];

fn cookie_name(secure: bool) -> &'static str {
    SESSION_COOKIES[usize::from(secure)]
}

/// The permit is given back once it is known who comes: what follows needs the notebook alone, and may take hours.
pub async fn serve(
    site: &Arc<Site>,
    place: Place,
    request: Request<Incoming>,
    peer: Peer,
    permit: Permit,
) -> Response<Body> {
    // Only what a page needs to know; the request is used up.
    let accept = request.headers().get(ACCEPT).cloned();
    let answer =
        answer(site, place, request, &peer, permit).await.unwrap_or_else(|page| page.answer(accept.as_ref()));
    answer.map(|body| body.map_err(super::dispatch::boxed).boxed_unsync())
}

async fn answer(
    site: &Arc<Site>,
    place: Place,
    request: Request<Incoming>,
    peer: &Peer,
    permit: Permit,
) -> Result<Response<proxy::Body>, Page> {
    // First of all: what the host and the cookies are must not be in doubt.
    let request = proxy::check(request)?;
    if let Some(token) = query_value(request.uri().query().unwrap_or_default(), "authToken") {
        return link::open(site, &place, &request, token, peer).await;
    }
    let refused = |refusal| pages::of(&refusal);
    let cookie =
        cookie(request.headers(), cookie_name(peer.secure)).ok_or(Refusal::NoSession).map_err(refused)?;
    let visitor = Visitor { ip: peer.ip, secure: peer.secure };
    let admitted = Sessions::admit(site, &place, cookie, visitor).map_err(refused)?;
    drop(permit);
    let peer = proxy::Peer { ip: peer.ip, https: peer.secure };
    request.forward(&admitted.target, peer, &admitted.until).await
}

fn query_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let headers = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut found = headers.flat_map(|header| header.split(';')).filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    });
    let value = found.next()?;
    // Two of the same name: one of them was tossed in by somebody else.
    found.next().is_none().then_some(value)
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
    fn a_cookie_is_taken_only_if_there_is_one() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("cookie", value.parse().unwrap());
            }
            cookie(&headers, "nbvend-session").map(str::to_owned)
        };
        assert_eq!(of(&["_xsrf=1; nbvend-session=a"]), Some("a".to_owned()));
        assert_eq!(of(&["nbvend-session=a; nbvend-session=b"]), None);
        assert_eq!(of(&["nbvend-session=a", "x=1; nbvend-session=a"]), None);
        assert_eq!(of(&["__Host-nbvend-session=a; xnbvend-session=b"]), None);
        assert_eq!(of(&[]), None);
    }
}
