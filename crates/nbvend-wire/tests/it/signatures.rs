//! Signatures that botocore made, and what they must not be good for.

use super::{cases, headers, text};
use http::{HeaderMap, HeaderValue};
use nbvend_wire::model::ProtocolKind;
use nbvend_wire::sigv4::{self, Credentials, Signature, ToSign, parse, sha256_hex, signing_key};
use nbvend_wire::{Timestamp, WireError};
use serde_json::Value;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// When the vectors were signed.
const SIGNED: Timestamp = Timestamp(1_795_356_000_000);

/// A request that can be tampered with.
#[derive(Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn of(case: &Value) -> Self {
        Self {
            method: text(case, "method").to_owned(),
            path: text(case, "path").to_owned(),
            query: text(case, "query").to_owned(),
            headers: headers(case),
            body: text(case, "body").as_bytes().to_vec(),
        }
    }

    fn parse(&self) -> Result<Option<Signature>, WireError> {
        parse(&self.method, &self.path, &self.query, &self.headers)
    }

    fn verify(&self, secret: &str, now: Timestamp) -> Result<Signature, WireError> {
        let signature = self.parse()?.expect("the request is signed");
        let key = signing_key(secret, &signature.date, &signature.region, &signature.service);
        let hash = sha256_hex(&self.body);
        signature.verify(&self.method, &self.path, &self.query, &self.headers, &hash, &key, now)?;
        Ok(signature)
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
}

fn requests() -> Vec<(Value, Request)> {
    cases(include_str!("signatures.json"))
        .into_iter()
        .map(|case| (case.clone(), Request::of(&case)))
        .collect()
}

#[test]
fn botocores_signatures_are_accepted() {
    for (case, request) in requests() {
        let signature = request.verify(SECRET, SIGNED.plus_seconds(300)).unwrap();
        assert_eq!(signature.access_key_id, "AKIDEXAMPLE");
        assert_eq!(signature.service, text(&case, "service"));
        assert_eq!((&*signature.region, &*signature.date), ("eu-west-1", "20261122"));
        assert_eq!(signature.timestamp, SIGNED);
        assert_eq!(signature.security_token.as_deref(), case["token"].as_str());
        assert_eq!(signature.query_form, case["query"].as_str().unwrap().contains("X-Amz-Signature"));
        assert_eq!(signature.expires, signature.query_form.then_some(600));
    }
}

#[test]
fn a_changed_request_is_refused() {
    type Change = fn(&mut Request);
    let changes: [(&str, Change); 9] = [
        ("body", |r| r.body.push(b'x')),
        ("method", |r| r.method = "PATCH".to_owned()),
        ("path", |r| r.path.push('x')),
        ("query", |r| r.query.push_str("&x=1")),
        ("host", |r| r.set("host", "elsewhere")),
        ("date", |r| {
            r.set("x-amz-date", "20261122T140100Z");
            r.query = r.query.replace("20261122T140000Z", "20261122T140100Z");
        }),
        ("expiry", |r| r.query = r.query.replace("X-Amz-Expires=600", "X-Amz-Expires=6000")),
        ("token", |r| {
            r.set("x-amz-security-token", "ANOTHER");
            r.query = r.query.replace("SESSION", "ANOTHER");
        }),
        ("target", |r| r.set("x-amz-target", "AmazonSSM.DeleteParameter")),
    ];
    let mut refused = std::collections::BTreeMap::new();
    for (case, request) in requests() {
        for (what, change) in &changes {
            let mut changed = request.clone();
            change(&mut changed);
            let query_form = changed.query.contains("X-Amz-Signature");
            // What is not there cannot be changed, and S3's presigned queries do not sign the body.
            let applies = match *what {
                "body" => !(query_form && text(&case, "service") == "s3"),
                "expiry" => query_form,
                "token" => case["token"].is_string(),
                "target" => request.headers.contains_key("x-amz-target"),
                _ => true,
            };
            if applies {
                let error = changed.verify(SECRET, SIGNED).unwrap_err();
                let expected = if *what == "body" && text(&case, "service") == "s3" {
                    "XAmzContentSHA256Mismatch"
                } else {
                    "SignatureDoesNotMatch"
                };
                assert_eq!(error.code, expected, "{what} of {case}");
                *refused.entry(*what).or_insert(0) += 1;
            }
        }
        let error = request.verify("another secret", SIGNED).unwrap_err();
        assert!(error.message.starts_with("The request signature we calculated does not match"), "{error}");
    }
    assert_eq!(refused.len(), changes.len(), "every change applied to some request: {refused:?}");
}

