//! Parameters: put, read, versioned, labelled, tagged.

use super::*;

#[tokio::test]
async fn a_parameter_lives() {
    let world = World::new();
    let first = json!({"Name": "/a/b", "Value": "one", "Type": "String", "Description": "d", "Tags": [{"Key": "k", "Value": "v"}]});
    assert_eq!(
        call(&world, "PutParameter", first.clone()).await.unwrap(),
        json!({"Version": 1, "Tier": "Standard"})
    );
    let again = call(&world, "PutParameter", first).await.unwrap_err();
    assert_eq!(
        again,
        "400 ParameterAlreadyExists The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
    );
    let world = world.restart();
    world.clock.advance(1);
    let second = json!({"Name": "/a/b", "Value": "two", "Overwrite": true});
    assert_eq!(call(&world, "PutParameter", second).await.unwrap()["Version"], 2);
    let arn = "arn:aws:ssm:us-east-1:123456789012:parameter/a/b";
    assert_eq!(
        get(&world, "/a/b").await.unwrap(),
        json!({"Name": "/a/b", "Type": "String", "Value": "two", "Version": 2, "Selector": null,
            "LastModifiedDate": 1_795_348_801_000_i64, "ARN": arn, "DataType": "text"})
    );
    for (given, value, selector) in [
        ("/a/b:1", "one", json!(":1")),
        ("/a/b:2", "two", json!(":2")),
        (arn, "two", Value::Null),
        ("arn:aws:ssm:us-east-1:123456789012:parameter/a/b:1", "one", json!(":1")),
    ] {
        let got = get(&world, given).await.unwrap();
        assert_eq!((&got["Value"], &got["Selector"]), (&json!(value), &selector), "{given}");
    }
    assert_eq!(
        get(&world, "/a/b:3").await.unwrap_err(),
        "400 ParameterVersionNotFound Systems Manager could not find version 3 of /a/b. Verify the version and try again."
    );
    let history = call(&world, "GetParameterHistory", json!({"Name": "/a/b"})).await.unwrap();
    let values: Vec<&Value> =
        history["Parameters"].as_array().unwrap().iter().map(|past| &past["Value"]).collect();
    assert_eq!(values, ["one", "two"]);
    // Overwriting keeps what it does not say.
    let all = call(&world, "DescribeParameters", json!({})).await.unwrap();
    assert_eq!(all["Parameters"][0]["Description"], "d");
    assert_eq!(all["Parameters"][0]["LastModifiedUser"], "arn:aws:iam::123456789012:root");
    call(&world, "DeleteParameter", json!({"Name": "/a/b"})).await.unwrap();
    for (operation, input) in [
        ("GetParameter", json!({"Name": "/a/b"})),
        ("DeleteParameter", json!({"Name": "/a/b"})),
        ("GetParameterHistory", json!({"Name": "/a/b"})),
    ] {
        assert_eq!(
            call(&world, operation, input).await.unwrap_err(),
            "400 ParameterNotFound ",
            "{operation}"
        );
    }
    put(&world, "/a/b", "new").await;
    assert_eq!(get(&world, "/a/b").await.unwrap()["Version"], 1);
}

#[tokio::test]
async fn names_are_what_they_were_given_as() {
    let world = World::new();
    for name in ["/x", "x", "/SageMaker/Notebooks/Demo-User-Notebook"] {
        put(&world, name, name).await;
    }
    for name in ["/x", "x", "/SageMaker/Notebooks/Demo-User-Notebook"] {
        assert_eq!(get(&world, name).await.unwrap()["Value"], name);
    }
    assert_eq!(
        get(&world, "SageMaker/Notebooks/Demo-User-Notebook").await.unwrap_err(),
        "400 ParameterNotFound "
    );
    assert_eq!(get(&world, "arn:aws:ssm:us-east-1:123456789012:parameter/x").await.unwrap()["Value"], "x");
    let path_rules = "can't be prefixed with \"ssm\" (case-insensitive). If formed as a path";
    let deep = "/l".repeat(16);
    for (name, error) in [
        ("a/b", "400 ValidationException Parameter name must be a fully qualified name."),
        ("/a b", path_rules),
        ("/a//b", path_rules),
        ("/a/", path_rules),
        ("/a@b", path_rules),
        (
            "AWSome",
            "400 ValidationException Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).",
        ),
        ("/ssm/x", path_rules),
        ("/aws/x", "400 AccessDeniedException No access to reserved parameter name: /aws/x."),
        (
            deep.as_str(),
            "400 HierarchyLevelLimitExceededException A hierarchy can have a maximum of 15 levels.",
        ),
    ] {
        let got = call(&world, "PutParameter", json!({"Name": name, "Value": "v", "Type": "String"}))
            .await
            .unwrap_err();
        assert!(got.contains(error), "{name}: {got}");
    }
    put(&world, &"/l".repeat(15), "v").await;
    put(&world, " padded ", "v").await;
    assert_eq!(get(&world, "padded").await.unwrap()["Name"], "padded");
}

