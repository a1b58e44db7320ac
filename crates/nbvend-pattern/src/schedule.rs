//! Schedule expressions: `rate(5 minutes)` and `cron(0 12 * * ? *)`, in UTC, to the minute.

use std::cmp::Ordering;
use std::fmt;

use croner::parser::{CronParser, Seconds, Year};
use croner::time::{CivilDateTime, CronDateTime, Resolution, Weekday};
use croner::{Cron, errors::CronError};
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time};

const MINUTE_MS: i64 = 60_000;
/// The years AWS knows.
const YEARS: (u32, u32) = (1970, 2199);

/// When a scheduled rule fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Every so many milliseconds, counted from when the rule last fired or was made.
    Rate(i64),
    Cron(CronSchedule),
}

/// A parsed cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronSchedule(Box<Cron>);

/// The expression is refused; a `ValidationException` (400).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleError;

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parameter ScheduleExpression is not valid.")
    }
}

impl std::error::Error for ScheduleError {}

impl Schedule {
    /// Parses an expression.
    ///
    /// # Errors
    /// AWS says the same of every mistake.
    pub fn parse(text: &str) -> Result<Schedule, ScheduleError> {
        let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inside("rate") {
            return parse_rate(rate).ok_or(ScheduleError);
        }
        let cron = inside("cron").and_then(quartz).ok_or(ScheduleError)?;
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .build();
        parser
            .parse(&cron)
            .map(|cron| Schedule::Cron(CronSchedule(Box::new(cron))))
            .map_err(|_| ScheduleError)
    }

    /// The first firing after a moment, both in milliseconds since 1970.
    ///
    /// For a rate the moment is the last firing, or the rule's making. `None` if a cron expression
    /// never fires again.
    pub fn next_after(&self, epoch_ms: i64) -> Option<i64> {
        match self {
            Schedule::Rate(period) => epoch_ms.checked_add(*period),
            Schedule::Cron(CronSchedule(cron)) => {
                let from = OffsetDateTime::from_unix_timestamp(epoch_ms.div_euclid(1000)).ok()?;
                let next = cron.find_next_occurrence(&Utc(from), false).ok()?;
                next.0.unix_timestamp().checked_mul(1000)
            }
        }
    }
}

/// `5 minutes`; one is singular, more are plural, and case counts.
fn parse_rate(text: &str) -> Option<Schedule> {
    let (count, unit) = text.split_once(' ')?;
    if !count.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: i64 = count.parse().ok()?;
    let minutes = match (count, unit) {
        (1, "minute") | (2.., "minutes") => 1,
        (1, "hour") | (2.., "hours") => 60,
        (1, "day") | (2.., "days") => 24 * 60,
        _ => return None,
    };
    count.checked_mul(minutes * MINUTE_MS).map(Schedule::Rate)
}

