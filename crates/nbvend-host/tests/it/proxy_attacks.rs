//! Attacks on the proxy over real connections, from the browser's side and from the notebook's. Each is preceded by what
//! shows that it would work if nothing stood in its way.
use std::sync::{Arc, Mutex};

use nbvend_host::proxy::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::proxy::{Fake, echo_websocket, head, mirror};
use crate::support::client::{call, host, parse, raw};
use crate::support::websocket::Websocket;

/// What the notebook sees of a request with these lines.
async fn seen(fake: &Fake, lines: &str) -> String {
    let address = fake.gate.address;
    let request = format!("GET /x HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{lines}\r\n", host(address));
    let answer = raw(address, request.as_bytes()).await;
    assert_eq!(answer.status, 200, "{lines:?}: {answer:?}");
    answer.text().to_ascii_lowercase()
}

#[tokio::test]
async fn nobody_says_who_they_are() {
    let fake = Fake::new(Limits::default(), mirror).await;
    // The control: other headers do pass.
    assert!(seen(&fake, "X-Other: evil\r\n").await.contains("x-other: evil\r\n"));
    for lines in [
        "X-Nbvend-User: evil\r\n",
        "X-Nbvend-User: evil\r\nX-Nbvend-User: evil\r\n",
        "x_nbvend_user: evil\r\n",
        "X-NBVEND_USER: evil\r\n",
        "X-Nbvend-Anything: evil\r\n",
        "X-Forwarded-For: evil\r\n",
        "X-Forwarded-Host: evil\r\n",
        "X-Forwarded-Proto: evil\r\n",
        "X_Forwarded_User: evil\r\n",
        "Forwarded: for=evil;host=evil\r\n",
        "X-Real-IP: evil\r\n",
        "Via: 1.1 evil\r\n",
        "X-Original-URL: /evil\r\n",
        "X-Rewrite-URL: /evil\r\n",
        "X-HTTP-Method-Override: evil\r\n",
        "TE: evil\r\n",
        "Proxy-Authorization: evil\r\n",
        "Proxy-Connection: evil\r\n",
        "Keep-Alive: evil\r\n",
        "Authorization: AWS4-HMAC-SHA256 Credential=evil\r\n",
    ] {
        let seen = seen(&fake, lines).await;
        assert!(!seen.contains("evil"), "{lines:?}: {seen}");
        assert_eq!(seen.matches("x-nbvend-user: demo-user\r\n").count(), 1, "{lines:?}: {seen}");
        assert_eq!(seen.matches("x-forwarded-for: 127.0.0.1\r\n").count(), 1, "{lines:?}: {seen}");
    }
}

/// Connection names headers for the next hop to drop. Dropping what the proxy sets would leave the notebook without.
#[tokio::test]
async fn connection_takes_nothing_away_that_the_proxy_needs() {
    let fake = Fake::new(Limits::default(), mirror).await;
    // The control: it does take away what it names.
    assert!(!seen(&fake, "Connection: x-private\r\nX-Private: 1\r\n").await.contains("x-private"));
    for name in ["X-Nbvend-User", "X-Forwarded-For", "X-Forwarded-Proto", "Host", "Cookie", "Origin"] {
        let lines =
            format!("Connection: {name}\r\nConnection: close, {name}\r\nCookie: a=1\r\nOrigin: null\r\n");
        let seen = seen(&fake, &lines).await;
        for kept in
            ["x-nbvend-user: demo-user", "x-forwarded-for: 127.0.0.1", "host: a-notebook", "cookie: a=1"]
        {
            assert!(seen.contains(kept), "{name}: {seen}");
        }
    }
}

