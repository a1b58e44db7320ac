//! What a bucket, a key and a tag may be called.

use super::error::Error;
use super::state::Tag;
use crate::context::Cx;

/// The rules of S3's page "General purpose bucket naming rules".
pub fn check_bucket(name: &str) -> Result<(), Error> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let reserved_start = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|start| name.starts_with(start));
    let reserved_end =
        ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|end| name.ends_with(end));
    let good = (3..=63).contains(&name.len())
        && name.chars().all(inside)
        && edge(name.chars().next())
        && edge(name.chars().last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !reserved_start
        && !reserved_end;
    if good { Ok(()) } else { Err(Error::InvalidBucketName(name.to_owned())) }
}

/// 1 to 1024 bytes. Two control characters, which XML cannot carry either, are refused: they order our records.
pub fn check_key(key: &str) -> Result<(), Error> {
    if key.contains(['\0', '\u{1}']) {
        let message = "nbvend takes no key with the characters U+0000 or U+0001".to_owned();
        return Err(Error::InvalidArgument { message, name: "Key", value: key.escape_default().to_string() });
    }
    if key.is_empty() || key.len() > 1024 {
        let message = "Your key is too long".to_owned();
        return Err(Error::InvalidArgument { message, name: "Key", value: key.to_owned() });
    }
    Ok(())
}

/// Tags of a bucket (at most 50) or an object (at most 10). `aws:` is for internal callers.
pub fn check_tags(cx: &Cx<'_>, tags: &[Tag], most: usize) -> Result<(), Error> {
    if tags.len() > most {
        let what = if most == 10 { "Object" } else { "Bucket" };
        let message = format!("{what} tags cannot be greater than {most}");
        return Err(if most == 10 { Error::InvalidRequest(message) } else { Error::InvalidTag(message) });
    }
    for (at, tag) in tags.iter().enumerate() {
        if tag.key.is_empty() || tag.key.chars().count() > 128 {
            return Err(Error::InvalidTag("The TagKey you have provided is invalid".to_owned()));
        }
        if tag.value.chars().count() > 256 {
            return Err(Error::InvalidTag("The TagValue you have provided is invalid".to_owned()));
        }
        if tag.key.starts_with("aws:") && cx.caller.invoked_by.is_none() {
            let text = "System tags cannot be added/updated by requester";
            return Err(Error::InvalidTag(text.to_owned()));
        }
        if tags[..at].iter().any(|other| other.key == tag.key) {
            return Err(Error::InvalidTag("Cannot provide multiple Tags with the same key".to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names() {
        for good in ["abc", "my.bucket-1", "0ab", "a-b", "s3-iam-config-s3bucket-1abc2def3ghi"] {
            assert!(check_bucket(good).is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "ab",
            "Abc",
            "a_b",
            "-ab",
            "ab-",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "abc-s3alias",
            &long,
            "a/b",
            "",
        ] {
            assert!(check_bucket(bad).is_err(), "{bad}");
        }
    }
}