/// Checks AWS's six fields (minute, hour, day of month, month, day of week, year) and rewrites them
/// as croner's seven. croner alone is more lenient than AWS.
fn quartz(text: &str) -> Option<String> {
    if text.trim() != text {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    let fields: Vec<&str> = upper.split_whitespace().collect();
    let [minute, hour, day, month, weekday, year] = fields.as_slice() else { return None };
    if (*day == "?") == (*weekday == "?") {
        return None;
    }
    let plain = check(minute, 0, 59, &[])
        && check(hour, 0, 23, &[])
        && check(month, 1, 12, &MONTHS)
        && check(year, YEARS.0, YEARS.1, &[]);
    let day_ok = *day == "?" || day.split(',').all(|item| day_item(item) || check(item, 1, 31, &[]));
    let weekday_ok =
        *weekday == "?" || weekday.split(',').all(|item| weekday_item(item) || check(item, 1, 7, &WEEKDAYS));
    if !(plain && day_ok && weekday_ok) {
        return None;
    }
    // The last day of the week is Saturday, the seventh.
    let weekday: Vec<&str> = weekday.split(',').map(|item| if item == "L" { "7" } else { item }).collect();
    let weekday = weekday.join(",");
    let year: Vec<String> = year.split(',').map(bounded_year).collect();
    let year = year.join(",");
    Some(format!("0 {minute} {hour} {day} {month} {weekday} {year}"))
}

/// croner counts years from 1 and would step from there.
fn bounded_year(item: &str) -> String {
    let (first, last) = YEARS;
    match item.split_once('/') {
        None if item == "*" => format!("{first}-{last}"),
        Some(("*", step)) => format!("{first}-{last}/{step}"),
        Some((from, step)) if !from.contains('-') => format!("{from}-{last}/{step}"),
        _ => item.to_owned(),
    }
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// `L`, `LW` or `15W`.
fn day_item(item: &str) -> bool {
    item == "L" || item == "LW" || item.strip_suffix('W').is_some_and(|day| value(day, 1, 31, &[]).is_some())
}

/// `L`, `FRIL` or `TUE#2`.
fn weekday_item(item: &str) -> bool {
    if let Some((day, nth)) = item.split_once('#') {
        return value(day, 1, 7, &WEEKDAYS).is_some() && value(nth, 1, 5, &[]).is_some();
    }
    item == "L" || item.strip_suffix('L').is_some_and(|day| value(day, 1, 7, &WEEKDAYS).is_some())
}

/// A list of `*`, values, ranges and steps.
fn check(field: &str, min: u32, max: u32, names: &[&str]) -> bool {
    field.split(',').all(|item| {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let step_ok = step.is_none_or(|step| value(step, 1, max, &[]).is_some());
        let range_ok = range == "*"
            || match range.split_once('-') {
                Some((from, to)) => match (value(from, min, max, names), value(to, min, max, names)) {
                    (Some(from), Some(to)) => from <= to,
                    _ => false,
                },
                None => value(range, min, max, names).is_some(),
            };
        step_ok && range_ok
    })
}

/// A number within bounds, or a name; names count from 1.
fn value(text: &str, min: u32, max: u32, names: &[&str]) -> Option<u32> {
    if let Some(at) = names.iter().position(|name| *name == text) {
        return u32::try_from(at).ok().map(|at| at + 1);
    }
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| digits && (min..=max).contains(n))
}

/// croner over this project's time library. UTC has neither gaps nor repetitions.
#[derive(Debug, Clone, Copy)]
struct Utc(OffsetDateTime);

impl CronDateTime for Utc {
    fn to_civil(&self) -> CivilDateTime {
        let t = self.0;
        CivilDateTime::from_ymd_hms_opt(
            t.year(),
            u32::from(u8::from(t.month())),
            u32::from(t.day()),
            u32::from(t.hour()),
            u32::from(t.minute()),
            u32::from(t.second()),
        )
        .expect("a valid date and time has valid parts")
    }

    fn civil_weekday(&self) -> Weekday {
        match self.0.weekday() {
            time::Weekday::Monday => Weekday::Monday,
            time::Weekday::Tuesday => Weekday::Tuesday,
            time::Weekday::Wednesday => Weekday::Wednesday,
            time::Weekday::Thursday => Weekday::Thursday,
            time::Weekday::Friday => Weekday::Friday,
            time::Weekday::Saturday => Weekday::Saturday,
            time::Weekday::Sunday => Weekday::Sunday,
        }
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |n: u32| u8::try_from(n).map_err(|_| CronError::InvalidDate);
        let month = Month::try_from(part(civil.month())?).map_err(|_| CronError::InvalidDate)?;
        let date = Date::from_calendar_date(civil.year(), month, part(civil.day())?);
        let time = Time::from_hms(part(civil.hour())?, part(civil.minute())?, part(civil.second())?);
        match (date, time) {
            (Ok(date), Ok(time)) => {
                Ok(Resolution::Single(Utc(PrimitiveDateTime::new(date, time).assume_utc())))
            }
            _ => Err(CronError::InvalidDate),
        }
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(Duration::seconds(seconds)).map(Utc)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
