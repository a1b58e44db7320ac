//! The proxy against notebooks made of a few lines, so that exactly what reaches them can be seen.
use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nbvend_host::jupyter::identity;
use nbvend_host::proxy::{Limits, Target};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};

use crate::support::client::{call, host, raw};
use crate::support::gate::Gate;
use crate::support::websocket::Websocket;

/// A notebook that answers each connection by a function, and counts them.
pub(crate) struct Fake {
    _dir: TempDir,
    pub(crate) gate: Gate,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    pub(crate) async fn new<F>(limits: Limits, serve: impl Fn(UnixStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { gate: Gate::open(target(&socket).with_limits(limits)).await, _dir: dir, connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(crate) fn target(socket: &Path) -> Target {
    Target::new(socket.to_owned(), identity("Demo-User"))
}

/// Reads a request's head; none at the end of the connection.
pub(crate) async fn head(stream: &mut UnixStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

pub(crate) fn length(head: &str) -> usize {
    let line = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    line.map_or(0, |line| line.parse().unwrap())
}

/// Answers each request of a connection with its own head.
pub(crate) async fn mirror(mut stream: UnixStream) {
    while let Some(head) = head(&mut stream).await {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{head}", head.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let fake = Fake::new(Limits::default(), mirror).await;
    for at in 0..20 {
        let answer = call(fake.gate.address, "GET", &format!("/{at}?q=%2F"), &[], b"").await;
        assert_eq!(answer.status, 200);
        let seen = answer.text().to_ascii_lowercase();
        assert!(seen.starts_with(&format!("get /{at}?q=%2f http/1.1\r\n")), "{seen}");
        assert!(seen.contains("x-nbvend-user: demo-user\r\n"), "{seen}");
        assert!(seen.contains(&format!("host: {}\r\n", host(fake.gate.address))), "{seen}");
        assert!(seen.contains("x-forwarded-for: 127.0.0.1\r\n"), "{seen}");
        assert!(!seen.contains("connection:"), "{seen}");
    }
    assert_eq!(fake.connections(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_has_closed_is_replaced() {
    let once = |mut stream: UnixStream| async move {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    };
    let fake = Fake::new(Limits::default(), once).await;
    for _ in 0..20 {
        assert_eq!(call(fake.gate.address, "POST", "/", &[], b"x").await.status, 200);
    }
    assert!(fake.connections() <= 20);
}

#[tokio::test]
async fn bodies_stream_both_ways_however_large() {
    // Sends back while it receives: neither side could wait for the whole.
    let echo = |mut stream: UnixStream| async move {
        let head = head(&mut stream).await.unwrap();
        let length = length(&head);
        stream
            .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let (mut from, mut to) = stream.split();
        let copied = tokio::io::copy(&mut (&mut from).take(length as u64), &mut to).await.unwrap();
        assert_eq!(copied, length as u64);
    };
    let fake = Fake::new(Limits::default(), echo).await;
    let body: Vec<u8> = (0..16_u32 << 20).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let stream = TcpStream::connect(fake.gate.address).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let head = format!(
        "PUT /big HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        host(fake.gate.address),
        body.len()
    );
    let sent = body.clone();
    let sending = tokio::spawn(async move {
        to.write_all(head.as_bytes()).await.unwrap();
        to.write_all(&sent).await.unwrap();
        to
    });
    let mut all = Vec::new();
    from.read_to_end(&mut all).await.unwrap();
    drop(sending.await.unwrap());
    assert!(all.ends_with(&body), "{} bytes came back", all.len());
}

/// The time limit is for notebooks that do not answer, not for people with slow lines.
#[tokio::test]
async fn an_upload_that_moves_may_take_longer_than_an_answer() {
    let patience = Duration::from_secs(3);
    let take = |mut stream: UnixStream| async move {
        let mut body = vec![0; length(&head(&mut stream).await.unwrap())];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    };
    let fake = Fake::new(Limits { head: patience, ..Limits::default() }, take).await;
    let mut stream = TcpStream::connect(fake.gate.address).await.unwrap();
    let steps = 30;
    let head =
        format!("PUT / HTTP/1.1\r\nHost: {}\r\nContent-Length: {steps}\r\n\r\n", host(fake.gate.address));
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..steps {
        tokio::time::sleep(patience / 20).await;
        stream.write_all(b"x").await.unwrap();
    }
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 201");
}

/// Each of these is one request to one server and two to another, or one with a second meaning. None may bring a
/// second request to the notebook.
#[tokio::test]
async fn requests_are_not_smuggled() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    let serve = move |mut stream: UnixStream| {
        let record = record.clone();
        async move {
            while let Some(head) = head(&mut stream).await {
                let mut body = vec![0; length(&head)];
                if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
                    while !body.ends_with(b"0\r\n\r\n") {
                        let Ok(byte) = stream.read_u8().await else { return };
                        body.push(byte);
                    }
                } else {
                    stream.read_exact(&mut body).await.unwrap();
                }
                record.lock().unwrap().push(head.lines().next().unwrap().to_owned());
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            }
        }
    };
    let fake = Fake::new(Limits::default(), serve).await;
    let host = host(fake.gate.address);
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let chunked = format!("{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len());
    let n = smuggled.len();

    // The control: the same request, honest, arrives.
    let honest = format!(
        "POST /1 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {n}\r\n\r\n{smuggled}"
    );
    assert_eq!(raw(fake.gate.address, honest.as_bytes()).await.status, 200);
    assert_eq!(*seen.lock().unwrap(), ["POST /1 HTTP/1.1"]);

    let close = "Connection: close\r\n";
    for (name, request, may_pass) in [
        // The parser drops the length (RFC 9112, 6.3), so that one framing is left and passed on.
        (
            "both, length first",
            format!("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
            true,
        ),
        (
            "both, coding first",
            format!("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{chunked}"),
            true,
        ),
        ("two lengths", format!("Content-Length: 0\r\nContent-Length: {n}\r\n\r\n{smuggled}"), false),
        ("list of lengths", format!("Content-Length: 0, {n}\r\n\r\n{smuggled}"), false),
        ("signed length", format!("Content-Length: +{n}\r\n\r\n{smuggled}"), false),
        ("unknown coding", format!("Transfer-Encoding: xchunked\r\n\r\n{chunked}"), false),
        (
            "coding twice",
            format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n{chunked}"),
            false,
        ),
        ("space before colon", format!("Content-Length : {n}\r\n\r\n{smuggled}"), false),
        ("folded line", format!("X-A: b\r\n Content-Length: {n}\r\n\r\n{smuggled}"), false),
        ("size with a space", format!("Transfer-Encoding: chunked\r\n\r\n5 5\r\n{smuggled}"), false),
        ("size in prefix", format!("Transfer-Encoding: chunked\r\n\r\n0x5\r\n{smuggled}"), false),
        ("signed size", format!("Transfer-Encoding: chunked\r\n\r\n-1\r\n{smuggled}"), false),
        ("longer than it says", format!("Transfer-Encoding: chunked\r\n\r\n1\r\n{smuggled}"), false),
        ("hidden coding", format!("Transfer-Encoding: \x0bchunked\r\n\r\n{chunked}"), false),
        ("bare return", format!("X-A: b\rContent-Length: {n}\r\n\r\n{smuggled}"), false),
        (
            "chunk size overflow",
            format!("Transfer-Encoding: chunked\r\n\r\n1{:016x}\r\n{smuggled}", 0),
            false,
        ),
    ] {
        seen.lock().unwrap().clear();
        let bytes = format!("POST /2 HTTP/1.1\r\nHost: {host}\r\n{close}{request}");
        let answer = raw(fake.gate.address, bytes.as_bytes()).await;
        let seen = seen.lock().unwrap().clone();
        if may_pass {
            assert_eq!(seen, ["POST /2 HTTP/1.1"], "{name}");
        } else {
            assert!(answer.status == 400 || answer.status == 502, "{name}: {answer:?}");
            assert_eq!(seen, Vec::<String>::new(), "{name}");
        }
    }

    for (name, line, headers) in [
        ("foreign target", "GET http://b.localhost/ HTTP/1.1", format!("Host: {host}\r\n")),
        ("no host", "GET / HTTP/1.1", String::new()),
        ("two hosts", "GET / HTTP/1.1", format!("Host: {host}\r\nHost: {host}\r\n")),
        ("host with path", "GET / HTTP/1.1", "Host: a/b\r\n".to_owned()),
    ] {
        seen.lock().unwrap().clear();
        let answer = raw(fake.gate.address, format!("{line}\r\n{headers}{close}\r\n").as_bytes()).await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        assert!(seen.lock().unwrap().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn an_upgrade_to_anything_else_is_an_ordinary_request() {
    let fake = Fake::new(Limits::default(), mirror).await;
    let headers =
        [("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQ"), ("Connection", "Upgrade, HTTP2-Settings")];
    let answer = call(fake.gate.address, "GET", "/", &headers, b"").await;
    assert_eq!(answer.status, 200);
    assert!(!answer.text().to_ascii_lowercase().contains("h2c"), "{}", answer.text());
}

#[tokio::test]
async fn other_pages_are_refused_before_the_notebook_hears_of_it() {
    let fake = Fake::new(Limits::default(), mirror).await;
    let own = format!("http://{}", host(fake.gate.address));
    let evil = format!("{own}.evil.com");
    for (method, headers, status) in [
        ("POST", vec![("Origin", own.as_str())], 200),
        ("POST", vec![("Origin", evil.as_str())], 403),
        ("POST", vec![("Origin", "null")], 403),
        ("DELETE", vec![("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "no-cors")], 403),
        (
            "GET",
            vec![
                ("Sec-Fetch-Site", "same-site"),
                ("Sec-Fetch-Mode", "no-cors"),
                ("Sec-Fetch-Dest", "script"),
            ],
            403,
        ),
        (
            "GET",
            vec![
                ("Sec-Fetch-Site", "same-site"),
                ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Dest", "iframe"),
            ],
            403,
        ),
        (
            "GET",
            vec![
                ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Dest", "document"),
            ],
            200,
        ),
    ] {
        let before = fake.connections();
        let answer = call(fake.gate.address, method, "/", &headers, b"").await;
        assert_eq!(answer.status, status, "{method} {headers:?}");
        assert!(status == 200 || fake.connections() == before, "{method} {headers:?}");
    }
    let refused = Websocket::open(fake.gate.address, "/", &[("Origin", evil.as_str())]).await.err().unwrap();
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_notebook_that_is_gone_is_a_page_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let gate = Gate::open(target(&socket)).await;
    let answer = call(gate.address, "GET", "/", &[("Accept", "text/html")], b"").await;
    assert_eq!((answer.status, answer.header("content-type")), (503, Some("text/html; charset=utf-8")));
    assert!(answer.text().contains("not running"));
    // The socket is there but nobody listens.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let answer = call(gate.address, "GET", "/", &[], b"").await;
    assert_eq!(answer.status, 503);
    assert!(answer.json()["message"].as_str().unwrap().contains("not running"));
    for _ in 0..500 {
        assert_eq!(Websocket::open(gate.address, "/", &[]).await.err().unwrap().status, 503);
    }
    assert_eq!(gate.target.in_use(), 0);
}

#[tokio::test]
async fn a_hung_notebook_costs_a_bounded_number_of_places() {
    let limits = Limits { concurrent: 3, head: Duration::from_millis(400), ..Limits::default() };
    let hung = |stream: UnixStream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    };
    let fake = Fake::new(limits, hung).await;
    let address = fake.gate.address;
    let calls: Vec<_> = (0..20)
        .map(|_| tokio::spawn(async move { call(address, "GET", "/", &[], b"").await.status }))
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap());
    }
    statuses.sort_unstable();
    assert!(statuses.iter().all(|status| [503, 504].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&503) && statuses.contains(&504), "{statuses:?}");
    assert_eq!(fake.gate.target.in_use(), 0);
    assert_eq!(Websocket::open(address, "/", &[]).await.err().unwrap().status, 504);
    assert_eq!(fake.gate.target.in_use(), 0);
}

/// Answers the handshake of a websocket and then mirrors its bytes.
pub(crate) async fn echo_websocket(mut stream: UnixStream) {
    let head = head(&mut stream).await.unwrap().to_ascii_lowercase();
    assert!(
        head.contains("connection: upgrade\r\n") && head.contains("sec-websocket-version: 13\r\n"),
        "{head}"
    );
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    stream.write_all(answer.as_bytes()).await.unwrap();
    let (mut from, mut to) = stream.split();
    let _ = tokio::io::copy(&mut from, &mut to).await;
}

#[tokio::test]
async fn a_websocket_passes_and_ends_with_the_session() {
    let fake = Fake::new(Limits::default(), echo_websocket).await;
    let mut websocket = Websocket::open(fake.gate.address, "/channels", &[]).await.unwrap();
    websocket.send("hello").await;
    // Mirrored, so masked by zero: the mask is the first four bytes.
    assert_eq!(websocket.next().await.as_deref().map(str::len), Some(5));
    assert_eq!(fake.gate.target.in_use(), 1);
    fake.gate.session.cancel();
    while websocket.next().await.is_some() {}
    // What comes after the end is refused.
    assert_eq!(call(fake.gate.address, "GET", "/", &[], b"").await.status, 403);
    assert_eq!(Websocket::open(fake.gate.address, "/", &[]).await.err().unwrap().status, 403);
}

#[tokio::test]
async fn an_answer_under_way_ends_with_the_session() {
    let endless = |mut stream: UnixStream| async move {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin").await.unwrap();
        std::future::pending::<()>().await;
    };
    let fake = Fake::new(Limits::default(), endless).await;
    let mut stream = TcpStream::connect(fake.gate.address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", host(fake.gate.address));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"begin") {
        seen.push(stream.read_u8().await.unwrap());
    }
    fake.gate.session.cancel();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    assert_eq!(fake.gate.target.in_use(), 0);
}

#[tokio::test]
async fn a_switch_nobody_asked_for_is_not_passed_on() {
    let switch = |mut stream: UnixStream| async move {
        head(&mut stream).await;
        let mut answer = Vec::new();
        write!(answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
            .unwrap();
        stream.write_all(&answer).await.unwrap();
        let _ = stream.read_u8().await;
    };
    let fake = Fake::new(Limits::default(), switch).await;
    assert_eq!(call(fake.gate.address, "GET", "/", &[], b"").await.status, 502);
    assert_eq!(fake.gate.target.in_use(), 0);
}