#[test]
fn a_signature_has_its_time() {
    for (_, request) in requests() {
        let lives = if request.query.contains("X-Amz-Expires") { 600 } else { 900 };
        for (seconds, expected) in [
            (0, None),
            (lives, None),
            (lives + 1, Some("Signature expired: ")),
            (-900, None),
            (-901, Some("Signature not yet current: ")),
        ] {
            let result = request.verify(SECRET, SIGNED.plus_seconds(seconds));
            match expected {
                None => assert!(result.is_ok(), "{seconds}"),
                Some(text) => {
                    let error = result.unwrap_err();
                    assert_eq!((&*error.code, error.status), ("SignatureDoesNotMatch", 403));
                    assert!(error.message.starts_with(text), "{error}");
                }
            }
        }
    }
    let (_, request) = requests().swap_remove(0);
    assert_eq!(
        request.verify(SECRET, SIGNED.plus_seconds(3600)).unwrap_err().message,
        "Signature expired: 20261122T140000Z is now earlier than 20261122T144500Z (20261122T150000Z - 15 min.)"
    );
}

#[test]
fn malformed_signatures_are_told_apart() {
    let unsigned = Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: HeaderMap::new(),
        body: Vec::new(),
    };
    assert_eq!(unsigned.parse(), Ok(None));
    let good = "AWS4-HMAC-SHA256 Credential=A/20261122/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature=00";
    let cases = [
        (
            "Basic YTpi",
            "IncompleteSignature",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. (Hashed",
        ),
        (
            &good.replace(", Signature=00", ""),
            "IncompleteSignature",
            "Authorization header requires 'Signature' parameter. (Hashed",
        ),
        (
            &good.replace("Credential=A", "Credential= A"),
            "IncompleteSignature",
            "'A/20261122/r/s/aws4_request' not a valid key=value pair (missing equal-sign)",
        ),
        (
            &good.replace("/aws4_request", ""),
            "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements",
        ),
        (
            &good.replace("aws4_request", "aws4"),
            "SignatureDoesNotMatch",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'.",
        ),
        (
            &good.replace("20261122", "20261121"),
            "SignatureDoesNotMatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != '20261122', from '20261122T140000Z'.",
        ),
        (
            &good.replace("host;", ""),
            "SignatureDoesNotMatch",
            "'Host' or ':authority' must be a 'SignedHeader'",
        ),
    ];
    for (authorization, code, message) in cases {
        let mut request = unsigned.clone();
        request.set("x-amz-date", "20261122T140000Z");
        request.set("authorization", authorization);
        let error = request.parse().unwrap_err();
        assert_eq!(error.code, code, "{authorization}");
        assert!(error.message.starts_with(message), "{error}");
        assert!(!error.message.contains("YTpi"), "the header is not repeated");
    }
    let mut undated = unsigned.clone();
    undated.set("authorization", good);
    let error = undated.parse().unwrap_err();
    assert!(
        error.message.starts_with(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    );
    undated.set("date", "Sun, 22 Nov 2026 14:00:00 GMT");
    assert_eq!(undated.parse().unwrap().unwrap().timestamp, SIGNED);
    undated.set("x-amz-date", "yesterday");
    assert!(
        undated
            .parse()
            .unwrap_err()
            .message
            .starts_with("Date must be in ISO-8601 'basic format'. Got 'yesterday'.")
    );

    let good = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20261122%2Fr%2Fs%2Faws4_request&X-Amz-Date=20261122T140000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    let query = |query: String| Request { query, ..unsigned.clone() }.parse();
    assert!(query(good.to_owned()).unwrap().is_some());
    for (from, to, message) in [
        (
            "X-Amz-Date=20261122T140000Z&",
            "",
            "AWS query-string parameters must include 'X-Amz-Date'. Re-examine",
        ),
        ("=AWS4-HMAC-SHA256", "=AWS4-X", "Unsupported AWS 'algorithm': 'AWS4-X'."),
        ("Expires=60", "Expires=604801", "X-Amz-Expires must be less than a week"),
        ("Expires=60", "Expires=0", "X-Amz-Expires must be"),
        ("Expires=60", "Expires=x", "X-Amz-Expires should be a number"),
    ] {
        let error = query(good.replace(from, to)).unwrap_err();
        assert!(error.message.starts_with(message), "{error}");
    }
}

#[test]
fn a_stated_hash_must_be_the_bodys() {
    let (_, mut request) = requests().swap_remove(0);
    request.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert_eq!(request.verify(SECRET, SIGNED).unwrap_err().code, "SignatureDoesNotMatch");
    let hash = sha256_hex(&request.body);
    request.set("x-amz-content-sha256", &hash);
    assert!(request.verify(SECRET, SIGNED).is_ok());
}

#[test]
fn a_missing_signed_header_is_refused() {
    let (_, mut request) = requests().swap_remove(0);
    request.headers.remove("x-amz-target");
    assert_eq!(request.verify(SECRET, SIGNED).unwrap_err().code, "SignatureDoesNotMatch");
}

#[test]
fn our_own_signatures_are_botocores() {
    for (case, request) in requests() {
        let service = text(&case, "service");
        let stated = request.parse().unwrap().unwrap();
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: SECRET.to_owned(),
            session_token: case["token"].as_str().map(str::to_owned),
        };
        let own = ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];
        let headers: Vec<(String, String)> = request
            .headers
            .iter()
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let plain: Vec<&str> = request.query.split('&').filter(|pair| !pair.starts_with("X-Amz-")).collect();
        let query = plain.join("&");
        let to_sign = ToSign {
            method: &request.method,
            path: &request.path,
            query: &query,
            headers: &headers,
            body: &request.body,
        };
        let mut signed = request.clone();
        if stated.query_form {
            signed.query = sigv4::presign(&to_sign, &credentials, "eu-west-1", service, SIGNED, 600);
        } else {
            for (name, value) in sigv4::sign(&to_sign, &credentials, "eu-west-1", service, SIGNED) {
                signed.headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            }
        }
        assert_eq!(signed.parse().unwrap().unwrap().signature, stated.signature, "{case}");
        assert!(signed.verify(SECRET, SIGNED).is_ok());
    }
}

