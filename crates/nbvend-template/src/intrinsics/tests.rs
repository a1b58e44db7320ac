use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Env, Resolver, evaluate_conditions, resolve};
use crate::Template;

struct World;

impl Resolver for World {
    fn reference(&self, id: &str) -> Option<Value> {
        (id == "Bucket").then(|| json!("bucket-1"))
    }

    fn attribute(&self, id: &str, attribute: &str) -> Option<Value> {
        match (id, attribute) {
            ("Bucket", "Arn") => Some(json!("arn:aws:s3:::bucket-1")),
            ("Nested", "Outputs.Url") => Some(json!("http://x")),
            ("Net", "Blocks") => Some(json!(["10.0.0.0/16", "10.1.0.0/16"])),
            _ => None,
        }
    }

    fn import(&self, export: &str) -> Result<Value, String> {
        match export {
            "role" => Ok(json!("arn:role")),
            _ => Err(format!("No export named {export} found")),
        }
    }

    fn availability_zones(&self, region: &str) -> Vec<String> {
        ["a", "b"].iter().map(|zone| format!("{region}{zone}")).collect()
    }

    fn dynamic(&self, service: &str, key: &str) -> Result<String, String> {
        match service {
            "ssm" => Ok(format!("<{key}>")),
            _ => Err(format!("no {service}")),
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn run_with(value: &Value, language_extensions: bool) -> Result<Option<Value>, String> {
    let parameters = object(json!({"User": "Ann", "Count": "3", "List": ["a", "b"], "Empty": ""}));
    let pseudo = object(json!({"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012",
        "AWS::StackName": "st", "AWS::NotificationARNs": ["arn:1"]}));
    let mappings = object(json!({"M": {"eu-west-1": {"Ami": "ami-1", "Zones": ["x", "y"], "N": 5}}}));
    let conditions = BTreeMap::from([("Yes".to_owned(), true), ("No".to_owned(), false)]);
    let env = Env {
        parameters: &parameters,
        pseudo: &pseudo,
        mappings: &mappings,
        conditions: &conditions,
        language_extensions,
        resolver: &World,
    };
    resolve(value, &env).map_err(|error| error.message)
}

fn run(value: &Value) -> Result<Option<Value>, String> {
    run_with(value, false)
}

#[test]
fn functions_give_values() {
    for (expression, want) in [
        (json!({"Ref": "User"}), json!("Ann")),
        (json!({"Ref": "List"}), json!(["a", "b"])),
        (json!({"Ref": "AWS::NotificationARNs"}), json!(["arn:1"])),
        (json!({"Ref": "Bucket"}), json!("bucket-1")),
        (json!({"Fn::GetAtt": ["Bucket", "Arn"]}), json!("arn:aws:s3:::bucket-1")),
        (json!({"Fn::GetAtt": "Nested.Outputs.Url"}), json!("http://x")),
        (json!({"Fn::GetAtt": ["Nested", "Outputs", "Url"]}), json!("http://x")),
        (
            json!({"Fn::Sub": "${User}-${Bucket.Arn}-${AWS::StackName}-${!User}-$x"}),
            json!("Ann-arn:aws:s3:::bucket-1-st-${User}-$x"),
        ),
        (json!({"Fn::Sub": ["${User}/${n}", {"n": {"Ref": "Count"}, "User": 7}]}), json!("7/3")),
        (json!({"Fn::Sub": "x${AWS::NoValue}y"}), json!("xy")),
        (
            json!({"Fn::Join": ["-", ["a", 1, true, {"Ref": "User"}, {"Ref": "AWS::NoValue"}]]}),
            json!("a-1-true-Ann"),
        ),
        (json!({"Fn::Join": [",", {"Ref": "List"}]}), json!("a,b")),
        (json!({"Fn::Join": ["", []]}), json!("")),
        (json!({"Fn::Split": ["|", "a||b"]}), json!(["a", "", "b"])),
        (json!({"Fn::Select": [1, {"Fn::Split": [",", "x,y"]}]}), json!("y")),
        (json!({"Fn::Select": ["0", {"Fn::GetAtt": ["Net", "Blocks"]}]}), json!("10.0.0.0/16")),
        (json!({"Fn::Select": [{"Fn::FindInMap": ["M", "eu-west-1", "Zero"]}, ["a"]]}), Value::Null),
        (json!({"Fn::If": ["Yes", 1, {"Ref": "Nowhere"}]}), json!(1)),
        (
            json!({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": [{"Ref": "AWS::NoValue"}, 2]}),
            json!({"b": [2]}),
        ),
        (json!({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "Ami"]}), json!("ami-1")),
        (json!({"Fn::FindInMap": ["M", "eu-west-1", "Zones"]}), json!(["x", "y"])),
        (json!({"Fn::Base64": {"Fn::Sub": "hi ${User}"}}), json!("aGkgQW5u")),
        (json!({"Fn::GetAZs": ""}), json!(["eu-west-1a", "eu-west-1b"])),
        (json!({"Fn::GetAZs": {"Ref": "AWS::Region"}}), json!(["eu-west-1a", "eu-west-1b"])),
        (json!({"Fn::ImportValue": {"Fn::Sub": "ro${Empty}le"}}), json!("arn:role")),
        (json!({"Fn::Cidr": ["192.168.0.0/16", 2, 8]}), json!(["192.168.0.0/24", "192.168.1.0/24"])),
        (
            json!({"Fn::Cidr": ["192.168.0.0/24", "6", "5"]}),
            json!([
                "192.168.0.0/27",
                "192.168.0.32/27",
                "192.168.0.64/27",
                "192.168.0.96/27",
                "192.168.0.128/27",
                "192.168.0.160/27"
            ]),
        ),
        (json!({"Fn::Cidr": ["2001:db8::/56", 2, 64]}), json!(["2001:db8::/64", "2001:db8:0:1::/64"])),
        (json!({"Fn::Cidr": ["10.0.0.0/24", 3]}), json!(["10.0.0.0/26", "10.0.0.64/26", "10.0.0.128/26"])),
        (json!({"Fn::Cidr": ["0.0.0.0/0", 1, 32]}), json!(["0.0.0.0/0"])),
        (json!({"Fn::Cidr": ["::/0", 2, 127]}), json!(["::/1", "8000::/1"])),
        (json!({"Fn::Equals": [{"Ref": "Count"}, 3]}), json!(true)),
        (json!({"p": "{{resolve:ssm:/a/b:3}} and {{resolve:ssm:c}}"}), json!({"p": "</a/b:3> and <c>"})),
        (json!({"Fn::Sub": "{{resolve:ssm:/${User}}}"}), json!("</Ann>")),
        (json!("{{resolve:ssm:open"), json!("{{resolve:ssm:open")),
        (
            json!({"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": false}}}]}),
            json!({"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": false}}}]}),
        ),
        (json!({"Ref": "x", "Other": 1}), json!({"Ref": "x", "Other": 1})),
    ] {
        match run(&expression) {
            Err(error) if want.is_null() => assert!(error.contains("Unable to get mapping"), "{error}"),
            result => assert_eq!(result, Ok(Some(want)), "{expression}"),
        }
    }
    assert_eq!(run(&json!({"Ref": "AWS::NoValue"})), Ok(None));
}

