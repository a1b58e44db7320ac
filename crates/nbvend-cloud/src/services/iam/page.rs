//! Lists in pieces: `Marker`, `MaxItems`, `IsTruncated`. A marker is the key of the last item, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Error;
use crate::context::Cx;
use crate::store::{GLOBAL, Record};

/// What AWS gives where nothing is said.
const DEFAULT_ITEMS: usize = 100;
/// So many records are read at a time while looking for those that match.
const BATCH: usize = 200;

/// One piece of a list.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next piece begins; there is one if and only if this is set.
    pub marker: Option<String>,
}

impl<T> Page<T> {
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), marker: self.marker }
    }

    pub fn truncated(&self) -> bool {
        self.marker.is_some()
    }
}

/// What a caller asks for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub marker: &'a Option<String>,
    pub max_items: Option<i64>,
}

impl Ask<'_> {
    fn limit(&self) -> usize {
        self.max_items.and_then(|max| usize::try_from(max).ok()).unwrap_or(DEFAULT_ITEMS)
    }

    fn after(&self) -> Result<Option<String>, Error> {
        let Some(marker) = self.marker else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(marker).ok();
        let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        key.map(Some).ok_or_else(|| Error::Validation(format!("Invalid Marker: {marker}")))
    }
}

fn marker(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// Records of a kind that match, in the order of their keys.
pub fn records<R: Record>(
    cx: &Cx<'_>,
    ask: Ask<'_>,
    mut wanted: impl FnMut(&R) -> bool,
) -> Result<Page<R>, Error> {
    let (limit, mut after) = (ask.limit(), ask.after()?);
    let mut items: Vec<R> = Vec::new();
    loop {
        let batch = cx.tx.list::<R>(GLOBAL, "", after.as_deref(), BATCH)?;
        let ended = batch.len() < BATCH;
        after = batch.last().map(Record::key);
        for record in batch.into_iter().filter(&mut wanted) {
            if items.len() == limit {
                let last = items.last().map(Record::key).unwrap_or_default();
                return Ok(Page { items, marker: Some(marker(&last)) });
            }
            items.push(record);
        }
        if ended {
            return Ok(Page { items, marker: None });
        }
    }
}

/// A piece of a list that is in memory already and sorted by `key`.
pub fn slice<T>(all: Vec<T>, ask: Ask<'_>, key: impl Fn(&T) -> String) -> Result<Page<T>, Error> {
    let (limit, after) = (ask.limit(), ask.after()?);
    let mut rest = all.into_iter().filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let marker = items.last().filter(|_| more).map(|last| marker(&key(last)));
    Ok(Page { items, marker })
}
