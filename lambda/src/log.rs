//! One line of JSON a message, on standard error, which Lambda sends to the function's log.
//!
//! A link opens a notebook for whoever holds it, so nothing that may hold one is ever given to this module.

use serde_json::Value;

/// Writes `fields`, an object, as one line with its `level` first.
#[allow(clippy::print_stderr)]
fn line(level: &str, message: &str, fields: &Value) {
    let mut text = serde_json::json!({ "level": level, "message": message });
    if let (Some(all), Some(more)) = (text.as_object_mut(), fields.as_object()) {
        all.extend(more.clone());
    }
    eprintln!("{text}");
}

/// Something that happened as it should.
pub fn info(message: &str, fields: &Value) {
    line("INFO", message, fields);
}

/// Something that somebody may want to look into.
pub fn warn(message: &str, fields: &Value) {
    line("WARN", message, fields);
}