#[tokio::test]
async fn what_may_not_be_put() {
    let world = World::new();
    put(&world, "s", "x").await;
    let (big, bigger) = ("x".repeat(4097), "x".repeat(8193));
    let advanced = json!({"Name": "a", "Value": big, "Type": "String", "Tier": "Advanced"});
    assert_eq!(call(&world, "PutParameter", advanced).await.unwrap()["Tier"], "Advanced");
    let smart = json!({"Name": "i", "Value": "x", "Type": "String", "Tier": "Intelligent-Tiering"});
    assert_eq!(call(&world, "PutParameter", smart).await.unwrap()["Tier"], "Standard");
    let grown = json!({"Name": "i", "Value": big, "Overwrite": true, "Tier": "Intelligent-Tiering"});
    assert_eq!(call(&world, "PutParameter", grown).await.unwrap()["Tier"], "Advanced");
    let digits = json!({"Name": "d", "Value": "100", "Type": "String", "AllowedPattern": r"\d{1,4}"});
    call(&world, "PutParameter", digits).await.unwrap();
    for (input, error) in [
        (
            json!({"Name": "n", "Value": "x"}),
            "ValidationException A parameter type is required when you create a parameter.",
        ),
        (
            json!({"Name": "n", "Value": "", "Type": "String"}),
            "ValidationException 1 validation error detected: Value '' at 'value' failed",
        ),
        (
            json!({"Name": "n", "Value": "x", "Type": "Number"}),
            "ValidationException 1 validation error detected: Value 'Number' at 'type' failed",
        ),
        (
            json!({"Name": "n", "Value": big, "Type": "String"}),
            "ValidationException Standard tier parameters support a maximum parameter value of 4096 characters.",
        ),
        (
            json!({"Name": "n", "Value": bigger, "Type": "String", "Tier": "Advanced"}),
            "ValidationException Advanced tier parameters support a maximum parameter value of 8192 characters.",
        ),
        (
            json!({"Name": "a", "Value": "x", "Overwrite": true, "Tier": "Standard"}),
            "ValidationException This parameter uses the advanced-parameter tier. You can't downgrade",
        ),
        (
            json!({"Name": "s", "Value": "x", "Overwrite": true, "Type": "SecureString"}),
            "HierarchyTypeMismatchException ",
        ),
        (
            json!({"Name": "s", "Value": "x", "Overwrite": true, "Tags": [{"Key": "a", "Value": "b"}]}),
            "ValidationException Invalid request: tags and overwrite can't be used together.",
        ),
        (
            json!({"Name": "n", "Value": "x", "Type": "String", "KeyId": "alias/aws/ssm"}),
            "ValidationException KeyId is required for SecureString type parameter only.",
        ),
        (json!({"Name": "n", "Value": "x", "Type": "SecureString", "KeyId": "alias/mine"}), "InvalidKeyId "),
        (
            json!({"Name": "n", "Value": "x", "Type": "String", "DataType": "aws:ec2:image"}),
            "ValidationException The data type aws:ec2:image is not supported by nbvend",
        ),
        (
            json!({"Name": "n", "Value": "x", "Type": "String", "DataType": "Text"}),
            "ValidationException The following data type is not supported: Text",
        ),
        (
            json!({"Name": "n", "Value": "a {{ssm:b}}", "Type": "String"}),
            "ValidationException Parameter value can't nest another parameter.",
        ),
        (
            json!({"Name": "d", "Value": "My Test String", "Overwrite": true}),
            r"ParameterPatternMismatchException Parameter value, cannot be validated against allowedPattern: \d{1,4}",
        ),
        (json!({"Name": "d", "Value": "12345", "Overwrite": true}), "ParameterPatternMismatchException"),
        (
            json!({"Name": "n", "Value": "x", "Type": "String", "AllowedPattern": "("}),
            "InvalidAllowedPatternException",
        ),
        (
            json!({"Name": "n", "Value": "x", "Type": "String", "Policies": "[{\"Type\":\"NoChangeNotification\",\"Version\":\"1.0\",\"Attributes\":{\"After\":\"1\",\"Unit\":\"Days\"}}]"}),
            "ValidationException The standard-parameter tier doesn't support parameter policies.",
        ),
        (
            json!({"Name": "n", "Value": "x", "Type": "String", "Tags": [{"Key": "aws:a", "Value": "b"}]}),
            "ValidationException System tags cannot be added",
        ),
    ] {
        let got = call(&world, "PutParameter", input.clone()).await.unwrap_err();
        assert!(got.starts_with(&format!("400 {error}")), "{input}: {got}");
    }
}

