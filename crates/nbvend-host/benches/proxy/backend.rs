//! The cheapest notebook there can be: every request gets the same small answer, every websocket its bytes back.
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nServer: TornadoServer/6.5\r\nContent-Type: text/plain; charset=UTF-8\r\n\
    Date: Sun, 22 Nov 2026 18:00:00 GMT\r\nContent-Length: 64\r\n\r\n\
    0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub fn run(socket: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = UnixListener::bind(socket).unwrap();
        println!("ready");
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream));
        }
    });
}

async fn serve(mut stream: UnixStream) {
    let mut buffer = vec![0; 16 << 10];
    let mut filled = 0;
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer[filled..]).await else { return };
        filled += read;
        if !buffer[..filled].ends_with(b"\r\n\r\n") {
            continue;
        }
        // A header's name is passed on in lower case by some proxies and as it came by others.
        let upgrade = buffer[..filled].windows(8).any(|part| part.eq_ignore_ascii_case(b"upgrade:"));
        filled = 0;
        if stream.write_all(if upgrade { SWITCH } else { ANSWER }).await.is_err() {
            return;
        }
        if upgrade {
            return echo(stream, buffer).await;
        }
    }
}

async fn echo(mut stream: UnixStream, mut buffer: Vec<u8>) {
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
