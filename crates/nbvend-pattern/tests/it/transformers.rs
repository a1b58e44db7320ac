//! Input transformers.

use nbvend_pattern::{InputTransformer, RuleContext};
use serde_json::{Value, json};

const RULE: RuleContext<'_> = RuleContext {
    rule_arn: "arn:aws:events:eu-west-1:123456789012:rule/bus/r",
    rule_name: "r",
    ingestion_time: "2030-01-02T03:04:05Z",
};

fn event() -> Value {
    json!({
        "version": "0", "id": "1-2", "detail-type": "Vend", "source": "app", "account": "123456789012",
        "time": "2030-01-02T03:04:04Z", "region": "eu-west-1", "resources": ["arn:a", "arn:b"],
        "detail": {
            "user": "ann", "count": 3, "ok": true, "none": null, "list": ["x", 1], "object": {"k": "v", "n": {"m": 1}},
            "tricky": "say \"hi\"\\\n<user>",
        }
    })
}

const PATHS: [(&str, &str); 10] = [
    ("user", "$.detail.user"),
    ("count", "$.detail.count"),
    ("ok", "$.detail.ok"),
    ("none", "$.detail.none"),
    ("list", "$.detail.list"),
    ("object", "$.detail.object"),
    ("tricky", "$.detail.tricky"),
    ("first", "$.resources[0]"),
    ("missing", "$.detail.missing"),
    ("detail-type", "$.detail-type"),
];

#[test]
fn templates() {
    for (template, expected) in [
        (r#""<user> made a <detail-type>""#, r#""ann made a Vend""#),
        (r#""<user> is \"<user>\"""#, r#""ann is \"ann\"""#),
        (
            r#"{"u": <user>, "n": <count>, "ok": <ok>, "none": <none>}"#,
            r#"{"u": "ann", "n": 3, "ok": true, "none": null}"#,
        ),
        (r#"{"u": "<user>", "n": "<count>-<ok>"}"#, r#"{"u": "ann", "n": "3-true"}"#),
        (r#"{"l": <list>, "o": <object>}"#, r#"{"l": ["x",1], "o": {"k":"v","n":{"m":1}}}"#),
        (r#""all: <object> <list>""#, r#""all: {k:v,n:{m:1}} [x,1]""#),
        (r#"{"m": <missing>, "t": "[<missing>]"}"#, r#"{"m": "", "t": "[]"}"#),
        (r#"[9, <first>, true]"#, r#"[9, "arn:a", true]"#),
        ("<object>", r#"{"k":"v","n":{"m":1}}"#),
        ("\"one <user>\"\n\"two <count>\"", "\"one ann\"\n\"two 3\""),
        (r#"{"t": <tricky>}"#, r#"{"t": "say \"hi\"\\\n<user>"}"#),
        (r#"{"t": "<tricky>"}"#, r#"{"t": "say \"hi\"\\\n<user>"}"#),
        (r#""1 < 2""#, r#""1 < 2""#),
        ("{\"fixed\": 1}", "{\"fixed\": 1}"),
        (
            r#"{"arn": <aws.events.rule-arn>, "name": "<aws.events.rule-name>", "at": <aws.events.event.ingestion-time>}"#,
            r#"{"arn": "arn:aws:events:eu-west-1:123456789012:rule/bus/r", "name": "r", "at": "2030-01-02T03:04:05Z"}"#,
        ),
        (
            "<aws.events.event>",
            r#"{"id":"1-2","account":"123456789012","detailType":"Vend","time":"2030-01-02T03:04:04Z","source":"app","region":"eu-west-1","resources":["arn:a","arn:b"],"version":"0"}"#,
        ),
    ] {
        let transformer = InputTransformer::parse(PATHS, template).unwrap();
        assert_eq!(transformer.apply(&event(), &RULE), expected, "{template}");
    }
    let whole = InputTransformer::parse([], r#"{"event": <aws.events.event.json>}"#).unwrap();
    let sent: Value = serde_json::from_str(&whole.apply(&event(), &RULE)).unwrap();
    assert_eq!(sent, json!({"event": event()}));
}

#[test]
fn an_event_cannot_break_out_of_its_place() {
    let transformer = InputTransformer::parse(
        [("x", "$.detail.x")],
        r#"{"bare": <x>, "quoted": "<x>", "mixed": "a <x> b"}"#,
    )
    .unwrap();
    for value in [json!("\",\"admin\":true,\""), json!("\\"), json!({"a\"b\\": "\\\"c"}), json!(["\u{1}"])] {
        let sent = transformer.apply(&json!({"detail": {"x": value}}), &RULE);
        let sent: Value = serde_json::from_str(&sent).unwrap_or_else(|e| panic!("{e}: {sent}"));
        assert_eq!(sent.as_object().map(serde_json::Map::len), Some(3), "{sent}");
        assert_eq!(sent["bare"], value);
    }
}

#[test]
fn refused() {
    let no_json = |text: &str, column: usize| {
        format!(
            "Invalid InputTemplate for target t : [Source: (String)\"{text}\"; line: 1, column: {column}]."
        )
    };
    let unknown = |name: &str| format!("InputTemplate for target t contains invalid placeholder {name}.");
    for (paths, template, message) in [
        (("a", "$.a"), r#""<b>""#, unknown("b")),
        (("a", "$.a"), r#""<aws.events.nothing>""#, unknown("aws.events.nothing")),
        (("a", "$.a"), r#""1 < 2 > 1""#, unknown(" 2 ")),
        (("a", "$.a"), r#"{<a>: 1}"#, no_json("{null: 1}", 2)),
        (("a", "$.a"), "<a> is here", no_json("null is here", 8)),
        (("a", "$.a"), r#"{"a": <a>"#, no_json("{\"a\": null", 11)),
        (("a", "$.a"), "", no_json("", 1)),
        (("a", "a.b"), "\"\"", "InputPathsMap for target t contains invalid JSONPath a.b.".to_owned()),
        (("AWS.x", "$.a"), "\"\"", "InputPathsMap for target t contains invalid key AWS.x.".to_owned()),
    ] {
        match InputTransformer::parse([paths], template) {
            Ok(_) => panic!("{template} was accepted"),
            Err(e) => assert_eq!(e.message("t"), message, "{template}"),
        }
    }
}
