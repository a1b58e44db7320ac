//! The canonical request and the string to sign.

use super::{ALGORITHM, TERMINATOR, sha256_hex};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What RFC 3986 calls unreserved stays.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

pub(super) fn encode_query(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// The forms a path may have been signed in. S3 signs the path decoded and encoded once; all others encode what was
/// sent once more, with dots and doubled slashes taken out. The second form, where it differs, takes the path as it
/// was sent: botocore does so for S3, other signers elsewhere, and it says no less about the path.
pub(super) fn paths(path: &str, service: &str) -> Vec<String> {
    let path = if path.is_empty() { "/" } else { path };
    let twice = |path: &str| utf8_percent_encode(path, PATH).to_string();
    let (usual, verbatim) = if service == "s3" {
        let bytes: Vec<u8> = percent_decode_str(path).collect();
        (percent_encoding::percent_encode(&bytes, PATH).to_string(), path.to_owned())
    } else {
        (twice(&normalise(path)), twice(path))
    };
    if usual == verbatim { vec![usual] } else { vec![usual, verbatim] }
}

/// Takes `.`, `..` and empty segments out; a slash at the end stays.
fn normalise(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let slash = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end)) && !kept.is_empty();
    format!("/{}{}", kept.join("/"), if slash { "/" } else { "" })
}

/// The forms a query may have been signed in: sorted by encoded name and value, in the query form without the
/// signature itself. The second form, where it differs, leaves the encoding as it was sent (a plus sign stays one).
pub(super) fn queries(query: &str, query_form: bool) -> Vec<String> {
    let own = |pair: &str| query_form && pair.starts_with("X-Amz-Signature=");
    let kept = |pair: &&str| !pair.is_empty() && !own(pair);
    let pairs = || query.split('&').filter(kept).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let again = |text: &str| {
        let bytes: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&bytes, QUERY).to_string()
    };
    let encoded = join(pairs().map(|(name, value)| (again(name), again(value))).collect());
    let verbatim = join(pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    if encoded == verbatim { vec![encoded] } else { vec![encoded, verbatim] }
}

fn join(mut pairs: Vec<(String, String)>) -> String {
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The signed headers' lines; `None` when the request lacks one of them.
pub(super) fn headers(headers: &HeaderMap, signed: &[String]) -> Option<String> {
    let mut lines = String::new();
    for name in signed {
        let mut values = headers.get_all(name.as_str()).iter().peekable();
        values.peek()?;
        lines.push_str(name);
        for (at, value) in values.enumerate() {
            lines.push(if at == 0 { ':' } else { ',' });
            lines.push_str(&collapse(&String::from_utf8_lossy(value.as_bytes())));
        }
        lines.push('\n');
    }
    Some(lines)
}

/// Trimmed, runs of spaces made one.
pub(super) fn collapse(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// One request in its canonical form.
pub(super) struct Canonical<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a str,
    pub(super) signed_headers: &'a str,
    pub(super) payload: &'a str,
}

impl Canonical<'_> {
    fn text(&self) -> String {
        let Self { method, path, query, headers, signed_headers, payload } = self;
        format!("{method}\n{path}\n{query}\n{headers}\n{signed_headers}\n{payload}")
    }

    pub(super) fn string_to_sign(&self, amz_date: &str, date: &str, region: &str, service: &str) -> String {
        let hash = sha256_hex(self.text().as_bytes());
        format!("{ALGORITHM}\n{amz_date}\n{date}/{region}/{service}/{TERMINATOR}\n{hash}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_as_the_service_wants() {
        assert_eq!(paths("", "ssm"), ["/"]);
        assert_eq!(paths("/a%20b/c", "lambda"), ["/a%2520b/c"]);
        assert_eq!(paths("/a//b/../c/./", "lambda"), ["/a/c/", "/a//b/../c/./"]);
        assert_eq!(paths("/..", "lambda")[0], "/");
        assert_eq!(paths("/a%20b/c=d", "s3"), ["/a%20b/c%3Dd", "/a%20b/c=d"]);
        assert_eq!(paths("/a//../b", "s3"), ["/a//../b"]);
    }

    #[test]
    fn queries_are_sorted() {
        assert_eq!(queries("b=2&a=1&a=0&X-Amz-Signature=f&c", true), ["a=0&a=1&b=2&c="]);
        assert_eq!(queries("a=1&X-Amz-Signature=f", false), ["X-Amz-Signature=f&a=1"]);
        assert_eq!(queries("k=a+b", false), ["k=a%2Bb", "k=a+b"]);
        assert_eq!(queries("k=%7e/", false), ["k=~%2F", "k=%7e/"]);
        assert_eq!(queries("", false), [""]);
    }

    #[test]
    fn headers_are_trimmed_and_joined() {
        let mut map = HeaderMap::new();
        map.append("x-a", "  one   two ".parse().unwrap());
        map.append("x-a", "three".parse().unwrap());
        map.append("host", "h:1".parse().unwrap());
        let signed =
            |names: &[&str]| headers(&map, &names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        assert_eq!(signed(&["host", "x-a"]).as_deref(), Some("host:h:1\nx-a:one two,three\n"));
        assert_eq!(signed(&["x-b"]), None);
    }
}
