//! Where a function's code is: inline, in S3, or an image.

use super::Function;
use crate::sam::error::{Result, SamError};
use crate::sam::node::{Dict, Node, dict};
use crate::sam::schema::a_map;

pub(super) fn make(function: &Function<'_>) -> Result<Dict> {
    let mut code = match function.given("PackageType") {
        None => zip(function)?,
        Some(Node::Text(kind)) if kind.as_str() == "Zip" => zip(function)?,
        Some(Node::Text(kind)) if kind.as_str() == "Image" => return image(function),
        Some(other) => return Err(function.fault(format!("invalid 'PackageType' : {}", other.to_text()))),
    };
    if let Some(key) = function.given("SourceKMSKeyArn") {
        code.insert("SourceKMSKeyArn", key.clone());
    }
    Ok(code)
}

fn image(function: &Function<'_>) -> Result<Dict> {
    if ["Runtime", "Handler", "Layers"].iter().any(|name| function.given(name).is_some_and(Node::truthy)) {
        return Err(
            function.fault("Runtime, Handler, Layers cannot be present when PackageType is of type `Image`")
        );
    }
    match function.given("ImageUri") {
        Some(uri) => Ok(dict! { "ImageUri" => uri.clone() }),
        None => Err(function.fault("'ImageUri' must be set.")),
    }
}

fn zip(function: &Function<'_>) -> Result<Dict> {
    if function.given("Runtime").is_none() || function.given("Handler").is_none() {
        if function.given("InlineCode").is_none() && function.given("CodeUri").is_none() {
            return Err(function.fault("Only one of 'InlineCode' or 'CodeUri' can be set."));
        }
        return Err(
            function.fault("Runtime and Handler needs to be present when PackageType is of type `Zip`")
        );
    }
    if function.given("ImageConfig").is_some() {
        return Err(
            function.fault("ImageUri or ImageConfig cannot be present when PackageType is of type `Zip`")
        );
    }
    if let Some(code) = function.given("InlineCode") {
        return Ok(dict! { "ZipFile" => code.clone() });
    }
    match function.given("CodeUri") {
        Some(uri) => s3_location(function.id, "CodeUri", uri, ["S3Bucket", "S3Key", "S3ObjectVersion"]),
        None => Err(function.fault("Only one of 'InlineCode' or 'CodeUri' can be set.")),
    }
}

/// An `s3://bucket/key?versionId=v` or `{Bucket, Key, Version}` under CloudFormation's `names` for the three.
///
/// # Errors
/// Anything else, in AWS's words about `property`.
pub(crate) fn s3_location(id: &str, property: &str, location: &Node, names: [&str; 3]) -> Result<Dict> {
    let [bucket, key, version] = names;
    match location {
        Node::Text(uri) => {
            let Some((in_bucket, at, of_version)) = parse_s3_uri(uri) else {
                return Err(SamError::resource(
                    id,
                    format!(
                        "'{property}' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId \
                         query parameter."
                    ),
                ));
            };
            let mut made = dict! { bucket => uri.like(in_bucket), key => uri.like(at) };
            if let Some(of_version) = of_version {
                made.insert(version, uri.like(of_version));
            }
            Ok(made)
        }
        Node::Dict(given) => {
            let (Some(in_bucket), Some(at)) = (given.given("Bucket"), given.given("Key")) else {
                return Err(SamError::resource(
                    id,
                    format!("'{property}' requires Bucket and Key properties to be specified."),
                ));
            };
            let mut made = dict! { bucket => in_bucket.clone(), key => at.clone() };
            if let Some(of_version) = given.get("Version") {
                made.insert(version, of_version.clone());
            }
            Ok(made)
        }
        other => a_map(id, property, other)
            .cloned()
            .map_err(|_| SamError::resource(id, format!("'{property}' must be of type dict or string."))),
    }
}

fn parse_s3_uri(uri: &str) -> Option<(String, String, Option<String>)> {
    let (scheme, rest) = uri.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("s3") {
        return None;
    }
    let rest = rest.split('#').next().unwrap_or(rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (bucket, key) = place.split_once('/')?;
    if bucket.is_empty() {
        return None;
    }
    let version = query.split('&').find_map(|pair| pair.strip_prefix("versionId=")).filter(|v| !v.is_empty());
    Some((bucket.to_owned(), key.to_owned(), version.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_uris() {
        let own =
            |b: &str, k: &str, v: Option<&str>| Some((b.to_owned(), k.to_owned(), v.map(str::to_owned)));
        assert_eq!(parse_s3_uri("s3://b/a/k.zip"), own("b", "a/k.zip", None));
        assert_eq!(parse_s3_uri("S3://b/k?x=y&versionId=3"), own("b", "k", Some("3")));
        assert_eq!(parse_s3_uri("s3://b/k#part"), own("b", "k", None));
        assert_eq!(parse_s3_uri("./src"), None);
        assert_eq!(parse_s3_uri("https://b/k"), None);
    }
}
