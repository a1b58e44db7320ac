//! How large the parts of a record get, as CloudTrail bounds them (User Guide, "CloudTrail record contents"): texts are
//! cut at 1 KB, documents left out whole. Without it, whoever has a key but no rights could fill the disk with what is
//! refused.

use std::io;

use serde_json::{Map, Value, json};

/// Nothing that exists has a longer one, and a record can be found by what it names.
pub(super) const LONGEST_ARN: usize = 2048;

const TEXTS: [&str; 3] = ["errorCode", "errorMessage", "userAgent"];
const TEXT: usize = 1 << 10;
const DOCUMENTS: [(&str, usize); 3] =
    [("requestParameters", 100 << 10), ("responseElements", 100 << 10), ("additionalEventData", 28 << 10)];

/// Cuts what is too long, and puts the size of it where a document was too large.
pub(super) fn bound(record: &mut Map<String, Value>) {
    for name in TEXTS {
        if let Some(Value::String(text)) = record.get_mut(name) {
            text.truncate(text.floor_char_boundary(TEXT));
        }
    }
    for (name, limit) in DOCUMENTS {
        let Some(document) = record.get_mut(name) else { continue };
        let size = size(document);
        if size > limit {
            *document = json!({"reason": format!("{name} too large"), "omitted": true, "originalSize": size});
        }
    }
}

/// The length of a document as text, which is not made for it.
fn size(document: &Value) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail, and any value can be written.
    let _ = serde_json::to_writer(&mut count, document);
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounded(record: Value) -> Value {
        let Value::Object(mut members) = record else { panic!("not a record") };
        bound(&mut members);
        Value::Object(members)
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        for record in [
            json!({"errorMessage": "a".repeat(1024), "requestParameters": {"a": "é"}, "responseElements": null}),
            // With the quotes and braces it is 102400 bytes long.
            json!({"requestParameters": {"a": "x".repeat((100 << 10) - 8)}}),
        ] {
            assert_eq!(bounded(record.clone()), record);
        }
    }

    #[test]
    fn what_does_not_is_cut_or_left_out_with_its_size() {
        let large = |name: &str, size: usize| json!({name: {"a": "x".repeat(size - 8)}});
        for (name, limit) in DOCUMENTS {
            let expected = json!({name: {"reason": format!("{name} too large"), "omitted": true, "originalSize": limit + 1}});
            assert_eq!(bounded(large(name, limit + 1)), expected);
            assert_eq!(bounded(large(name, limit)), large(name, limit));
        }
        let cut =
            bounded(json!({"errorMessage": format!("{}é", "a".repeat(1023)), "eventName": "a".repeat(2000)}));
        assert_eq!(cut["errorMessage"], "a".repeat(1023), "a character is not cut in two");
        assert_eq!(cut["eventName"], "a".repeat(2000));
    }
}
