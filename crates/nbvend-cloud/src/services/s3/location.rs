//! Where an object is, from the URLs and host names that people write for it.

use percent_encoding::percent_decode_str;

use crate::config::Config;
use crate::context::Cx;

/// An object named by a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

/// The object of a URL: `s3://bucket/key`, AWS's hosts in path and virtual-host style, and the engine's own address in
/// both. `None` for what is no S3 address, or names no key.
pub fn location(cx: &Cx<'_>, url: &str) -> Option<Location> {
    locate(cx.config(), url)
}

fn locate(config: &Config, url: &str) -> Option<Location> {
    let (rest, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = rest.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let in_path = || path.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key));
    let (bucket, key) = match scheme {
        "s3" => (host.to_owned(), path),
        "http" | "https" => match endpoint(config, host)? {
            Endpoint { bucket: Some(bucket), .. } => (bucket, path),
            Endpoint { bucket: None, .. } => in_path()?,
        },
        _ => return None,
    };
    if bucket.is_empty() || key.is_empty() {
        return None;
    }
    // A key in an s3:// address stands as it is.
    let key = if scheme == "s3" { key.to_owned() } else { decoded(key)? };
    let version = query.split('&').find_map(|pair| pair.strip_prefix("versionId="));
    Some(Location { bucket, key, version_id: version.and_then(decoded) })
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// What the name of a host says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `None` where the bucket stands in the path.
    pub bucket: Option<String>,
    pub region: Option<String>,
}

/// Reads `[bucket.]s3[.dualstack][.region].<domain>`, also with `s3-region`, for AWS's domains, `localhost` and the
/// engine's own; and the engine's bare address, where the bucket stands in the path. `None` for other hosts.
pub fn endpoint(config: &Config, host: &str) -> Option<Endpoint> {
    let host = host.to_ascii_lowercase();
    let (name, port) = split_port(&host);
    let (own, own_port) = split_port(&config.url_suffix);
    let (_, listens) = split_port(config.endpoint.rsplit('/').next().unwrap_or_default());
    let aws = ["amazonaws.com", "amazonaws.com.cn"];
    let ours = port.is_none() || port == own_port || port == listens;
    if ours && (name == own || matches!(name, "localhost" | "127.0.0.1" | "[::1]")) {
        return Some(Endpoint { bucket: None, region: None });
    }
    let domain = aws
        .into_iter()
        .chain(["localhost", own].into_iter().filter(|_| ours))
        .find(|domain| name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))?;
    let labels: Vec<&str> = name[..name.len() - domain.len() - 1].split('.').collect();
    // A bucket's name may have dots and even be `s3`, so the last fitting label counts.
    (0..labels.len()).rev().find_map(|at| {
        let region = match (labels[at], &labels[at + 1..]) {
            ("s3", [] | ["dualstack"]) => None,
            ("s3", ["dualstack", region] | [region]) => Some((*region).to_owned()),
            (label, []) => Some(label.strip_prefix("s3-")?.to_owned()),
            _ => return None,
        };
        let bucket = (at > 0).then(|| labels[..at].join("."));
        Some(Endpoint { bucket, region })
    })
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (name, Some(port))
        }
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn urls_and_what_they_name() {
        let world = World::new();
        let config = Config { url_suffix: "box.example:4566".to_owned(), ..world.engine.config().clone() };
        let at = |url: &str| locate(&config, url).map(|l| (l.bucket, l.key, l.version_id));
        let names = |bucket: &str| Some((bucket.to_owned(), "d/a b.yml".to_owned(), None));
        for url in [
            "s3://b/d/a b.yml",
            "https://b.s3.amazonaws.com/d/a%20b.yml",
            "https://b.s3.eu-west-1.amazonaws.com/d/a%20b.yml",
            "https://b.s3-eu-west-1.amazonaws.com/d%2Fa%20b.yml",
            "https://b.s3.dualstack.eu-west-1.amazonaws.com/d/a%20b.yml",
            "https://s3.amazonaws.com/b/d/a%20b.yml",
            "https://s3.eu-west-1.amazonaws.com/b/d/a%20b.yml",
            "https://s3-eu-west-1.amazonaws.com/b/d/a%20b.yml",
            "https://b.s3.cn-north-1.amazonaws.com.cn/d/a%20b.yml",
            "http://localhost:4566/b/d/a%20b.yml",
            "http://127.0.0.1:4566/b/d/a%20b.yml",
            "https://box.example:4566/b/d/a%20b.yml",
            "https://b.s3.box.example:4566/d/a%20b.yml",
            "http://b.s3.localhost:4566/d/a%20b.yml",
            "http://b.s3.eu-west-1.localhost:4566/d/a%20b.yml",
            "http://s3.localhost:4566/b/d/a%20b.yml",
        ] {
            assert_eq!(at(url), names("b"), "{url}");
        }
        assert_eq!(at("https://my.s3.data.s3.us-east-1.amazonaws.com/d/a%20b.yml"), names("my.s3.data"));
        let version =
            at("https://b.s3.amazonaws.com/k?versionId=x%2F1&a=b").and_then(|(_, _, version)| version);
        assert_eq!(version.as_deref(), Some("x/1"));
        for url in [
            "https://example.com/b/k",
            "ftp://b.s3.amazonaws.com/k",
            "https://b.s3.amazonaws.com/",
            "https://s3.amazonaws.com/b",
            "http://localhost:9999/b/k",
            "https://b.s3.amazonaws.com.evil/k",
            "https://s3evil.amazonaws.com/b/k",
            "https://ec2.amazonaws.com/b/k",
            "nothing",
        ] {
            assert_eq!(at(url), None, "{url}");
        }
    }
}
