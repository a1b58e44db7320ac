//! What type an unquoted YAML scalar has.
//!
//! AWS documents YAML 1.1 without timestamps (template-formats in its user guide), so dates are
//! strings and yes/no/on/off are booleans. Three kinds of 1.1 numbers are left as strings on purpose:
//! octal (`0755`, and account ids such as `012345670123`), sexagesimal (`22:22`) and those with
//! underscores. A string that holds a number is accepted wherever a number is, so nothing is lost,
//! while a mangled account id could not be repaired.

use serde_json::{Number, Value};

pub fn typed(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if let Some(hex) = digits.strip_prefix("0x") {
        let value =
            hex.bytes().all(|b| b.is_ascii_hexdigit()).then(|| i64::from_str_radix(hex, 16).ok())??;
        return Some(Number::from(if negative { -value } else { value }));
    }
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        return match (negative, digits.parse::<u64>()) {
            (false, Ok(value)) => Some(Number::from(value)),
            (true, _) => text.parse::<i64>().ok().map(Number::from),
            // More than 64 bits cannot be held exactly; the text can.
            (false, Err(_)) => None,
        };
    }
    float(digits).then(|| text.parse::<f64>().ok().and_then(Number::from_f64)).flatten()
}

/// `1.5`, `1.`, `.5`, `1.5e+3`: 1.1 wants the point, and a sign in the exponent.
fn float(digits: &str) -> bool {
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let Some((whole, fraction)) = mantissa.split_once('.') else { return false };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let exponent_ok = exponent.is_none_or(|e| {
        e.strip_prefix(['+', '-']).is_some_and(|digits| !digits.is_empty() && all_digits(digits))
    });
    !(whole.is_empty() && fraction.is_empty()) && all_digits(whole) && all_digits(fraction) && exponent_ok
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::typed;

    #[test]
    fn scalars_have_the_type_cloudformation_sees() {
        for (text, want) in [
            ("2010-09-09", json!("2010-09-09")),
            ("2012-10-17", json!("2012-10-17")),
            ("012345678901", json!("012345678901")),
            ("012345670123", json!("012345670123")),
            ("123456789012", json!(123456789012u64)),
            ("99999999999999999999", json!("99999999999999999999")),
            ("0755", json!("0755")),
            ("0", json!(0)),
            ("-7", json!(-7)),
            ("+7", json!(7)),
            ("-", json!("-")),
            ("0x1F", json!(31)),
            ("0x", json!("0x")),
            ("0xéé", json!("0xéé")),
            ("1.10", json!(1.1)),
            ("1.5e+3", json!(1500.0)),
            ("1e3", json!("1e3")),
            ("1234e5", json!("1234e5")),
            (".", json!(".")),
            (".5", json!(0.5)),
            ("1.2.3", json!("1.2.3")),
            ("10.0.0.0/16", json!("10.0.0.0/16")),
            ("22:22", json!("22:22")),
            ("1_000", json!("1_000")),
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("y", json!("y")),
            ("~", json!(null)),
            (".inf", json!(".inf")),
            ("AWS::Region", json!("AWS::Region")),
        ] {
            assert_eq!(typed(text), want, "{text}");
        }
    }
}
