use serde_json::{Value, json};

use super::parse;

fn value(text: &str) -> Value {
    parse(text).unwrap().0
}

#[test]
fn short_forms_become_long_forms() {
    for (text, want) in [
        ("a: !Ref B", json!({"a": {"Ref": "B"}})),
        ("a: !GetAtt B.Arn", json!({"a": {"Fn::GetAtt": ["B", "Arn"]}})),
        ("a: !GetAtt B.Outputs.Url", json!({"a": {"Fn::GetAtt": ["B", "Outputs.Url"]}})),
        ("a: !GetAtt [B, Arn]", json!({"a": {"Fn::GetAtt": ["B", "Arn"]}})),
        ("a: !Sub '${B}-x'", json!({"a": {"Fn::Sub": "${B}-x"}})),
        ("a: !Sub\n  - ${x}\n  - x: !Ref B", json!({"a": {"Fn::Sub": ["${x}", {"x": {"Ref": "B"}}]}})),
        ("a: !If [C, !Ref B, 7]", json!({"a": {"Fn::If": ["C", {"Ref": "B"}, 7]}})),
        ("a: !Condition C", json!({"a": {"Condition": "C"}})),
        ("a: !GetAZs ''", json!({"a": {"Fn::GetAZs": ""}})),
        ("a: !Base64\n  Fn::Sub: x", json!({"a": {"Fn::Base64": {"Fn::Sub": "x"}}})),
        ("a: !Fn::Sub x", json!({"a": {"Fn::Sub": "x"}})),
        ("a: !Ref 012345678901", json!({"a": {"Ref": "012345678901"}})),
        ("a: !!str 12", json!({"a": "12"})),
        ("a: ! 12", json!({"a": "12"})),
        ("- !Transform {Name: X}", json!([{"Fn::Transform": {"Name": "X"}}])),
    ] {
        assert_eq!(value(text), want, "{text}");
    }
}

#[test]
fn keys_are_text_and_keep_their_order() {
    let parsed = value("012345678901: a\nyes: b\n200: c\n2012-10-17: d\n");
    let keys: Vec<_> = parsed.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["012345678901", "yes", "200", "2012-10-17"]);
}

#[test]
fn aliases_are_refused_and_anchors_alone_are_not() {
    assert_eq!(value("a: &x\n  - {k: 1}\nc: &y !Ref Z\n"), json!({"a": [{"k": 1}], "c": {"Ref": "Z"}}));
    for (text, line, column) in
        [("a: &x {k: 1}\nb: *x\n", 2, 4), ("a: &x [*x]", 1, 8), ("- &x 1\n- {k: *x}\n", 2, 7)]
    {
        let error = parse(text).unwrap_err();
        assert_eq!(
            error.message,
            "Template error: YAML aliases are not allowed in CloudFormation templates."
        );
        assert_eq!((error.line, error.column), (Some(line), Some(column)), "{text:?}");
    }
}

#[test]
fn says_where_it_is_broken() {
    for (text, line, column) in [
        ("a: b: c", 1, 5),
        ("a: 1\nb: 2\na: 3\n", 3, 1),
        ("Resources:\n  A:\n    Type: x\n  A:\n    Type: y\n", 4, 3),
        ("a: *nowhere", 1, 4),
        ("a: 1\n---\nb: 2\n", 2, 1),
        ("? [a]\n: b\n", 1, 3),
        ("a: !!binary aGk=", 1, 4),
        ("a: [1, 2", 2, 1),
        ("a: 'open", 1, 4),
        ("a:\n  b: 1\n c: 2\n", 3, 2),
    ] {
        let error = match parse(text) {
            Err(error) => error,
            Ok((value, _)) => panic!("{text:?} was read as {value}"),
        };
        assert!(error.message.starts_with("Template format error: YAML not well-formed. (line "), "{error}");
        assert_eq!((error.line, error.column), (Some(line), Some(column)), "{text:?} {error:?}");
    }
}

#[test]
fn merges_get_the_alias_error() {
    let error = parse("a: &x {k: 1}\nb:\n  <<: *x\n").unwrap_err();
    assert_eq!(error.message, "Template error: YAML aliases are not allowed in CloudFormation templates.");
    assert_eq!((error.line, error.column), (Some(3), Some(3)));
}

#[test]
fn bombs_are_errors() {
    let laughs: String =
        (1..40).map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","))).collect();
    let long = "x".repeat(100_000);
    for text in [
        "[".repeat(1 << 20),
        "- ".repeat(1 << 19),
        "a:\n".repeat(1000).lines().enumerate().map(|(i, l)| " ".repeat(i) + l + "\n").collect(),
        "? ".repeat(1 << 19),
        "{a: ".repeat(100_000),
        "&a ".repeat(100_000),
        "!a ".repeat(100_000),
        format!("a0: &a0 [x]\n{laughs}"),
        format!("a: &a {long}\nb: [{}]\n", "*a,".repeat(1000)),
    ] {
        assert!(parse(&text).is_err(), "{}", &text[..20]);
    }
}

#[test]
fn positions_are_those_of_the_text() {
    let text =
        "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n    Properties:\n      Name: !Sub 'é${X}'\n";
    let (value, spans) = parse(text).unwrap();
    let root = crate::path::Path::ROOT;
    let resources = root.key("Resources");
    let bucket = resources.key("Bucket");
    let properties = bucket.key("Properties");
    let name = properties.key("Name");
    for (path, by_key, line, column) in
        [(&bucket, true, 2, 3), (&bucket, false, 3, 5), (&name, true, 5, 7), (&name, false, 5, 13)]
    {
        let at = spans.locate(&value, &path.steps(), by_key);
        assert_eq!((at.line, at.column), (line, column), "{path} {by_key}");
    }
}
