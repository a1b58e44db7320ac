//! Pages of lists. `position` is opaque to clients, the last item's key to us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Error;

/// AWS's default, and the most it gives.
const DEFAULT: usize = 25;
const MOST: usize = 500;

/// Where a page begins and how long it is.
pub struct Page {
    pub after: Option<String>,
    pub limit: usize,
}

impl Page {
    pub fn read(position: Option<&str>, limit: Option<i64>) -> Result<Self, Error> {
        let after = position.map(|position| {
            let bytes = URL_SAFE_NO_PAD.decode(position).ok();
            bytes
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| Error::bad("Invalid position specified"))
        });
        let limit = limit.map_or(DEFAULT, |limit| usize::try_from(limit).unwrap_or(1).clamp(1, MOST));
        Ok(Self { after: after.transpose()?, limit })
    }

    /// How many to look up: one more tells whether there is a next page.
    pub fn fetch(&self) -> usize {
        self.limit + 1
    }

    /// Cuts what was looked up to the page; with the position of the next one.
    pub fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let position = items.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        (items, position)
    }

    /// The same for a list that is held whole, sorted by `key`.
    pub fn of<T>(
        &self,
        items: impl Iterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let fresh = items.filter(|item| self.after.as_ref().is_none_or(|after| key(item) > *after));
        self.cut(fresh.take(self.fetch()).collect(), key)
    }
}