#[test]
fn language_extensions_add_functions() {
    for (expression, want) in [
        (json!({"Fn::Length": {"Ref": "List"}}), json!(2)),
        (json!({"Fn::Length": [1, {"Ref": "AWS::NoValue"}]}), json!(1)),
        (
            json!({"Fn::ToJsonString": {"z": {"Ref": "User"}, "a": [1, {"Ref": "AWS::NoValue"}]}}),
            json!("{\"z\":\"Ann\",\"a\":[1]}"),
        ),
        (json!({"Fn::FindInMap": ["M", "nowhere", "Ami", {"DefaultValue": {"Ref": "User"}}]}), json!("Ann")),
        (json!({"Fn::FindInMap": ["M", "eu-west-1", "Ami", {"DefaultValue": "x"}]}), json!("ami-1")),
    ] {
        assert_eq!(run_with(&expression, true), Ok(Some(want)), "{expression}");
        assert!(run_with(&expression, false).is_err(), "{expression}");
    }
}

#[test]
fn what_cannot_be_resolved_gets_awss_text() {
    for (expression, want) in [
        (
            json!({"Ref": "Nowhere"}),
            "Template format error: Unresolved resource dependencies [Nowhere] in the Resources block of the template",
        ),
        (
            json!({"Fn::GetAtt": ["Bucket", "Color"]}),
            "Template error: resource Bucket does not support attribute type Color in Fn::GetAtt",
        ),
        (json!({"Fn::ImportValue": "none"}), "No export named none found"),
        (
            json!({"Fn::Select": [9, {"Ref": "List"}]}),
            "Template error: Fn::Select cannot select nonexistent value at index 9",
        ),
        (
            json!({"Fn::Select": [9, ["a"]]}),
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        (
            json!({"Fn::Select": [0, {"Ref": "User"}]}),
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        (
            json!({"Fn::FindInMap": ["M", "us-east-1", "Ami"]}),
            "Template error: Unable to get mapping for M::us-east-1::Ami",
        ),
        (
            json!({"Fn::If": ["Maybe", 1, 2]}),
            "Template error: unresolved condition dependency Maybe in Fn::If",
        ),
        (json!({"Fn::Sub": "${List}"}), super::functions::SUB),
        (json!({"Fn::Join": [",", {"Ref": "User"}]}), super::functions::JOIN),
        (json!({"Fn::Join": [",", [["a"]]]}), super::functions::JOIN),
        (json!({"Fn::Cidr": ["10.0.0.0/24", 300, 1]}), super::functions::CIDR),
        (json!({"Fn::Cidr": ["10.0.0.0/24", 2, 8]}), super::functions::CIDR),
        (json!({"Fn::Cidr": ["10.0.0.0/24", 1, 33]}), super::functions::CIDR),
        (json!({"Fn::Cidr": ["nonsense", 1, 8]}), super::functions::CIDR),
        (json!({"Fn::Transform": {"Name": "AWS::Include"}}), "No transform named AWS::Include found."),
        (
            json!({"p": {"Fn::Transform": {"Name": "X"}, "q": 1}}),
            "Template error: Fn::Transform must be the only member of its object",
        ),
        (json!("{{resolve:secretsmanager:x:SecretString:y}}"), "no secretsmanager"),
    ] {
        assert_eq!(run(&expression), Err(want.to_owned()), "{expression}");
    }
}

#[test]
fn nested_substitution_has_a_bound() {
    let mut expression = json!("0123456789");
    for _ in 0..12 {
        expression = json!({"Fn::Sub": ["${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}", {"a": expression}]});
    }
    assert_eq!(
        run(&expression).unwrap_err(),
        "Template error: the functions of one value produce more than 4 MB of text"
    );
}

fn conditions(text: &str) -> Result<BTreeMap<String, bool>, String> {
    let template =
        Template::parse(&format!("Conditions:\n{text}\nMappings:\n  M: {{a: {{on: 'true'}}}}\n")).unwrap();
    let parameters = object(json!({"Env": "prod", "List": ["a"]}));
    let pseudo = object(json!({"AWS::Region": "eu-west-1"}));
    evaluate_conditions(&template, &parameters, &pseudo).map_err(|error| error.message)
}

#[test]
fn conditions_are_evaluated_in_any_order() {
    let values = conditions(
        "  Last: !And [!Condition First, !Not [!Condition Other]]
  First: !Equals [!Ref Env, prod]
  Other: {Condition: Third}
  Third: !Or [!Equals [!Ref 'AWS::Region', x], !Equals [!FindInMap [M, a, 'on'], false]]
  Chosen: !Equals [!If [First, a, b], a]
  Whole: !If [Third, !Condition First, !Condition Last]",
    )
    .unwrap();
    let want = [
        ("Chosen", true),
        ("First", true),
        ("Last", true),
        ("Other", false),
        ("Third", false),
        ("Whole", true),
    ];
    assert_eq!(values, want.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
}

#[test]
fn conditions_that_cannot_be_evaluated() {
    for (text, want) in [
        (
            "  A: !Not [!Condition B]\n  B: !Not [!Condition A]",
            "Template format error: Found circular condition dependency between A and B",
        ),
        (
            "  A: !Not [!Condition A]",
            "Template format error: Found circular condition dependency between A and A",
        ),
        (
            "  A: !Not [!Condition Z]",
            "Template error: unresolved condition dependency Z in the Conditions block of the template",
        ),
        ("  A: !Equals [!Ref List, a]", super::functions::EQUALS),
        ("  A: !Equals [!FindInMap [M, a, none], a]", "Template error: Unable to get mapping for M::a::none"),
        ("  A: !Not [maybe]", "Template error: a condition must be true or false"),
    ] {
        assert_eq!(conditions(text), Err(want.to_owned()), "{text}");
    }
}

#[test]
fn a_long_chain_of_conditions_is_no_deep_recursion() {
    let mut text = "  C0: !Equals [a, a]\n".to_owned();
    for i in 1..20_000 {
        text += &format!("  C{i}: !Not [!Condition C{}]\n", i - 1);
    }
    assert!(!conditions(&text).unwrap()["C19999"]);
}
