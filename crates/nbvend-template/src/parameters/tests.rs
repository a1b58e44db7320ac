use serde_json::{Map, Value, json};

use super::{Given, apply_ssm, parameter_text, resolve_parameters, ssm_names};
use crate::{Template, TemplateError};

fn resolve(body: &Value, given: &str) -> Result<Value, TemplateError> {
    let template = Template::from_value(json!({"Parameters": {"P": body}}));
    let values =
        resolve_parameters(&template.parameters(), &[("P".into(), Given::Value(given.into()))], None)?;
    Ok(values["P"].clone())
}

#[test]
fn values_get_their_types() {
    for (kind, given, want) in [
        ("String", "x", json!("x")),
        ("Number", "3.5", json!("3.5")),
        ("CommaDelimitedList", "a, b ,c", json!(["a", "b", "c"])),
        ("CommaDelimitedList", "", json!([""])),
        ("List<Number>", "1,2", json!(["1", "2"])),
        ("AWS::EC2::VPC::Id", "vpc-1", json!("vpc-1")),
        ("List<AWS::EC2::Subnet::Id>", "s-1,s-2", json!(["s-1", "s-2"])),
        ("AWS::SSM::Parameter::Value<List<String>>", "/name", json!("/name")),
    ] {
        assert_eq!(resolve(&json!({"Type": kind}), given), Ok(want), "{kind}");
    }
}

#[test]
fn unknown_types_are_no_parameters() {
    for kind in
        ["Strin", "List<String>", "AWS::SSM::Parameter::Value<Number>", "AWS::SSM::Parameter::Value<String"]
    {
        assert_eq!(super::ParameterKind::parse(kind), None, "{kind}");
    }
}

#[test]
fn broken_constraints_get_awss_text() {
    for (body, given, want) in [
        (
            json!({"Type": "String", "AllowedValues": ["ml.t2.medium", "ml.t3.medium"]}),
            "ml.c5.large",
            "Parameter 'P' must be one of AllowedValues",
        ),
        (
            json!({"Type": "String", "AllowedValues": [true, false]}),
            "yes",
            "Parameter 'P' must be one of AllowedValues",
        ),
        (
            json!({"Type": "String", "AllowedPattern": "^[a-z]+$"}),
            "A1",
            "Parameter 'P' must match pattern ^[a-z]+$",
        ),
        (
            json!({"Type": "String", "AllowedPattern": "[a-z]"}),
            "ab",
            "Parameter 'P' must match pattern [a-z]",
        ),
        (json!({"Type": "String", "AllowedPattern": "a|b"}), "ab", "Parameter 'P' must match pattern a|b"),
        (
            json!({"Type": "String", "MinLength": 8}),
            "short",
            "Parameter 'P' must contain at least 8 characters",
        ),
        (
            json!({"Type": "String", "MaxLength": "3"}),
            "long",
            "Parameter 'P' must contain at most 3 characters",
        ),
        (json!({"Type": "Number"}), "x", "Parameter 'P' must be a number."),
        (json!({"Type": "Number"}), "NaN", "Parameter 'P' must be a number."),
        (json!({"Type": "Number", "MinValue": 1}), "0", "Parameter 'P' must be a number not less than 1"),
        (
            json!({"Type": "Number", "MaxValue": 10}),
            "11",
            "Parameter 'P' must be a number not greater than 10",
        ),
        (
            json!({"Type": "List<Number>", "MaxValue": 10}),
            "1,11",
            "Parameter 'P' must be a number not greater than 10",
        ),
        (
            json!({"Type": "CommaDelimitedList", "AllowedPattern": "\\w+"}),
            "",
            "Parameter 'P' must match pattern \\w+",
        ),
        (
            json!({"Type": "String", "AllowedValues": ["a"], "ConstraintDescription": "say a"}),
            "b",
            "Parameter P failed to satisfy constraint: say a",
        ),
        (
            json!({"Type": "String", "AllowedPattern": "(?=a)b"}),
            "b",
            "Parameter 'P' has an AllowedPattern that is not supported here: (?=a)b",
        ),
    ] {
        let error = resolve(&body, given).unwrap_err();
        assert_eq!(error.message, want, "{body} {given}");
    }
}

#[test]
fn kept_constraints_pass() {
    for (body, given) in [
        (json!({"Type": "String", "AllowedValues": [true, false]}), "true"),
        (json!({"Type": "Number", "AllowedValues": [1, 2]}), "1.0"),
        (json!({"Type": "String", "AllowedPattern": "[\\w-_]*"}), "a-b_c"),
        (json!({"Type": "String", "AllowedPattern": "[\\w-]+"}), "a-b"),
        (json!({"Type": "String", "AllowedPattern": "[a-zA-Z0-9-_]+"}), "a-b_1"),
        (json!({"Type": "String", "MinLength": 1, "MaxLength": 1}), "é"),
        (json!({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}), "b,a"),
    ] {
        assert!(resolve(&body, given).is_ok(), "{body} {given}");
    }
}

fn declared() -> Template {
    Template::parse(
        "Parameters:\n  Size: {Type: String, Default: ml.t2.medium}\n  Name: {Type: String}\n  Zones: {Type: CommaDelimitedList, Default: 'a,b'}\n",
    )
    .unwrap()
}

#[test]
fn where_values_come_from() {
    let decls = declared().parameters();
    let value = |v: &str| Given::Value(v.to_owned());
    let first = resolve_parameters(&decls, &[("Name".into(), value("n"))], None).unwrap();
    assert_eq!(
        Value::Object(first.clone()),
        json!({"Size": "ml.t2.medium", "Name": "n", "Zones": ["a", "b"]})
    );
    let given = [("Name".into(), Given::UsePrevious), ("Zones".into(), Given::UsePrevious)];
    let second = resolve_parameters(&decls, &given, Some(&first)).unwrap();
    assert_eq!(second, first);
    assert_eq!(parameter_text(&second["Zones"]), "a,b");
}

#[test]
fn missing_and_unknown_names() {
    let decls = declared().parameters();
    let value = |name: &str| (name.to_owned(), Given::Value("v".to_owned()));
    for (given, want) in [
        (vec![], "Parameters: [Name] must have values"),
        (vec![value("Name"), value("X"), value("Y")], "Parameters: [X, Y] do not exist in the template"),
        (vec![("Name".to_owned(), Given::UsePrevious)], "ParameterValue for ParameterKey Name is required"),
    ] {
        assert_eq!(resolve_parameters(&decls, &given, None).unwrap_err().message, want);
    }
    let error = resolve_parameters(&[], &[value("X")], None).unwrap_err();
    assert_eq!(error.message, "Parameter values specified for a template which does not require them.");
}

#[test]
fn ssm_values_are_looked_up_by_the_caller() {
    let text = "Parameters:\n  Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /image}\n  Nets: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /nets}\n";
    let decls = Template::parse(text).unwrap().parameters();
    let mut values = resolve_parameters(&decls, &[], None).unwrap();
    let names: Vec<_> = ssm_names(&decls, &values);
    assert_eq!(names, [("Image".into(), "/image".into()), ("Nets".into(), "/nets".into())]);
    apply_ssm(&decls, &mut values, |key| Ok(format!("{key}:1,2"))).unwrap();
    assert_eq!(Value::Object(values), json!({"Image": "/image:1,2", "Nets": ["/nets:1", "2"]}));
    let mut values: Map<String, Value> = resolve_parameters(&decls, &[], None).unwrap();
    let error = apply_ssm(&decls, &mut values, |_| Err("gone".to_owned())).unwrap_err();
    assert_eq!(error.message, "gone");
}
