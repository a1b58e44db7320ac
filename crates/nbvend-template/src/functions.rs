//! What is a function call, and is its argument of the right shape.
//!
//! The texts are AWS's: recorded, or reported by people who got them from the service. The few that
//! are known from neither are marked "ours".

use serde_json::{Map, Value};

/// The functions AWS names when it meets another (text and list as reported from ValidateTemplate).
const SUPPORTED: &str = "Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, \
    Fn::FindInMap, Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, \
    Fn::EachMemberEquals, Fn::EachMemberIn, Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr";

pub const REF: &str = "Template error: every Ref object must have a single String value.";
pub const GET_ATT: &str = "Template error: every Fn::GetAtt object requires two non-empty parameters, \
    the resource name and the resource attribute";
pub const SUB: &str = "Template error: One or more Fn::Sub intrinsic functions don't specify expected \
    arguments. Specify a string as first argument, and an optional second argument to specify a mapping of \
    values to replace in the string";
pub const SUB_NAMES: &str = "Template error: variable names in Fn::Sub syntax must contain only \
    alphanumeric characters, underscores, periods, and colons";
pub const JOIN: &str = "Template error: every Fn::Join object requires two parameters, (1) a string \
    delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as \
    Fn::GetAZs) to be joined.";
pub const SELECT: &str = "Template error: Fn::Select requires a list argument with two elements: an integer \
    index and a list";
pub const SPLIT: &str = "Template error: every Fn::Split object requires two parameters, (1) a string \
    delimiter and (2) a string to be split or a function that returns a string to be split.";
pub const IF: &str =
    "Template error: Fn::If requires a list argument with the first element being a condition";
pub const FIND_IN_MAP: &str = "Template error: every Fn::FindInMap object requires three parameters, the map \
    name, map key and the attribute for return value";
pub const BASE64: &str = "Template error: every Fn::Base64 object must have a String-typed value.";
pub const EQUALS: &str = "Template error: every Fn::Equals object requires a list of 2 string parameters.";
pub const NOT: &str = "Template error: every Fn::Not object requires one boolean parameter.";
pub const AND: &str =
    "Template error: every Fn::And object requires a list of atleast 2 and atmost 10 boolean parameters.";
pub const OR: &str =
    "Template error: every Fn::Or object requires a list of atleast 2 and atmost 10 boolean parameters.";
pub const IMPORT: &str = "Template error: the attribute in Fn::ImportValue must not depend on any resources, \
    imported values, or Fn::GetAZs";
/// Ours.
pub const GET_AZS: &str = "Template error: every Fn::GetAZs object must have a String-typed value.";
/// Ours.
pub const CIDR: &str = "Template error: every Fn::Cidr object requires an IP block, a count between 1 and 256 \
    and the number of subnet bits";
/// Ours.
pub const LENGTH: &str = "Template error: every Fn::Length object must have a list-typed value.";
/// Ours.
pub const TO_JSON: &str = "Template error: every Fn::ToJsonString object must have an object or list value.";

/// The functions that answer true or false.
pub fn is_condition_function(name: &str) -> bool {
    matches!(name, "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" | "Condition")
}

/// `{"Fn::X": argument}` or `{"Ref": argument}` as name and argument. An object of several members is
/// none, whatever its names.
pub fn call(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (name, argument) = map.iter().next()?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name, argument))
}

/// A function beside other members has no meaning; ignoring it would be worse than refusing it.
pub fn misplaced(map: &Map<String, Value>) -> Option<&str> {
    (map.len() > 1).then(|| map.keys().find(|key| key.starts_with("Fn::")).map(String::as_str)).flatten()
}