#[test]
fn codes_are_the_protocols() {
    let cases = [
        (ProtocolKind::Query, "InvalidClientTokenId", 403, "MissingAuthenticationToken", "ExpiredToken"),
        (
            ProtocolKind::Json("1.1"),
            "UnrecognizedClientException",
            400,
            "MissingAuthenticationTokenException",
            "ExpiredTokenException",
        ),
        (
            ProtocolKind::RestJson,
            "UnrecognizedClientException",
            403,
            "MissingAuthenticationTokenException",
            "ExpiredTokenException",
        ),
    ];
    for (protocol, unknown, status, missing, expired) in cases {
        let error = sigv4::unknown_key(protocol);
        assert_eq!((&*error.code, error.status), (unknown, status));
        assert_eq!(error.message, "The security token included in the request is invalid.");
        assert_eq!(sigv4::missing_token(protocol).code, missing);
        assert_eq!(sigv4::expired_token(protocol).code, expired);
    }
    let error = WireError::new("SignatureDoesNotMatch", 403, "x");
    assert_eq!(sigv4::in_protocol(error, ProtocolKind::RestJson).code, "InvalidSignatureException");
}

#[test]
fn secrets_are_not_printed() {
    let credentials = Credentials {
        access_key_id: "A".into(),
        secret_access_key: SECRET.into(),
        session_token: Some(SECRET.into()),
    };
    let printed = format!("{credentials:?} {:?}", signing_key(SECRET, "20261122", "r", "s"));
    assert!(!printed.contains("wJal") && printed.contains("SigningKey(..)"), "{printed}");
}
