use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::Graph;
use crate::Template;

const TEXT: &str = "
Conditions:
  Big: !Equals [a, b]
Resources:
  Rule:
    Type: T
    Properties: {Target: !GetAtt Function.Arn}
  Permission:
    Type: T
    DependsOn: Rule
    Properties: {Name: !Sub '${Function}-x', Import: !ImportValue exported}
  Function:
    Type: T
    Properties:
      Role: !If [Big, !GetAtt Special.Arn, !GetAtt Role.Arn]
      Bucket: !If [Big, !ImportValue big, none]
  Special:
    Type: T
    Condition: Big
  Role: {Type: T}
Outputs:
  O: {Value: !ImportValue {'Fn::Sub': '${AWS::StackName}-y'}}
  P: {Value: !ImportValue unused, Condition: Big}
";

fn graph(big: bool) -> (Template, Graph) {
    let template = Template::parse(TEXT).unwrap();
    template.validate().unwrap();
    let graph = Graph::of(&template, &BTreeMap::from([("Big".to_owned(), big)])).unwrap();
    (template, graph)
}

#[test]
fn order_follows_references() {
    let (_, small) = graph(false);
    assert_eq!(small.creation_order(), ["Role", "Function", "Rule", "Permission"]);
    assert_eq!(small.dependencies("Permission"), ["Rule", "Function"]);
    assert_eq!(small.dependents("Function"), ["Rule", "Permission"]);
    let (_, big) = graph(true);
    assert_eq!(big.creation_order(), ["Special", "Function", "Rule", "Permission", "Role"]);
}

#[test]
fn ready_is_what_waits_for_nothing() {
    let (_, graph) = graph(true);
    let mut done = BTreeSet::new();
    assert_eq!(graph.ready(&done), ["Special", "Role"]);
    done.insert("Special".to_owned());
    assert_eq!(graph.ready(&done), ["Function", "Role"]);
    assert_eq!(graph.ready_to_delete(&BTreeSet::new()), ["Role", "Permission"]);
}

#[test]
fn imports_of_what_exists() {
    let (template, small) = graph(false);
    assert_eq!(small.imports(&template), [&json!("exported"), &json!({"Fn::Sub": "${AWS::StackName}-y"})]);
    let (template, big) = graph(true);
    assert_eq!(big.imports(&template).len(), 4);
}

#[test]
fn a_resource_that_is_not_made_cannot_be_referred_to() {
    let text = "Conditions:\n  C: !Equals [a, b]\nResources:\n  A:\n    Type: T\n    Properties: {P: !Ref B}\n  B: {Type: T, Condition: C}\n";
    let template = Template::parse(text).unwrap();
    template.validate().unwrap();
    let error = Graph::of(&template, &BTreeMap::from([("C".to_owned(), false)])).unwrap_err();
    assert_eq!(
        error.message,
        "Template format error: Unresolved resource dependencies [B] in the Resources block of the template"
    );
    assert_eq!((error.line, error.column), (Some(4), Some(3)));
}

#[test]
fn cycles_are_named_without_bystanders() {
    let text = "Resources:\n  Before: {Type: T, DependsOn: B}\n  A: {Type: T, DependsOn: B}\n  B: {Type: T, Properties: {P: !Ref C}}\n  C: {Type: T, Properties: {P: !GetAtt A.X, Q: !Ref After}}\n  After: {Type: T}\n";
    let error = Template::parse(text).unwrap().validate().unwrap_err();
    assert_eq!(error.message, "Circular dependency between resources: [A, B, C]");
    assert_eq!((error.line, error.column), (Some(3), Some(3)));
    let own = Template::parse("Resources:\n  A: {Type: T, Properties: {P: !Ref A}}\n").unwrap();
    assert_eq!(own.validate().unwrap_err().message, "Circular dependency between resources: [A]");
}

#[test]
fn a_long_chain_is_no_deep_recursion() {
    let mut resources = serde_json::Map::new();
    for i in 0..500 {
        let before = if i == 0 { json!({}) } else { json!({"P": {"Ref": format!("R{}", i - 1)}}) };
        resources.insert(format!("R{i}"), json!({"Type": "T", "Properties": before}));
    }
    let template = Template::from_value(json!({"Resources": resources}));
    template.validate().unwrap();
    let graph = Graph::of(&template, &BTreeMap::new()).unwrap();
    assert_eq!(graph.creation_order()[499], "R499");
}
