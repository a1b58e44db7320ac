//! Page tokens: opaque to clients, the last item's key to us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use nbvend_wire::timestamp::Timestamp;

use super::error::Error;

/// How many items a page has if nobody says it.
const PAGE: usize = 10;

/// What an item is sorted by, and its name in lower case: together no two items have the same.
pub type SortKey = (String, String);

/// A time as text that sorts as the time does.
pub fn sortable(time: Timestamp) -> String {
    format!("{:020}", time.0)
}

/// One page of a sorted list, and the token of the next one. The item that the last page ended with may be gone by now:
/// the list goes on where it would stand.
pub fn cut<T>(
    mut all: Vec<(SortKey, T)>,
    order: Option<&str>,
    token: Option<&str>,
    most: Option<usize>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let descending = order == Some("Descending");
    all.sort_by(|(a, _), (b, _)| if descending { b.cmp(a) } else { a.cmp(b) });
    if let Some(token) = token {
        let last = read(token)?;
        let last = last.split_once('\n').ok_or_else(invalid)?;
        let passed = |key: &SortKey| {
            let key = (key.0.as_str(), key.1.as_str());
            if descending { key >= last } else { key <= last }
        };
        all.drain(..all.partition_point(|(key, _)| passed(key)));
    }
    let more = all.len() > most.unwrap_or(PAGE);
    all.truncate(most.unwrap_or(PAGE));
    let next = all.last().filter(|_| more).map(|((first, name), _)| write(&format!("{first}\n{name}")));
    Ok((all.into_iter().map(|(_, item)| item).collect(), next))
}

fn invalid() -> Error {
    Error::Validation("Invalid pagination token".to_owned())
}

pub fn write(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

pub fn read(token: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)
}
