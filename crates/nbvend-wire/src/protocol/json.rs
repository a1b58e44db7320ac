//! JSON bodies, for the JSON services and for what a REST service carries in its body.

use super::scalar;
use crate::error::WireError;
use crate::model::{Kind, Member, ProtocolKind, Service, Shape, ShapeId, TimestampFormat};
use crate::timestamp::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

/// A whole body as an operation's input. An empty body is an empty object.
pub(super) fn decode_body(
    service: &Service,
    input: Option<ShapeId>,
    body: &[u8],
) -> Result<Value, WireError> {
    let raw = parse_body(service, body)?;
    match input {
        Some(shape) => decode(service, service.shape(shape), raw),
        None => Ok(Value::Object(Map::new())),
    }
}

pub(super) fn parse_body(service: &Service, body: &[u8]) -> Result<Value, WireError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| malformed(service, &error))
}

/// AWS tells nothing about a body that is not JSON, except Lambda, which quotes its parser.
fn malformed(service: &Service, error: &serde_json::Error) -> WireError {
    if service.id == "lambda" {
        let message = format!("Could not parse request body into json: {error}");
        return WireError::new("InvalidRequestContentException", 400, message);
    }
    WireError::new("SerializationException", 400, "")
}

/// A JSON value typed by its shape.
pub(super) fn decode(service: &Service, shape: &Shape, value: Value) -> Result<Value, WireError> {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(mut raw)) => {
            let mut members = Map::new();
            for member in &structure.members {
                match raw.swap_remove(member.wire_name()) {
                    None | Some(Value::Null) => {}
                    Some(value) => {
                        let value = decode(service, service.shape(member.shape), value)?;
                        members.insert(member.name.clone(), value);
                    }
                }
            }
            Ok(Value::Object(members))
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            let shape = service.shape(member.shape);
            items.into_iter().map(|item| decode_item(service, shape, item)).collect()
        }
        (Kind::Map { value, .. }, Value::Object(entries)) => {
            let shape = service.shape(value.shape);
            let entry = |(key, value)| Ok((key, decode_item(service, shape, value)?));
            entries.into_iter().map(entry).collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        (kind, value) => scalar_value(kind, &value).ok_or_else(|| mismatch(service, kind, &value)),
    }
}

/// A null within a list or map stays: the constraints tell about it.
fn decode_item(service: &Service, shape: &Shape, value: Value) -> Result<Value, WireError> {
    if value.is_null() { Ok(value) } else { decode(service, shape, value) }
}

fn scalar_value(kind: &Kind, value: &Value) -> Option<Value> {
    match (kind, value) {
        (Kind::String { .. }, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => Some(value.clone()),
        (Kind::Integer, Value::Number(number)) => i32::try_from(whole(number)?).ok().map(Value::from),
        (Kind::Long, Value::Number(number)) => whole(number).map(Value::from),
        (Kind::Float | Kind::Double, Value::Number(number)) => {
            number.as_f64().and_then(Number::from_f64).map(Value::Number)
        }
        (Kind::Timestamp(_), Value::Number(number)) => {
            Timestamp::from_epoch_seconds(number.as_f64()?).map(|moment| Value::from(moment.0))
        }
        (Kind::Timestamp(_), Value::String(text)) => {
            Timestamp::parse(text).map(|moment| Value::from(moment.0))
        }
        (Kind::Blob, Value::String(text)) => STANDARD.decode(text).ok().map(|_| value.clone()),
        _ => None,
    }
}

/// `3` and `3.0`, but not `3.5`.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
    })
}

/// The texts AWS's JSON services answer to a value of the wrong type. API Gateway has an older parser, which names
/// Java's classes (recorded from AWS: "class java.lang.Boolean can not be converted to an String").
fn mismatch(service: &Service, kind: &Kind, value: &Value) -> WireError {
    let complex = matches!(kind, Kind::Structure(_) | Kind::Map { .. });
    let text = match value {
        Value::Object(_) => "Start of structure or map found where not expected".to_owned(),
        Value::Array(_) => "Start of list found where not expected".to_owned(),
        _ if complex => "Expected map or null".to_owned(),
        _ if matches!(kind, Kind::List { .. }) => "Expected list or null".to_owned(),
        _ if service.protocol == ProtocolKind::RestJson => {
            let class = match value {
                Value::Bool(_) => "java.lang.Boolean",
                Value::Number(_) => "com.amazon.coral.value.json.numbers.TruncatingBigNumber",
                _ => "java.lang.String",
            };
            let wanted = scalar::type_name(kind);
            let wanted = wanted.strip_prefix("a ").map_or(wanted.to_owned(), |name| format!("an {name}"));
            format!("class {class} can not be converted to {wanted}")
        }
        _ => {
            let token = match value {
                Value::Bool(true) => "TRUE_VALUE",
                Value::Bool(false) => "FALSE_VALUE",
                Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
                Value::Number(_) => "NUMBER_VALUE",
                Value::Null => "NULL_VALUE",
                _ => "STRING_VALUE",
            };
            format!("{token} can not be converted to {}", scalar::type_name(kind))
        }
    };
    WireError::new("SerializationException", 400, text)
}

/// Writes a value by its shape. Timestamps are epoch seconds unless the model says otherwise.
pub(super) fn encode(
    service: &Service,
    shape: &Shape,
    member: Option<&Member>,
    value: &Value,
    out: &mut Vec<u8>,
) {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(values)) => {
            encode_members(service, &structure.members, values, out);
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            let shape = service.shape(member.shape);
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                encode(service, shape, Some(member), item, out);
            }
            out.push(b']');
        }
        (Kind::Map { value: member, .. }, Value::Object(entries)) => {
            let shape = service.shape(member.shape);
            object(out, entries.iter().filter(|(_, value)| !value.is_null()), |value, out| {
                encode(service, shape, Some(member), value, out);
            });
        }
        (Kind::Timestamp(_), Value::Number(number)) => {
            let format = scalar::timestamp_format(shape, member, TimestampFormat::Epoch);
            let text = scalar::print_timestamp(Timestamp(number.as_i64().unwrap_or_default()), format);
            match format {
                TimestampFormat::Epoch => out.extend_from_slice(text.as_bytes()),
                _ => plain(&Value::String(text), out),
            }
        }
        _ => plain(value, out),
    }
}

/// The given members of a structure as an object, in the model's order, those without a value left out.
pub(super) fn encode_members<'a>(
    service: &Service,
    members: impl IntoIterator<Item = &'a Member>,
    values: &Map<String, Value>,
    out: &mut Vec<u8>,
) {
    let present = members.into_iter().filter_map(|member| {
        let value = values.get(&member.name).filter(|value| !value.is_null())?;
        Some((member.wire_name(), (member, value)))
    });
    object(out, present, |(member, value), out| {
        encode(service, service.shape(member.shape), Some(member), value, out);
    });
}

fn object<'a, T, K: AsRef<str> + 'a>(
    out: &mut Vec<u8>,
    entries: impl Iterator<Item = (K, T)>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(b'{');
    for (at, (name, value)) in entries.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        plain(&Value::String(name.as_ref().to_owned()), out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

fn plain(value: &Value, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a JSON value can be written to memory");
}
