//! What part of an object a reader wants, and under which conditions.

use nbvend_wire::timestamp::Timestamp;

use super::error::Error;
use super::object::ObjectView;

/// The conditions of a GET or HEAD, or of the source of a copy.
#[derive(Debug, Default)]
pub struct Conditions {
    /// An ETag without quotes, or `*`.
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// RFC 9110's order: an ETag condition makes the date condition beside it mute.
    pub fn check(&self, e_tag: &str, modified: Timestamp) -> Result<(), Error> {
        let is = |wanted: &String| wanted == "*" || wanted == e_tag;
        // Dates come in whole seconds.
        let modified = modified.0.div_euclid(1000);
        let seconds = |time: Timestamp| time.0.div_euclid(1000);
        match (&self.if_match, self.if_unmodified_since) {
            (Some(wanted), _) if !is(wanted) => return Err(Error::PreconditionFailed("If-Match")),
            (None, Some(since)) if modified > seconds(since) => {
                return Err(Error::PreconditionFailed("If-Unmodified-Since"));
            }
            _ => {}
        }
        let not_modified = match (&self.if_none_match, self.if_modified_since) {
            (Some(wanted), _) => is(wanted),
            (None, Some(since)) => modified <= seconds(since),
            (None, None) => false,
        };
        if not_modified { Err(Error::NotModified { e_tag: e_tag.to_owned() }) } else { Ok(()) }
    }
}

/// Which bytes a reader asks for.
#[derive(Debug, Default)]
pub struct Wanted {
    /// `bytes=0-9`, `bytes=5-`, `bytes=-3`.
    pub range: Option<String>,
    /// One part of an object uploaded in parts.
    pub part: Option<i32>,
}

/// A stretch of an object.
#[derive(Debug, PartialEq, Eq)]
pub struct Span {
    pub from: u64,
    pub length: u64,
    pub whole: bool,
    /// `bytes 0-9/100`, where only a part was asked for.
    pub content_range: Option<String>,
}

/// The stretch that is wanted of an object. A range that cannot be read is the whole, as on S3.
pub fn range(wanted: &Wanted, view: &ObjectView) -> Result<Span, Error> {
    let size = view.content_length;
    let whole = Span { from: 0, length: size, whole: true, content_range: None };
    if let Some(number) = wanted.part {
        if wanted.range.is_some() {
            let text = "Cannot specify both Range header and partNumber query parameter";
            return Err(Error::InvalidRequest(text.to_owned()));
        }
        let number = usize::try_from(number).ok().filter(|n| *n > 0).ok_or(Error::InvalidPartNumber)?;
        if view.parts.is_empty() {
            return if number == 1 { Ok(part(0, size, size)) } else { Err(Error::InvalidPartNumber) };
        }
        let found = view.parts.get(number - 1).ok_or(Error::InvalidPartNumber)?;
        let from = view.parts[..number - 1].iter().map(|part| part.size).sum();
        return Ok(part(from, found.size, size));
    }
    let Some(text) = &wanted.range else { return Ok(whole) };
    let unsatisfiable = || Error::InvalidRange { range: text.clone(), size };
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|spec| spec.split_once('-')) else {
        return Ok(whole);
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (from, end) = match (number(first), number(last)) {
        (Some(from), Some(last)) if from <= last => (from, last.saturating_add(1).min(size)),
        (Some(from), None) if last.trim().is_empty() => (from, size),
        (None, Some(0)) if first.trim().is_empty() => return Err(unsatisfiable()),
        (None, Some(suffix)) if first.trim().is_empty() => (size.saturating_sub(suffix), size),
        _ => return Ok(whole),
    };
    if from >= size {
        return Err(unsatisfiable());
    }
    Ok(part(from, end - from, size))
}

fn part(from: u64, length: u64, size: u64) -> Span {
    let content_range = (length > 0).then(|| format!("bytes {from}-{}/{size}", from + length - 1));
    Span { from, length, whole: false, content_range }
}
