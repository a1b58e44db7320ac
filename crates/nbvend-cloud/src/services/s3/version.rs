//! Versions of objects: how one is put, found and taken away in buckets that keep versions, never did, or no longer do.

use nbvend_wire::timestamp::Timestamp;

use super::error::Error;
use super::state::{Bucket, Content, END_OF_KEY, Version, Versioning};
use crate::context::Cx;
use crate::store::{GLOBAL, Record};

/// The newest version of a key, which may be a delete marker.
pub fn newest(cx: &Cx<'_>, bucket: &str, key: &str) -> Result<Option<Version>, Error> {
    let prefix = format!("{bucket}/{key}{END_OF_KEY}");
    Ok(cx.tx.list(GLOBAL, &prefix, None, 1)?.pop())
}

/// The version of that id; `null` is the one without.
pub fn by_id(cx: &Cx<'_>, bucket: &str, key: &str, id: &str) -> Result<Option<Version>, Error> {
    if id == "null" {
        return Ok(null_version(cx, bucket, key)?);
    }
    let Some(sequence) = id.get(..16) else { return Ok(None) };
    let found = cx.get_global::<Version>(&format!("{bucket}/{key}{END_OF_KEY}{sequence}"))?;
    Ok(found.filter(|version| version.version_id.as_deref() == Some(id)))
}

fn null_version(cx: &Cx<'_>, bucket: &str, key: &str) -> Result<Option<Version>, crate::store::StoreError> {
    Ok(cx.tx.find(GLOBAL, "null", &format!("{bucket}/{key}"))?.pop())
}

/// A version with its content: what GET and HEAD find.
pub fn found(cx: &Cx<'_>, bucket: &str, key: &str, id: Option<&str>) -> Result<(Version, Content), Error> {
    let version = match id {
        None => newest(cx, bucket, key)?
            .ok_or_else(|| Error::NoSuchKey { key: key.to_owned(), delete_marker: None })?,
        Some(id) => by_id(cx, bucket, key, id)?
            .ok_or_else(|| Error::NoSuchVersion { key: key.to_owned(), version: id.to_owned() })?,
    };
    match version.content.clone() {
        Some(content) => Ok((version, content)),
        None => {
            let marker = version.version_id.unwrap_or_else(|| "null".to_owned());
            Err(match id {
                None => Error::NoSuchKey { key: key.to_owned(), delete_marker: Some(marker) },
                Some(_) => Error::DeleteMarker { version: marker },
            })
        }
    }
}

/// Puts a new version, or a delete marker, in front of the others. Where no versions are kept it takes the place of the
/// one called `null`.
pub fn put(cx: &Cx<'_>, bucket: &Bucket, key: &str, content: Option<Content>) -> Result<Version, Error> {
    let before = newest(cx, &bucket.name, key)?;
    let sequence = next_sequence(cx.now(), before.as_ref());
    let version_id = if bucket.versioning == Versioning::Enabled {
        let rest = cx.ids().text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._");
        Some(format!("{sequence}{rest}"))
    } else {
        if let Some(old) = null_version(cx, &bucket.name, key)? {
            remove(cx, &old)?;
        }
        None
    };
    let version = Version {
        bucket: bucket.name.clone(),
        key: key.to_owned(),
        sequence,
        version_id,
        modified: cx.now(),
        content,
    };
    cx.put_global(&version)?;
    Ok(version)
}

/// Takes one version away for good.
pub fn remove(cx: &Cx<'_>, version: &Version) -> Result<(), Error> {
    cx.tx.delete::<Version>(GLOBAL, &version.key_of_record())?;
    Ok(())
}

impl Version {
    /// The key of the record, which is not the object's.
    pub fn key_of_record(&self) -> String {
        Record::key(self)
    }
}

/// Counts down, so that what is newer sorts first; always below the newest before, whatever the clock does.
fn next_sequence(now: Timestamp, before: Option<&Version>) -> String {
    let micros = u64::try_from(now.0).unwrap_or(0).saturating_mul(1000);
    let mut next = u64::MAX - micros;
    if let Some(last) = before.and_then(|version| u64::from_str_radix(&version.sequence, 16).ok()) {
        next = next.min(last.saturating_sub(1));
    }
    format!("{next:016x}")
}
