//! Where a template comes from: the request's body, or an S3 URL read as the caller.

use percent_encoding::percent_decode_str;

use super::error::Error;
use crate::context::Cx;
use crate::services::s3::object::GetObject;

/// Characters of a TemplateBody; the model has only the lower bound, the service refuses more (recorded).
const LARGEST_BODY: usize = 51_200;
/// Bytes of a template at a URL, as the quotas page has it.
const LARGEST_OBJECT: u64 = 1_000_000;

/// The template's text, or `None` if the request names no source.
pub fn text(cx: &mut Cx<'_>, body: Option<&str>, url: Option<&str>) -> Result<Option<String>, Error> {
    match (body, url) {
        (Some(_), Some(_)) => {
            Err(Error::validation("Only one of TemplateBody or TemplateURL may be specified at a time."))
        }
        // Service Catalog hands on what it read itself, which may be as large as an object.
        (Some(body), None) if cx.caller.invoked_by.is_none() && body.chars().count() > LARGEST_BODY => {
            Err(Error::Validation(format!(
                "1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy constraint: \
             Member must have length less than or equal to {LARGEST_BODY}"
            )))
        }
        (Some(body), None) => Ok(Some(body.to_owned())),
        (None, Some(url)) => fetch(cx, url).map(Some),
        (None, None) => Ok(None),
    }
}

fn fetch(cx: &mut Cx<'_>, url: &str) -> Result<String, Error> {
    let place = locate(url, &cx.config().url_suffix, &cx.config().endpoint)?;
    let get = GetObject { bucket: place.bucket, key: place.key, version_id: place.version };
    let object = cx.call(get).map_err(|error| {
        Error::Validation(format!(
            "S3 error: {}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
            error.message
        ))
    })?;
    if object.content_length > LARGEST_OBJECT {
        return Err(Error::Validation(format!("Template may not exceed {LARGEST_OBJECT} bytes in size.")));
    }
    let bytes = cx.tx.blobs().read(&object.blob)?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Error::validation("Template format error: the template is not UTF-8 text"))
}

#[derive(Debug, PartialEq)]
struct Place {
    bucket: String,
    key: String,
    version: Option<String>,
}

/// The object of a URL in one of S3's forms: AWS's own hosts, and the engine's address.
fn locate(url: &str, suffix: &str, endpoint: &str) -> Result<Place, Error> {
    let unsupported = || Error::validation("TemplateURL must be a supported URL.");
    if let Some(rest) = url.strip_prefix("s3://") {
        let bucket = rest.split('/').next().unwrap_or_default();
        return Err(Error::Validation(format!(
            "S3 error: Domain name specified in {bucket} is not a valid S3 domain"
        )));
    }
    let rest =
        url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or_else(unsupported)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = rest.split_once('/').ok_or_else(unsupported)?;
    let host = host.to_ascii_lowercase();
    let (bucket, key) = match bucket_of(&host, suffix, endpoint).ok_or_else(unsupported)? {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key)).ok_or_else(unsupported)?,
    };
    if bucket.is_empty() || key.is_empty() {
        return Err(unsupported());
    }
    let key = percent_decode_str(key).decode_utf8().map_err(|_| unsupported())?.into_owned();
    let version = query.split('&').find_map(|pair| pair.strip_prefix("versionId=")).map(str::to_owned);
    Ok(Place { bucket, key, version })
}

/// `Some(None)` for a host that takes the bucket in its path; `None` for one that is not S3.
fn bucket_of(host: &str, suffix: &str, endpoint: &str) -> Option<Option<String>> {
    if let Some(name) = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))
    {
        // `s3`, `s3.REGION`, `s3-REGION`, each after `BUCKET.` or alone; a bucket's name may have dots.
        if is_s3(name) {
            return Some(None);
        }
        let split = name.match_indices('.').find(|(at, _)| is_s3(&name[at + 1..]))?;
        return Some(Some(name[..split.0].to_owned()));
    }
    let port = |text: &str| text.rsplit_once(':').map(|(_, port)| port.trim_end_matches('/').to_owned());
    let (name, given) = match host.rsplit_once(':') {
        Some((name, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => (name, Some(digits.to_owned())),
        _ => (host, None),
    };
    let ours = given.is_none() || given == port(endpoint) || given == port(suffix);
    let own = suffix.split(':').next().unwrap_or(suffix);
    if !ours {
        return None;
    }
    if name == own || name == format!("s3.{own}") || matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
        return Some(None);
    }
    let virtual_host =
        name.strip_suffix(&format!(".s3.{own}")).or_else(|| name.strip_suffix(".s3.localhost"));
    virtual_host.map(|bucket| Some(bucket.to_owned()))
}

/// `s3`, `s3.eu-west-1`, `s3-eu-west-1`, `s3.dualstack.eu-west-1`.
fn is_s3(name: &str) -> bool {
    let region = match name.strip_prefix("s3") {
        Some("") => return true,
        Some(rest) => rest.strip_prefix(".dualstack").unwrap_or(rest),
        None => return false,
    };
    let Some(region) = region.strip_prefix(['.', '-']) else { return false };
    !region.contains('.') && region.contains('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_objects() {
        let at = |url: &str| {
            locate(url, "localhost:4566", "http://127.0.0.1:4566").map(|p| (p.bucket, p.key)).ok()
        };
        let want = |bucket: &str, key: &str| Some((bucket.to_owned(), key.to_owned()));
        for url in [
            "https://b.s3.amazonaws.com/d/t.yml",
            "https://b.s3.eu-west-1.amazonaws.com/d/t.yml",
            "https://b.s3-eu-west-1.amazonaws.com/d/t.yml?versionId=3",
            "https://s3.amazonaws.com/b/d/t.yml",
            "https://s3.eu-west-1.amazonaws.com/b/d/t.yml",
            "https://s3-eu-west-1.amazonaws.com/b/d%2Ft.yml",
            "http://localhost:4566/b/d/t.yml",
            "https://127.0.0.1:4566/b/d/t.yml",
            "http://b.s3.localhost:4566/d/t.yml",
        ] {
            assert_eq!(at(url), want("b", "d/t.yml"), "{url}");
        }
        assert_eq!(at("https://a.b.s3.us-east-1.amazonaws.com/k"), want("a.b", "k"));
        for url in [
            "https://example.com/t.yml",
            "ftp://b.s3.amazonaws.com/t",
            "https://b.s3.amazonaws.com/",
            "http://localhost:9999/b/k",
            "https://s3evil.amazonaws.com.evil/b/k",
            "nothing",
        ] {
            assert_eq!(at(url), None, "{url}");
        }
        let version = locate("https://b.s3.amazonaws.com/k?versionId=v1", "x", "y").unwrap().version;
        assert_eq!(version.as_deref(), Some("v1"));
    }
}
