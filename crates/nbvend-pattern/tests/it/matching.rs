//! Which values a field accepts, and how fields combine.

use nbvend_pattern::Pattern;
use serde_json::{Value, json};

fn matches(pattern: &str, event: &Value) -> bool {
    match Pattern::parse(pattern) {
        Ok(pattern) => pattern.matches(event),
        Err(e) => panic!("{pattern}: {e}"),
    }
}

/// Alternatives for one field, the values they accept, the values they do not.
#[test]
fn values() {
    let cases: [(&str, Value, Value); 31] = [
        (r#""a""#, json!(["a", ["b", "a"]]), json!(["A", "", 1, null, {"a": "a"}, []])),
        ("null", json!([null, [1, null]]), json!(["null", false, 0, []])),
        ("true", json!([true]), json!([false, "true", 1])),
        ("300", json!([300, 300.0, 3e2]), json!(["300", 300.000_001, 301])),
        ("123456789012", json!([123_456_789_012_i64]), json!([123_456_789_013_i64, "123456789012"])),
        ("0.1234567", json!([0.123_456_7]), json!([0.123_456, 0.123_456_8])),
        (r#"{"exactly":"10.0.0.1"}"#, json!(["10.0.0.1"]), json!(["010.0.0.1"])),
        (r#""10.0.0.1""#, json!(["10.0.0.1", "010.0.0.01"]), json!(["10.0.0.2", "10.0.0.1 "])),
        (r#""::1""#, json!(["::1", "0:0:0:0:0:0:0:1"]), json!(["::2", "0.0.0.1"])),
        (r#"{"prefix":"ab"}"#, json!(["ab", "abc"]), json!(["a", "Ab", "cab", 1])),
        (r#"{"prefix":""}"#, json!(["", "x"]), json!([1, null, true])),
        (r#"{"suffix":"ab"}"#, json!(["ab", "cab"]), json!(["b", "aB", "abc"])),
        (r#"{"prefix":{"equals-ignore-case":"äB"}}"#, json!(["ÄBc", "äb"]), json!(["ä", "ab"])),
        (r#"{"suffix":{"equals-ignore-case":"äB"}}"#, json!(["cÄb", "äb"]), json!(["bä"])),
        (
            r#"{"equals-ignore-case":"Straße"}"#,
            json!(["straße", "STRAßE", "sTRASSE"]),
            json!(["strasse", "strase"]),
        ),
        (r#"{"anything-but":"a"}"#, json!(["b", 1, null, true, ["a", "b"]]), json!(["a", ["a"], [], {}])),
        (r#"{"anything-but":["a","b"]}"#, json!(["c", 1]), json!(["a", "b"])),
        (r#"{"anything-but":[1,2.5]}"#, json!([3, "1", null, 1e11]), json!([1.0, 2.5])),
        (r#"{"anything-but":"10.0.0.1"}"#, json!(["10.0.0.2"]), json!(["10.0.0.1"])),
        (r#"{"anything-but":{"prefix":["a","b"]}}"#, json!(["ca", 1, null]), json!(["ac", "bc"])),
        (r#"{"anything-but":{"suffix":".txt"}}"#, json!(["txt", 5]), json!([".txt", "a.txt"])),
        (r#"{"anything-but":{"equals-ignore-case":["A","b"]}}"#, json!(["c", 5]), json!(["a", "B"])),
        (r#"{"anything-but":{"wildcard":["*/x/*","y*"]}}"#, json!(["x", 5]), json!(["a/x/b", "yes"])),
        (r#"{"numeric":["=",-0.5]}"#, json!([-0.5, -5e-1]), json!(["-0.5", 0.5])),
        (r#"{"numeric":[">",0,"<=",5]}"#, json!([0.000_001, 5, 5.0]), json!([0, 5.000_001, "3", null])),
        (r#"{"numeric":["<",0]}"#, json!([-1, -5_000_000_000_i64]), json!([0, -5_000_000_001_i64])),
        (r#"{"numeric":[">=",1e3]}"#, json!([1000, 5_000_000_000_i64]), json!([999.999_999, 1e10])),
        (r#"{"exists":true}"#, json!(["", null, 0, false, ["a"]]), json!([[], {}, {"a": 1}, [[]]])),
        (r#"{"exists":false}"#, json!([[], {}, {"a": 1}]), json!(["", null, 0, [1]])),
        (
            r#"{"cidr":"10.1.2.128/25"}"#,
            json!(["10.1.2.128", "10.1.2.255", "::ffff:0a01:0280"]),
            json!(["10.1.2.127", "10.1.3.0", "10.1.2", 10, "::ffff:10.1.2.200"]),
        ),
        (
            r#"{"cidr":"2001:db8::/47"}"#,
            json!(["2001:DB8:1:ffff::1"]),
            json!(["2001:db8:2::", "32.1.13.184"]),
        ),
    ];
    for (alternative, accepted, refused) in cases {
        let pattern = format!(r#"{{"detail":{{"f":[{alternative}]}}}}"#);
        for (values, expected) in [(accepted, true), (refused, false)] {
            for value in values.as_array().unwrap() {
                let event = json!({"detail": {"f": value}});
                assert_eq!(matches(&pattern, &event), expected, "{alternative} against {value}");
            }
        }
    }
}

#[test]
fn alternatives_of_different_kinds_do_not_disturb_each_other() {
    let pattern =
        r#"{"f":["10.0.0.1",{"prefix":"10.2."},{"cidr":"10.3.0.0/16"},7,{"numeric":[">",100]},null]}"#;
    for (value, expected) in [
        (json!("10.0.0.1"), true),
        (json!("10.2.0.1"), true),
        (json!("10.3.9.9"), true),
        (json!(7), true),
        (json!(101), true),
        (json!(null), true),
        (json!("10.4.0.1"), false),
        (json!(8), false),
        (json!("7"), false),
    ] {
        assert_eq!(matches(pattern, &json!({"f": value})), expected, "{value}");
    }
}

#[test]
fn paths() {
    let nested = json!({"detail": {"a": {"b": "x"}}});
    let dotted = json!({"detail": {"a.b": "x"}});
    for pattern in
        [r#"{"detail":{"a":{"b":["x"]}}}"#, r#"{"detail":{"a.b":["x"]}}"#, r#"{"detail.a.b":["x"]}"#]
    {
        assert!(matches(pattern, &nested), "{pattern}");
        assert!(matches(pattern, &dotted), "{pattern}");
    }
    assert!(!matches(r#"{"detail":{"a":["x"]}}"#, &nested), "not a leaf");
    assert!(!matches(r#"{"Detail":{"a":{"b":["x"]}}}"#, &nested), "names are case sensitive");
    assert!(!matches(r#"{"a":["x"]}"#, &json!("x")), "an event is an object");
}

#[test]
fn the_last_of_equal_paths_counts() {
    let pattern = r#"{"a":["x"],"a":["y"],"d":{"k":[1]},"d":{"l":[2]}}"#;
    assert!(matches(pattern, &json!({"a": "y", "d": {"k": 1, "l": 2}})));
    assert!(!matches(pattern, &json!({"a": "x", "d": {"k": 1, "l": 2}})));
    assert!(!matches(pattern, &json!({"a": "y", "d": {"l": 2}})), "other paths below an equal name stay");
    assert!(matches(r#"{"a":["x"]} and more"#, &json!({"a": "x"})), "text after the pattern is not read");
}

#[test]
fn fields_in_arrays_match_in_one_element() {
    let pattern = r#"{"items":{"name":["a"],"size":[{"numeric":[">",5]}]}}"#;
    for (items, expected) in [
        (json!([{"name": "a", "size": 6}]), true),
        (json!([{"name": "a", "size": 5}, {"name": "b", "size": 6}]), false),
        (json!([{"name": "a", "size": 5}, {"name": "a", "size": 6}]), true),
        (json!([[{"name": "a"}, {"size": 6}]]), false),
        (json!([[{"name": "a", "size": 6}]]), true),
        (json!([{"name": ["b", "a"], "size": [1, 6]}]), true),
        (json!({"name": "a", "size": 6}), true),
    ] {
        assert_eq!(matches(pattern, &json!({"items": items})), expected, "{items}");
    }
    // Different arrays are independent of each other.
    let two = r#"{"x":{"p":[1],"q":[2]},"y":{"r":[3]}}"#;
    assert!(matches(two, &json!({"x": [{"p": 0, "q": 2}, {"p": 1, "q": 2}], "y": [{"r": 3}, {"r": 4}]})));
    assert!(!matches(two, &json!({"x": [{"p": 1}, {"q": 2}], "y": [{"r": 3}]})));
    // A leaf outside of the array goes with every element.
    let outside = json!({"x": [{"p": 1}, {"p": 2, "r": 2}], "x.q": 5});
    assert!(matches(r#"{"x":{"p":[2],"q":[5],"r":[2]}}"#, &outside));
    assert!(!matches(r#"{"x":{"p":[1],"q":[5],"r":[2]}}"#, &outside));
    // An array within an element belongs to that element.
    let deep = r#"{"x":{"n":["a"],"y":{"m":["b"]}}}"#;
    assert!(matches(deep, &json!({"x": [{"n": "a", "y": [{"m": "c"}, {"m": "b"}]}]})));
    assert!(!matches(deep, &json!({"x": [{"n": "a", "y": [{"m": "c"}]}, {"n": "z", "y": [{"m": "b"}]}]})));
}

#[test]
fn absence_is_judged_in_the_chosen_elements() {
    let pattern = r#"{"items":{"a":["x"],"b":[{"exists":false}]}}"#;
    for (items, expected) in [
        (json!([{"a": "x"}]), true),
        (json!([{"a": "x", "b": 1}]), false),
        (json!([{"a": "x", "b": 1}, {"a": "x"}]), true),
        (json!([{"a": "x"}, {"b": 1}]), true),
    ] {
        assert_eq!(matches(pattern, &json!({"items": items})), expected, "{items}");
    }
    let either = r#"{"f":[{"exists":false},"off"]}"#;
    assert!(matches(either, &json!({})));
    assert!(matches(either, &json!({"f": "off"})));
    assert!(!matches(either, &json!({"f": "on"})));
}

#[test]
fn many_elements_do_not_multiply() {
    let element = |key: &str| -> Vec<Value> { (0..300).map(|_| json!({key: 1, "z": 1})).collect() };
    let event = json!({"a": element("p"), "b": element("q"), "c": element("r"), "d": [{"s": 1}, {"z": 2}]});
    // The fields of d match one by one, never together.
    let pattern =
        r#"{"a":{"p":[1],"z":[1]},"b":{"q":[1],"z":[1]},"c":{"r":[1],"z":[1]},"d":{"s":[1],"z":[2]}}"#;
    assert!(!matches(pattern, &event));
}

#[test]
fn or() {
    let pattern =
        r#"{"source":["s"],"$or":[{"a":[1]},{"b":{"c":[2]},"d":[3]},{"$or":[{"e":[4]},{"e":[5]}]}],"z":[0]}"#;
    for (event, expected) in [
        (json!({"source": "s", "a": 1, "z": 0}), true),
        (json!({"source": "s", "b": {"c": 2}, "d": 3, "z": 0}), true),
        (json!({"source": "s", "b": {"c": 2}, "z": 0}), false),
        (json!({"source": "s", "e": 5, "z": 0}), true),
        (json!({"source": "s", "e": 6, "z": 0}), false),
        (json!({"source": "t", "a": 1, "z": 0}), false),
        (json!({"source": "s", "a": 1}), false),
    ] {
        assert_eq!(matches(pattern, &event), expected, "{event}");
    }
    // Two of them multiply.
    let both = r#"{"$or":[{"a":[1]},{"b":[1]}],"d":{"$or":[{"a":[1]},{"b":[1]}]}}"#;
    assert!(matches(both, &json!({"b": 1, "d": {"a": 1}})));
    assert!(!matches(both, &json!({"a": 1, "b": 1})));
    // A later value for a path holds in its own branch only.
    let narrowed = r#"{"a":["x"],"$or":[{"a":["y"]},{"b":[1]}]}"#;
    assert!(matches(narrowed, &json!({"a": "y"})));
    assert!(matches(narrowed, &json!({"a": "x", "b": 1})));
    assert!(!matches(narrowed, &json!({"a": "x"})));
}

#[test]
fn or_as_a_field_of_old() {
    for (pattern, event) in [
        (r#"{"$or":{"a":[1]}}"#, json!({"$or": {"a": 1}})),
        (r#"{"$or":["x","y"]}"#, json!({"$or": "y"})),
        (r#"{"$or":[{"prefix":"a"},{"suffix":"z"}]}"#, json!({"$or": "abc"})),
    ] {
        assert!(matches(pattern, &event), "{pattern}");
        assert!(!matches(pattern, &json!({"a": 1})), "{pattern}");
    }
}

#[test]
fn ten_thousand_elements_are_searched_in_good_time() {
    // Trying every element against every other would take minutes.
    let elements = |make: fn(i32) -> Value| -> Vec<Value> { (0..10_000).map(make).collect() };
    let last = json!({"items": elements(|i| json!({"a": 1, "b": i, "c": 2})), "items.b": -1});
    assert!(matches(r#"{"items":{"a":[1],"b":[9999],"c":[2]}}"#, &last));
    assert!(!matches(r#"{"items":{"a":[1],"b":[10000],"c":[2]}}"#, &last));
    let apart = json!({"items": elements(|i| if i % 2 == 0 { json!({"a": 1}) } else { json!({"b": 1}) })});
    assert!(!matches(r#"{"items":{"a":[1],"b":[1]}}"#, &apart));
    assert!(matches(r#"{"items":{"a":[1],"b":[{"exists":false}]}}"#, &apart));
    let nested = json!({"items": elements(|i| json!({"t": [{"a": 1, "b": i}, {"a": 2, "b": 1}]}))});
    assert!(matches(r#"{"items":{"t":{"a":[2],"b":[1]}}}"#, &nested));
    assert!(!matches(r#"{"items":{"t":{"a":[2],"b":[9]}}}"#, &nested));
    let full = json!({"items": elements(|_| json!({"a": 1, "b": 1}))});
    assert!(!matches(r#"{"items":{"a":[1],"b":[{"exists":false}]}}"#, &full));
}
