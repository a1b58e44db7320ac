//! What clients and notebooks that misbehave may cost: time, connections, descriptors and memory are bounded, and others
//! are served meanwhile.
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nbvend_host::listen;
use nbvend_host::proxy::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};

use crate::proxy::{echo_websocket, head, length, mirror, target};
use crate::support::again::alone;
use crate::support::client::{call, host, raw};
use crate::support::gate::Gate;
use crate::support::websocket::Websocket;

async fn open<F>(
    limits: Limits,
    outer: listen::Limits,
    serve: impl Fn(UnixStream) -> F + Send + 'static,
) -> (tempfile::TempDir, Gate)
where
    F: Future<Output = ()> + Send + 'static,
{
    let dir = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(dir.path().join("s")).unwrap();
    let gate = Gate::with_limits(target(&dir.path().join("s")).with_limits(limits), outer).await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    (dir, gate)
}

async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn closes_within(stream: &mut TcpStream, most: Duration) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(most, stream.read_to_end(&mut rest)).await.expect("the connection is ended");
    rest
}

#[tokio::test]
async fn a_head_that_dribbles_in_and_a_connection_that_idles_are_ended() {
    let limit = Duration::from_secs(2);
    let outer = listen::Limits { head: limit, ..Default::default() };
    let (_dir, gate) = open(Limits::default(), outer, mirror).await;
    // The control: a head in two pieces is served, if both come in time.
    let whole = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", host(gate.address));
    let (front, back) = whole.split_at(20);
    let mut stream = TcpStream::connect(gate.address).await.unwrap();
    stream.write_all(front.as_bytes()).await.unwrap();
    tokio::time::sleep(limit / 5).await;
    stream.write_all(back.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    // And then the same connection idles.
    closes_within(&mut stream, limit * 5).await;

    let mut slow = TcpStream::connect(gate.address).await.unwrap();
    let begun = Instant::now();
    for byte in whole.as_bytes() {
        if slow.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(limit / 10).await;
    }
    assert!(begun.elapsed() < limit * 9, "{:?}", begun.elapsed());
    assert!(!closes_within(&mut slow, limit * 5).await.starts_with(b"HTTP/1.1 200"));
    eventually("all seats are free", || gate.crowd.is_empty()).await;
}

#[tokio::test]
async fn heads_are_bounded_in_size_and_number() {
    let (_dir, gate) = open(Limits::default(), listen::Limits::default(), mirror).await;
    let most = listen::Limits::default().head_bytes;
    for (size, number, good) in
        [(1000, 1, true), (most / 2, 1, true), (10, 90, true), (3 * most, 1, false), (10, 200, false)]
    {
        let headers: String = (0..number).map(|at| format!("x-{at}: {}\r\n", "a".repeat(size))).collect();
        let request =
            format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", host(gate.address));
        let answer = raw(gate.address, request.as_bytes()).await;
        assert_eq!(answer.status, if good { 200 } else { 431 }, "{size} {number}");
    }
    let line = format!("GET /{} HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(3 * most), host(gate.address));
    let answer = raw(gate.address, line.as_bytes()).await;
    assert!([414, 431].contains(&answer.status), "{answer:?}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go() {
    let endless = |mut stream: UnixStream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await;
        while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
    };
    let stall = Duration::from_secs(3);
    let outer = listen::Limits { stall, ..Default::default() };
    let (_dir, gate) = open(Limits::default(), outer, endless).await;
    // The control: one that reads may go on for longer than that.
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", host(gate.address));
    let mut reader = TcpStream::connect(gate.address).await.unwrap();
    reader.write_all(request.as_bytes()).await.unwrap();
    let begun = Instant::now();
    let mut buffer = vec![0; 1 << 20];
    while begun.elapsed() < stall * 2 {
        assert!(reader.read(&mut buffer).await.unwrap() > 0);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(reader);
    let mut stuck = TcpStream::connect(gate.address).await.unwrap();
    stuck.write_all(request.as_bytes()).await.unwrap();
    eventually("it is served", || gate.target.in_use() >= 1).await;
    eventually("it is let go", || gate.target.in_use() == 0 && gate.crowd.is_empty()).await;
    drop(stuck);
}

#[tokio::test]
async fn a_websocket_that_does_not_read_is_let_go() {
    let outer = listen::Limits { stall: Duration::from_secs(1), ..Default::default() };
    let flood = |mut stream: UnixStream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(SWITCH).await;
        while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
    };
    let (_dir, gate) = open(Limits::default(), outer, flood).await;
    let websocket = Websocket::open(gate.address, "/", &[]).await.unwrap();
    assert_eq!(gate.target.in_use(), 1);
    eventually("it is let go", || gate.target.in_use() == 0 && gate.crowd.is_empty()).await;
    drop(websocket);
}

#[tokio::test]
async fn a_notebook_that_takes_no_frames_is_let_go() {
    let deaf = |mut stream: UnixStream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(SWITCH).await;
        std::future::pending::<()>().await;
    };
    let limits = Limits { stall: Duration::from_secs(1), ..Limits::default() };
    let (_dir, gate) = open(limits, listen::Limits::default(), deaf).await;
    let mut websocket = Websocket::open(gate.address, "/", &[]).await.unwrap();
    // Idling is no fault.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(gate.target.in_use(), 1);
    let flood = tokio::spawn(async move {
        let text = "x".repeat(60_000);
        loop {
            websocket.send(&text).await;
        }
    });
    eventually("it is let go", || gate.target.in_use() == 0 && gate.crowd.is_empty()).await;
    flood.abort();
}

const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[tokio::test]
async fn connections_are_bounded_and_the_idlest_makes_room() {
    let outer = listen::Limits { connections: 8, ..Default::default() };
    let done = Arc::new(tokio::sync::Semaphore::new(0));
    let wait = Arc::clone(&done);
    let slow = move |mut stream: UnixStream| {
        let wait = Arc::clone(&wait);
        async move {
            while let Some(head) = head(&mut stream).await {
                if head.starts_with("GET /slow") {
                    wait.acquire().await.unwrap().forget();
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            }
        }
    };
    let (_dir, gate) = open(Limits::default(), outer, slow).await;
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(TcpStream::connect(gate.address).await.unwrap());
    }
    eventually("all seats are taken", || gate.crowd.len() == 8).await;
    // A hundred more come and are served, each in the place of one that only waits.
    for _ in 0..100 {
        assert_eq!(call(gate.address, "GET", "/", &[], b"").await.status, 200);
        assert!(gate.crowd.len() <= 8);
    }
    closes_within(&mut idle[0], Duration::from_secs(30)).await;
    drop(idle);
    eventually("they have gone", || gate.crowd.is_empty()).await;
    // Those with a request under way stay, and the next is told.
    let address = gate.address;
    let busy: Vec<_> = (0..8)
        .map(|_| tokio::spawn(async move { call(address, "GET", "/slow", &[], b"").await.status }))
        .collect();
    eventually("all are busy", || gate.target.in_use() == 8).await;
    let mut told = TcpStream::connect(address).await.unwrap();
    assert!(closes_within(&mut told, Duration::from_secs(30)).await.starts_with(b"HTTP/1.1 503"));
    done.add_permits(busy.len());
    for call in busy {
        assert_eq!(call.await.unwrap(), 200);
    }
}

#[tokio::test]
async fn an_upload_that_stops_is_ended() {
    let take = |mut stream: UnixStream| async move {
        let mut body = vec![0; length(&head(&mut stream).await.unwrap())];
        let _ = stream.read_exact(&mut body).await;
    };
    let limits = Limits { stall: Duration::from_millis(500), ..Limits::default() };
    let (_dir, gate) = open(limits, listen::Limits::default(), take).await;
    let mut stream = TcpStream::connect(gate.address).await.unwrap();
    let request =
        format!("PUT / HTTP/1.1\r\nHost: {}\r\nContent-Length: 100\r\n\r\nhalf", host(gate.address));
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = closes_within(&mut stream, Duration::from_secs(10)).await;
    assert!(answer.starts_with(b"HTTP/1.1 502"), "{}", String::from_utf8_lossy(&answer));
    eventually("its place is free", || gate.target.in_use() == 0).await;
}

/// A million small frames are many, but not all there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_small_frames_leaves_room_for_others() {
    let both = |mut stream: UnixStream| async move {
        let first = head(&mut stream).await.unwrap();
        if first.to_ascii_lowercase().contains("upgrade: websocket") {
            stream.write_all(SWITCH).await.unwrap();
            let (mut from, mut to) = stream.split();
            let _ = tokio::io::copy(&mut from, &mut to).await;
            return;
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            .await
            .unwrap();
    };
    let (_dir, gate) = open(Limits::default(), listen::Limits::default(), both).await;
    let address = gate.address;
    let flood = tokio::spawn(async move {
        let opening = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            host(address)
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(opening.as_bytes()).await.unwrap();
        let mut agreed = vec![0; 0];
        while !agreed.ends_with(b"\r\n\r\n") {
            agreed.push(stream.read_u8().await.unwrap());
        }
        let (mut from, mut to) = stream.into_split();
        let frames = b"\x81\x82\0\0\0\0hi".repeat(1000);
        let total = frames.len() as u64 * 1000;
        let back = tokio::spawn(async move {
            tokio::io::copy(&mut (&mut from).take(total), &mut tokio::io::sink()).await.unwrap()
        });
        for _ in 0..1000 {
            to.write_all(&frames).await.unwrap();
        }
        assert_eq!(back.await.unwrap(), total);
    });
    let (mut slowest, mut count) = (Duration::ZERO, 0);
    while !flood.is_finished() {
        let begun = Instant::now();
        assert_eq!(call(address, "GET", "/", &[], b"").await.status, 200);
        slowest = slowest.max(begun.elapsed());
        count += 1;
    }
    flood.await.unwrap();
    assert!(
        count >= 1 && slowest < Duration::from_secs(10),
        "{count} requests, the slowest took {slowest:?}"
    );
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_websockets_to_nobody_leave_nothing_behind() {
    if !alone("proxy_limits::ten_thousand_websockets_to_nobody_leave_nothing_behind").await {
        return;
    }
    // Hears everything, says nothing, and closes its end when the proxy closes its own.
    let hung = |mut stream: UnixStream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    let limits = Limits { head: Duration::from_millis(50), concurrent: 16, ..Limits::default() };
    let (dir, hung) = open(limits, listen::Limits::default(), hung).await;
    // One whose queue nobody empties: connecting itself does not come to an end.
    let full = dir.path().join("full");
    let listener = std::os::unix::net::UnixListener::bind(&full).unwrap();
    let limits = Limits { connect: Duration::from_millis(50), ..limits };
    let full = Gate::open(target(&full).with_limits(limits)).await;
    let dead = Gate::open(target(&dir.path().join("nobody"))).await;
    // The control: descriptors of what is open do count.
    let idle = descriptors();
    let some: Vec<_> = (0..10).map(|_| std::net::TcpStream::connect(dead.address).unwrap()).collect();
    eventually("ten more are open", || descriptors() >= idle + 20).await;
    drop(some);
    eventually("and closed", || descriptors() <= idle).await;

    for (gate, statuses) in [(&dead, &[503][..]), (&hung, &[503, 504]), (&full, &[503, 504])] {
        let address = gate.address;
        let calls: Vec<_> = (0..100)
            .map(|_| {
                tokio::spawn(async move {
                    let mut seen = Vec::new();
                    for _ in 0..100 {
                        seen.push(Websocket::open(address, "/", &[]).await.err().unwrap().status);
                    }
                    seen
                })
            })
            .collect();
        for call in calls {
            for status in call.await.unwrap() {
                assert!(statuses.contains(&status), "{status}");
            }
        }
        eventually("no place is taken", || gate.target.in_use() == 0 && gate.crowd.is_empty()).await;
    }
    eventually("no descriptor is left", || descriptors() <= idle).await;
    drop(listener);
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gibibyte_passes_through_bounded_memory() {
    if !alone("proxy_limits::a_gibibyte_passes_through_bounded_memory").await {
        return;
    }
    const SIZE: u64 = 1 << 30;
    let give_and_take = |mut stream: UnixStream| async move {
        let first = head(&mut stream).await.unwrap();
        let mut buffer = vec![b'x'; 256 << 10];
        if first.starts_with("GET") {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            for _ in 0..SIZE / buffer.len() as u64 {
                stream.write_all(&buffer).await.unwrap();
            }
        } else {
            let mut seen = 0;
            // Slow to begin with, so that whatever can fill up does.
            tokio::time::sleep(Duration::from_secs(1)).await;
            while seen < SIZE {
                seen += stream.read(&mut buffer).await.unwrap() as u64;
            }
            stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    };
    let (_dir, gate) = open(Limits::default(), listen::Limits::default(), give_and_take).await;
    let mut buffer = vec![b'x'; 256 << 10];
    let before = resident();
    let mut most = before;

    let mut stream = TcpStream::connect(gate.address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", host(gate.address));
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut seen = 0;
    for turn in 0.. {
        let read = stream.read(&mut buffer).await.unwrap() as u64;
        if read == 0 {
            break;
        }
        seen += read;
        if turn % 64 == 0 {
            most = most.max(resident());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert!(seen > SIZE, "{seen}");

    let mut stream = TcpStream::connect(gate.address).await.unwrap();
    let request = format!("PUT / HTTP/1.1\r\nHost: {}\r\nContent-Length: {SIZE}\r\n\r\n", host(gate.address));
    stream.write_all(request.as_bytes()).await.unwrap();
    for turn in 0..SIZE / buffer.len() as u64 {
        stream.write_all(&buffer).await.unwrap();
        if turn % 64 == 0 {
            most = most.max(resident());
        }
    }
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 201");
    assert!(most - before < 16 << 20, "{} MiB more than the {} before", (most - before) >> 20, before >> 20);
}

#[tokio::test]
async fn what_follows_the_agreement_to_a_websocket_is_not_lost() {
    let eager = |mut stream: UnixStream| async move {
        head(&mut stream).await;
        stream.write_all(&[SWITCH, b"\x81\x05first"].concat()).await.unwrap();
        let _ = stream.read_u8().await;
    };
    let (_dir, gate) = open(Limits::default(), listen::Limits::default(), eager).await;
    let mut websocket = Websocket::open(gate.address, "/", &[]).await.unwrap();
    assert_eq!(websocket.next().await.as_deref(), Some("first"));
    let (_dir, gate) = open(Limits::default(), listen::Limits::default(), echo_websocket).await;
    let mut websocket = Websocket::open(gate.address, "/", &[]).await.unwrap();
    websocket.send("x").await;
    assert!(websocket.next().await.is_some());
}
