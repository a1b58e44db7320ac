//! The typed values that condition operators compare: numbers, dates, addresses, bytes.

use std::net::IpAddr;

use base64::Engine as _;
use ipnet::IpNet;

/// An integer or decimal number.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    // Rust also reads "inf" and "nan", which are no numbers here.
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if plain { text.parse().ok() } else { None }
}

/// A date as nanoseconds since 1970: epoch seconds, or the W3C profile of ISO 8601, from the year and month down to
/// fractions of a second; without an offset it is UTC. Bare digits are always epoch seconds, never a year.
pub(crate) fn date(text: &str) -> Option<i128> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(i128::from(seconds) * 1_000_000_000);
    }
    let (day, clock) = match text.split_once(['T', 't']) {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let mut fields = day.split('-');
    let year = digits(fields.next()?, 4)?;
    let month = digits(fields.next()?, 2)?;
    let day = fields.next().map_or(Some(1), |field| digits(field, 2))?;
    if fields.next().is_some() {
        return None;
    }
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date =
        time::Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    let midnight = date.midnight().assume_utc().unix_timestamp_nanos();
    clock.map_or(Some(midnight), |clock| Some(midnight + time_of_day(clock)?))
}

/// `hh:mm[:ss[.fraction]]` with `Z`, an offset or neither, as nanoseconds since midnight UTC.
fn time_of_day(clock: &str) -> Option<i128> {
    let (clock, offset_minutes) = match clock.find(['Z', 'z', '+', '-']) {
        Some(at) => (&clock[..at], offset(&clock[at..])?),
        None => (clock, 0),
    };
    let mut fields = clock.split(':');
    let hours = digits(fields.next()?, 2).filter(|hours| *hours < 24)?;
    let minutes = digits(fields.next()?, 2).filter(|minutes| *minutes < 60)?;
    let (seconds, nanos) = match fields.next() {
        None => (0, 0),
        Some(field) => {
            let (whole, fraction) = field.split_once('.').unwrap_or((field, "0"));
            (digits(whole, 2).filter(|seconds| *seconds < 60)?, nanoseconds(fraction)?)
        }
    };
    if fields.next().is_some() {
        return None;
    }
    let seconds = i128::from(hours * 3600 + minutes * 60 + seconds) - i128::from(offset_minutes) * 60;
    Some(seconds * 1_000_000_000 + nanos)
}

/// `Z`, `+hh:mm`, `+hhmm` or `+hh` as minutes.
fn offset(text: &str) -> Option<i64> {
    let sign = match text.chars().next()? {
        'Z' | 'z' => return (text.len() == 1).then_some(0),
        '-' => -1,
        _ => 1,
    };
    let body = text[1..].replace(':', "");
    let (hours, minutes) = match body.len() {
        2 => (digits(&body, 2)?, 0),
        4 => (digits(body.get(..2)?, 2)?, digits(body.get(2..)?, 2)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes))
}

fn nanoseconds(fraction: &str) -> Option<i128> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").get(..9)?.parse().ok()
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let right = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if right { text.parse().ok() } else { None }
}

/// An address range; a single address is a range of one.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// A caller's address; an IPv4 address in IPv6 clothes is taken as IPv4.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    text.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Bytes in base64.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()
}

/// `true` or `false` in any case.
pub(crate) fn truth(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        text.eq_ignore_ascii_case("false").then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_every_written_form() {
        let seconds = |n: i128| Some(n * 1_000_000_000);
        for (text, expected) in [
            ("0", seconds(0)),
            ("1767225600", seconds(1_767_225_600)),
            ("-5", seconds(-5)),
            ("2026-01", seconds(1_767_225_600)),
            ("2026-01-01", seconds(1_767_225_600)),
            ("2026-01-01T00:00Z", seconds(1_767_225_600)),
            ("2026-01-01T00:00:00Z", seconds(1_767_225_600)),
            ("2026-01-01T01:30:00+01:30", seconds(1_767_225_600)),
            ("2025-12-31T19:00:00-0500", seconds(1_767_225_600)),
            ("2026-01-01t00:00:00", seconds(1_767_225_600)),
            ("2026-01-01T00:00:00.25Z", Some(1_767_225_600_250_000_000)),
            ("2026", seconds(2026)),
            ("2026-13", None),
            ("2026-02-30", None),
            ("2026-01-01T24:00Z", None),
            ("2026-01-01T00:00:00Zz", None),
            ("2026-01-01T00:00:00.Z", None),
            ("2026-01-01T", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(date(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_decimal_only() {
        for (text, expected) in [
            ("5", Some(5.0)),
            ("-0.5", Some(-0.5)),
            ("1e3", Some(1000.0)),
            ("inf", None),
            ("NaN", None),
            ("", None),
            ("5s", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn addresses_and_ranges() {
        let inside =
            |range: &str, one: &str| network(range).expect("range").contains(&address(one).expect("address"));
        assert!(inside("203.0.113.0/24", "203.0.113.9"));
        assert!(inside("203.0.113.9", "203.0.113.9"));
        assert!(inside("203.0.113.77/24", "203.0.113.9"));
        assert!(inside("2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1"));
        assert!(inside("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!inside("0.0.0.0/0", "2001:db8::1"));
        assert!(network("10.0.0.0/33").is_none());
        assert!(network("localhost").is_none());
    }
}