/// Scalars become text wherever a function wants text: AWS does not tell `3` from `"3"`.
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Resource and attribute of Fn::GetAtt, from `"A.B.C"` or `["A", "B.C"]`. The attribute of the list
/// form may be an expression (a Ref to a parameter): then it is `None`.
pub fn get_att(argument: &Value) -> Option<(&str, Option<String>)> {
    match argument {
        Value::String(text) => {
            let (id, attribute) = text.split_once('.')?;
            (!id.is_empty() && !attribute.is_empty()).then(|| (id, Some(attribute.to_owned())))
        }
        Value::Array(items) => {
            let (id, rest) = items.split_first()?;
            let id = id.as_str().filter(|id| !id.is_empty())?;
            match rest {
                [Value::String(attribute)] => (!attribute.is_empty()).then(|| (id, Some(attribute.clone()))),
                [Value::Object(_)] => Some((id, None)),
                // [Nested, Outputs, Url], which AWS takes as well.
                [_, _, ..] => {
                    let parts: Option<Vec<&str>> = rest.iter().map(Value::as_str).collect();
                    Some((id, Some(parts?.join("."))))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// A piece of an Fn::Sub text.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    Text(&'t str),
    /// `${!Name}`, which stands for `${Name}`.
    Literal(&'t str),
    Variable(&'t str),
}

/// Splits the text of Fn::Sub. A `${` that is never closed is text, as in a shell script's tail.
pub fn sub_pieces(text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start + 2..].find('}') else { break };
        let name = &rest[start + 2..start + 2 + length];
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        pieces.push(match name.strip_prefix('!') {
            Some(literal) => Piece::Literal(literal),
            None => {
                let name = name.trim();
                let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':');
                if name.is_empty() || !name.chars().all(legal) {
                    return Err(SUB_NAMES);
                }
                Piece::Variable(name)
            }
        });
        rest = &rest[start + 2 + length + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Text and variables of Fn::Sub, from either form.
pub fn sub_arguments(argument: &Value) -> Option<(&str, Option<&Map<String, Value>>)> {
    match argument {
        Value::String(text) => Some((text, None)),
        Value::Array(items) => match items.as_slice() {
            [Value::String(text)] => Some((text, None)),
            [Value::String(text), Value::Object(variables)] => Some((text, Some(variables))),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the argument of a call can be right at all, judged before anything is known of its values.
///
/// # Errors
/// AWS's text for a wrong one.
pub fn check(name: &str, argument: &Value, language_extensions: bool) -> Result<(), String> {
    let items = argument.as_array().map_or(&[][..], Vec::as_slice);
    let is_list = |v: &Value| v.is_array() || call(v).is_some();
    let is_text = |v: &Value| scalar_text(v).is_some() || call(v).is_some();
    let (fine, text) = match name {
        "Ref" => (argument.is_string(), REF),
        "Condition" => {
            (argument.is_string(), "Template error: every Condition object must have a single String value.")
        }
        "Fn::GetAtt" => (get_att(argument).is_some(), GET_ATT),
        "Fn::Sub" => match sub_arguments(argument) {
            Some((text, _)) => (sub_pieces(text).is_ok(), SUB_NAMES),
            None => (false, SUB),
        },
        "Fn::Join" => (matches!(items, [Value::String(_), list] if is_list(list)), JOIN),
        "Fn::Select" => (matches!(items, [index, list] if is_index(index) && is_list(list)), SELECT),
        "Fn::Split" => (matches!(items, [Value::String(d), text] if !d.is_empty() && is_text(text)), SPLIT),
        "Fn::If" => (matches!(items, [Value::String(_), _, _]), IF),
        "Fn::FindInMap" => {
            let with_default =
                language_extensions && items.len() == 4 && items[3].get("DefaultValue").is_some();
            (with_default || (items.len() == 3 && items.iter().all(is_text)), FIND_IN_MAP)
        }
        "Fn::Base64" => (is_text(argument), BASE64),
        "Fn::GetAZs" => (is_text(argument), GET_AZS),
        "Fn::ImportValue" => (is_text(argument), IMPORT),
        "Fn::Cidr" => (matches!(items.len(), 2 | 3) && items.iter().all(is_text), CIDR),
        "Fn::Equals" => (matches!(items, [a, b] if is_text(a) && is_text(b)), EQUALS),
        "Fn::Not" => (items.len() == 1, NOT),
        "Fn::And" => ((2..=10).contains(&items.len()), AND),
        "Fn::Or" => ((2..=10).contains(&items.len()), OR),
        "Fn::Length" if language_extensions => (is_list(argument), LENGTH),
        "Fn::ToJsonString" if language_extensions => (argument.is_object() || argument.is_array(), TO_JSON),
        _ => return Err(unsupported(name, argument, language_extensions)),
    };
    if fine { Ok(()) } else { Err(text.to_owned()) }
}

fn is_index(value: &Value) -> bool {
    call(value).is_some() || scalar_text(value).is_some_and(|text| text.parse::<usize>().is_ok())
}

/// The refusal of a function that is not there.
pub fn unsupported(name: &str, argument: &Value, language_extensions: bool) -> String {
    if name == "Fn::Transform" {
        // AWS's text for a macro the account does not have; here it has none.
        let transform = argument.get("Name").and_then(Value::as_str).unwrap_or("Fn::Transform");
        return format!("No transform named {transform} found.");
    }
    if name.starts_with("Fn::ForEach") && language_extensions {
        // Ours: AWS would expand it.
        return format!("Transform AWS::LanguageExtensions failed with: {name} is not supported here.");
    }
    format!("Template Error: Encountered unsupported function: {name} Supported functions are: [{SUPPORTED}]")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sub_texts_split_into_pieces() {
        use Piece::{Literal, Text, Variable};
        for (text, want) in [
            ("plain", vec![Text("plain")]),
            ("", vec![]),
            ("${A}", vec![Variable("A")]),
            ("x${A.B}y${AWS::Region}", vec![Text("x"), Variable("A.B"), Text("y"), Variable("AWS::Region")]),
            ("${!A}", vec![Literal("A")]),
            ("$${A}", vec![Text("$"), Variable("A")]),
            ("${ A }", vec![Variable("A")]),
            ("tail ${A", vec![Text("tail ${A")]),
            ("é${A}é", vec![Text("é"), Variable("A"), Text("é")]),
        ] {
            assert_eq!(sub_pieces(text).unwrap(), want, "{text}");
        }
        for text in ["${}", "${A-B}", "${a:-<none>}", "${${A}}", "${é}"] {
            assert_eq!(sub_pieces(text), Err(SUB_NAMES), "{text}");
        }
    }

    #[test]
    fn get_att_has_two_forms() {
        for (argument, want) in [
            (json!("A.B"), Some(("A", Some("B".to_owned())))),
            (json!("A.B.C"), Some(("A", Some("B.C".to_owned())))),
            (json!(["A", "B.C"]), Some(("A", Some("B.C".to_owned())))),
            (json!(["A", "B", "C"]), Some(("A", Some("B.C".to_owned())))),
            (json!(["A", {"Ref": "P"}]), Some(("A", None))),
            (json!("A"), None),
            (json!("A."), None),
            (json!([]), None),
            (json!(["A"]), None),
            (json!(["A", ""]), None),
            (json!([{"Ref": "A"}, "B"]), None),
            (json!({}), None),
        ] {
            assert_eq!(get_att(&argument), want, "{argument}");
        }
    }

    #[test]
    fn wrong_arguments_get_awss_text() {
        for (name, argument, want) in [
            ("Ref", json!(["A"]), REF),
            ("Fn::GetAtt", json!(["A"]), GET_ATT),
            ("Fn::Sub", json!({"a": 1}), SUB),
            ("Fn::Sub", json!(["${a}", ["b"]]), SUB),
            ("Fn::Sub", json!("${a b}"), SUB_NAMES),
            ("Fn::Join", json!(["a", "b"]), JOIN),
            ("Fn::Join", json!([1, ["b"]]), JOIN),
            ("Fn::Join", json!(["-", {"Fn::GetAZs": ""}, 3]), JOIN),
            ("Fn::Select", json!(["a", ["b"]]), SELECT),
            ("Fn::Select", json!([-1, ["b"]]), SELECT),
            ("Fn::Select", json!([0, "b"]), SELECT),
            ("Fn::Split", json!(["a"]), SPLIT),
            ("Fn::Split", json!(["", "a"]), SPLIT),
            ("Fn::If", json!([{"Ref": "C"}, 1, 2]), IF),
            ("Fn::If", json!(["C", 1]), IF),
            ("Fn::FindInMap", json!(["M", "a"]), FIND_IN_MAP),
            ("Fn::FindInMap", json!(["M", "a", "b", {"DefaultValue": "x"}]), FIND_IN_MAP),
            ("Fn::Base64", json!(["x"]), BASE64),
            ("Fn::Equals", json!(["a"]), EQUALS),
            ("Fn::Not", json!([true, false]), NOT),
            ("Fn::And", json!([{"Condition": "A"}]), AND),
            ("Fn::Or", json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), OR),
            ("Fn::Transform", json!({"Name": "AWS::Include"}), "No transform named AWS::Include found."),
        ] {
            assert_eq!(check(name, &argument, false), Err(want.to_owned()), "{name} {argument}");
        }
        for name in ["Fn::Length", "Fn::ToJsonString", "Fn::ForEach::X", "Fn::Nonsense"] {
            let error = check(name, &json!([]), false).unwrap_err();
            assert!(error.starts_with(&format!("Template Error: Encountered unsupported function: {name} ")));
        }
        assert!(check("Fn::Length", &json!([]), true).is_ok());
        assert!(check("Fn::ForEach::X", &json!([]), true).unwrap_err().contains("Fn::ForEach::X"));
    }
}
