//! What is refused by name before anything is done, because its meaning would be ignored: headers of features that are
//! not served, and subresources the crate does not know (it would take `PUT /bucket?new-thing` for CreateBucket).

use http::Method;
use http::request::Parts;
use nbvend_wire::error::WireError;

/// Headers, and the values that mean nothing and are let through.
const HEADERS: &[(&str, &[&str])] = &[
    ("x-amz-bucket-object-lock-enabled", &["false"]),
    ("x-amz-mfa", &[]),
    ("x-amz-object-lock-legal-hold", &["OFF"]),
    ("x-amz-object-lock-mode", &[]),
    ("x-amz-object-lock-retain-until-date", &[]),
    ("x-amz-object-ownership", &["BucketOwnerEnforced"]),
    ("x-amz-server-side-encryption-context", &[]),
    ("x-amz-server-side-encryption-customer-algorithm", &[]),
    ("x-amz-copy-source-server-side-encryption-customer-algorithm", &[]),
    ("x-amz-storage-class", &["STANDARD"]),
    ("x-amz-website-redirect-location", &[]),
    ("x-amz-write-offset-bytes", &[]),
];

/// Subresources that a bucket has with PUT, POST and DELETE; some are refused later, by name.
const OF_BUCKETS: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "delete",
    "encryption",
    "id",
    "intelligent-tiering",
    "inventory",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "tagging",
    "versioning",
    "website",
    "x-id",
];

/// And those an object has. With a bucket's on an object the crate would write or delete the object itself.
const OF_OBJECTS: &[&str] = &[
    "acl",
    "legal-hold",
    "partNumber",
    "restore",
    "retention",
    "select",
    "select-type",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "x-id",
];

/// With DELETE, these the crate would not see and delete the whole bucket or object.
const NOT_DELETED: &[&str] = &[
    "accelerate",
    "acl",
    "legal-hold",
    "logging",
    "notification",
    "object-lock",
    "requestPayment",
    "retention",
    "uploads",
    "versioning",
    "partNumber",
];

/// With GET and HEAD, these the crate would not see and answer with the object or the list of objects. What AWS does
/// not know either it ignores here, and so does this.
const NOT_READ: &[&str] = &["abac", "annotation", "metadataConfiguration", "metadataTable", "session"];

/// `object` says whether the request is for an object, not for a bucket.
pub(super) fn check(parts: &Parts, account: &str, object: bool) -> Result<(), WireError> {
    let value =
        |name: &str| parts.headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        if value(name).is_some_and(|owner| owner != account) {
            return Err(WireError::new("AccessDenied", 403, "Access Denied"));
        }
    }
    for (name, harmless) in HEADERS {
        if value(name).is_some_and(|value| !harmless.contains(&value.as_str())) {
            return Err(not_served(&format!("the header {name}")));
        }
    }
    // ACLs are off in every bucket; these two say what holds anyway.
    let acl = value("x-amz-acl").is_some_and(|acl| !matches!(&*acl, "private" | "bucket-owner-full-control"));
    if acl || parts.headers.keys().any(|name| name.as_str().starts_with("x-amz-grant-")) {
        return Err(WireError::new("AccessControlListNotSupported", 400, "The bucket does not allow ACLs"));
    }
    let form = value("content-type")
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/form-data"));
    if parts.method == Method::POST && form {
        return Err(not_served("POST of a form"));
    }
    subresource(parts, if object { OF_OBJECTS } else { OF_BUCKETS })
}

fn subresource(parts: &Parts, known: &[&str]) -> Result<(), WireError> {
    for pair in parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default();
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        // Presigned queries may carry headers.
        if name.to_ascii_lowercase().starts_with("x-amz-") {
            continue;
        }
        let refused = match parts.method {
            Method::GET | Method::HEAD => NOT_READ.contains(&&*name),
            Method::DELETE => !known.contains(&&*name) || NOT_DELETED.contains(&&*name),
            Method::PUT | Method::POST => !known.contains(&&*name),
            _ => false,
        };
        if refused {
            return Err(not_served(&format!("{} of ?{name}", parts.method)));
        }
    }
    Ok(())
}

fn not_served(what: &str) -> WireError {
    WireError::new(
        "NotImplemented",
        501,
        format!(
            "A header or query you provided implies functionality that is not implemented: nbvend does not serve {what}"
        ),
    )
}
