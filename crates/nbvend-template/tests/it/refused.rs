//! One fault a template: the text AWS would answer, and the place.

use nbvend_template::{Template, TemplateError};

fn fault(text: &str) -> TemplateError {
    match Template::parse(text).and_then(|template| template.validate()) {
        Err(error) => error,
        Ok(()) => panic!("this was accepted:\n{text}"),
    }
}

/// A template around `body`, which starts on line 1; the resource `R` follows it.
fn with(body: &str) -> String {
    format!("{body}Resources:\n  R: {{Type: T}}\n")
}

#[track_caller]
fn check(cases: &[(String, &str, usize, usize)]) {
    for (text, message, line, column) in cases {
        let error = fault(text);
        assert_eq!(&error.message, message, "{text}");
        assert_eq!((error.line, error.column), (Some(*line), Some(*column)), "{message}\n{text}");
    }
}

#[test]
fn sections() {
    check(&[
        ("template.yml".into(), "Template format error: unsupported structure.", 1, 1),
        ("- a\n- b\n".into(), "Template format error: unsupported structure.", 1, 1),
        (
            "Description: x\n".into(),
            "Template format error: At least one Resources member must be defined.",
            1,
            1,
        ),
        (
            "Resources: {}\n".into(),
            "Template format error: At least one Resources member must be defined.",
            1,
            1,
        ),
        (with("outputs: {}\nFoo: 1\n"), "Invalid template property or properties [outputs, Foo]", 1, 1),
        (
            with("AWSTemplateFormatVersion: 2010-09-10\n"),
            "Template format error: 2010-09-10 is not a supported value for AWSTemplateFormatVersion.",
            1,
            27,
        ),
        (with("Rules:\n  A: {}\n"), "Template format error: the Rules section is not supported.", 1, 1),
        (with("Conditions:\n"), "[/Conditions] 'null' values are not allowed in templates", 1, 1),
        (with("Transform: [{Nam: x}]\n"), "Key Name of transform definition must be a string.", 1, 12),
        (
            with(&format!("Description: {}\n", "x".repeat(1025))),
            "Template format error: 'Description' length is greater than 1024.",
            1,
            14,
        ),
    ]);
    let many: String = (0..501).map(|i| format!("  R{i}: {{Type: T}}\n")).collect();
    let error = fault(&format!("Resources:\n{many}"));
    assert_eq!(
        error.message,
        "Template format error: Number of resources, 501, is greater than maximum allowed, 500"
    );
}

#[test]
fn parameters_and_mappings() {
    let parameter = |body: &str| with(&format!("Parameters:\n  P: {body}\n"));
    let mapping = |body: &str| with(&format!("Mappings:\n  M: {body}\n"));
    check(&[
        (
            with("Parameters:\n  A-B: {Type: String}\n"),
            "Template format error: Parameter name A-B is non alphanumeric.",
            2,
            3,
        ),
        (
            parameter("{Default: x}"),
            "Template format error: Every Parameters object must contain a Type member.",
            2,
            3,
        ),
        (parameter("{Type: Strin}"), "Template format error: Unrecognized parameter type: Strin", 2, 13),
        (
            parameter("{Type: String, DefaultValue: x}"),
            "Invalid template parameter property 'DefaultValue'",
            2,
            21,
        ),
        (
            parameter("{Type: String, Default: [x]}"),
            "Template format error: Every Default member must be a string.",
            2,
            30,
        ),
        (
            parameter("{Type: String, AllowedValues: a b}"),
            "Template format error: Every AllowedValues member must be a list.",
            2,
            36,
        ),
        (mapping("{A: x}"), "Template format error: Every Mappings member A must be a map", 2, 10),
        (
            mapping("{A: {B: {C: d}}}"),
            "Template format error: Every Mappings attribute must be a String or a List.",
            2,
            14,
        ),
        (
            mapping("{A: {B: !Ref R}}"),
            "Template format error: Every Mappings attribute must be a String or a List.",
            2,
            14,
        ),
        (
            mapping("{A: {B_C: d}}"),
            "Template format error: Mappings attribute name 'B_C' must contain only alphanumeric characters.",
            2,
            11,
        ),
    ]);
}

