//! The way out, over real sockets: what is reached with permissive rules is refused with the usual ones.

use std::net::{IpAddr, SocketAddr};

use nbvend_host::egress::Egress;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpListener;

/// A host that answers every connection with what it read first.
async fn host() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut bytes = [0; 1024];
                let read = stream.read(&mut bytes).await.unwrap_or(0);
                let _ = stream.write_all(b"heard ").await;
                let _ = stream.write_all(&bytes[..read]).await;
            });
        }
    });
    address
}

/// What the client reads when it says `text` and then waits for the end.
async fn ask(egress: &Egress, text: &str) -> String {
    let (mut client, ours) = duplex(1 << 16);
    let egress = egress.clone();
    let served = tokio::spawn(async move { egress.serve(ours).await });
    client.write_all(text.as_bytes()).await.unwrap();
    let mut heard = String::new();
    client.read_to_string(&mut heard).await.unwrap();
    served.await.unwrap();
    heard
}

fn anywhere(_: IpAddr) -> bool {
    true
}

#[tokio::test]
async fn the_machine_itself_is_out_of_reach() {
    let address = host().await;
    let ports: &'static [u16] = Box::leak(Box::new([address.port()]));
    let open = Egress::with(anywhere, ports);
    let usual = Egress::with(nbvend_host::egress::is_public, ports);
    for name in ["127.0.0.1", "localhost"] {
        let connect = format!("CONNECT {name}:{} HTTP/1.1\r\n\r\nhello", address.port());
        let heard = ask(&open, &connect).await;
        assert!(heard.starts_with("HTTP/1.1 200 ") && heard.ends_with("heard hello"), "{heard}");
        let heard = ask(&usual, &connect).await;
        assert!(heard.starts_with("HTTP/1.1 403 ") && heard.contains("public Internet"), "{heard}");
    }
    let plain = format!("GET http://{address}/x HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
    let heard = ask(&open, &plain).await;
    assert!(heard.starts_with(&format!("heard GET /x HTTP/1.1\r\nHost: {address}\r\n")), "{heard}");
    assert!(ask(&usual, &plain).await.starts_with("HTTP/1.1 403 "));
    let other = ask(&Egress::default(), "CONNECT example.org:22 HTTP/1.1\r\n\r\n").await;
    assert!(other.contains("ports 443 and 80 only, not 22"), "{other}");
    let unknown = ask(&Egress::default(), "CONNECT no-such-host.invalid:443 HTTP/1.1\r\n\r\n").await;
    assert!(unknown.starts_with("HTTP/1.1 502 "), "{unknown}");
    let long = format!("CONNECT a:443 HTTP/1.1\r\nX: {}", "x".repeat(20 << 10));
    assert!(ask(&usual, &long).await.starts_with("HTTP/1.1 431 "));
}
