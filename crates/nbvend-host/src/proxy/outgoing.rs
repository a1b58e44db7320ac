//! The head of a request as the notebook hears it: target as a path, its own hop's headers, one identity. Written in one
//! pass over what the browser sent: maps of headers that are changed header by header were a fifth of a request's cost.
use std::io::Write;

use http::HeaderMap;
use http::header;
use http::request::Parts;
use http::uri::PathAndQuery;

use super::forward::Peer;
use super::headers::{is_hop_by_hop, is_needed, is_private, listed};
use super::target::Target;

/// The head as bytes. Method, target and headers have been parsed before, so that none of them holds a line's end. The
/// Host stays as the browser sent it, port and all, because Jupyter compares Origin with it.
pub(super) fn head(parts: &Parts, target: &Target, peer: Peer, websocket: bool, chunked: bool) -> Vec<u8> {
    let mut head = Vec::with_capacity(1024);
    head.extend_from_slice(parts.method.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(parts.uri.path_and_query().map_or("/", PathAndQuery::as_str).as_bytes());
    head.extend_from_slice(b" HTTP/1.1\r\n");
    let listed: Vec<&str> = listed(&parts.headers).collect();
    let (user, user_value) = target.user_header();
    for (name, value) in &parts.headers {
        let dropped = is_dropped(name.as_str()) || name == user || name == header::COOKIE;
        // A signature for the engine is no business of the notebook's; its own applications may use other schemes.
        let signature = name == header::AUTHORIZATION && value.as_bytes().starts_with(b"AWS4-");
        let unwanted = listed.iter().any(|item| name.as_str().eq_ignore_ascii_case(item)) && !is_needed(name);
        if !dropped && !signature && !unwanted {
            line(&mut head, name.as_str(), value.as_bytes());
        }
    }
    cookies(&mut head, &parts.headers, target.private_cookies());
    line(&mut head, user.as_str(), user_value.as_bytes());
    line(&mut head, "x-forwarded-proto", if peer.https { b"https" } else { b"http" });
    // Writing into memory does not fail.
    let _ = write!(head, "x-forwarded-for: {}\r\n", peer.ip);
    if websocket {
        head.extend_from_slice(b"connection: Upgrade\r\nupgrade: websocket\r\n");
    }
    if chunked {
        head.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn line(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}

/// What the browser's cookies are without the engine's own, in one line.
fn cookies(head: &mut Vec<u8>, headers: &HeaderMap, private: &[String]) {
    let values = headers.get_all(header::COOKIE).iter();
    let pairs = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    let mut before: &[u8] = b"cookie: ";
    for pair in pairs.filter(|pair| !pair.is_empty() && !is_private(pair, private)) {
        head.extend_from_slice(before);
        head.extend_from_slice(pair);
        before = b"; ";
    }
    if before == b"; " {
        head.extend_from_slice(b"\r\n");
    }
}

/// What is meant for one hop only, and what proxies say about a client, which only our own word may say.
fn is_dropped(name: &str) -> bool {
    // Some servers take `_` for `-`.
    if name.contains('_') { is_untrusted(&name.replace('_', "-")) } else { is_untrusted(name) }
}

fn is_untrusted(name: &str) -> bool {
    let said = matches!(
        name,
        "proxy-authenticate"
            | "http2-settings"
            | "expect"
            | "forwarded"
            | "via"
            | "x-real-ip"
            | "x-scheme"
            | "x-original-url"
            | "x-original-uri"
            | "x-rewrite-url"
            | "x-client-ip"
            | "x-cluster-client-ip"
            | "x-http-method-override"
    );
    said || is_hop_by_hop(name) || name.starts_with("x-forwarded-") || name.starts_with("x-nbvend-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Peer = Peer { ip: std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)), https: true };

    /// The first line, and the headers in order.
    fn lines(request: http::request::Builder, websocket: bool) -> (String, Vec<String>) {
        let target = Target::new("/nowhere".into(), crate::jupyter::identity("Demo-User"))
            .hide_cookies(["__Host-session", "session"]);
        let parts = request.body(()).unwrap().into_parts().0;
        let head = String::from_utf8(head(&parts, &target, PEER, websocket, false)).unwrap();
        let mut lines: Vec<String> =
            head.strip_suffix("\r\n\r\n").unwrap().split("\r\n").map(str::to_owned).collect();
        let first = lines.remove(0);
        lines.sort();
        (first, lines)
    }

    #[test]
    fn what_the_client_says_about_itself_is_removed() {
        let mut builder = http::Request::post("http://a:1/x%2F..%2fy?q").header("host", "a:1");
        for (name, value) in [
            ("x-nbvend-user", "root"),
            ("X-Nbvend-User", "root2"),
            ("x_nbvend_user", "root3"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-prefix", "/x"),
            ("x_forwarded_for", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
            ("connection", "keep-alive, x-nbvend-user, host, x-private, cookie"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAM"),
            ("proxy-authorization", "Basic x"),
            ("expect", "100-continue"),
            ("authorization", "AWS4-HMAC-SHA256 Credential=x"),
            ("cookie", "session=s; _xsrf=1; __Host-Session=2; a=session=3"),
            ("cookie", "b=4"),
            ("content-length", "5"),
            ("origin", "https://a:1"),
            ("x-xsrftoken", "1"),
        ] {
            builder = builder.header(name, value);
        }
        let (first, left) = lines(builder, false);
        assert_eq!(first, "POST /x%2F..%2fy?q HTTP/1.1");
        let want = [
            "content-length: 5",
            "cookie: _xsrf=1; a=session=3; b=4",
            "host: a:1",
            "origin: https://a:1",
            "x-forwarded-for: 192.0.2.7",
            "x-forwarded-proto: https",
            "x-nbvend-user: Demo-User",
            "x-xsrftoken: 1",
        ];
        assert_eq!(left, want);
    }

    #[test]
    fn other_authorizations_and_websocket_keys_pass() {
        let builder = http::Request::get("/").header("host", "a").header("authorization", "token abc");
        let builder = builder.header("connection", "Upgrade").header("upgrade", "websocket");
        let want = [
            "authorization: token abc",
            "connection: Upgrade",
            "host: a",
            "upgrade: websocket",
            "x-forwarded-for: 192.0.2.7",
            "x-forwarded-proto: https",
            "x-nbvend-user: Demo-User",
        ];
        assert_eq!(lines(builder, true).1, want);
    }
}
