//! What a client asks of the proxy: `CONNECT host:port`, or a whole `http://` address.

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest head that is read.
const LONGEST: usize = 16 << 10;

/// A request to reach a host.
pub(super) struct Ask {
    pub host: String,
    pub port: u16,
    pub tunnel: bool,
    /// What is sent to the host first, for a plain request.
    pub head: Vec<u8>,
    /// What the client sent after its head.
    pub rest: Vec<u8>,
}

/// Why a request is not served, for a person.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("this proxy takes CONNECT host:443 and http:// addresses")]
    Malformed,
    #[error("the request's head is too long")]
    TooLong,
    #[error("the notebook has too many connections open; close some")]
    Busy,
    #[error("notebooks reach ports 443 and 80 only, not {0}")]
    Port(u16),
    #[error("the host's name cannot be resolved")]
    Unknown,
    #[error("the host is not on the public Internet: notebooks do not reach this machine or its network")]
    Private,
    #[error("the host does not answer")]
    Unreachable,
}

impl Fault {
    pub(super) fn status(&self) -> &'static str {
        match self {
            Self::Malformed => "400 Bad Request",
            Self::TooLong => "431 Request Header Fields Too Large",
            Self::Busy => "429 Too Many Requests",
            Self::Port(_) | Self::Private => "403 Forbidden",
            Self::Unknown | Self::Unreachable => "502 Bad Gateway",
        }
    }
}

pub(super) async fn read(client: &mut (impl AsyncRead + Unpin)) -> Result<Ask, Fault> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if bytes.len() > LONGEST {
            return Err(Fault::TooLong);
        }
        let read = client.read_buf(&mut bytes).await.map_err(|_| Fault::Malformed)?;
        if read == 0 {
            return Err(Fault::Malformed);
        }
    };
    let rest = bytes.split_off(end);
    parse(&bytes, rest).ok_or(Fault::Malformed)
}

fn parse(head: &[u8], rest: Vec<u8>) -> Option<Ask> {
    let text = std::str::from_utf8(head).ok()?;
    let (first, fields) = text.split_once("\r\n")?;
    let [method, target, version @ ("HTTP/1.1" | "HTTP/1.0")] = first.split(' ').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    if method == "CONNECT" {
        let (host, port) = authority(target, None)?;
        return Some(Ask { host, port, tunnel: true, head: Vec::new(), rest });
    }
    let place = target.strip_prefix("http://")?;
    let at = place.find(['/', '?']).unwrap_or(place.len());
    let (host, port) = authority(&place[..at], Some(80))?;
    let path = &place[at..];
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut head = format!("{method} {slash}{path} {version}\r\nHost: {}\r\n", &place[..at]);
    for field in fields.split("\r\n").filter(|field| !field.is_empty()) {
        let (name, _) = field.split_once(':')?;
        // Of this connection alone, or said anew. One request a connection: what follows would not be looked at.
        let ours = ["connection", "proxy-connection", "proxy-authorization", "keep-alive", "host", "upgrade"];
        if !ours.contains(&name.to_ascii_lowercase().as_str()) {
            head.push_str(field);
            head.push_str("\r\n");
        }
    }
    head.push_str("Connection: close\r\n\r\n");
    Some(Ask { host, port, tunnel: false, head: head.into_bytes(), rest })
}

/// `host:port`, `[address]:port`; the port may be left out where there is a usual one.
fn authority(text: &str, usual: Option<u16>) -> Option<(String, u16)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let port = rest.strip_prefix(':').map_or(usual, |port| port.parse().ok())?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        return Some((address.to_owned(), port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, usual?),
    };
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (!host.is_empty() && host.len() < 256 && host.bytes().all(good)).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_asked() {
        let ask = |text: &str| parse(text.as_bytes(), Vec::new());
        let tunnel = ask("CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\n\r\n").unwrap();
        assert_eq!((tunnel.host.as_str(), tunnel.port, tunnel.tunnel), ("pypi.org", 443, true));
        let v6 = ask("CONNECT [2606:4700::1]:443 HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!((v6.host.as_str(), v6.port), ("2606:4700::1", 443));
        let plain =
            ask("GET http://example.org/a?b HTTP/1.1\r\nHost: other\r\nProxy-Authorization: x\r\nAccept: */*\r\n\r\n")
                .unwrap();
        let head = String::from_utf8(plain.head).unwrap();
        assert_eq!(
            head,
            "GET /a?b HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        let bare = ask("GET http://example.org?x HTTP/1.0\r\n\r\n").unwrap();
        assert!(
            String::from_utf8(bare.head).unwrap().starts_with("GET /?x HTTP/1.0\r\nHost: example.org\r\n")
        );
        for bad in [
            "CONNECT pypi.org HTTP/1.1\r\n\r\n",
            "CONNECT user@pypi.org:443 HTTP/1.1\r\n\r\n",
            "CONNECT :443 HTTP/1.1\r\n\r\n",
            "CONNECT pypi.org:99999 HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: pypi.org\r\n\r\n",
            "GET https://pypi.org/ HTTP/1.1\r\n\r\n",
            "GET http://evil@pypi.org/ HTTP/1.1\r\n\r\n",
            "GET http://pypi.org/ HTTP/1.1 x\r\n\r\n",
            "GET http://pypi.org/ HTTP/2\r\n\r\n",
            "nonsense\r\n\r\n",
        ] {
            assert!(ask(bad).is_none(), "{bad:?}");
        }
    }
}
