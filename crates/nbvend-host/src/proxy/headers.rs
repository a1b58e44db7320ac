//! What of a request and of its answer may pass between browser and notebook.
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Version};

use super::page::Page;
use super::target::Target;

const fn bad(reason: &'static str) -> Page {
    Page::new(StatusCode::BAD_REQUEST, "This request cannot be served", reason, "")
}

/// A websocket is the only upgrade that is passed on.
fn asks_for_websocket<B>(request: &Request<B>) -> bool {
    let lists = |name: HeaderName, token: &str| {
        let values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
    };
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && lists(header::UPGRADE, "websocket")
        && lists(header::CONNECTION, "upgrade")
}

/// Refuses what two servers could read in two ways; else says whether the request asks for a websocket. The HTTP parser
/// has refused bad lengths and codings before.
pub(super) fn check<B>(request: &Request<B>) -> Result<bool, Page> {
    if request.method() == Method::CONNECT || request.method() == Method::TRACE {
        return Err(Page { status: StatusCode::METHOD_NOT_ALLOWED, ..bad("This method is not served.") });
    }
    let (mut lengths, mut codings, mut hosts) = (Few::default(), Few::default(), Few::default());
    let mut upgrades = false;
    // One pass instead of a search for each: most requests have none of these but Host.
    for (name, value) in request.headers() {
        match name.as_str() {
            "host" => hosts.note(value),
            "content-length" => lengths.note(value),
            "transfer-encoding" => codings.note(value),
            "upgrade" => upgrades = true,
            _ => {}
        }
    }
    if codings.count > 0 && lengths.count > 0 {
        return Err(bad("The request has both a Content-Length and a Transfer-Encoding."));
    }
    if lengths.count > 1 {
        return Err(bad("The request has more than one Content-Length."));
    }
    if codings.count > 0 && !codings.only().is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked")) {
        return Err(bad("Only the transfer coding chunked is served."));
    }
    let host = hosts.only().ok_or(bad("The request needs exactly one Host."))?;
    let host = std::str::from_utf8(host).ok().filter(|host| good_host(host));
    let host = host.ok_or(bad("The request's Host is not valid."))?;
    if let Some(authority) = request.uri().authority()
        && !authority.as_str().eq_ignore_ascii_case(host)
    {
        return Err(bad("The request's target and its Host differ."));
    }
    if !request.uri().path().starts_with('/') {
        return Err(bad("The request's target is not a path."));
    }
    let without_body = codings.count == 0 && lengths.only().is_none_or(|length| length == b"0");
    let websocket = upgrades && asks_for_websocket(request);
    if websocket && !without_body {
        return Err(bad("A websocket request has no body."));
    }
    Ok(websocket)
}

/// The values of one header: how many, and the first.
#[derive(Default)]
struct Few<'a> {
    count: usize,
    first: &'a [u8],
}

impl<'a> Few<'a> {
    fn note(&mut self, value: &'a HeaderValue) {
        if self.count == 0 {
            self.first = value.as_bytes();
        }
        self.count += 1;
    }

    /// The value if there is exactly one.
    fn only(&self) -> Option<&'a [u8]> {
        (self.count == 1).then_some(self.first)
    }
}

/// A host name or address with an optional port.
fn good_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => (address, None),
            Some((address, port)) if port.starts_with(':') => (address, Some(&port[1..])),
            _ => return false,
        },
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let bracketed = host.starts_with('[');
    let name_is_good =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte) || (bracketed && byte == b':');
    !name.is_empty()
        && name.bytes().all(name_is_good)
        && port
            .is_none_or(|port| !port.is_empty() && port.parse::<u16>().is_ok_and(|_| !port.starts_with('+')))
}

