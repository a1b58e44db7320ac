//! Values that travel as text: in forms, paths, queries and headers.

use crate::model::{Kind, Member, Shape, TimestampFormat};
use crate::timestamp::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

/// Text to the shape's type; the error names what AWS says it could not become.
pub(super) fn parse(shape: &Shape, text: &str) -> Result<Value, &'static str> {
    let value = match &shape.kind {
        Kind::Boolean if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Kind::Boolean if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        Kind::Boolean => None,
        Kind::Integer => text.parse::<i32>().ok().map(Value::from),
        Kind::Long => text.parse::<i64>().ok().map(Value::from),
        Kind::Float | Kind::Double => text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number),
        Kind::Timestamp(_) => Timestamp::parse(text).map(|moment| Value::from(moment.0)),
        Kind::Blob => STANDARD.decode(text).ok().map(|_| Value::from(text)),
        _ => Some(Value::from(text)),
    };
    value.ok_or_else(|| type_name(&shape.kind))
}

/// How AWS names a type in "can not be converted to ...".
pub(super) fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Boolean => "a Boolean",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Float => "a Float",
        Kind::Double => "a Double",
        Kind::Timestamp(_) => "milliseconds since epoch",
        Kind::Blob => "a ByteBuffer",
        _ => "a String",
    }
}

/// A value as text; timestamps in `default` unless the model asks for another format. `None` for what has no text.
pub(super) fn print(
    shape: &Shape,
    member: Option<&Member>,
    value: &Value,
    default: TimestampFormat,
) -> Option<String> {
    match value {
        Value::Number(number) => match (&shape.kind, number.as_i64()) {
            (Kind::Timestamp(_), Some(millis)) => {
                Some(print_timestamp(Timestamp(millis), timestamp_format(shape, member, default)))
            }
            _ => Some(number.to_string()),
        },
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

pub(super) fn timestamp_format(
    shape: &Shape,
    member: Option<&Member>,
    default: TimestampFormat,
) -> TimestampFormat {
    let of_shape = match &shape.kind {
        Kind::Timestamp(format) => *format,
        _ => None,
    };
    member.and_then(|member| member.timestamp).or(of_shape).unwrap_or(default)
}

/// Milliseconds only where there are some.
pub(super) fn print_timestamp(moment: Timestamp, format: TimestampFormat) -> String {
    match format {
        TimestampFormat::Rfc822 => moment.http_date(),
        TimestampFormat::Iso8601 if moment.0 % 1000 == 0 => moment.iso8601(),
        TimestampFormat::Iso8601 => moment.iso8601_millis(),
        TimestampFormat::Epoch => {
            let (seconds, millis) = (moment.0.div_euclid(1000), moment.0.rem_euclid(1000));
            match (millis, seconds) {
                (0, _) => seconds.to_string(),
                (_, 0..) => format!("{seconds}.{millis:03}"),
                _ => moment.epoch_seconds().to_string(),
            }
        }
    }
}