#[test]
fn resources() {
    let resource = |body: &str| format!("Resources:\n  R:\n{body}");
    check(&[
        (
            "Resources:\n  my-id: {Type: T}\n".into(),
            "Template format error: Resource name my-id is non alphanumeric.",
            2,
            3,
        ),
        (
            "Resources:\n  R: T\n".into(),
            "Template format error: Any Resources member must be an object.",
            2,
            6,
        ),
        (
            resource("    Properties: {}\n"),
            "Template format error: [/Resources/R] Every Resources object must contain a Type member.",
            2,
            3,
        ),
        (
            resource("    Type: !Ref X\n"),
            "Template format error: [/Resources/R] Every Type member must be a string.",
            3,
            11,
        ),
        (
            resource("    Type: T\n    Properties:\n"),
            "[/Resources/R/Properties] 'null' values are not allowed in templates",
            4,
            5,
        ),
        (
            resource("    Type: T\n    Properties:\n      A: [1, ]\n      B: [~]\n"),
            "[/Resources/R/Properties/B/0] 'null' values are not allowed in templates",
            6,
            11,
        ),
        (
            resource("    Type: T\n    BucketName: x\n"),
            "Invalid template resource property 'BucketName'",
            4,
            5,
        ),
        (
            resource("    Type: T\n    DependsOn: {A: b}\n"),
            "Template format error: DependsOn must be a string or list of strings.",
            4,
            16,
        ),
        (
            resource("    Type: T\n    DependsOn: [!Ref A]\n"),
            "Template format error: Every DependsOn value must be a string.",
            4,
            16,
        ),
        (
            resource("    Type: T\n    DeletionPolicy: !Ref A\n"),
            "Template format error: Every DeletionPolicy member must be a string.",
            4,
            21,
        ),
        (
            resource("    Type: T\n    DeletionPolicy: Keep\n"),
            "Template format error: Unrecognized DeletionPolicy Keep",
            4,
            21,
        ),
    ]);
}

#[test]
fn references() {
    let property =
        |value: &str| format!("Resources:\n  R:\n    Type: T\n    Properties:\n      P: {value}\n");
    check(&[
        (
            property("!Ref X"),
            "Template format error: Unresolved resource dependencies [X] in the Resources block of the template",
            5,
            10,
        ),
        (
            property("[!Ref Y, !Sub '${X}', !Ref Y]"),
            "Template format error: Unresolved resource dependencies [Y, X] in the Resources block of the template",
            5,
            11,
        ),
        (
            property("!GetAtt X.Arn"),
            "Template error: instance of Fn::GetAtt references undefined resource X",
            5,
            10,
        ),
        (
            property("!GetAtt R"),
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
            5,
            10,
        ),
        (
            property("!Sub '${ctx.args}'"),
            "Template error: instance of Fn::Sub references invalid resource attribute ctx.args",
            5,
            10,
        ),
        (property("!If [C, 1, 2]"), "Template error: unresolved condition dependency C in Fn::If", 5, 10),
        (property("!FindInMap [M, a, b]"), "Template error: Unable to get mapping for M::a::b", 5, 10),
        (
            property("!ImportValue {'Fn::GetAtt': [R, Arn]}"),
            "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs",
            5,
            10,
        ),
        (
            property("!Nonsense x"),
            "Template Error: Encountered unsupported function: Fn::Nonsense Supported functions are: [Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr]",
            5,
            10,
        ),
        (
            "Resources:\n  R: {Type: T, DependsOn: [R2]}\n".into(),
            "Template format error: Unresolved resource dependencies [R2] in the Resources block of the template",
            2,
            27,
        ),
        (
            "Resources:\n  R: {Type: T, Condition: C}\n".into(),
            "Template format error: Condition C is not defined.",
            2,
            27,
        ),
        (
            "Resources:\n  A: {Type: T, Properties: {P: !Ref B}}\n  B: {Type: T, Properties: {P: !Ref A}}\n"
                .into(),
            "Circular dependency between resources: [A, B]",
            2,
            3,
        ),
    ]);
}

