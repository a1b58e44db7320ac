//! The control plane: functions, versions, aliases, settings.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_function_is_made_shown_changed_and_deleted() {
    let world = world().await;
    let mut input = definition("f");
    input["Environment"] = json!({"Variables": {"AB": "1"}});
    input["Tags"] = json!({"team": "x"});
    let made = call(&world, "CreateFunction", input.clone()).await;
    assert_eq!(made["FunctionArn"], "arn:aws:lambda:us-east-1:123456789012:function:f");
    assert_eq!(made["State"], "Active");
    assert_eq!(made["LastUpdateStatus"], "Successful");
    assert_eq!(made["Version"], "$LATEST");
    assert_eq!((&made["Timeout"], &made["MemorySize"]), (&json!(3), &json!(128)));
    assert_eq!(made["LastModified"], "2026-11-22T12:00:00.000+0000");
    let sha = made["CodeSha256"].as_str().unwrap().to_owned();
    assert_eq!(STANDARD.decode(&sha).unwrap().len(), 32);
    let again = fail(&world, "CreateFunction", input).await;
    assert_eq!((again.code.as_ref(), again.status), ("ResourceConflictException", 409));

    let world = world.restart();
    let got = call(&world, "GetFunction", json!({"FunctionName": "f"})).await;
    assert_eq!(got["Configuration"]["CodeSha256"], sha.as_str());
    assert_eq!(got["Tags"], json!({"team": "x"}));
    let change = json!({"FunctionName": "f", "Timeout": 900, "Environment": {"Variables": {}}});
    let changed = call(&world, "UpdateFunctionConfiguration", change).await;
    assert_eq!((&changed["Timeout"], &changed["Environment"]), (&json!(900), &Value::Null));
    assert_ne!(changed["RevisionId"], made["RevisionId"]);
    let code = json!({"FunctionName": "f", "ZipFile": zip("2"), "RevisionId": changed["RevisionId"]});
    let dry =
        call(&world, "UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": zip("2"), "DryRun": true}))
            .await;
    let changed = call(&world, "UpdateFunctionCode", code.clone()).await;
    assert_ne!(changed["CodeSha256"], sha.as_str());
    assert_eq!(changed["CodeSha256"], dry["CodeSha256"]);
    let stale = fail(&world, "UpdateFunctionCode", code).await;
    assert_eq!((stale.code.as_ref(), stale.status), ("PreconditionFailedException", 412));

    let gone = call(&world, "DeleteFunction", json!({"FunctionName": "f"})).await;
    assert_eq!(gone["StatusCode"], 204);
    let none = fail(&world, "GetFunctionConfiguration", json!({"FunctionName": "f:$LATEST"})).await;
    assert_eq!(none.message, "Function not found: arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST");
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn wrong_functions_are_refused_with_the_reason() {
    let world = world().await;
    role(&world, "other", "ec2.amazonaws.com").await;
    let cases = [
        (
            json!({"Role": "arn:aws:iam::123456789012:role/none"}),
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (
            json!({"Role": "arn:aws:iam::123456789012:role/other"}),
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (json!({"Runtime": "nodejs22.x"}), "nodejs22.x"),
        (json!({"Runtime": null}), "Runtime and Handler are mandatory"),
        (json!({"Handler": null}), "Runtime and Handler are mandatory"),
        (json!({"PackageType": "Image"}), "Image"),
        (
            json!({"Architectures": [if cfg!(target_arch = "aarch64") { "x86_64" } else { "arm64" }]}),
            "this machine is",
        ),
        (json!({"Timeout": 901}), "less than or equal to 900"),
        (json!({"MemorySize": 10_241}), "less than or equal to 10240"),
        (json!({"Code": {}}), "Please provide a source for function code."),
        (json!({"Code": {"ZipFile": STANDARD.encode("no zip")}}), "Could not unzip uploaded file."),
        (
            json!({"Code": {"ZipFile": zip("1"), "S3Bucket": "bucket"}}),
            "Please do not provide other FunctionCode parameters",
        ),
        (json!({"Code": {"S3Bucket": "no-such-bucket", "S3Key": "k"}}), "S3 Error Code: NoSuchBucket"),
        (
            json!({"Environment": {"Variables": {"AWS_REGION": "x"}}}),
            "Reserved keys used in this request: AWS_REGION",
        ),
        (json!({"Environment": {"Variables": {"A1": "x".repeat(5000)}}}), "exceeded the 4KB limit"),
        (json!({"LoggingConfig": {"LogFormat": "JSON"}}), "JSON"),
        (
            json!({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:l:1"]}),
            "Layers of CreateFunction is not supported",
        ),
        (json!({"VpcConfig": {"SubnetIds": ["subnet-1"]}}), "VpcConfig of CreateFunction is not supported"),
        (
            json!({"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:q"}}),
            "DeadLetterConfig of CreateFunction is not supported",
        ),
    ];
    for (change, expected) in cases {
        let mut input = definition("f");
        for (key, value) in change.as_object().unwrap() {
            match value {
                Value::Null => input.as_object_mut().unwrap().remove(key),
                value => input.as_object_mut().unwrap().insert(key.clone(), value.clone()),
            };
        }
        let error = fail(&world, "CreateFunction", input).await;
        assert!(error.message.contains(expected), "{change}: {error}");
        assert_eq!((error.code.as_ref(), error.status), ("InvalidParameterValueException", 400), "{change}");
    }
    let list = call(&world, "ListFunctions", json!({})).await;
    assert_eq!(list["Functions"], json!([]));
}

#[tokio::test]
async fn code_comes_from_s3_as_the_caller() {
    let world = world().await;
    // S3 has no model: its typed operations are called by the registry's lines.
    let s3 = async |operation: &str, input: Value| {
        let entry = crate::services::find("s3").unwrap().operation(operation).unwrap();
        (entry.run)(world.engine.clone(), world.root(), input).await.unwrap()
    };
    let bytes = package("index.py", "from s3").unwrap();
    let blob = world.engine.store().blobs().put(&bytes).unwrap();
    s3("CreateBucket", json!({"BucketName": "code-bucket"})).await;
    let stored = json!({"blob": blob, "size": bytes.len(), "md5": "0".repeat(32), "e_tag": "0".repeat(32)});
    s3("PutObject", json!({"BucketName": "code-bucket", "Key": "f.zip", "Body": stored})).await;
    let mut input = definition("f");
    input["Code"] = json!({"S3Bucket": "code-bucket", "S3Key": "none.zip"});
    let error = fail(&world, "CreateFunction", input.clone()).await;
    assert_eq!(
        error.message,
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
    );
    input["Code"]["S3Key"] = json!("f.zip");
    let made = call(&world, "CreateFunction", input).await;
    assert_eq!(made["CodeSize"], bytes.len());
    let sha = made["CodeSha256"].as_str().unwrap();
    assert_eq!(STANDARD.decode(sha).unwrap(), hex::decode(&blob).unwrap());
    let same = json!({"FunctionName": "f", "S3Bucket": "code-bucket", "S3Key": "f.zip", "Publish": true});
    assert_eq!(call(&world, "UpdateFunctionCode", same).await["CodeSha256"], sha);
}

#[tokio::test]
async fn packages_in_use_are_not_swept_away() {
    let world = world().await;
    let bytes = package("index.py", "mine").unwrap();
    let blob = world.engine.store().blobs().put(&bytes).unwrap();
    let referenced = |world: &World| {
        let blob = blob.clone();
        world.engine.store().read(move |tx| crate::services::blob_referenced(tx, &blob)).unwrap().unwrap()
    };
    assert!(!referenced(&world));
    let mut input = definition("f");
    input["Code"] = json!({"ZipFile": STANDARD.encode(&bytes)});
    call(&world, "CreateFunction", input).await;
    assert!(referenced(&world));
    call(&world, "PublishVersion", json!({"FunctionName": "f"})).await;
    call(&world, "UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": zip("2")})).await;
    assert!(referenced(&world), "a published version keeps its package");
    call(&world, "DeleteFunction", json!({"FunctionName": "f"})).await;
    assert!(!referenced(&world));
}

#[tokio::test]
async fn versions_are_published_once_a_change() {
    let world = world().await;
    create(&world, "f").await;
    let publish = json!({"FunctionName": "f", "Description": "one"});
    let one = call(&world, "PublishVersion", publish.clone()).await;
    assert_eq!((&one["Version"], &one["Description"]), (&json!("1"), &json!("one")));
    assert_eq!(one["FunctionArn"], "arn:aws:lambda:us-east-1:123456789012:function:f:1");
    assert_eq!(call(&world, "PublishVersion", publish.clone()).await["Version"], "1");
    let change = json!({"FunctionName": "f", "ZipFile": zip("2"), "Publish": true});
    assert_eq!(call(&world, "UpdateFunctionCode", change).await["Version"], "2");
    let old = call(&world, "GetFunctionConfiguration", json!({"FunctionName": "f", "Qualifier": "1"})).await;
    assert_eq!(old["CodeSha256"], one["CodeSha256"]);
    let wrong = json!({"FunctionName": "f", "CodeSha256": "x"});
    assert!(fail(&world, "PublishVersion", wrong).await.message.starts_with("CodeSHA256 (x) is different"));
    for n in 3..=5 {
        let change = json!({"FunctionName": "f", "MemorySize": 128 + n});
        call(&world, "UpdateFunctionConfiguration", change).await;
        call(&world, "PublishVersion", json!({"FunctionName": "f"})).await;
    }
    let pages =
        all(&world, "ListVersionsByFunction", json!({"FunctionName": "f"}), "Versions", "Version").await;
    assert_eq!(pages, ["$LATEST", "1", "2", "3", "4", "5"]);
    create(&world, "g").await;
    let pages = all(&world, "ListFunctions", json!({}), "Functions", "FunctionName").await;
    assert_eq!(pages, ["f", "g"]);
    let everything = json!({"FunctionVersion": "ALL"});
    let pages = all(&world, "ListFunctions", everything, "Functions", "Version").await;
    assert_eq!(pages, ["$LATEST", "1", "2", "3", "4", "5", "$LATEST"]);

    call(&world, "DeleteFunction", json!({"FunctionName": "f", "Qualifier": "3"})).await;
    let none = fail(&world, "GetFunction", json!({"FunctionName": "f:3"})).await;
    assert_eq!(none.status, 404);
    let latest = fail(&world, "DeleteFunction", json!({"FunctionName": "f", "Qualifier": "$LATEST"})).await;
    assert_eq!(latest.message, "$LATEST version cannot be deleted without deleting the function.");
}

/// Follows the markers, two items a page.
async fn all(world: &World, operation: &str, mut input: Value, list: &str, member: &str) -> Vec<String> {
    let mut found = Vec::new();
    input["MaxItems"] = json!(2);
    loop {
        let page = call(world, operation, input.clone()).await;
        let items = page[list].as_array().unwrap();
        assert!(items.len() <= 2, "{page}");
        found.extend(items.iter().map(|item| item[member].as_str().unwrap().to_owned()));
        if page["NextMarker"].is_null() {
            return found;
        }
        input["Marker"] = page["NextMarker"].clone();
    }
}

#[tokio::test]
async fn aliases_point_to_versions() {
    let world = world().await;
    create(&world, "f").await;
    call(&world, "PublishVersion", json!({"FunctionName": "f"})).await;
    call(&world, "UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": zip("2"), "Publish": true}))
        .await;
    let make = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    let made = call(&world, "CreateAlias", make.clone()).await;
    assert_eq!(made["AliasArn"], "arn:aws:lambda:us-east-1:123456789012:function:f:live");
    assert_eq!(fail(&world, "CreateAlias", make).await.code, "ResourceConflictException");
    let routed = json!({"FunctionName": "f", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {"2": 1.0}}});
    call(&world, "UpdateAlias", routed).await;
    let (_, answer) = invoke(&world, json!({"FunctionName": "f:live"})).await;
    assert_eq!(answer["ExecutedVersion"], "2", "all calls go to the second version");
    let back = json!({"FunctionName": "f", "Name": "live", "RoutingConfig": {}});
    call(&world, "UpdateAlias", back).await;
    let (_, answer) = invoke(&world, json!({"FunctionName": "f", "Qualifier": "live"})).await;
    assert_eq!(answer["ExecutedVersion"], "1");

    let cases = [
        (json!({"FunctionVersion": "9"}), "Function not found"),
        (
            json!({"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}),
            "Function version 1 is already included",
        ),
        (json!({"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5, "3": 0.1}}}), "Function not found"),
        (
            json!({"FunctionVersion": "$LATEST", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}}),
            "$LATEST is not supported",
        ),
        (json!({"RevisionId": "old"}), "The Revision Id provided does not match"),
    ];
    for (change, expected) in cases {
        let mut input = json!({"FunctionName": "f", "Name": "live"});
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let error = fail(&world, "UpdateAlias", input).await;
        assert!(error.message.contains(expected), "{change}: {error}");
    }
    let used = fail(&world, "DeleteFunction", json!({"FunctionName": "f", "Qualifier": "1"})).await;
    assert_eq!(used.code, "ResourceConflictException");
    let missing = fail(&world, "GetAlias", json!({"FunctionName": "f", "Name": "none"})).await;
    assert_eq!(
        missing.message,
        "Cannot find alias arn: arn:aws:lambda:us-east-1:123456789012:function:f:none"
    );
    assert_eq!(all(&world, "ListAliases", json!({"FunctionName": "f"}), "Aliases", "Name").await, ["live"]);
    call(&world, "DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await;
    call(&world, "DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await;
    assert_eq!(fail(&world, "GetAlias", json!({"FunctionName": "f", "Name": "live"})).await.status, 404);
}

#[tokio::test]
async fn functions_carry_tags() {
    let world = world().await;
    let arn = create(&world, "f").await["FunctionArn"].clone();
    call(&world, "TagResource", json!({"Resource": arn, "Tags": {"a": "1", "b": "2"}})).await;
    call(&world, "UntagResource", json!({"Resource": arn, "TagKeys": ["a"]})).await;
    assert_eq!(call(&world, "ListTags", json!({"Resource": arn})).await["Tags"], json!({"b": "2"}));
    let stamped = fail(&world, "TagResource", json!({"Resource": arn, "Tags": {"aws:x": "1"}})).await;
    assert_eq!(stamped.code, "InvalidParameterValueException");
    let version = format!("{}:1", arn.as_str().unwrap());
    let of_version = fail(&world, "TagResource", json!({"Resource": version, "Tags": {"a": "1"}})).await;
    assert!(of_version.message.starts_with("Tags on function aliases and versions"));
    let settings = call(&world, "GetAccountSettings", json!({})).await;
    assert_eq!(settings["AccountUsage"]["FunctionCount"], 1);
}

#[tokio::test]
async fn secrets_stay_out_of_the_trail() {
    let world = world().await;
    let mut input = definition("f");
    input["Environment"] = json!({"Variables": {"TOKEN": "swordfish"}});
    let package = input["Code"]["ZipFile"].as_str().unwrap().to_owned();
    call(&world, "CreateFunction", input).await;
    let too_long = json!({"Variables": {"TOKEN": "swordfish".repeat(600)}});
    fail(&world, "UpdateFunctionConfiguration", json!({"FunctionName": "f", "Environment": too_long})).await;
    let bodies: Vec<String> = world
        .engine
        .store()
        .read(|tx| {
            let mut rows = tx.connection().prepare("SELECT body FROM trail").unwrap();
            rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        })
        .unwrap();
    assert!(bodies.iter().any(|body| body.contains("UpdateFunctionConfiguration")));
    for body in bodies {
        assert!(!body.contains("swordfish") && !body.contains(&package), "{body}");
    }
}