#[tokio::test]
async fn a_secure_string_is_read_by_those_who_ask_for_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let secret = "correct horse battery staple";
    for (name, key) in
        [("/s", json!(null)), ("/t", json!("arn:aws:kms:us-east-1:123456789012:alias/aws/ssm"))]
    {
        let input = json!({"Name": name, "Value": secret, "Type": "SecureString", "KeyId": key});
        call(&world, "PutParameter", input).await.unwrap();
    }
    let file = world.engine.config().data.join(crate::services::ssm::crypt::KEY_FILE);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let world = world.restart();
    let sealed =
        call(&world, "GetParameter", json!({"Name": "/s"})).await.unwrap()["Parameter"]["Value"].clone();
    assert!(!sealed.as_str().unwrap().contains("horse") && sealed.as_str().unwrap().len() > 40);
    assert_eq!(get(&world, "/s").await.unwrap()["Value"], secret);
    let history =
        call(&world, "GetParameterHistory", json!({"Name": "/s", "WithDecryption": true})).await.unwrap();
    assert_eq!(history["Parameters"][0]["Value"], secret);
    assert_eq!(history["Parameters"][0]["KeyId"], "alias/aws/ssm");
    for name in ["nbvend.db", "nbvend.db-wal"] {
        let bytes = std::fs::read(world.engine.config().data.join(name)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("battery staple"), "{name}");
    }
    // A ciphertext is bound to its parameter.
    world
        .engine
        .store()
        .write(|tx| {
            let mut other: crate::services::ssm::state::Parameter =
                tx.get("us-east-1", "/t").unwrap().unwrap();
            let from: crate::services::ssm::state::Parameter = tx.get("us-east-1", "/s").unwrap().unwrap();
            other.current.value = from.current.value;
            tx.put("us-east-1", &other).unwrap();
        })
        .await
        .unwrap();
    assert!(get(&world, "/t").await.unwrap_err().starts_with("400 InvalidKeyId"));
    // Without its key it stays sealed, and no new key takes its place.
    std::fs::remove_file(&file).unwrap();
    let world = world.restart();
    assert!(get(&world, "/s").await.unwrap_err().starts_with("400 InvalidKeyId"));
    assert!(!file.exists());
}