/// One place decides what the path is: the notebook sees the very bytes that were looked at, decoded and merged by none.
#[tokio::test]
async fn a_path_is_passed_on_as_it_came() {
    let fake = Fake::new(Limits::default(), mirror).await;
    for path in [
        "/a%2fb",
        "/a%2F..%2F..%2Fetc",
        "/..%2f",
        "/a/../b",
        "/a/./b",
        "/%2e%2e/b",
        "//evil.com/x",
        "/a//b",
        "/a%5cb",
        "/a%00b",
        "/a;b=c",
        "/a?x=%26&y=//z",
        "/a%0d%0ax:y",
    ] {
        let answer = call(fake.gate.address, "GET", path, &[], b"").await;
        assert!(answer.text().starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{path}: {}", answer.text());
    }
    for path in ["/a b", "/a\tb", "/a\x7fb", "a", "", "/a\rb", "/a\0b"] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", host(fake.gate.address));
        let before = fake.connections();
        let answer = raw(fake.gate.address, request.as_bytes()).await;
        assert_eq!((answer.status, fake.connections()), (400, before), "{path:?}");
    }
}

#[tokio::test]
async fn other_protocols_are_not_spoken() {
    let fake = Fake::new(Limits::default(), mirror).await;
    let host = host(fake.gate.address);
    for (name, bytes) in [
        ("http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("http 0.9", "GET /\r\n\r\n".to_owned()),
        ("http 3.0", format!("GET / HTTP/3.0\r\nHost: {host}\r\n\r\n")),
        ("connect", format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n")),
        ("trace", format!("TRACE / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")),
        ("star", format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")),
        ("user in host", "GET / HTTP/1.1\r\nHost: a@b\r\nConnection: close\r\n\r\n".to_owned()),
        (
            "other target",
            format!("GET http://evil.com/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        ),
    ] {
        let before = fake.connections();
        let mut stream = TcpStream::connect(fake.gate.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        let refused = all.is_empty() || [400, 405].contains(&parse(&all).status);
        assert!(refused, "{name}: {}", String::from_utf8_lossy(&all));
        assert_eq!(fake.connections(), before, "{name}");
    }
}

#[tokio::test]
async fn a_websocket_is_not_opened_for_another_page() {
    let fake = Fake::new(Limits::default(), echo_websocket).await;
    let address = fake.gate.address;
    let own = format!("http://{}", host(address));
    assert!(Websocket::open(address, "/", &[("Origin", &own)]).await.is_ok());
    let before = fake.connections();
    let suffix = format!("{own}.evil.com");
    let sibling = own.replace("a-notebook", "b-notebook");
    let portal = format!("http://localhost:{}", address.port());
    let user = format!("{own}@evil.com");
    let port = own.replace(&format!(":{}", address.port()), ":1");
    for headers in [
        vec![("Origin", "http://evil.com")],
        vec![("Origin", suffix.as_str())],
        vec![("Origin", sibling.as_str())],
        vec![("Origin", portal.as_str())],
        vec![("Origin", user.as_str())],
        vec![("Origin", port.as_str())],
        vec![("Origin", "null")],
        vec![("Origin", "")],
        vec![("Origin", own.as_str()), ("Origin", "http://evil.com")],
        vec![("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "websocket")],
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Origin", own.as_str()), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "websocket")],
    ] {
        let refused = Websocket::open(address, "/", &headers).await.err();
        assert_eq!(refused.map(|answer| answer.status), Some(403), "{headers:?}");
    }
    assert_eq!(fake.connections(), before, "none was heard of");
}

/// A notebook's own code answers: what it says may spoil its own page, and no other request's.
#[tokio::test]
async fn an_answer_is_one_answer() {
    let said = Arc::new(Mutex::new(String::new()));
    let say = said.clone();
    let serve = move |mut stream: UnixStream| {
        let say = say.clone();
        async move {
            while head(&mut stream).await.is_some() {
                let answer = say.lock().unwrap().clone();
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    };
    let fake = Fake::new(Limits::default(), serve).await;
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    *said.lock().unwrap() = ok.to_owned();
    assert_eq!(call(fake.gate.address, "GET", "/", &[], b"").await.text(), "ok");

    // A second answer behind the first must not be taken for the next request's.
    *said.lock().unwrap() = format!("{ok}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    for _ in 0..5 {
        assert_eq!(call(fake.gate.address, "GET", "/", &[], b"").await.text(), "ok");
    }
    for (name, answer) in [
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk"),
        (
            "both",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ),
        ("signed", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"),
        ("coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("folded", "HTTP/1.1 200 OK\r\nA: b\r\n Content-Length: 2\r\n\r\nok"),
        ("not http", "hello\r\n\r\n"),
        ("switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        ("announcing", &"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100)),
        ("many headers", &format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(1000))),
        ("large head", &format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "b".repeat(100_000))),
    ] {
        *said.lock().unwrap() = answer.to_owned();
        assert_eq!(call(fake.gate.address, "GET", "/", &[], b"").await.status, 502, "{name}");
        assert_eq!(fake.gate.target.in_use(), 0, "{name}");
    }
    // A few announcements are in order.
    *said.lock().unwrap() = format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{ok}");
    assert_eq!(call(fake.gate.address, "GET", "/", &[], b"").await.text(), "ok");
    // Cut off in the middle, an answer is not passed off as whole.
    *said.lock().unwrap() = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX".to_owned();
    let mut stream = TcpStream::connect(fake.gate.address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", host(fake.gate.address));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    assert!(!all.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&all));
}

#[tokio::test]
async fn answers_of_every_framing_arrive() {
    let serve = |mut stream: UnixStream| async move {
        while let Some(head) = head(&mut stream).await {
            let path = head.split(' ').nth(1).unwrap().to_owned();
            let answer = match path.as_str() {
                "/chunked" => {
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n"
                }
                "/none" => "HTTP/1.1 204 No Content\r\n\r\n",
                "/same" => "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n",
                "/head" => "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
                _ => "HTTP/1.0 200 OK\r\n\r\nuntil the end",
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
            if path == "/close" {
                return;
            }
        }
    };
    let fake = Fake::new(Limits::default(), serve).await;
    let address = fake.gate.address;
    for _ in 0..3 {
        assert_eq!(call(address, "GET", "/chunked", &[], b"").await.text(), "abcde");
        assert_eq!(call(address, "GET", "/none", &[], b"").await.status, 204);
        assert_eq!(call(address, "GET", "/same", &[], b"").await.status, 304);
        let head = call(address, "HEAD", "/head", &[], b"").await;
        assert_eq!((head.status, head.header("content-length")), (200, Some("1000")));
    }
    assert_eq!(fake.connections(), 1);
    assert_eq!(call(address, "GET", "/close", &[], b"").await.text(), "until the end");
    assert_eq!(fake.gate.target.in_use(), 0);
}

#[tokio::test]
async fn chunked_requests_are_framed_anew() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    let serve = move |mut stream: UnixStream| {
        let record = record.clone();
        async move {
            let mut bytes = head(&mut stream).await.unwrap().into_bytes();
            while !bytes.ends_with(b"\r\n0\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                bytes.push(byte);
            }
            *record.lock().unwrap() = bytes;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    };
    let fake = Fake::new(Limits::default(), serve).await;
    // Extensions, leading zeros and trailers are where two readers of chunks fall out.
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
         003;a=\"b\"\r\nabc\r\n2\r\nde\r\n0\r\nX-Nbvend-User: evil\r\nTransfer-Encoding: x\r\n\r\n",
        host(fake.gate.address)
    );
    assert_eq!(raw(fake.gate.address, request.as_bytes()).await.status, 200);
    let seen = String::from_utf8(seen.lock().unwrap().clone()).unwrap().to_ascii_lowercase();
    assert!(!seen.contains("evil") && !seen.contains("a=\"b\""), "{seen}");
    assert_eq!(seen.matches("transfer-encoding: chunked\r\n").count(), 1, "{seen}");
    assert!(seen.contains("abc") && seen.contains("de"), "{seen}");
    assert_eq!(fake.gate.target.in_use(), 0);
}
