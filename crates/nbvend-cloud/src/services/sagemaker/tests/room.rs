//! Instance types and room on the machine.

use serde_json::json;

use super::{ROLE, call, create, status, world};
use crate::config::NotebookSettings;
use crate::testing::World;

async fn of_type(world: &World, name: &str, kind: &str) -> Result<serde_json::Value, String> {
    let input = json!({"NotebookInstanceName": name, "InstanceType": kind, "RoleArn": ROLE});
    call(world, "CreateNotebookInstance", input).await
}

#[tokio::test]
async fn a_type_bigger_than_the_machine_is_refused_and_processors_are_clamped() {
    let world = world().await;
    {
        let mut machine = world.notebooks.machine.lock().unwrap();
        (machine.cores, machine.memory, machine.free_memory) = (2, (23 << 30) + (1 << 29), 20 << 30);
    }
    let error = of_type(&world, "big", "ml.m5.2xlarge").await.unwrap_err();
    assert_eq!(
        error,
        "400 ResourceLimitExceeded The account-level service limit 'ml.m5.2xlarge for notebook instance usage' is 0 Instances, with current utilization of 0 Instances and a request delta of 1 Instances. ml.m5.2xlarge has 32 GiB of memory and this machine has 23.5 GiB."
    );
    let error = of_type(&world, "gpu", "ml.g4dn.xlarge").await.unwrap_err();
    assert!(error.contains("offers no accelerators"), "{error}");
    of_type(&world, "fits", "ml.m5.xlarge").await.unwrap();
    world.settle().await;
    let running = world.notebooks.running.lock().unwrap();
    let spec = running.values().next().unwrap();
    assert_eq!((spec.limits.cpu, spec.limits.memory, spec.limits.pids), (2.0, 16 << 30, 5120));
    assert_eq!((spec.volume_gb, spec.direct_internet), (5, true));
    let (path, body) = &spec.files[0];
    assert_eq!(path.to_str().unwrap(), "/opt/ml/metadata/resource-metadata.json");
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["ResourceName"], "fits");
    assert_eq!(body["ResourceArn"], "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/fits");
}

#[tokio::test]
async fn thirty_idle_notebooks_of_4_gib_fit_on_24() {
    let world = world().await;
    // What thirty idle servers leave of it, measured: 26 MiB each.
    let free = |count: u64| (20 << 30) - count * (26 << 20);
    for count in 0..30 {
        {
            let mut machine = world.notebooks.machine.lock().unwrap();
            (machine.memory, machine.free_memory) = (24 << 30, free(count));
        }
        create(&world, &format!("n{count}")).await.unwrap();
        world.settle().await;
    }
    assert_eq!(world.notebooks.running.lock().unwrap().len(), 30);
}

#[tokio::test]
async fn the_reserve_is_kept_and_starts_under_way_count() {
    let world = world().await;
    // Room for two starts beside the reserve of 512 MiB.
    world.notebooks.machine.lock().unwrap().free_memory = (512 + 2 * 128 + 1) << 20;
    create(&world, "a").await.unwrap();
    create(&world, "b").await.unwrap();
    let error = create(&world, "c").await.unwrap_err();
    assert!(error.starts_with("400 ResourceLimitExceeded"), "{error}");
    assert!(error.contains("is 2 Instances, with current utilization of 2 Instances"), "{error}");
    assert!(error.contains("0.8 GiB of memory free, and 0.9 GiB are needed"), "{error}");
    world.settle().await;
    call(&world, "StopNotebookInstance", json!({"NotebookInstanceName": "a"})).await.unwrap();
    world.settle().await;
    world.notebooks.machine.lock().unwrap().free_memory = 600 << 20;
    let error =
        call(&world, "StartNotebookInstance", json!({"NotebookInstanceName": "a"})).await.unwrap_err();
    assert!(error.starts_with("400 ResourceLimitExceeded"), "{error}");
    assert_eq!(status(&world, "a").await, "Stopped");
    world.notebooks.machine.lock().unwrap().free_memory = 700 << 20;
    call(&world, "StartNotebookInstance", json!({"NotebookInstanceName": "a"})).await.unwrap();
}

