//! A moment in milliseconds, and the five ways AWS writes one.

use serde::{Deserialize, Serialize};
use time::format_description::FormatItem;
use time::format_description::well_known::{Iso8601, Rfc2822, Rfc3339};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// Milliseconds since the Unix epoch, in UTC. Typed inputs and outputs and stored records hold this number; the
/// protocols turn it into what the model asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

const SECONDS: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const MILLIS: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const AMZ: &[FormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
const HTTP: &[FormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

const TRAIL: &[FormatItem<'_>] = format_description!(
    "[month repr:short] [day padding:none], [year] [hour repr:12 padding:none]:[minute]:[second] [period case:upper]"
);

/// The years 0001 to 9999: what every one of the formats can hold.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

impl Timestamp {
    /// `2026-11-22T14:00:00Z`: whole seconds, the rest cut off.
    pub fn iso8601(self) -> String {
        self.format(SECONDS)
    }

    /// `2026-11-22T14:00:00.123Z`.
    pub fn iso8601_millis(self) -> String {
        self.format(MILLIS)
    }

    /// `20261122T140000Z`, the form of `X-Amz-Date`.
    pub fn amz_date(self) -> String {
        self.format(AMZ)
    }

    /// `Sun, 22 Nov 2026 14:00:00 GMT`, the form of HTTP headers.
    pub fn http_date(self) -> String {
        self.format(HTTP)
    }

    /// `Nov 22, 2026 2:00:00 PM`, the form of CloudTrail's request and response members.
    pub fn trail_date(self) -> String {
        self.format(TRAIL)
    }

    /// Seconds since the epoch, milliseconds as the fraction.
    pub fn epoch_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    pub fn from_amz_date(text: &str) -> Option<Self> {
        PrimitiveDateTime::parse(text, AMZ).ok().map(|moment| Self::of(moment.assume_utc()))
    }

    /// Reads ISO 8601 (any offset, any fraction, a date alone), RFC 822 as in HTTP, and epoch seconds as a decimal
    /// number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            return Self::from_epoch_seconds(seconds);
        }
        let moment = OffsetDateTime::parse(text, &Rfc3339)
            .or_else(|_| OffsetDateTime::parse(text, &Iso8601::PARSING))
            .or_else(|_| OffsetDateTime::parse(text, &Rfc2822))
            .or_else(|_| PrimitiveDateTime::parse(text, HTTP).map(PrimitiveDateTime::assume_utc))
            .or_else(|_| PrimitiveDateTime::parse(text, &Iso8601::PARSING).map(PrimitiveDateTime::assume_utc))
            .or_else(|_| time::Date::parse(text, &Iso8601::PARSING).map(|day| day.midnight().assume_utc()));
        moment.ok().map(Self::of)
    }

    /// `None` when the number is not finite or outside the years 1 to 9999.
    pub fn from_epoch_seconds(seconds: f64) -> Option<Self> {
        let millis = (seconds * 1000.0).round();
        (millis >= *RANGE.start() as f64 && millis <= *RANGE.end() as f64).then_some(Self(millis as i64))
    }

    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Whole seconds from `earlier` to this, rounded down; negative when `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(1000)
    }

    fn of(moment: OffsetDateTime) -> Self {
        Self((moment.unix_timestamp_nanos() / 1_000_000) as i64)
    }

    /// A moment outside the years 1 to 9999 is written as the nearest one inside.
    fn format(self, format: &[FormatItem<'_>]) -> String {
        let millis = self.0.clamp(*RANGE.start(), *RANGE.end());
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
            .expect("clamped to the years time knows")
            .format(format)
            .expect("every component is present")
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.iso8601_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Timestamp = Timestamp(1_795_356_000_123);

    #[test]
    fn writes() {
        assert_eq!(T.iso8601(), "2026-11-22T14:00:00Z");
        assert_eq!(T.iso8601_millis(), "2026-11-22T14:00:00.123Z");
        assert_eq!(T.amz_date(), "20261122T140000Z");
        assert_eq!(T.http_date(), "Sun, 22 Nov 2026 14:00:00 GMT");
        assert_eq!(T.trail_date(), "Nov 22, 2026 2:00:00 PM");
        assert_eq!(T.epoch_seconds(), 1_795_356_000.123);
        assert_eq!(Timestamp(i64::MAX).iso8601(), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp(-1).iso8601_millis(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn reads() {
        let same = [
            "2026-11-22T14:00:00.123Z",
            "2026-11-22T15:00:00.123456+01:00",
            "2026-11-22T14:00:00.123",
            "20261122T140000.123Z",
            "1795356000.123",
            "1.795356000123e9",
        ];
        for text in same {
            assert_eq!(Timestamp::parse(text), Some(T), "{text}");
        }
        let whole = Some(Timestamp(1_795_356_000_000));
        for text in [
            "2026-11-22T14:00Z",
            "20261122T140000Z",
            "Sun, 22 Nov 2026 14:00:00 GMT",
            "1795356000",
            " 1795356000 ",
        ] {
            assert_eq!(Timestamp::parse(text), whole, "{text}");
        }
        assert_eq!(Timestamp::parse("2026-11-22"), Some(Timestamp(1_795_305_600_000)));
        assert_eq!(Timestamp::from_amz_date("20261122T140000Z"), whole);
        for text in ["", "x", "NaN", "inf", "1e99", "2026-13-01T00:00:00Z", "2026-11-22T25:00:00Z"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        for text in
            ["20261122", "2026-11-22T14:00:00Z", "20261122T140000", "20261322T140000Z", "20261122T140000Zx"]
        {
            assert_eq!(Timestamp::from_amz_date(text), None, "{text}");
        }
    }

    #[test]
    fn counts_seconds() {
        assert_eq!(T.plus_seconds(-900).amz_date(), "20261122T134500Z");
        assert_eq!(T.plus_seconds(43_200).seconds_since(T), 43_200);
        assert_eq!(T.seconds_since(T.plus_seconds(1)), -1);
        assert_eq!(Timestamp(1999).seconds_since(Timestamp(0)), 1);
        assert_eq!(T.plus_seconds(i64::MAX), Timestamp(i64::MAX));
    }

    #[test]
    fn is_a_number_in_json() {
        assert_eq!(serde_json::to_string(&T).unwrap(), "1795356000123");
    }
}
