use serde_json::{Map, Value, json};

use super::{Change, RequiresRecreation, Version, changes, logical_id_order, outputs_changed};
use crate::Template;

const TEXT: &str = "
Parameters:
  Size: {Type: String}
  Other: {Type: String}
Conditions:
  Big: !Equals [!Ref Size, big]
Resources:
  Role:
    Type: Role
    Properties: {Name: !Sub 'r-${Size}', Tags: [{Key: k, Value: v}]}
  Function:
    Type: Function
    DependsOn: Extra
    Properties: {Role: !GetAtt Role.Arn, Memory: 128}
  Extra:
    Type: Extra
    Condition: Big
  Permission:
    Type: Permission
    Properties: {Function: !Ref Function}
Outputs:
  Size: {Value: !Ref Size}
";

fn pseudo() -> Map<String, Value> {
    json!({"AWS::Region": "eu-west-1"}).as_object().unwrap().clone()
}

fn parameters(size: &str, other: &str) -> Map<String, Value> {
    json!({"Size": size, "Other": other}).as_object().unwrap().clone()
}

fn recreation(kind: &str, property: &str) -> RequiresRecreation {
    match (kind, property) {
        ("Role", "Name") | ("Permission", _) => RequiresRecreation::Always,
        ("Function", "Role") => RequiresRecreation::Conditionally,
        _ => RequiresRecreation::Never,
    }
}

/// One line a change: action, id, replacement, scope, paths; then one line a detail.
fn shown(changes: &[Change]) -> Vec<String> {
    let mut lines = Vec::new();
    for change in changes {
        let scope: Vec<_> = change.scope.iter().map(|s| s.as_str()).collect();
        let replacement = change.replacement.map_or("-", |r| r.as_str());
        lines.push(format!(
            "{} {} {replacement} [{}] [{}]",
            change.action.as_str(),
            change.logical_id,
            scope.join(","),
            change.paths.join(",")
        ));
        for d in &change.details {
            lines.push(format!(
                "  {}.{} {} {} {} {}",
                d.attribute.as_str(),
                d.name.as_deref().unwrap_or("-"),
                d.requires_recreation.as_str(),
                d.evaluation.as_str(),
                d.source.as_str(),
                d.causing_entity.as_deref().unwrap_or("-")
            ));
        }
    }
    lines
}

fn compare(old: (&str, &str), new: (&str, &str)) -> Vec<String> {
    let (before, after) = (Template::parse(old.0).unwrap(), Template::parse(new.0).unwrap());
    let (pseudo, before_values, after_values) = (pseudo(), parameters(old.1, "x"), parameters(new.1, "y"));
    let old = Version { template: &before, parameters: &before_values, pseudo: &pseudo };
    let new = Version { template: &after, parameters: &after_values, pseudo: &pseudo };
    shown(&changes(Some(&old), &new, &recreation).unwrap())
}

#[test]
fn a_new_stack_adds_everything_that_exists() {
    let template = Template::parse(TEXT).unwrap();
    let (values, pseudo) = (parameters("small", "x"), pseudo());
    let new = Version { template: &template, parameters: &values, pseudo: &pseudo };
    let changes = changes(None, &new, &recreation).unwrap();
    assert_eq!(shown(&changes), ["Add Function - [] []", "Add Permission - [] []", "Add Role - [] []"]);
    assert_eq!(changes[0].resource_type, "Function");
}

#[test]
fn the_order_is_that_of_aws() {
    let mut ids = [
        "ServerlessRestApi",
        "EventFunction",
        "EventFunctionRole",
        "ServerlessRestApiProdStage",
        "EventFunctionHelloPermissionProd",
        "SvcRule",
        "ServerlessRestApiDeploymentb1",
        "A",
    ];
    ids.sort_by(|a, b| logical_id_order(a, b));
    assert_eq!(
        ids,
        [
            "A",
            "EventFunctionHelloPermissionProd",
            "EventFunctionRole",
            "EventFunction",
            "ServerlessRestApiDeploymentb1",
            "ServerlessRestApiProdStage",
            "ServerlessRestApi",
            "SvcRule"
        ]
    );
}

