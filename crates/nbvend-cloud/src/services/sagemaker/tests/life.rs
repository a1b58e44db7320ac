//! States, updates, lifecycle scripts, repositories, events.

use serde_json::{Value, json};

use super::{ROLE, call, caught, create, events, status, world};
use crate::ports::{ScriptLog, StartFailure};
use crate::testing::World;

const ARN: &str = "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/ada";

async fn to(world: &World, operation: &str) -> Result<Value, String> {
    call(world, operation, json!({"NotebookInstanceName": "Ada"})).await
}

async fn described(world: &World) -> Value {
    to(world, "DescribeNotebookInstance").await.unwrap()
}

async fn update(world: &World, mut change: Value) -> Result<Value, String> {
    change["NotebookInstanceName"] = json!("Ada");
    let answer = call(world, "UpdateNotebookInstance", change).await;
    world.settle().await;
    answer
}

#[tokio::test]
async fn what_is_asked_in_the_wrong_state_is_refused_in_awss_words() {
    let world = world().await;
    create(&world, "Ada").await.unwrap();
    world.settle().await;
    let wrong = |now: &str, allowed: &str, next: &str| {
        format!(
            "400 ValidationException Status ({now}) not in ([{allowed}]). Unable to transition to ({next}) for Notebook Instance ({ARN})"
        )
    };
    assert_eq!(
        to(&world, "StartNotebookInstance").await.unwrap_err(),
        wrong("InService", "Stopped, Failed", "Pending")
    );
    assert_eq!(
        to(&world, "DeleteNotebookInstance").await.unwrap_err(),
        wrong("InService", "Failed, Stopped", "Deleting")
    );
    let change = json!({"InstanceType": "ml.t3.large"});
    assert_eq!(update(&world, change.clone()).await.unwrap_err(), wrong("InService", "Stopped", "Updating"));
    to(&world, "StopNotebookInstance").await.unwrap();
    assert_eq!(update(&world, change).await.unwrap_err(), wrong("Stopping", "Stopped", "Updating"));
    assert_eq!(
        to(&world, "StopNotebookInstance").await.unwrap_err(),
        wrong("Stopped", "InService", "Stopping")
    );
    let change = json!({"NotebookInstanceName": "Ada", "InstanceType": "ml.t3.large"});
    call(&world, "UpdateNotebookInstance", change).await.unwrap();
    assert_eq!(status(&world, "Ada").await, "Updating");
    assert_eq!(
        to(&world, "StartNotebookInstance").await.unwrap_err(),
        wrong("Updating", "Stopped, Failed", "Pending")
    );
    let world = world.restart();
    world.settle().await;
    assert_eq!(status(&world, "Ada").await, "Stopped");
    to(&world, "DeleteNotebookInstance").await.unwrap();
    assert_eq!(status(&world, "Ada").await, "Deleting");
    assert_eq!(
        create(&world, "Ada").await.unwrap_err(),
        format!("400 ValidationException Cannot create a duplicate Notebook Instance ({ARN})")
    );
    world.settle().await;
    for operation in [
        "DescribeNotebookInstance",
        "StartNotebookInstance",
        "StopNotebookInstance",
        "DeleteNotebookInstance",
    ] {
        assert_eq!(to(&world, operation).await.unwrap_err(), "400 ValidationException RecordNotFound");
    }
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let world = world().await;
    let config =
        json!({"NotebookInstanceLifecycleConfigName": "setup", "OnStart": [{"Content": "ZWNobyBoaQ=="}]});
    call(&world, "CreateNotebookInstanceLifecycleConfig", config).await.unwrap();
    let input = json!({"NotebookInstanceName": "Ada", "InstanceType": "ml.t3.medium", "RoleArn": ROLE,
        "LifecycleConfigName": "setup", "DefaultCodeRepository": "https://git.example/a/tools.git",
        "AdditionalCodeRepositories": ["https://git.example/a/more"], "DirectInternetAccess": "Disabled"});
    call(&world, "CreateNotebookInstance", input).await.unwrap();
    world.settle().await;
    {
        let running = world.notebooks.running.lock().unwrap();
        let spec = running.values().next().unwrap();
        assert_eq!(spec.scripts, [("OnStart", b"echo hi".to_vec())]);
        assert!(!spec.direct_internet);
        let shown: Vec<_> = spec.repositories.iter().map(|r| (r.folder.as_str(), r.default)).collect();
        assert_eq!(shown, [("tools", true), ("more", false)]);
    }
    to(&world, "StopNotebookInstance").await.unwrap();
    world.settle().await;
    update(
        &world,
        json!({"InstanceType": "ml.t3.large", "VolumeSizeInGB": 20, "RootAccess": "Disabled",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"}}),
    )
    .await
    .unwrap();
    let now = described(&world).await;
    assert_eq!(now["NotebookInstanceStatus"], "Stopped");
    assert_eq!(
        (&now["InstanceType"], &now["VolumeSizeInGB"], &now["RootAccess"]),
        (&json!("ml.t3.large"), &json!(20), &json!("Disabled"))
    );
    assert_eq!(now["InstanceMetadataServiceConfiguration"]["MinimumInstanceMetadataServiceVersion"], "2");
    assert_eq!(now["NotebookInstanceLifecycleConfigName"], "setup", "not named, not changed");
    assert_eq!(now["DefaultCodeRepository"], "https://git.example/a/tools.git");
    update(
        &world,
        json!({"DisassociateLifecycleConfig": true, "DisassociateDefaultCodeRepository": true,
        "AdditionalCodeRepositories": ["https://git.example/b/other"]}),
    )
    .await
    .unwrap();
    let now = described(&world).await;
    assert_eq!(
        (&now["NotebookInstanceLifecycleConfigName"], &now["DefaultCodeRepository"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(now["AdditionalCodeRepositories"], json!(["https://git.example/b/other"]));
    for (change, said) in [
        (json!({"VolumeSizeInGB": 19}), "Volume size cannot be decreased: it is 20 GB"),
        (json!({"LifecycleConfigName": "none"}), "Could not find Notebook Instance Lifecycle Config"),
        (json!({"RoleArn": "arn:aws:iam::123456789012:role/Nobody"}), "Could not assume role"),
        (json!({"InstanceType": "ml.m5.24xlarge"}), "ResourceLimitExceeded"),
        (json!({"DefaultCodeRepository": "by-name"}), "Could not find Code Repository"),
        (json!({"PlatformIdentifier": "notebook-al1-v1"}), "is not supported for this service"),
        (json!({"AcceleratorTypes": ["ml.eia1.medium"]}), "is not supported by nbvend"),
    ] {
        let error = update(&world, change.clone()).await.unwrap_err();
        assert!(error.contains(said), "{change}: {error}");
        assert_eq!(described(&world).await["InstanceType"], "ml.t3.large", "{change}: all or nothing");
    }
}

#[tokio::test]
async fn a_script_that_fails_fails_the_start_and_leaves_its_log() {
    let world = world().await;
    let config = json!({"NotebookInstanceLifecycleConfigName": "Setup",
        "OnCreate": [{"Content": "ZXhpdCAz"}], "OnStart": [{"Content": "ZWNobyBoaQ=="}]});
    call(&world, "CreateNotebookInstanceLifecycleConfig", config).await.unwrap();
    let broken = StartFailure::ScriptFailed { hook: "OnCreate", status: "exit status: 3".to_owned() };
    world.notebooks.broken.lock().unwrap().insert("Ada".to_owned(), broken);
    let lines = vec!["fetching".to_owned(), "no such host".to_owned()];
    *world.notebooks.log.lock().unwrap() = vec![ScriptLog { hook: "OnCreate", lines }];
    let allow = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]});
    let put = json!({"RoleName": "Run", "PolicyName": "logs", "PolicyDocument": allow.to_string()});
    world.wire("iam", "PutRolePolicy", put).await.unwrap();
    let input = json!({"NotebookInstanceName": "Ada", "InstanceType": "ml.t3.medium", "RoleArn": ROLE, "LifecycleConfigName": "Setup"});
    call(&world, "CreateNotebookInstance", input).await.unwrap();
    world.settle().await;
    let reason = described(&world).await["FailureReason"].as_str().unwrap().to_owned();
    assert_eq!(
        reason,
        format!(
            "Notebook Instance Lifecycle Config 'arn:aws:sagemaker:us-east-1:123456789012:notebook-instance-lifecycle-config/setup' for Notebook Instance '{ARN}' failed: its OnCreate script ended with exit status: 3. Its log ends: fetching\nno such host"
        )
    );
    let log = json!({"logGroupName": "/aws/sagemaker/NotebookInstances", "logStreamName": "Ada/OnCreate"});
    let log = world.wire("logs", "GetLogEvents", log).await.unwrap();
    assert_eq!(log["events"][1]["message"], "no such host");

    let slow = StartFailure::ScriptTooSlow { hook: "OnStart" };
    world.notebooks.broken.lock().unwrap().insert("Ada".to_owned(), slow);
    to(&world, "StartNotebookInstance").await.unwrap();
    world.settle().await;
    let reason = described(&world).await["FailureReason"].as_str().unwrap().to_owned();
    assert!(reason.contains("took longer than 5 minutes. Please check your CloudWatch logs"), "{reason}");

    // OnCreate has not been through yet, so it runs again; after a start that worked it does not.
    world.notebooks.broken.lock().unwrap().clear();
    let hooks = |world: &World| -> Vec<&'static str> {
        let running = world.notebooks.running.lock().unwrap();
        running.values().next().unwrap().scripts.iter().map(|(hook, _)| *hook).collect()
    };
    to(&world, "StartNotebookInstance").await.unwrap();
    world.settle().await;
    assert_eq!(hooks(&world), ["OnCreate", "OnStart"]);
    to(&world, "StopNotebookInstance").await.unwrap();
    world.settle().await;
    to(&world, "StartNotebookInstance").await.unwrap();
    world.settle().await;
    assert_eq!(hooks(&world), ["OnStart"]);
}

#[tokio::test]
async fn every_transition_is_told_in_the_recorded_shape() {
    let world = world().await;
    let pattern =
        r#"{"source":["aws.sagemaker"],"detail-type":["SageMaker Notebook Instance State Change"]}"#;
    caught(&world, pattern).await;
    let input = json!({"NotebookInstanceName": "Ada", "InstanceType": "ml.t3.medium", "RoleArn": ROLE, "Tags": [{"Key": "team", "Value": "red"}]});
    call(&world, "CreateNotebookInstance", input).await.unwrap();
    world.settle().await;
    world.clock.advance(1);
    to(&world, "StopNotebookInstance").await.unwrap();
    world.settle().await;
    update(&world, json!({"VolumeSizeInGB": 6})).await.unwrap();
    world
        .notebooks
        .broken
        .lock()
        .unwrap()
        .insert("Ada".to_owned(), StartFailure::Other("no Python".to_owned()));
    to(&world, "StartNotebookInstance").await.unwrap();
    world.settle().await;
    to(&world, "DeleteNotebookInstance").await.unwrap();
    world.settle().await;
    let events = events(&world).await;
    let states: Vec<&str> =
        events.iter().map(|e| e["detail"]["NotebookInstanceStatus"].as_str().unwrap()).collect();
    assert_eq!(
        states,
        [
            "Pending",
            "InService",
            "Stopping",
            "Stopped",
            "Updating",
            "Stopped",
            "Pending",
            "Failed",
            "Deleting",
            "Deleting"
        ]
    );
    let second = &events[1];
    assert_eq!(second["resources"], json!([ARN]));
    assert_eq!(second["detail"]["NotebookInstanceArn"], ARN);
    assert_eq!(second["detail"]["NotebookInstanceName"], "Ada");
    assert_eq!(second["detail"]["Tags"], json!({"team": "red"}));
    assert_eq!(second["detail"]["CreationTime"], 1_795_348_800_000_i64);
    assert_eq!(events[2]["detail"]["LastModifiedTime"], 1_795_348_801_000_i64);
    assert_eq!(events[7]["detail"]["FailureReason"], "no Python");
}