#[tokio::test]
async fn labels_move_and_hold_their_versions() {
    let world = World::new();
    put(&world, "/v", "1").await;
    let over = |value: usize| json!({"Name": "/v", "Value": value.to_string(), "Overwrite": true});
    call(&world, "PutParameter", over(2)).await.unwrap();
    let label =
        |version: Value, labels: Value| json!({"Name": "/v", "ParameterVersion": version, "Labels": labels});
    let answer =
        call(&world, "LabelParameterVersion", label(json!(1), json!(["prod", "1bad", "aws-x", "ok.-_"])))
            .await
            .unwrap();
    assert_eq!(answer, json!({"InvalidLabels": ["1bad", "aws-x"], "ParameterVersion": 1}));
    assert_eq!(get(&world, "/v:prod").await.unwrap()["Value"], "1");
    call(&world, "LabelParameterVersion", json!({"Name": "/v", "Labels": ["prod"]})).await.unwrap();
    let got = get(&world, "/v:prod").await.unwrap();
    assert_eq!((&got["Value"], &got["Selector"]), (&json!("2"), &json!(":prod")));
    let by_label = json!({"Path": "/", "ParameterFilters": [{"Key": "Label", "Values": ["ok.-_"]}]});
    let found = call(&world, "GetParametersByPath", by_label).await.unwrap();
    assert_eq!(found["Parameters"][0]["Value"], "1");
    let many: Vec<String> = (0..9).map(|n| format!("l{n}")).collect();
    call(&world, "LabelParameterVersion", label(json!(2), json!(many))).await.unwrap();
    let error =
        call(&world, "LabelParameterVersion", label(json!(2), json!(["eleventh"]))).await.unwrap_err();
    assert!(error.starts_with("400 ParameterVersionLabelLimitExceeded"), "{error}");
    let error = call(&world, "LabelParameterVersion", label(json!(7), json!(["x"]))).await.unwrap_err();
    assert!(error.starts_with("400 ParameterVersionNotFound"), "{error}");

    for version in 3..=100 {
        call(&world, "PutParameter", over(version)).await.unwrap();
    }
    let error = call(&world, "PutParameter", over(101)).await.unwrap_err();
    assert!(error.starts_with("400 ParameterMaxVersionLimitExceeded You attempted to create a new version of /v by calling the PutParameter API with the overwrite flag. Version 1, the oldest version, can't be deleted"), "{error}");
    let answer =
        call(&world, "UnlabelParameterVersion", label(json!(1), json!(["ok.-_", "prod"]))).await.unwrap();
    assert_eq!(answer, json!({"RemovedLabels": ["ok.-_"], "InvalidLabels": ["prod"]}));
    assert_eq!(call(&world, "PutParameter", over(101)).await.unwrap()["Version"], 101);
    assert!(get(&world, "/v:1").await.unwrap_err().starts_with("400 ParameterVersionNotFound"));
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut input = json!({"Name": "/v", "MaxResults": 33});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = call(&world, "GetParameterHistory", input).await.unwrap();
        seen.extend(
            page["Parameters"].as_array().unwrap().iter().map(|past| past["Version"].as_i64().unwrap()),
        );
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, (2..=101).collect::<Vec<i64>>());
    let names = json!({"Names": ["/v:prod", "/v:101", "/v:1", "/none"]});
    let some = call(&world, "GetParameters", names).await.unwrap();
    assert_eq!(some["InvalidParameters"], json!(["/v:1", "/none"]));
    assert_eq!(some["Parameters"].as_array().unwrap().len(), 2);
    let gone = call(&world, "DeleteParameters", json!({"Names": ["/v", "/none"]})).await.unwrap();
    assert_eq!(gone, json!({"DeletedParameters": ["/v"], "InvalidParameters": ["/none"]}));
    let left = world
        .engine
        .store()
        .read(|tx| tx.list::<crate::services::ssm::state::ParameterVersion>("us-east-1", "", None, 10));
    assert!(left.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn tags_come_and_go() {
    let world = World::new();
    put(&world, "/t", "v").await;
    let on = |more: Value| {
        let mut input = json!({"ResourceType": "Parameter", "ResourceId": "/t"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let tags = json!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]);
    call(&world, "AddTagsToResource", on(json!({"Tags": tags}))).await.unwrap();
    call(&world, "RemoveTagsFromResource", on(json!({"TagKeys": ["a", "none"]}))).await.unwrap();
    let world = world.restart();
    let listed = call(&world, "ListTagsForResource", on(json!({}))).await.unwrap();
    assert_eq!(listed, json!({"TagList": [{"Key": "b", "Value": "2"}]}));
    let many: Vec<Value> = (0..50).map(|n| json!({"Key": format!("k{n}"), "Value": ""})).collect();
    let error = call(&world, "AddTagsToResource", on(json!({"Tags": many}))).await.unwrap_err();
    assert!(error.starts_with("400 TooManyTagsError"), "{error}");
    for (kind, id, error) in
        [("Document", "/t", "400 InvalidResourceType"), ("Parameter", "/none", "400 InvalidResourceId")]
    {
        let got = call(&world, "ListTagsForResource", json!({"ResourceType": kind, "ResourceId": id}))
            .await
            .unwrap_err();
        assert!(got.starts_with(error), "{got}");
    }
}

#[tokio::test]
async fn no_value_reaches_the_trail() {
    let world = World::new();
    put(&world, "/plain", "a-plain-secret").await;
    let secure = json!({"Name": "/sealed", "Value": "a-sealed-secret", "Type": "SecureString"});
    call(&world, "PutParameter", secure.clone()).await.unwrap();
    call(&world, "PutParameter", secure).await.unwrap_err();
    get(&world, "/sealed").await.unwrap();
    crate::trail::flush(&world.engine).await.unwrap();
    let bodies: Vec<String> = world
        .engine
        .store()
        .read(|tx| {
            let mut all =
                tx.connection().prepare("SELECT body FROM trail UNION ALL SELECT body FROM outbox").unwrap();
            all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        })
        .unwrap();
    assert!(bodies.len() >= 7);
    for body in bodies {
        assert!(!body.contains("a-plain-secret") && !body.contains("a-sealed-secret"), "{body}");
    }
}