#[test]
fn conditions_and_outputs() {
    let condition = |value: &str| with(&format!("Conditions:\n  C: {value}\n"));
    let output = |value: &str| format!("Resources:\n  R: {{Type: T}}\nOutputs:\n  O: {value}\n");
    check(&[
        (
            condition("!Equals [!Ref R, a]"),
            "Template format error: Unresolved dependencies [R]. Cannot reference resources in the Conditions block of the template",
            2,
            15,
        ),
        (
            condition("!Equals [a]"),
            "Template error: every Fn::Equals object requires a list of 2 string parameters.",
            2,
            6,
        ),
        (
            condition("!And [!Condition C]"),
            "Template error: every Fn::And object requires a list of atleast 2 and atmost 10 boolean parameters.",
            2,
            6,
        ),
        (
            condition("!Not [!Condition D]"),
            "Template error: unresolved condition dependency D in the Conditions block of the template",
            2,
            12,
        ),
        (
            condition("!Not [!Condition C]"),
            "Template format error: Found circular condition dependency between C and C",
            2,
            3,
        ),
        (
            condition("yes"),
            "Template format error: Conditions can only be boolean operations on parameters and other conditions",
            2,
            6,
        ),
        (
            output("{Description: x}"),
            "Template format error: Every Outputs member must contain a Value object",
            4,
            3,
        ),
        (
            output("{Value: !Ref X}"),
            "Unresolved resource dependencies [X] in the Outputs block of the template",
            4,
            14,
        ),
        (
            output("{Value: [a]}"),
            "Template format error: The Value field of every Outputs member must evaluate to a String.",
            4,
            14,
        ),
        (
            output("{Value: !GetAZs ''}"),
            "Template format error: The Value field of every Outputs member must evaluate to a String.",
            4,
            14,
        ),
        (output("{Value: x, Condition: C}"), "Template format error: Condition C is not defined.", 4, 28),
        (
            output("{Value: x, Export: {Name: !Sub '${R}-x'}}"),
            "Template format error: Output O is malformed. The Name field of Export must not depend on any resources, imported values, or Fn::GetAZs.",
            4,
            32,
        ),
        (output("{Value: }"), "[/Outputs/O/Value] 'null' values are not allowed in templates", 4, 7),
    ]);
}

#[test]
fn types_and_attributes_are_the_engines_to_judge() {
    let text = "Resources:\n  A: {Type: 'AWS::S3::Bucket'}\n  B: {Type: 'AWS::X::Y', Properties: {P: !GetAtt A.Color}}\n  C: {Type: 'AWS::X::Z'}\n  D: {Type: 'AWS::X::Y'}\n";
    let template = Template::parse(text).unwrap();
    template.validate().unwrap();
    let error = template.check_types(|kind| kind == "AWS::S3::Bucket").unwrap_err();
    assert_eq!(error.message, "Template format error: Unrecognized resource types: [AWS::X::Y, AWS::X::Z]");
    assert_eq!((error.line, error.column), (Some(3), Some(13)));
    let error = template.check_attributes(|_, attribute| attribute == "Arn").unwrap_err();
    assert_eq!(
        error.message,
        "Template error: resource A does not support attribute type Color in Fn::GetAtt"
    );
}

#[test]
fn json_templates_have_places_too() {
    let error = fault(
        "{\n  \"Resources\": {\n    \"A\": {\"Type\": \"T\", \"Properties\": {\"P\": {\"Ref\": \"X\"}}}\n  }\n}\n",
    );
    assert_eq!((error.line, error.column), (Some(3), Some(44)));
    let error = fault("{\"Resources\": ");
    assert_eq!(error.message, "Template format error: JSON not well-formed. (line 1, column 15)");
}

#[test]
fn places_of_values() {
    let text =
        "Resources:\n  R:\n    Type: T\n    Properties:\n      Tags:\n        - Key: a\n        - Key: b\n";
    let template = Template::parse(text).unwrap();
    let tags = ["Resources", "R", "Properties", "Tags", "1", "Key"];
    assert_eq!(template.place_of(&tags), Some((7, 16)));
    assert_eq!(template.place_of(&tags[..2]), Some((3, 5)));
    assert_eq!(template.place_of(&["Resources", "R", "Nothing"]), Some((3, 5)));
    assert_eq!(Template::from_value(template.value).place_of(&tags), None);
}

/// Any text gets an answer: bytes removed from, doubled in or swapped in a template that is right.
#[test]
fn damaged_templates_are_no_panic() {
    let source = include_str!("solution.rs");
    let text = &source[source.find("AWSTemplateFormatVersion").unwrap()..];
    let text: String = text.chars().take(2500).collect();
    let bytes = text.as_bytes();
    for at in (0..bytes.len()).step_by(11) {
        for replacement in
            [&b""[..], b"{", b"[", b"&a *a ", b"!X ", b"\n", b"\t", b": ", b"- ", b"'", b"|", b"%"]
        {
            let mut damaged = bytes[..at].to_vec();
            damaged.extend_from_slice(replacement);
            damaged.extend_from_slice(&bytes[(at + 1).min(bytes.len())..]);
            if let Ok(damaged) = String::from_utf8(damaged)
                && let Ok(template) = Template::parse(&damaged)
            {
                let _ = template.validate();
                let _ = (template.capabilities(), template.parameters(), template.outputs());
            }
        }
    }
}
