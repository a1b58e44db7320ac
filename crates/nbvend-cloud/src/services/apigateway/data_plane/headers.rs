//! Headers on their way in and out: names, and those that API Gateway keeps to itself or renames (developer guide,
//! "Important notes for REST APIs").

use http::{HeaderMap, HeaderName, HeaderValue};

/// Never handed to a function: they belong to the connection.
const NOT_PASSED: [&str; 8] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Answers with these keep them under `x-amzn-Remapped-…`; they are the gateway's own to set.
const REMAPPED: [&str; 9] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "host",
    "server",
    "user-agent",
    "www-authenticate",
];

/// The gateway's own; a function cannot set them at all.
const DROPPED: [&str; 4] = ["transfer-encoding", "x-amz-apigw-id", "x-amzn-requestid", "x-amzn-trace-id"];

/// Whether a function gets to see a header.
pub fn passes(name: &HeaderName) -> bool {
    !NOT_PASSED.contains(&name.as_str())
}

/// `content-type` as clients write it, `Content-Type`. AWS passes names in the client's letter case, which the HTTP
/// library does not keep.
pub fn title_case(name: &str) -> String {
    let mut upper = true;
    let letter = |c: char| {
        let c = if upper { c.to_ascii_uppercase() } else { c };
        upper = c == '-';
        c
    };
    name.chars().map(letter).collect()
}

/// Adds a header of an answer, under the name it may have.
pub fn add(headers: &mut HeaderMap, name: &str, value: &str) {
    let lower = name.to_ascii_lowercase();
    if DROPPED.contains(&lower.as_str()) {
        return;
    }
    let name = if REMAPPED.contains(&lower.as_str()) { format!("x-amzn-remapped-{lower}") } else { lower };
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
        headers.append(name, value);
    }
}

/// Whether a media type is one of the API's binary ones; `*/*` and `image/*` among them.
pub fn is_binary(types: &[String], header: Option<&str>) -> bool {
    let given = header.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    types.iter().any(|known| {
        let known = known.to_ascii_lowercase();
        known == "*/*"
            || known == given
            || known.strip_suffix('*').is_some_and(|start| start.ends_with('/') && given.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_media_types() {
        assert_eq!(title_case("x-amzn-trace-id"), "X-Amzn-Trace-Id");
        assert_eq!(title_case("content-type"), "Content-Type");
        let types = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        for (list, given, expected) in [
            (&["image/png"][..], Some("image/png"), true),
            (&["image/png"], Some("Image/PNG; q=1"), true),
            (&["image/*"], Some("image/gif"), true),
            (&["image/*"], Some("imagex/gif"), false),
            (&["*/*"], None, true),
            (&[], Some("image/png"), false),
        ] {
            assert_eq!(is_binary(&types(list), given), expected, "{list:?} {given:?}");
        }
    }

    #[test]
    fn the_gateways_own_headers_are_not_a_functions_to_set() {
        let mut headers = HeaderMap::new();
        for name in ["Date", "Content-Length", "X-Amzn-RequestId", "Set-Cookie", "bad name"] {
            add(&mut headers, name, "1");
        }
        let names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-amzn-remapped-date", "x-amzn-remapped-content-length", "set-cookie"]);
    }
}
