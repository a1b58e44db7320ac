//! Many rules at once answer as each one does.

use nbvend_pattern::{Pattern, RuleIndex};
use serde_json::{Value, json};

const PATTERNS: [&str; 32] = [
    r#"{"source":["app"]}"#,
    r#"{"source":["app"],"detail":{"user":["ann"]}}"#,
    r#"{"source":["app"],"detail":{"user":["bob","ann"]}}"#,
    r#"{"source":[{"prefix":"ap"}]}"#,
    r#"{"source":[{"prefix":""}]}"#,
    r#"{"source":[{"suffix":"pp"}]}"#,
    r#"{"source":[{"suffix":"é"},{"prefix":"é"}]}"#,
    r#"{"source":[{"equals-ignore-case":"APP"}]}"#,
    r#"{"source":[{"equals-ignore-case":"É"}]}"#,
    r#"{"source":[{"wildcard":"a*p"}]}"#,
    r#"{"source":[{"wildcard":"*p"}]}"#,
    r#"{"source":[{"wildcard":"*the*"}]}"#,
    r#"{"source":[{"wildcard":"o*the*r"},{"wildcard":"*o*t*"}]}"#,
    r#"{"detail":{"ip":[{"cidr":"10.9.0.0/16"},{"cidr":"10.8.0.0/16"},{"cidr":"::/0"}]}}"#,
    r#"{"detail":{"ip":[{"cidr":"0.0.0.0/0"}]}}"#,
    r#"{"source":[{"prefix":{"equals-ignore-case":"AP"}}]}"#,
    r#"{"source":[{"wildcard":"*"}]}"#,
    r#"{"source":[{"wildcard":"app"}]}"#,
    r#"{"source":[{"anything-but":"app"}]}"#,
    r#"{"detail":{"n":[5]}}"#,
    r#"{"detail":{"n":[{"numeric":["=",5]}]}}"#,
    r#"{"detail":{"n":[{"numeric":[">",4]},"x"]}}"#,
    r#"{"detail":{"n":[123456789012]}}"#,
    r#"{"detail":{"n":[null,true]}}"#,
    r#"{"detail":{"n":[{"exists":false}]}}"#,
    r#"{"detail":{"n":[{"exists":false}]},"source":["app"]}"#,
    r#"{"detail":{"ip":["10.0.0.1"]}}"#,
    r#"{"detail":{"ip":[{"cidr":"10.0.0.0/8"},"here"]}}"#,
    r#"{"$or":[{"source":["app"]},{"detail":{"user":["ann"]}}]}"#,
    r#"{"$or":[{"source":["none"]},{"detail":{"n":[{"exists":false}]}}]}"#,
    r#"{"detail":{"list":{"a":[1],"b":[2]}}}"#,
    r#"{"detail":{"user":["ann","ann",{"prefix":"an"}]}}"#,
];

fn events() -> Vec<Value> {
    let mut events = vec![json!({}), json!("no object"), json!({"detail": {}})];
    for source in ["app", "APP", "é", "É", "ap", "other"] {
        for user in ["ann", "bob"] {
            for n in [
                json!(5),
                json!(5.0),
                json!("x"),
                json!(null),
                json!(true),
                json!(123_456_789_012_i64),
                json!([]),
            ] {
                events.push(json!({"source": source, "detail": {
                    "user": user, "n": n, "ip": ["10.0.0.1", "here"],
                    "list": [{"a": 1, "b": 3}, {"a": 1, "b": 2}],
                }}));
                events.push(json!({"source": [source, user], "detail": {"ip": "10.9.9.9", "n": n}}));
                events.push(json!({"source": "o the the the r", "detail": {"ip": "fe80::1", "n": n}}));
            }
        }
    }
    events
}

fn patterns() -> Vec<Pattern> {
    PATTERNS.iter().map(|text| Pattern::parse(text).expect("a good pattern")).collect()
}

fn one_by_one(patterns: &[Pattern], kept: impl Fn(usize) -> bool, event: &Value) -> Vec<usize> {
    (0..patterns.len()).filter(|&at| kept(at) && patterns[at].matches(event)).collect()
}

#[test]
fn the_index_answers_as_the_patterns_do() {
    let patterns = patterns();
    let mut index = RuleIndex::new();
    for (at, pattern) in patterns.iter().enumerate() {
        index.insert(at, pattern.clone());
    }
    let mut matched = vec![false; patterns.len()];
    for event in events() {
        let answer = index.matches(&event);
        assert_eq!(answer, one_by_one(&patterns, |_| true, &event), "{event}");
        answer.iter().for_each(|&at| matched[at] = true);
    }
    assert!(matched.iter().all(|matched| *matched), "each pattern matched some event: {matched:?}");
}

#[test]
fn removed_rules_are_gone_and_places_are_reused() {
    let patterns = patterns();
    let mut index = RuleIndex::new();
    for (at, pattern) in patterns.iter().enumerate() {
        index.insert(at, pattern);
    }
    for at in (0..patterns.len()).step_by(2) {
        assert!(index.remove(&at));
        assert!(!index.remove(&at));
    }
    for event in events() {
        assert_eq!(index.matches(&event), one_by_one(&patterns, |at| at % 2 == 1, &event), "{event}");
    }
    for at in (0..patterns.len()).step_by(2) {
        index.insert(at, &patterns[at]);
    }
    for event in events() {
        let mut answer = index.matches(&event);
        answer.sort_unstable();
        assert_eq!(answer, one_by_one(&patterns, |_| true, &event), "{event}");
    }
    for at in 0..patterns.len() {
        index.remove(&at);
    }
    assert!(index.is_empty());
    assert!(events().iter().all(|event| index.matches(event).is_empty()));
}

#[test]
fn order_and_replacement() {
    let any = Pattern::parse(r#"{"source":[{"exists":true}]}"#).unwrap();
    let app = Pattern::parse(r#"{"source":["app"]}"#).unwrap();
    let mut index = RuleIndex::new();
    index.insert("b", &any);
    index.insert("c", &app);
    index.insert("a", &any);
    assert_eq!(index.matches(&json!({"source": "app"})), ["b", "c", "a"]);
    index.insert("b", &app);
    assert_eq!(index.len(), 3);
    assert_eq!(index.matches(&json!({"source": "app"})), ["c", "a", "b"]);
    assert_eq!(index.matches(&json!({"source": "x"})), ["a"]);
}
