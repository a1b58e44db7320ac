//! Signature version 2 in a query, and in no other form: boto3 with its default configuration still presigns S3's URLs
//! with it in the oldest regions, and AWS still takes them there. S3's page "Signing and authenticating REST requests
//! (AWS signature version 2)" describes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use nbvend_wire::error::WireError;
use nbvend_wire::timestamp::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::json;
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Parts of the query that say which resource is meant, and so are signed.
const SIGNED: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// What a query may hold beside these and the signature without a change of what is asked for.
const UNSIGNED: &[&str] = &[
    "AWSAccessKeyId",
    "Expires",
    "Signature",
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "prefix",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
    "x-id",
];

/// A signature of version 2 as a query states it.
pub(super) struct QueryV2 {
    pub access_key_id: String,
    pub security_token: Option<String>,
    signature: String,
    /// Seconds since the epoch, as written.
    expires: String,
}

/// What of a request is signed.
pub(super) struct Asked<'a> {
    pub method: &'a str,
    /// The bucket, where the host names it.
    pub bucket: Option<&'a str>,
    /// As sent.
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
}

impl QueryV2 {
    /// The signature a query carries; `None` if it carries none of this version.
    pub(super) fn read(query: &str) -> Result<Option<Self>, WireError> {
        let get = |name: &str| pairs(query).find(|(given, _)| given == name).map(|(_, value)| value);
        let parts = (get("AWSAccessKeyId"), get("Signature"), get("Expires"));
        let (Some(access_key_id), Some(signature), Some(expires)) = parts else {
            if parts.0.is_none() && parts.1.is_none() {
                return Ok(None);
            }
            let text =
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
            return Err(WireError::new("AccessDenied", 403, text));
        };
        Ok(Some(Self { access_key_id, security_token: get("x-amz-security-token"), signature, expires }))
    }

    /// Whether it has not ended.
    pub(super) fn in_time(&self, now: Timestamp) -> Result<(), WireError> {
        let Ok(expires) = self.expires.parse::<i64>() else {
            let text = format!("Invalid date (should be seconds since epoch): {}", self.expires);
            return Err(WireError::new("AccessDenied", 403, text));
        };
        if now.0.div_euclid(1000) <= expires {
            return Ok(());
        }
        let ended = Timestamp(expires.saturating_mul(1000)).iso8601();
        let error = WireError::new("AccessDenied", 403, "Request has expired");
        Err(error.with("Expires", json!(ended)).with("ServerTime", json!(now.iso8601())))
    }

    /// Subresources younger than this version are in no text that it signs: who holds a link could add one to it.
    pub(super) fn covers(query: &str) -> Result<(), WireError> {
        let known = |name: &str| {
            SIGNED.contains(&name)
                || UNSIGNED.contains(&name)
                || name.to_ascii_lowercase().starts_with("x-amz-")
        };
        match pairs(query).find(|(name, _)| !known(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let text = format!("nbvend takes {name} in a query only where signature version 4 signs it");
                Err(WireError::new("AccessDenied", 403, text))
            }
        }
    }

    /// Whether the holder of the secret asked for this.
    pub(super) fn verify(&self, asked: &Asked<'_>, secret: &str) -> bool {
        let header = |name: &str| {
            asked.headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).trim().to_owned())
        };
        let mut text = format!(
            "{}\n{}\n{}\n{}\n",
            asked.method,
            header("content-md5").unwrap_or_default(),
            header("content-type").unwrap_or_default(),
            self.expires
        );
        let sent = asked.headers.keys().filter(|name| name.as_str().starts_with("x-amz-"));
        let sent =
            sent.filter_map(|name| header(name.as_str()).map(|value| (name.as_str().to_owned(), value)));
        // What was a header when it was signed may have been moved into the query, in any case of letters.
        let moved = pairs(asked.query).map(|(name, value)| (name.to_ascii_lowercase(), value));
        let moved = moved.filter(|(name, _)| name.starts_with("x-amz-"));
        let mut amz: Vec<(String, String)> = sent.chain(moved).collect();
        amz.sort();
        for (name, value) in amz {
            text.push_str(&format!("{name}:{value}\n"));
        }
        if let Some(bucket) = asked.bucket {
            text.push_str(&format!("/{bucket}"));
        }
        text.push_str(asked.path);
        let decoded = asked.query.split('&').map(|pair| percent_decode_str(pair).decode_utf8_lossy());
        let mut resource: Vec<_> = decoded.filter(|pair| SIGNED.contains(&name(pair))).collect();
        resource.sort_by(|one, other| name(one).cmp(name(other)));
        for (at, pair) in resource.into_iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.push_str(&pair);
        }
        let mut mac =
            Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
        mac.update(text.as_bytes());
        let made = STANDARD.encode(mac.finalize().into_bytes());
        made.as_bytes().ct_eq(self.signature.as_bytes()).into()
    }
}

fn name(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

/// The decoded pairs of a query. A plus sign is a space, as form encoders write it.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        (decoded(name), decoded(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example() {
        let query = "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";
        let signature = QueryV2::read(query).unwrap().unwrap();
        let headers = HeaderMap::new();
        let asked = Asked {
            method: "GET",
            bucket: Some("johnsmith"),
            path: "/photos/puppy.jpg",
            query,
            headers: &headers,
        };
        assert!(signature.verify(&asked, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
        assert!(!signature.verify(&asked, "another"));
        let other = Asked { path: "/photos/kitten.jpg", ..asked };
        assert!(!signature.verify(&other, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
        let versions = format!("versionId=x&{query}");
        let other = Asked { path: "/photos/puppy.jpg", query: &versions, ..other };
        assert!(!signature.verify(&other, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
        assert!(signature.in_time(Timestamp(1_175_139_620_000)).is_ok());
        assert_eq!(
            signature.in_time(Timestamp(1_175_139_621_000)).unwrap_err().message,
            "Request has expired"
        );
        // What a holder of the link adds is part of what must have been signed, however it is written.
        for added in [
            "X-Amz-Copy-Source=%2Fprivate%2Fsecret",
            "x-amz-copy-source=/private/secret",
            "x%2Damz-acl=private",
            "%76ersionId=x",
            "tagging",
        ] {
            let query = format!("{query}&{added}");
            let other = Asked { path: "/photos/puppy.jpg", query: &query, ..other };
            assert!(!signature.verify(&other, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), "{added}");
        }
        for added in ["publicAccessBlock", "encryption", "%61ttributes", "retention", "Prefix=a"] {
            assert!(QueryV2::covers(&format!("{query}&{added}")).is_err(), "{added}");
        }
        assert!(QueryV2::covers(&format!("{query}&list-type=2&prefix=a&versionId=x")).is_ok());
        assert!(QueryV2::read("AWSAccessKeyId=A&Expires=1").is_err());
        assert!(QueryV2::read("prefix=a").unwrap().is_none());
    }
}
