//! AWS Signature Version 4 for one shape of request: a POST of JSON to a path without a query.

use std::fmt::Write;
use std::time::SystemTime;

use ring::{digest, hmac};

use crate::clock::amz_date;

/// The credentials of the function's role.
pub struct Key {
    pub id: String,
    pub secret: String,
    /// Present for a role's temporary credentials, as in every function.
    pub session_token: Option<String>,
}

/// What is signed.
pub struct Request<'a> {
    pub url: &'a str,
    pub service: &'a str,
    pub target: &'a str,
    pub body: &'a str,
}

/// The headers to send: those that are signed, and `authorization`.
pub fn headers(
    key: &Key,
    region: &str,
    request: &Request<'_>,
    now: SystemTime,
) -> Vec<(&'static str, String)> {
    let (host, path) = host_and_path(request.url);
    let date = amz_date(now);
    // In the order of their names, as the signature wants them.
    let mut headers = vec![
        ("content-type", "application/x-amz-json-1.1".to_owned()),
        ("host", host.to_owned()),
        ("x-amz-date", date.clone()),
    ];
    if let Some(token) = &key.session_token {
        headers.push(("x-amz-security-token", token.clone()));
    }
    headers.push(("x-amz-target", request.target.to_owned()));

    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut canonical = format!("POST\n{path}\n\n");
    for (name, value) in &headers {
        canonical.push_str(&format!("{name}:{value}\n"));
    }
    canonical.push_str(&format!("\n{names}\n{}", sha256(request.body.as_bytes())));

    let day = &date[..8];
    let scope = format!("{day}/{region}/{}/aws4_request", request.service);
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut derived = mac(format!("AWS4{}", key.secret).as_bytes(), day);
    for part in [region, request.service, "aws4_request"] {
        derived = mac(derived.as_ref(), part);
    }
    let signature = hex(mac(derived.as_ref(), &text).as_ref());
    let credential = format!("{}/{scope}", key.id);
    headers.push((
        "authorization",
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"),
    ));
    headers
}

/// `host:port` as it goes into the Host header (a scheme's own port is left out), and the path.
fn host_and_path(url: &str) -> (&str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let own_port = if scheme == "http" { ":80" } else { ":443" };
    (authority.strip_suffix(own_port).unwrap_or(authority), if path.is_empty() { "/" } else { path })
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn sha256(data: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, data).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    /// The worked example in AWS's documentation of the signing key (secret, 20150830, us-east-1, iam).
    #[test]
    fn signing_key_of_the_documentation() {
        let mut derived = mac(b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830");
        for part in ["us-east-1", "iam", "aws4_request"] {
            derived = mac(derived.as_ref(), part);
        }
        assert_eq!(hex(derived.as_ref()), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn hosts_and_paths() {
        let cases = [
            ("https://ssm.eu-west-1.amazonaws.com/", "ssm.eu-west-1.amazonaws.com", "/"),
            ("http://localhost:4566/", "localhost:4566", "/"),
            ("http://[::1]:4566/aws/", "[::1]:4566", "/aws/"),
            ("https://engine.example:443/", "engine.example", "/"),
            ("http://engine.example:80/", "engine.example", "/"),
            ("http://engine.example:443", "engine.example:443", "/"),
        ];
        for (url, host, path) in cases {
            assert_eq!(host_and_path(url), (host, path));
        }
    }

    /// Signatures that botocore makes of the same requests, with and without a session token.
    #[test]
    fn signatures_of_botocore() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let request = Request {
            url: "http://localhost:4566/",
            service: "ssm",
            target: "AmazonSSM.PutParameter",
            body: r#"{"Name":"/a","Value":"é"}"#,
        };
        let cases = [
            (None, "d56f6e90ac4f850f3d7fe9d4a00ac6d735cde308c9266be0907fe7e100000d3f"),
            (Some("token/+="), "93c7fe76bebb923ad0cfb9499eae0cde7dedcef58e9870cb33a552734f6a87e4"),
        ];
        for (token, signature) in cases {
            let key = Key {
                id: "AKIDEXAMPLE".to_owned(),
                secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
                session_token: token.map(str::to_owned),
            };
            let headers = headers(&key, "us-east-1", &request, now);
            let (_, authorization) = headers.last().unwrap();
            assert_eq!(authorization.rsplit_once('=').unwrap().1, signature);
        }
    }
}
