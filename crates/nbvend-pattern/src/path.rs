//! The JSON paths of `InputPath` and `InputPathsMap`: `$`, `$.detail.items[0].name`, `$.a[*].b`.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(Box<str>),
    Index(usize),
    /// `*`: every member or element.
    All,
}

/// A parsed path. AWS supports dots, array indices and `*`, not the rest of JSONPath.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

impl JsonPath {
    /// Parses a path; `None` if it is none.
    pub fn parse(text: &str) -> Option<JsonPath> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (key, next) = after.split_at(end);
                if key.is_empty() || key.contains([']', '"', '\'', '(', ')', '?']) {
                    return None;
                }
                steps.push(if key == "*" { Step::All } else { Step::Key(key.into()) });
                rest = next;
            } else {
                let (inside, next) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(if inside == "*" { Step::All } else { Step::Index(inside.parse().ok()?) });
                rest = next;
            }
        }
        Some(JsonPath { steps })
    }

    /// What the path leads to. A path with `*` leads to the list of everything it matches.
    pub fn find(&self, event: &Value) -> Option<Value> {
        let mut found = vec![event];
        for step in &self.steps {
            found = found.into_iter().flat_map(|value| children(step, value)).collect();
        }
        if self.steps.contains(&Step::All) {
            return Some(Value::Array(found.into_iter().cloned().collect()));
        }
        found.first().map(|value| (*value).clone())
    }
}

fn children<'v>(step: &Step, value: &'v Value) -> Vec<&'v Value> {
    match (step, value) {
        (Step::Key(key), Value::Object(map)) => map.get(&**key).into_iter().collect(),
        (Step::Index(index), Value::Array(items)) => items.get(*index).into_iter().collect(),
        (Step::All, Value::Array(items)) => items.iter().collect(),
        (Step::All, Value::Object(map)) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// The part of an event that an `InputPath` such as `$.detail.items[0]` selects.
///
/// `None` if the path is malformed or leads nowhere.
pub fn input_path(path: &str, event: &Value) -> Option<Value> {
    JsonPath::parse(path)?.find(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths() {
        let event = json!({"detail-type": "T", "detail": {"items": [{"n": 1}, {"n": 2}, {}], "a_b": null}, "r": ["x"]});
        for (path, expected) in [
            ("$", Some(event.clone())),
            ("$.detail-type", Some(json!("T"))),
            ("$.detail.items[1].n", Some(json!(2))),
            ("$.detail.items[*].n", Some(json!([1, 2]))),
            ("$.detail.a_b", Some(json!(null))),
            ("$.r[0]", Some(json!("x"))),
            ("$.r.*", Some(json!(["x"]))),
            ("$.r[1]", None),
            ("$.missing.x", None),
            ("detail", None),
            ("$.", None),
            ("$..n", None),
            ("$.r[", None),
            ("$.r[-1]", None),
            ("$['r']", None),
            ("$detail", None),
            ("", None),
        ] {
            assert_eq!(input_path(path, &event), expected, "{path}");
        }
    }
}
