//! When a notebook is to be stopped by itself: its tags say so, else the engine's settings. A product's or portfolio's tags
//! reach the notebook when it is launched.

use crate::config::NotebookSettings;
use crate::services::sagemaker::state::Notebook;

/// Stop after so many minutes without work; `off` or 0 for never.
pub const IDLE: &str = "nbvend:idle-stop-minutes";
/// Stop so many hours after the start; `off` or 0 for never.
pub const LIFETIME: &str = "nbvend:max-lifetime-hours";
/// Ten years, in minutes: more is a slip of the pen.
const LONGEST: u32 = 10 * 366 * 24 * 60;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    pub idle_minutes: Option<u32>,
    pub lifetime_hours: Option<u32>,
}

impl Limits {
    pub fn of(notebook: &Notebook, settings: &NotebookSettings) -> Self {
        let tag = |key: &str| notebook.tags.get(key).and_then(|text| read(text));
        Self {
            idle_minutes: tag(IDLE).unwrap_or(settings.idle_stop_minutes),
            lifetime_hours: tag(LIFETIME).unwrap_or(settings.max_lifetime_hours),
        }
    }

    pub fn any(self) -> bool {
        self.idle_minutes.is_some() || self.lifetime_hours.is_some()
    }
}

/// A tag's value: `Some(None)` switches off, `None` is no value.
fn read(text: &str) -> Option<Option<u32>> {
    match text.trim() {
        "off" | "0" => Some(None),
        number => number.parse().ok().filter(|number| *number <= LONGEST).map(Some),
    }
}

/// Refuses a value that would be read as nothing.
pub fn check(key: &str, value: &str) -> Result<(), String> {
    let unit = match key {
        IDLE => "minutes",
        LIFETIME => "hours",
        _ => return Ok(()),
    };
    match read(value) {
        Some(_) => Ok(()),
        None => Err(format!("The value of the tag {key} must be a whole number of {unit}, or off: {value}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(read("90"), Some(Some(90)));
        assert_eq!(read(" off "), Some(None));
        assert_eq!(read("0"), Some(None));
        for wrong in ["", "-1", "1.5", "soon", "99999999999", "9999999"] {
            assert_eq!(read(wrong), None, "{wrong}");
            assert!(check(IDLE, wrong).is_err(), "{wrong}");
            assert!(check(LIFETIME, wrong).is_err(), "{wrong}");
            assert!(check("team", wrong).is_ok(), "{wrong}");
        }
    }
}
