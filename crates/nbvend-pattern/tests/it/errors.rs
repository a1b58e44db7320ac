//! What is refused, and in which words.

use nbvend_pattern::Pattern;

fn refusal(pattern: &str) -> nbvend_pattern::PatternError {
    match Pattern::parse(pattern) {
        Ok(_) => panic!("{pattern} was accepted"),
        Err(e) => e,
    }
}

#[test]
fn structure() {
    for (pattern, reason) in [
        ("{}", "Empty objects are not allowed"),
        (r#"{"detail":{}}"#, "Empty objects are not allowed"),
        (r#"{"source":[]}"#, "Empty arrays are not allowed"),
        (r#"{"source":"aws.ec2"}"#, r#""source" must be an object or an array"#),
        (r#"{"detail":{"n":7}}"#, r#""n" must be an object or an array"#),
        (r#"{"detail":null}"#, r#""detail" must be an object or an array"#),
        (r#"{"source":[["aws.ec2"]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"source":[{}]}"#, "Match expression name not found"),
        (r#"{"source":[{"Prefix":"a"}]}"#, "Unrecognized match type Prefix"),
        (r#"{"source":[{"prefix":"a","suffix":"b"}]}"#, "Only one key allowed in match expression"),
        ("[]", "Filter is not an object"),
        ("\"text\"", "Filter is not an object"),
        ("", "Filter is not an object"),
    ] {
        assert_eq!(refusal(pattern).reason(), reason, "{pattern}");
    }
}

#[test]
fn operators() {
    for (expression, reason) in [
        (r#"{"exactly":1}"#, "exact match pattern must be a string"),
        (r#"{"prefix":7}"#, "prefix match pattern must be a string"),
        (r#"{"prefix":{}}"#, "Prefix expression name not found"),
        (r#"{"prefix":{"wildcard":"a*"}}"#, "Unsupported prefix pattern: wildcard"),
        (r#"{"prefix":{"equals-ignore-case":1}}"#, "equals-ignore-case match pattern must be a string"),
        (r#"{"prefix":{"equals-ignore-case":"a","x":1}}"#, "Only one key allowed in match expression"),
        (r#"{"suffix":[".txt"]}"#, "suffix match pattern must be a string"),
        (r#"{"suffix":{}}"#, "Suffix expression name not found"),
        (r#"{"suffix":{"prefix":"a"}}"#, "Unsupported suffix pattern: prefix"),
        (r#"{"equals-ignore-case":null}"#, "equals-ignore-case match pattern must be a string"),
        (r#"{"wildcard":true}"#, "wildcard match pattern must be a string"),
        (r#"{"wildcard":"a*\\x"}"#, "Invalid escape character at pos 3"),
        (r#"{"wildcard":"***"}"#, "Consecutive wildcard characters at pos 1"),
        (
            r#"{"wildcard":"*-*-*-*-*-*-end"}"#,
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character \
             sequences after a wildcard character",
        ),
        (r#"{"cidr":10}"#, "prefix match pattern must be a string"),
        (r#"{"cidr":"10.0.0.0"}"#, "Malformed CIDR, one '/' required"),
        (r#"{"cidr":"10.0.0.0/33"}"#, "IPv4 mask bits must be < 32"),
        (r#"{"exists":"yes"}"#, "exists match pattern must be either true or false."),
        (r#"{"exists":true,"prefix":"a"}"#, "Only one key allowed in match expression"),
    ] {
        let pattern = format!(r#"{{"detail":{{"f":[{expression}]}}}}"#);
        assert_eq!(refusal(&pattern).reason(), reason, "{pattern}");
    }
}

#[test]
fn anything_but() {
    let kind = "Value of anything-but must be an array or single string/number value.";
    let mixed =
        "Inside anything but list, either all values are number or string, mixed type is not supported";
    let ignore_case =
        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";
    for (inside, reason) in [
        ("true", kind),
        ("null", kind),
        (r#"{"prefix":null}"#, kind),
        (r#"{"wildcard":{}}"#, kind),
        ("[]", mixed),
        (r#"[1,"a"]"#, mixed),
        ("[true]", "Inside anything but list, start|null|boolean is not supported."),
        (r#"[["a"]]"#, "Inside anything but list, start|null|boolean is not supported."),
        ("{}", "Anything-But expression name not found"),
        (r#"{"numeric":[">",1]}"#, "Unsupported anything-but pattern: numeric"),
        (r#"{"prefix":""}"#, "Null prefix/suffix not allowed"),
        (r#"{"suffix":["a",""]}"#, "Null prefix/suffix not allowed"),
        (r#"{"prefix":["a",1]}"#, "prefix/suffix match pattern must be a string"),
        (r#"{"equals-ignore-case":5}"#, ignore_case),
        (r#"{"equals-ignore-case":["a",null]}"#, ignore_case),
        (r#"{"wildcard":["a*",1]}"#, "wildcard match pattern must be a string"),
        (r#"{"wildcard":["ok","a**"]}"#, "Consecutive wildcard characters at pos 2"),
        ("6000000000", "Value must be between -5.0E9 and 5.0E9, inclusive"),
    ] {
        let pattern = format!(r#"{{"f":[{{"anything-but":{inside}}}]}}"#);
        assert_eq!(refusal(&pattern).reason(), reason, "{pattern}");
    }
}

#[test]
fn numeric() {
    for (inside, reason) in [
        ("7", "Value of numeric must be an array."),
        ("[]", "Invalid member in numeric match: ]"),
        ("[3]", "Invalid member in numeric match: 3"),
        (r#"["!=",3]"#, "Unrecognized numeric range operator: !="),
        (r#"["="]"#, "Value of equals must be numeric"),
        (r#"["=","3"]"#, "Value of equals must be numeric"),
        (r#"[">=",null]"#, "Value of >= must be numeric"),
        (r#"["<",3,">",1]"#, "Too many elements in numeric expression"),
        (r#"["=",3,4]"#, "Too many elements in numeric expression"),
        (r#"[">",3,4]"#, "Bad value in numeric range: 4"),
        (r#"[">",3,">=",4]"#, "Bad numeric range operator: >="),
        (r#"[">",3,"<","4"]"#, "Value of < must be numeric"),
        (r#"[">",3,"<",4,5]"#, "Too many terms in numeric range expression"),
        (r#"[">",4,"<",3]"#, "Bottom must be less than top"),
        (r#"[">",4,"<=",4.0]"#, "Bottom must be less than top"),
        (r#"["<",5000000001]"#, "Value must be between -5.0E9 and 5.0E9, inclusive"),
        (r#"["<",1e400]"#, "Cannot compare number : 1e400"),
    ] {
        let pattern = format!(r#"{{"f":[{{"numeric":{inside}}}]}}"#);
        assert_eq!(refusal(&pattern).reason(), reason, "{pattern}");
    }
}

#[test]
fn or() {
    for (pattern, reason) in [
        (r#"{"$or":[]}"#, "There must have at least 2 Objects in $or relationship."),
        (r#"{"$or":[{"a":[1]}]}"#, "There must have at least 2 Objects in $or relationship."),
        (r#"{"$or":"x"}"#, "It must be an Array followed with $or."),
        (r#"{"$or":[{"a":[1]},"b"]}"#, "Only JSON object is allowed in array of $or relationship."),
        (r#"{"$or":[{"a":[1]},{}]}"#, "Empty objects are not allowed"),
        (
            r#"{"$or":[{"a":[1]},{"regex":["x"]}]}"#,
            "regex is Ruler reserved fieldName which cannot be used inside $or.",
        ),
    ] {
        assert_eq!(refusal(pattern).reason(), reason, "{pattern}");
    }
    let ten = r#""$or":[{"a":[1]},{"a":[2]},{"a":[3]},{"a":[4]},{"a":[5]},{"a":[6]},{"a":[7]},{"a":[8]},{"a":[9]},{"a":[0]}]"#;
    let thousand = format!(r#"{{{ten},"b":{{{ten}}},"c":{{{ten}}}}}"#);
    assert!(Pattern::parse(&thousand).is_ok());
    let more = format!(r#"{{{ten},"b":{{{ten}}},"c":{{{ten}}},"d":{{{ten}}}}}"#);
    assert!(refusal(&more).reason().starts_with("Rule is too complex"), "ten thousand branches");
}

#[test]
fn the_first_mistake_is_the_one_reported() {
    let error = refusal(r#"{"a":[{"prefix":1}],"b":[}"#);
    assert_eq!(error.reason(), "prefix match pattern must be a string");
    let error = refusal(r#"{"b":[},"a":[{"prefix":1}]"#);
    assert_eq!(
        error.reason(),
        "Unexpected close marker '}': expected ']' (for Array starting at [Source: \
         (String)\"{\"b\":[},\"a\":[{\"prefix\":1}]\"; line: 1, column: 6])"
    );
}

#[test]
fn messages_with_and_without_place() {
    for (pattern, message, place) in [
        (
            "not json",
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: (String)\"not json\"; line: 1, column: 4]",
            "",
        ),
        (
            "{'a': [1]}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name\n at [Source: (String)\"{'a': [1]}\"; line: 1, column: 2]",
            "",
        ),
        ("[1]", "Filter is not an object\n at [Source: (String)\"[1]\"; line: 1, column: 2]", ""),
        (
            r#"{"a": {}}"#,
            "Empty objects are not allowed",
            "\n at [Source: (String)\"{\"a\": {}}\"; line: 1, column: 9]",
        ),
        (
            "{\n  \"a\": \"b\"\n}",
            "\"a\" must be an object or an array",
            "\n at [Source: (String)\"{\n  \"a\": \"b\"\n}\"; line: 2, column: 9]",
        ),
        (r#"{"a": [{"cidr": "x"}]}"#, "Malformed CIDR, one '/' required", ""),
    ] {
        let error = refusal(pattern);
        let prefix = "Event pattern is not valid. Reason: ";
        assert_eq!(error.message(), format!("{prefix}{message}"), "{pattern}");
        assert_eq!(error.to_string(), error.message());
        assert_eq!(error.message_with_place(), format!("{prefix}{message}{place}"), "{pattern}");
    }
}
