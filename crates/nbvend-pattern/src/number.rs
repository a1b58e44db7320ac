//! Numbers as patterns compare them: exact to six decimals, between -5e9 and 5e9.
//!
//! Such a number becomes a count of millionths, so that equality and order are those of integers.
//! What does not fit (an account id, seven decimals) can still be compared as literal text, never
//! by a numeric operator.

use serde_json::Number;

const MILLION: i64 = 1_000_000;
const LIMIT: i64 = 5_000_000_000 * MILLION;

/// The number written in a pattern, in millionths.
///
/// # Errors
/// event-ruler's reason why the number cannot be compared.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let cannot = || format!("Cannot compare number : {text}");
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i64>().map_err(|_| cannot())?),
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let (int, fraction) = mantissa.trim_start_matches('-').split_once('.').unwrap_or_else(|| {
        // No fraction at all.
        (mantissa.trim_start_matches('-'), "")
    });
    let digits = format!("{int}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    let trailing = i64::try_from(digits.len() - digits.trim_end_matches('0').len()).map_err(|_| cannot())?;
    let fraction_digits = i64::try_from(fraction.len()).map_err(|_| cannot())?;
    // value = significant * 10^power
    let power = exponent.saturating_sub(fraction_digits).saturating_add(trailing);
    if power < -6 {
        return Err("Only values upto 6 decimals are supported".to_owned());
    }
    let shift = u32::try_from(power.saturating_add(6)).map_err(|_| cannot())?;
    let millionths = significant
        .parse::<i64>()
        .ok()
        .and_then(|n| n.checked_mul(10_i64.checked_pow(shift)?))
        .ok_or_else(cannot)?;
    if millionths > LIMIT {
        return Err("Value must be between -5.0E9 and 5.0E9, inclusive".to_owned());
    }
    Ok(if negative { -millionths } else { millionths })
}

/// The number found in an event, in millionths, if it can be compared.
pub(crate) fn comparable(number: &Number) -> Option<i64> {
    if let Some(int) = number.as_i64() {
        return int.checked_mul(MILLION).filter(|m| (-LIMIT..=LIMIT).contains(m));
    }
    let float = number.as_f64()?;
    if float.abs() > 5e9 {
        return None;
    }
    // A decimal of at most six places is the nearest double of its millionths divided by a
    // million, for the division rounds correctly.
    let millionths = (float * 1e6).round();
    #[allow(clippy::cast_possible_truncation)] // at most 5e15
    (millionths / 1e6 == float).then_some(millionths as i64)
}

pub(crate) const LOWEST: i64 = -LIMIT;
pub(crate) const HIGHEST: i64 = LIMIT;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_numbers() {
        let cases: &[(&str, Result<i64, &str>)] = &[
            ("0", Ok(0)),
            ("-0.0", Ok(0)),
            ("1", Ok(1_000_000)),
            ("301.8", Ok(301_800_000)),
            ("3.018e2", Ok(301_800_000)),
            ("-4e-6", Ok(-4)),
            ("5000000000", Ok(HIGHEST)),
            ("-5.0E9", Ok(LOWEST)),
            ("0.1234560", Ok(123_456)),
            ("0.1234567", Err("Only values upto 6 decimals are supported")),
            ("5000000000.000001", Err("Value must be between -5.0E9 and 5.0E9, inclusive")),
            ("123456789012", Err("Value must be between -5.0E9 and 5.0E9, inclusive")),
            ("2.0e422", Err("Cannot compare number : 2.0e422")),
            ("1e99999999999999999999", Err("Cannot compare number : 1e99999999999999999999")),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn event_numbers_agree_with_pattern_numbers() {
        for text in
            ["0", "1.0", "300", "0.1", "0.000001", "-0.3", "4999999999.999999", "1e3", "123456.789012"]
        {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(comparable(&number), parse(text).ok(), "{text}");
        }
        for text in ["0.1234567", "123456789012", "5000000001", "1e300", "18446744073709551615"] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(comparable(&number), None, "{text}");
        }
    }
}
