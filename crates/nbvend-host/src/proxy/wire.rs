//! HTTP/1.1 as a notebook speaks it: an answer's head out of bytes.
//!
//! The notebook runs its user's own code, so that nothing it says is taken on trust: one meaning or none.
use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use super::framing::Framing;

/// Headers in an answer.
const MAX_HEADERS: usize = 128;
/// Bytes in an answer's head.
pub(super) const MAX_HEAD: usize = 64 << 10;

/// What a notebook said makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the notebook's answer is not valid: {0}")]
pub struct Invalid(pub(super) &'static str);

/// An answer's head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Whether another request may follow on this connection.
    pub(super) keeps: bool,
}

/// Takes an answer's head off the front of what has been read; none while it is not whole. Its headers get the room of
/// `spare`, a map that is not needed any more.
pub(super) fn response(buffer: &mut BytesMut, spare: &mut HeaderMap) -> Result<Option<Head>, Invalid> {
    let mut spans = [[0_usize; 4]; MAX_HEADERS];
    let (length, count, status, version) = {
        let mut slots = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let length = match config.parse_response_with_uninit_headers(&mut parsed, buffer, &mut slots) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if buffer.len() < MAX_HEAD => return Ok(None),
            Ok(httparse::Status::Partial) => return Err(Invalid("its head is too long")),
            Err(_) => return Err(Invalid("its head cannot be read")),
        };
        let start = buffer.as_ptr() as usize;
        for (span, header) in spans.iter_mut().zip(parsed.headers.iter()) {
            let (name, value) = (header.name.as_ptr() as usize, header.value.as_ptr() as usize);
            *span = [name - start, header.name.len(), value - start, header.value.len()];
        }
        (length, parsed.headers.len(), parsed.code.unwrap_or(0), parsed.version)
    };
    let status = StatusCode::from_u16(status).map_err(|_| Invalid("its status"))?;
    let bytes = buffer.split_to(length).freeze();
    let headers = collect(&bytes, &spans[..count], std::mem::take(spare))?;
    let mut keeps = version == Some(1);
    for value in headers.get_all(header::CONNECTION) {
        let words = value.to_str().map_err(|_| Invalid("its Connection"))?.split(',');
        keeps &= !words.into_iter().any(|word| word.trim().eq_ignore_ascii_case("close"));
    }
    Ok(Some(Head { status, headers, keeps }))
}

fn collect(bytes: &Bytes, spans: &[[usize; 4]], mut headers: HeaderMap) -> Result<HeaderMap, Invalid> {
    headers.clear();
    for &[name, name_length, value, value_length] in spans {
        let name = HeaderName::from_bytes(&bytes[name..name + name_length])
            .map_err(|_| Invalid("a header's name"))?;
        let value = bytes.slice(value..value + value_length);
        let value = HeaderValue::from_maybe_shared(value).map_err(|_| Invalid("a header's value"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// How an answer's body is framed (RFC 9112, 6.3), refusing what could be read in two ways.
pub(super) fn framing(method: &Method, head: &Head) -> Result<Framing, Invalid> {
    let coded = head.headers.contains_key(header::TRANSFER_ENCODING);
    let mut lengths = head.headers.get_all(header::CONTENT_LENGTH).iter();
    let length = lengths.next();
    if lengths.next().is_some() || (coded && length.is_some()) {
        return Err(Invalid("it has two lengths"));
    }
    let length = length.map(|value| decimal(value.as_bytes()).ok_or(Invalid("its length"))).transpose()?;
    let bodiless = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if *method == Method::HEAD || bodiless || head.status.is_informational() {
        return Ok(Framing::length(0));
    }
    if coded {
        let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
        let plain = codings.next().is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if !plain || codings.next().is_some() {
            return Err(Invalid("its transfer coding"));
        }
        return Ok(Framing::chunked());
    }
    Ok(length.map_or_else(Framing::until_close, Framing::length))
}

/// Digits and nothing else: `+1`, `0x1` and `1, 1` are lengths to some servers.
fn decimal(bytes: &[u8]) -> Option<u64> {
    let digits = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(bytes).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<(Head, BytesMut)>, Invalid> {
        let mut buffer = BytesMut::from(text);
        let mut spare = HeaderMap::from_iter([(header::SERVER, HeaderValue::from_static("another"))]);
        let head = response(&mut buffer, &mut spare)?;
        assert!(!head.as_ref().is_some_and(|head| head.headers.contains_key(header::SERVER)));
        Ok(head.map(|head| (head, buffer)))
    }

    #[test]
    fn a_head_is_taken_off_and_the_rest_left() {
        let text = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX: \r\n\r\nbody";
        let (head, rest) = parse(text).unwrap().unwrap();
        assert_eq!((head.status.as_u16(), head.keeps, &rest[..]), (200, true, &b"body"[..]));
        let cookies: Vec<_> = head.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        for end in 0..text.len() - 5 {
            assert!(parse(&text[..end]).unwrap().is_none(), "{end}");
        }
        for (text, keeps) in [
            ("HTTP/1.0 200 OK\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", true),
        ] {
            assert_eq!(parse(text).unwrap().unwrap().0.keeps, keeps, "{text}");
        }
    }

    #[test]
    fn heads_that_are_none_are_refused() {
        for text in [
            "HTTP/2 200 OK\r\n\r\n",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 99 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA b: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: 1\x002\r\n\r\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse(&format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(MAX_HEAD))).is_err());
        assert!(parse(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: 1\r\n".repeat(MAX_HEADERS + 1))).is_err());
    }

    #[test]
    fn a_body_has_one_framing() {
        let framing_of = |method: Method, status: u16, headers: &str| {
            let (head, _) = parse(&format!("HTTP/1.1 {status} x\r\n{headers}\r\n")).unwrap().unwrap();
            framing(&method, &head).map(|framing| framing.exact()).ok()
        };
        for (headers, want) in [
            ("Content-Length: 5\r\n", Some(Some(5))),
            ("Transfer-Encoding: Chunked\r\n", Some(None)),
            ("", Some(None)),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", None),
            ("Content-Length: +5\r\n", None),
            ("Content-Length: 5, 5\r\n", None),
            ("Content-Length: 99999999999999999999\r\n", None),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", None),
            ("Transfer-Encoding: gzip, chunked\r\n", None),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", None),
        ] {
            assert_eq!(framing_of(Method::GET, 200, headers), want, "{headers:?}");
        }
        assert_eq!(framing_of(Method::HEAD, 200, "Content-Length: 5\r\n"), Some(Some(0)));
        assert_eq!(framing_of(Method::GET, 304, "Content-Length: 5\r\n"), Some(Some(0)));
        assert_eq!(framing_of(Method::GET, 204, ""), Some(Some(0)));
    }
}