#[test]
fn nothing_changed_is_no_change() {
    assert!(compare((TEXT, "small"), (TEXT, "small")).is_empty());
    // Written otherwise, but the same.
    let other = TEXT.replace("!Sub 'r-${Size}'", "!Join ['-', [r, !Ref Size]]");
    assert!(compare((TEXT, "small"), (&other, "small")).is_empty());
}

#[test]
fn a_parameter_moves_what_depends_on_it() {
    assert_eq!(
        compare((TEXT, "small"), (TEXT, "medium")),
        [
            "Modify Function Conditional [Properties] []",
            "  Properties.Role Conditionally Dynamic ResourceAttribute Role.Arn",
            "Modify Permission Conditional [Properties] []",
            "  Properties.Function Always Dynamic ResourceReference Function",
            "Modify Role True [Properties] [/Properties/Name]",
            "  Properties.Name Always Dynamic DirectModification -",
            "  Properties.Name Always Static ParameterReference Size",
        ]
    );
}

#[test]
fn a_condition_adds_and_removes() {
    let added = compare((TEXT, "small"), (TEXT, "big"));
    assert!(added.contains(&"Add Extra - [] []".to_owned()), "{added:?}");
    let removed = compare((TEXT, "big"), (TEXT, "small"));
    assert!(removed.contains(&"Remove Extra - [] []".to_owned()), "{removed:?}");
}

#[test]
fn direct_modifications() {
    for (from, to, want) in [
        (
            "Memory: 128",
            "Memory: 256",
            vec![
                "Modify Function False [Properties] [/Properties/Memory]",
                "  Properties.Memory Never Static DirectModification -",
            ],
        ),
        (
            ", Memory: 128",
            "",
            vec![
                "Modify Function False [Properties] [/Properties/Memory]",
                "  Properties.Memory Never Static DirectModification -",
            ],
        ),
        (
            "Value: v",
            "Value: w",
            vec![
                "Modify Role False [Tags] [/Properties/Tags/0/Value]",
                "  Tags.- Never Static DirectModification -",
            ],
        ),
        (
            "    Type: Permission\n",
            "    Type: Permission\n    DeletionPolicy: Retain\n",
            vec![
                "Modify Permission False [DeletionPolicy] [/DeletionPolicy]",
                "  DeletionPolicy.- Never Static DirectModification -",
            ],
        ),
        ("    DependsOn: Extra\n", "", vec![]),
    ] {
        let changed = TEXT.replace(from, to);
        let lines = compare((TEXT, "small"), (&changed, "small"));
        assert_eq!(
            lines.iter().filter(|l| !l.contains("Dynamic") && !l.contains("Conditional")).collect::<Vec<_>>(),
            want,
            "{to}"
        );
    }
}

#[test]
fn a_type_may_not_change() {
    let (before, after) = (
        Template::parse(TEXT).unwrap(),
        Template::parse(&TEXT.replace("Type: Permission", "Type: Else")).unwrap(),
    );
    let (values, pseudo) = (parameters("s", "x"), pseudo());
    let old = Version { template: &before, parameters: &values, pseudo: &pseudo };
    let new = Version { template: &after, parameters: &values, pseudo: &pseudo };
    let error = changes(Some(&old), &new, &recreation).unwrap_err();
    assert_eq!(
        error.message,
        "Update of resource type is not permitted. The new template modifies resource type of the following resources: [Permission]"
    );
}

#[test]
fn outputs_count_as_a_change_of_the_stack() {
    let template = Template::parse(TEXT).unwrap();
    let (small, large, pseudo) = (parameters("small", "x"), parameters("large", "x"), pseudo());
    let version = |parameters| Version { template: &template, parameters, pseudo: &pseudo };
    assert!(!outputs_changed(&version(&small), &version(&small)).unwrap());
    assert!(outputs_changed(&version(&small), &version(&large)).unwrap());
}