/// Makes an answer what the browser is to see. A notebook may set cookies for its own host only, and none of ours.
pub(super) fn incoming(headers: &mut HeaderMap, target: &Target, websocket: bool) {
    // Most answers have nothing that is to be changed, which one pass sees.
    let mut dropped: Vec<HeaderName> = Vec::new();
    let (mut cookies, mut leads) = (false, false);
    for name in headers.keys() {
        match name.as_str() {
            "connection" => dropped.extend(listed(headers).filter_map(droppable)),
            "set-cookie" => cookies = true,
            "location" => leads = true,
            _ => {}
        }
        if is_hop_by_hop(name.as_str()) {
            dropped.push(name.clone());
        }
    }
    for name in dropped {
        headers.remove(name);
    }
    if leads {
        stay_here(headers);
    }
    if cookies && let header::Entry::Occupied(entry) = headers.entry(header::SET_COOKIE) {
        let (name, values) = entry.remove_entry_mult();
        let kept: Vec<HeaderValue> = values.filter_map(|value| own_cookie(&value, target)).collect();
        for value in kept {
            headers.append(name.clone(), value);
        }
    }
    if websocket {
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
}

/// Meant for one hop only (RFC 9110, 7.6.1), whether or not Connection lists it.
pub(super) fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// A path that begins with two slashes, or what a browser takes for them, is another host's address: Jupyter and others
/// have been led to answer with one by a path that began so (`//evil.com/`).
fn stay_here(headers: &mut HeaderMap) {
    let Some(location) = headers.get(header::LOCATION) else { return };
    let slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    let bytes = location.as_bytes();
    let slashes = bytes.iter().take_while(|byte| slash(byte)).count();
    if slashes == 0 || (slashes == 1 && bytes[0] == b'/') {
        return;
    }
    let path = [b"/", &bytes[slashes..]].concat();
    if let Ok(path) = HeaderValue::from_bytes(&path) {
        headers.insert(header::LOCATION, path);
    }
}

/// What Connection lists.
pub(super) fn listed(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::CONNECTION).iter();
    values.flat_map(|value| value.to_str().unwrap_or_default().split(',')).map(str::trim)
}

/// Whether the message cannot do without, whatever Connection lists: listing Host or Cookie is an attack.
pub(super) fn is_needed(name: &HeaderName) -> bool {
    const NEEDED: [HeaderName; 5] =
        [header::HOST, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::COOKIE, header::ORIGIN];
    NEEDED.contains(name)
}

fn droppable(name: &str) -> Option<HeaderName> {
    HeaderName::try_from(name).ok().filter(|name| !is_needed(name))
}

pub(super) fn is_private(pair: &[u8], private: &[String]) -> bool {
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    private.iter().any(|private| name.eq_ignore_ascii_case(private.as_bytes()))
}