#[tokio::test]
async fn a_factor_limits_what_is_promised() {
    let settings = NotebookSettings { memory_factor: Some(1.5), ..NotebookSettings::default() };
    let world = world().await.restart_with(settings);
    world.notebooks.machine.lock().unwrap().memory = 8 << 30;
    for name in ["a", "b", "c"] {
        create(&world, name).await.unwrap();
        world.settle().await;
    }
    let error = create(&world, "d").await.unwrap_err();
    assert!(
        error.contains("have 12.0 GiB of memory together, and this machine promises 12.0 GiB"),
        "{error}"
    );
    call(&world, "StopNotebookInstance", json!({"NotebookInstanceName": "a"})).await.unwrap();
    world.settle().await;
    create(&world, "d").await.unwrap();
}

#[tokio::test]
async fn plain_processes_are_for_one_person() {
    let world = world().await;
    *world.notebooks.isolation.lock().unwrap() = "process";
    create(&world, "mine").await.unwrap();
    create(&world, "mine-too").await.unwrap();
    let made = world.wire("iam", "CreateUser", json!({"UserName": "bob"})).await.unwrap();
    let bob = crate::identity::Caller {
        principal: crate::identity::Principal::User {
            name: "bob".to_owned(),
            id: made["User"]["UserId"].as_str().unwrap().to_owned(),
            path: "/".to_owned(),
        },
        ..world.root()
    };
    let input = json!({"NotebookInstanceName": "bobs", "InstanceType": "ml.t3.medium", "RoleArn": ROLE});
    let allow =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let put = json!({"UserName": "bob", "PolicyName": "all", "PolicyDocument": allow.to_string()});
    world.wire("iam", "PutUserPolicy", put).await.unwrap();
    let error =
        world.wire_as(bob.clone(), "sagemaker", "CreateNotebookInstance", input.clone()).await.unwrap_err();
    assert_eq!(error.code, "ResourceLimitExceeded");
    assert!(error.message.contains("cannot keep several people's notebooks apart"), "{}", error.message);
    let tags = call(
        &world,
        "ListTags",
        json!({"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/mine"}),
    );
    assert_eq!(
        tags.await.unwrap()["Tags"],
        json!([{"Key": "nbvend:isolation", "Value": "process"}, {"Key": "nbvend:volume", "Value": "enforced"}])
    );
    let settings = NotebookSettings { force_process_isolation: true, ..NotebookSettings::default() };
    let world = world.restart_with(settings);
    world.wire_as(bob, "sagemaker", "CreateNotebookInstance", input).await.unwrap();
}

#[tokio::test]
async fn a_volume_whose_size_does_not_hold_says_so() {
    let world = world().await;
    let arn = create(&world, "x").await.unwrap()["NotebookInstanceArn"].clone();
    world.settle().await;
    let id = world.notebooks.running.lock().unwrap().keys().next().unwrap().clone();
    for (unbounded, says) in [(vec![], "enforced"), (vec![id], "not-enforced")] {
        *world.notebooks.unbounded.lock().unwrap() = unbounded;
        let tags = call(&world, "ListTags", json!({"ResourceArn": arn})).await.unwrap();
        assert_eq!(tags["Tags"][1], json!({"Key": "nbvend:volume", "Value": says}));
        let forged = json!({"ResourceArn": arn, "Tags": [{"Key": "nbvend:volume", "Value": "enforced"}]});
        assert!(call(&world, "AddTags", forged).await.unwrap_err().contains("cannot be changed"));
    }
}

#[tokio::test]
async fn the_isolation_tag_is_nobodys_to_set() {
    let world = world().await;
    let arn = create(&world, "x").await.unwrap()["NotebookInstanceArn"].clone();
    let forged = json!({"ResourceArn": arn, "Tags": [{"Key": "nbvend:isolation", "Value": "none"}]});
    assert!(call(&world, "AddTags", forged).await.unwrap_err().contains("cannot be changed"));
    let gone = json!({"ResourceArn": arn, "TagKeys": ["nbvend:isolation"]});
    assert!(call(&world, "DeleteTags", gone).await.is_err());
    let add = json!({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "z", "Value": "2"}]});
    call(&world, "AddTags", add).await.unwrap();
    let mut seen = Vec::new();
    let mut token = serde_json::Value::Null;
    loop {
        let mut input = json!({"ResourceArn": arn, "MaxResults": 50});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = call(&world, "ListTags", input).await.unwrap();
        seen.extend(
            page["Tags"].as_array().unwrap().iter().map(|tag| tag["Key"].as_str().unwrap().to_owned()),
        );
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["a", "nbvend:isolation", "nbvend:volume", "z"]);
    call(&world, "DeleteTags", json!({"ResourceArn": arn, "TagKeys": ["a", "z"]})).await.unwrap();
}
