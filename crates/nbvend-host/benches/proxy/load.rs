//! The load: each connection sends its next request when it has the answer to the last.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Clone)]
pub struct Load {
    pub address: SocketAddr,
    pub websocket: bool,
    pub connections: usize,
    pub time: Duration,
    pub host: String,
    pub cookie: Option<String>,
}

impl Load {
    pub fn run(&self) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut micros, took) = runtime.block_on(async {
            let begun = Instant::now();
            let tasks: Vec<_> =
                (0..self.connections).map(|_| tokio::spawn(connection(self.clone(), begun))).collect();
            let mut micros = Vec::new();
            for task in tasks {
                micros.append(&mut task.await.unwrap());
            }
            (micros, begun.elapsed())
        });
        micros.sort_unstable();
        let at = |share: usize| micros[(micros.len() * share / 1000).min(micros.len() - 1)];
        json!({
            "connections": self.connections,
            "count": micros.len(),
            "per_second": (micros.len() as f64 / took.as_secs_f64()).round(),
            "p50_us": at(500),
            "p99_us": at(990),
            "p999_us": at(999),
        })
    }
}

async fn connection(load: Load, begun: Instant) -> Vec<u32> {
    let mut stream = TcpStream::connect(load.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut head = format!(
        "GET /api/contents/a-notebook.ipynb?content=0 HTTP/1.1\r\nHost: {}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101\r\n\
         Accept: */*\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nSec-Fetch-Site: same-origin\r\n\
         Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n",
        load.host
    );
    if let Some(cookie) = &load.cookie {
        head.push_str(&format!("Cookie: {cookie}\r\n"));
    }
    let mut buffer = vec![0; 16 << 10];
    let mut message = b"0123456789abcdef".to_vec();
    if load.websocket {
        let opening = format!(
            "{head}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(opening.as_bytes()).await.unwrap();
        let read = answer(&mut stream, &mut buffer).await;
        assert!(buffer[..read].starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&buffer[..read]));
    } else {
        head.push_str("\r\n");
        message = head.into_bytes();
    }
    let mut micros = Vec::with_capacity(200_000);
    while begun.elapsed() < load.time {
        let sent = Instant::now();
        stream.write_all(&message).await.unwrap();
        if load.websocket {
            stream.read_exact(&mut buffer[..message.len()]).await.unwrap();
        } else {
            let read = answer(&mut stream, &mut buffer).await;
            assert!(
                buffer[..read].starts_with(b"HTTP/1.1 200"),
                "{}",
                String::from_utf8_lossy(&buffer[..read])
            );
        }
        micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap());
    }
    micros
}

/// Reads one answer with a Content-Length or no body.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(read > 0, "the proxy hung up: {}", String::from_utf8_lossy(&buffer[..filled]));
        filled += read;
        let Some(end) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        if filled >= end + 4 + length(&buffer[..end + 2]) {
            return filled;
        }
    }
}

fn length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"\ncontent-length:";
    let Some(at) = head.windows(NAME.len()).position(|part| part.eq_ignore_ascii_case(NAME)) else {
        return 0;
    };
    let value = &head[at + NAME.len()..];
    let end = value.iter().position(|byte| *byte == b'\r').unwrap();
    std::str::from_utf8(&value[..end]).unwrap().trim().parse().unwrap()
}