/// A Set-Cookie without its Domain; none if it is one of the engine's names.
fn own_cookie(value: &HeaderValue, target: &Target) -> Option<HeaderValue> {
    let parts: Vec<&[u8]> = value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii).collect();
    if is_private(parts.first()?, target.private_cookies()) {
        return None;
    }
    let is_domain = |part: &&[u8]| {
        let name = part.split(|byte| *byte == b'=').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"domain")
    };
    if !parts.iter().skip(1).any(is_domain) {
        return Some(value.clone());
    }
    let kept: Vec<&[u8]> =
        parts.iter().enumerate().filter(|(at, p)| *at == 0 || !is_domain(p)).map(|(_, p)| *p).collect();
    HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(request: http::request::Builder) -> Request<()> {
        request.body(()).unwrap()
    }

    fn target() -> Target {
        Target::new("/nowhere".into(), crate::jupyter::identity("Demo-User"))
            .hide_cookies(["__Host-session", "session"])
    }

    #[test]
    fn ambiguous_requests_are_refused() {
        let request = |uri: &str, headers: &[(&str, &str)]| {
            let mut builder = http::Request::post(uri);
            for (name, value) in headers {
                builder = builder.header(*name, *value);
            }
            check(&whole(builder)).is_ok()
        };
        let host = ("host", "a.localhost:4566");
        for (uri, headers, good) in [
            ("/a", vec![host], true),
            ("/a?b=//c", vec![host], true),
            ("/a", vec![], false),
            ("/a", vec![host, host], false),
            ("/a", vec![("host", "")], false),
            ("/a", vec![("host", "a b")], false),
            ("/a", vec![("host", "a/b")], false),
            ("/a", vec![("host", "user@a")], false),
            ("/a", vec![("host", "a:")], false),
            ("/a", vec![("host", "a:+80")], false),
            ("/a", vec![("host", "a:99999")], false),
            ("/a", vec![("host", "[::1]:80")], true),
            ("/a", vec![("host", "[::1")], false),
            ("/a", vec![("host", "::1")], false),
            ("http://a.localhost:4566/a", vec![host], true),
            ("http://b.localhost:4566/a", vec![host], false),
            ("http://a.localhost/a", vec![host], false),
            ("*", vec![host], false),
            ("/a", vec![host, ("content-length", "3"), ("transfer-encoding", "chunked")], false),
            ("/a", vec![host, ("content-length", "3"), ("content-length", "3")], false),
            ("/a", vec![host, ("transfer-encoding", "chunked")], true),
            ("/a", vec![host, ("transfer-encoding", "gzip, chunked")], false),
            ("/a", vec![host, ("transfer-encoding", "chunked"), ("transfer-encoding", "identity")], false),
        ] {
            assert_eq!(request(uri, &headers), good, "{uri} {headers:?}");
        }
        let websocket = || {
            let builder =
                http::Request::get("/a").header("host", "a").header("connection", "keep-alive, Upgrade");
            builder.header("upgrade", "WebSocket")
        };
        assert!(check(&whole(websocket())).is_ok());
        assert!(check(&whole(websocket().header("content-length", "4"))).is_err());
        assert!(
            check(&whole(http::Request::builder().method("TRACE").uri("/").header("host", "a"))).is_err()
        );
    }

    #[test]
    fn only_websockets_are_upgraded() {
        let asks = |method: &str, connection: &str, upgrade: &str| {
            let builder = http::Request::builder().method(method).uri("/").header("host", "a");
            asks_for_websocket(&whole(builder.header("connection", connection).header("upgrade", upgrade)))
        };
        assert!(asks("GET", "upgrade", "websocket"));
        assert!(!asks("GET", "upgrade, http2-settings", "h2c"));
        assert!(!asks("POST", "upgrade", "websocket"));
        assert!(!asks("GET", "close", "websocket"));
    }

    #[test]
    fn a_notebook_leads_to_no_other_host_by_slashes() {
        for (location, want) in [
            ("/lab", "/lab"),
            ("lab?", "lab?"),
            ("https://github.com/x", "https://github.com/x"),
            ("//evil.com/", "/evil.com/"),
            ("///evil.com", "/evil.com"),
            ("/\\evil.com", "/evil.com"),
            ("\\\\evil.com", "/evil.com"),
            ("\\evil.com", "/evil.com"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("location", location.parse().unwrap());
            incoming(&mut headers, &target(), false);
            assert_eq!(headers["location"], want);
        }
    }

    #[test]
    fn a_notebook_sets_cookies_for_itself_alone() {
        let mut headers = HeaderMap::new();
        for value in [
            "_xsrf=2|a; Path=/",
            "session=stolen; Path=/",
            "__host-session=stolen",
            "x=1; Domain=sagemaker.localhost; Path=/",
            "domain=2; DOMAIN = x; HttpOnly",
        ] {
            headers.append("set-cookie", value.parse().unwrap());
        }
        headers.insert("transfer-encoding", "chunked".parse().unwrap());
        headers.insert("connection", "x-secret".parse().unwrap());
        headers.insert("x-secret", "1".parse().unwrap());
        incoming(&mut headers, &target(), false);
        let cookies: Vec<_> =
            headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(cookies, ["_xsrf=2|a; Path=/", "x=1; Path=/", "domain=2; HttpOnly"]);
        assert_eq!(headers.keys().count(), 1);
    }
}
