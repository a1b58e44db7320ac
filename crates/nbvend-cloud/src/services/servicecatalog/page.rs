//! Pages: opaque tokens to clients, the last item's sort key to us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Error;

/// Items on a page where the client does not say.
const DEFAULT: usize = 20;

/// The sort key a page goes on after.
pub fn after(token: Option<&str>) -> Result<Option<String>, Error> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.map(Some).ok_or_else(|| Error::Invalid("The page token is not valid".to_owned()))
}

pub fn token(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

pub fn size(asked: Option<usize>) -> usize {
    asked.filter(|size| *size > 0).unwrap_or(DEFAULT)
}

/// One page of records that were read in the order of their keys, at most one more than fits.
pub fn cut_read<T>(mut items: Vec<T>, size: usize, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|last| token(&key(last)));
    (items, next)
}

/// Sorts all items by their keys, which must be unique, and cuts out the page that is asked for. An item that went
/// away meanwhile does no harm: the page begins after where it stood.
pub fn cut<T>(
    mut items: Vec<(String, T)>,
    descending: bool,
    page_token: Option<&str>,
    page_size: Option<usize>,
) -> Result<(Vec<T>, Option<String>), Error> {
    items.sort_by(|a, b| if descending { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) });
    if let Some(last) = after(page_token)? {
        items.retain(|(key, _)| if descending { *key < last } else { *key > last });
    }
    let (page, next) = cut_read(items, size(page_size), |(key, _)| key.clone());
    Ok((page.into_iter().map(|(_, item)| item).collect(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_though_items_go() {
        let items =
            |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), (*n).to_owned())).collect::<Vec<_>>();
        let (page, next) = cut(items(&["c", "a", "d", "b"]), false, None, Some(2)).unwrap();
        assert_eq!(page, ["a", "b"]);
        let (page, next) = cut(items(&["c", "a", "d"]), false, next.as_deref(), Some(2)).unwrap();
        assert_eq!((page, next), (vec!["c".to_owned(), "d".to_owned()], None));
        let (page, next) = cut(items(&["c", "a", "b"]), true, None, Some(1)).unwrap();
        assert_eq!(page, ["c"]);
        assert_eq!(cut(items(&["c", "a", "b"]), true, next.as_deref(), None).unwrap().0, ["b", "a"]);
        assert!(cut(items(&["a"]), false, Some("***"), None).is_err());
    }
}
