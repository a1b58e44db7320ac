//! The solution deployed, a notebook vended and terminated, in process: and the engine dying at each commit on the way.
//!
//! Whatever commit is the last, the next engine on the same folder finishes what was begun, makes nothing twice and
//! loses nothing. A client whose call was not answered makes it again with the same token, as SDKs do.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use http::Request;
use nbvend_wire::sigv4::{self, Credentials, ToSign};
use serde_json::{Value, json};

use crate::door::{Peer, full, handle};
use crate::testing::{REGION, ROOT_KEY, ROOT_SECRET, World};

const S3_IAM: &str = include_str!("../../../templates/s3-iam-config.yml");
const SERVICE_CATALOG: &str = include_str!("../../../templates/service-catalog.yml");
const PRODUCT: &str = include_str!("../../../templates/sm-notebook.yml");
const SAM: &str = include_str!("../../../lambda/template.yaml");

async fn put_object(world: &World, path: &str, body: Vec<u8>) -> Result<(), String> {
    let headers = [
        ("host".to_owned(), "localhost:4566".to_owned()),
        ("x-amz-content-sha256".to_owned(), sigv4::sha256_hex(&body)),
    ];
    let credentials = Credentials {
        access_key_id: ROOT_KEY.to_owned(),
        secret_access_key: ROOT_SECRET.to_owned(),
        session_token: None,
    };
    let to_sign = ToSign { method: "PUT", path, query: "", headers: &headers, body: &body };
    let signed = sigv4::sign(&to_sign, &credentials, REGION, "s3", world.engine.now());
    let mut request = Request::put(path).header("content-length", body.len());
    for (name, value) in headers.iter().chain(&signed) {
        request = request.header(name, value);
    }
    let peer = Peer { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false };
    let answer = handle(&world.engine, request.body(full(body)).unwrap(), peer).await;
    (answer.status() == 200).then_some(()).ok_or_else(|| format!("{path}: {}", answer.status()))
}

fn stack(name: &str, template: &str, parameters: &[(&str, &str)]) -> Value {
    let parameters: Vec<Value> =
        parameters.iter().map(|(k, v)| json!({"ParameterKey": k, "ParameterValue": v})).collect();
    json!({"StackName": name, "TemplateBody": template, "Parameters": parameters,
        "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"], "ClientRequestToken": name})
}

fn first_stack() -> Value {
    stack("s3-iam-config", S3_IAM, &[("SageMakerNotebookInstanceRoleName", "SageMakerNotebookInstanceRole")])
}

async fn stack_status(world: &World, name: &str) -> (String, Value) {
    let answer = world.wire("cloudformation", "DescribeStacks", json!({"StackName": name})).await;
    let stack = answer.map(|a| a["Stacks"][0].clone()).unwrap_or_default();
    (stack["StackStatus"].as_str().unwrap_or("none").to_owned(), stack)
}

/// Lets time pass until the stack is done, or the engine is dead.
async fn done(world: &World, name: &str) -> Result<Value, String> {
    for _ in 0..400 {
        world.engine.settle().await.map_err(|error| error.to_string())?;
        let (status, stack) = stack_status(world, name).await;
        if !status.ends_with("IN_PROGRESS") {
            assert_eq!(status, "CREATE_COMPLETE", "{name}: {}", why(world, name).await);
            return Ok(stack);
        }
        world.clock.advance(1);
    }
    panic!("{name} is never done");
}

/// Makes a stack, or finds it made.
async fn create(world: &World, input: Value) -> Result<(), String> {
    world.wire("cloudformation", "CreateStack", input).await.map(|_| ()).map_err(|error| error.to_string())
}

async fn why(world: &World, name: &str) -> String {
    let events = world
        .wire("cloudformation", "DescribeStackEvents", json!({"StackName": name}))
        .await
        .unwrap_or_default();
    let failed = events["StackEvents"].as_array().cloned().unwrap_or_default().into_iter().rev();
    let reasons: Vec<String> = failed
        .filter(|e| e["ResourceStatus"].as_str().is_some_and(|s| s.ends_with("FAILED")))
        .map(|e| format!("{}: {}", e["LogicalResourceId"], e["ResourceStatusReason"]))
        .collect();
    reasons.join("; ")
}

async fn deploy(world: &World) {
    try_deploy(world).await.unwrap();
}

/// The three stacks; an error where the engine died.
async fn try_deploy(world: &World) -> Result<(), String> {
    create(world, first_stack()).await?;
    let first = done(world, "s3-iam-config").await?;
    let outputs = first["Outputs"].as_array().unwrap();
    let bucket =
        outputs.iter().find(|o| o["OutputKey"] == "S3BucketName").unwrap()["OutputValue"].as_str().unwrap();
    put_object(world, &format!("/{bucket}/sm-notebook.yml"), PRODUCT.as_bytes().to_vec()).await?;
    let parameters = [
        ("NotebookInstanceType", "ml.t2.medium"),
        ("S3IAMConfigStackName", "s3-iam-config"),
        ("ServiceCatalogTemplateName", "sm-notebook.yml"),
        ("S3BucketName", bucket),
        ("UserIAMPrincipal", "arn:aws:iam::123456789012:root"),
    ];
    let second = stack("service-catalog-config", SERVICE_CATALOG, &parameters);
    create(world, second).await?;
    done(world, "service-catalog-config").await?;

    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    zip.write_all(b"#!/bin/sh\n").unwrap();
    put_object(world, &format!("/{bucket}/code.zip"), zip.finish().unwrap().into_inner()).await?;
    let mut template = nbvend_template::Template::parse(SAM).unwrap().value;
    template["Globals"]["Function"]["CodeUri"] = json!(format!("s3://{bucket}/code.zip"));
    for function in ["EventBridgeFunction", "RefreshURLFunction"] {
        template["Resources"][function].as_object_mut().unwrap().remove("Metadata");
    }
    let third = stack("sam-app", &template.to_string(), &[]);
    create(world, third).await?;
    done(world, "sam-app").await?;
    Ok(())
}

/// Asks the catalog; `None` if the engine died before it could answer.
async fn provision(world: &World) -> Option<String> {
    let found = world.wire("servicecatalog", "SearchProducts", json!({})).await.ok()?;
    let product = found["ProductViewSummaries"][0]["ProductId"].clone();
    let described = world.wire("servicecatalog", "DescribeProduct", json!({"Id": product})).await.ok()?;
    let input = json!({"ProductId": product, "ProvisioningArtifactId": described["ProvisioningArtifacts"][0]["Id"],
        "ProvisionedProductName": "kim", "ProvisionToken": "the-same-token",
        "ProvisioningParameters": [{"Key": "NotebookUserName", "Value": "kim"}]});
    let answer = world.wire("servicecatalog", "ProvisionProduct", input).await.ok()?;
    Some(answer["RecordDetail"]["RecordId"].as_str().unwrap().to_owned())
}

async fn terminate(world: &World) -> Option<String> {
    let input = json!({"ProvisionedProductName": "kim", "TerminateToken": "the-same-token"});
    let answer = world.wire("servicecatalog", "TerminateProvisionedProduct", input).await.ok()?;
    Some(answer["RecordDetail"]["RecordId"].as_str().unwrap().to_owned())
}

/// Lets time pass until the record is done, or the engine is dead.
async fn follow(world: &World, record: &str) -> Option<Value> {
    for _ in 0..400 {
        world.engine.settle().await.ok()?;
        let answer = world.wire("servicecatalog", "DescribeRecord", json!({"Id": record})).await.ok()?;
        let status = answer["RecordDetail"]["Status"].as_str().unwrap().to_owned();
        if status == "SUCCEEDED" || status == "FAILED" {
            // What the record set going (events, invocations) settles too.
            world.engine.settle().await.ok()?;
            return Some(answer["RecordDetail"].clone());
        }
        world.clock.advance(1);
    }
    panic!("{record} is never done");
}

async fn succeeded(world: &World, record: &str) {
    let record = follow(world, record).await.expect("alive");
    assert_eq!(record["Status"], "SUCCEEDED", "{record}");
}

/// What must be true once a notebook was vended, however often the engine died.
async fn vended_once(world: &World) {
    let notebooks = world.wire("sagemaker", "ListNotebookInstances", json!({})).await.unwrap();
    let notebooks = notebooks["NotebookInstances"].as_array().unwrap();
    assert_eq!(notebooks.len(), 1);
    assert_eq!(
        (&notebooks[0]["NotebookInstanceName"], &notebooks[0]["NotebookInstanceStatus"]),
        (&json!("kim-Notebook"), &json!("InService"))
    );
    assert_eq!(world.notebooks.running.lock().unwrap().len(), 1);
    let products = world.wire("servicecatalog", "SearchProvisionedProducts", json!({})).await.unwrap();
    assert_eq!(products["ProvisionedProducts"].as_array().unwrap().len(), 1);
    let stacks = world.wire("cloudformation", "DescribeStacks", json!({})).await.unwrap();
    let launched = stacks["Stacks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["StackName"].as_str().unwrap().starts_with("SC-"));
    assert_eq!(launched.count(), 1);
    let calls = world.functions.calls.lock().unwrap();
    let heard = calls.iter().filter(|(name, _)| name == "EventBridgeFunction").count();
    assert!(heard >= 1, "the event function was not invoked");
}

async fn nothing_left(world: &World) {
    let notebooks = world.wire("sagemaker", "ListNotebookInstances", json!({})).await.unwrap();
    assert_eq!(notebooks["NotebookInstances"], json!([]));
    assert!(world.notebooks.running.lock().unwrap().is_empty());
    let products = world.wire("servicecatalog", "SearchProvisionedProducts", json!({})).await.unwrap();
    assert_eq!(products["ProvisionedProducts"], json!([]));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Where the engine dies: just after a commit, before anybody hears of it, or just before, so that it is lost.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Death {
    After(u64),
    Before(u64),
}

impl Death {
    pub(crate) fn strike(self, world: &World) {
        match self {
            Self::After(commit) => world.engine.store().die_after(commit),
            Self::Before(commit) => world.engine.store().die_before(commit),
        }
    }
}

pub(crate) fn deaths(commits: u64) -> impl Iterator<Item = Death> {
    (1..=commits).flat_map(|commit| [Death::Before(commit), Death::After(commit)])
}

/// A closed folder to begin from, and the time at which it was closed.
pub(crate) struct Start {
    folder: tempfile::TempDir,
    now: i64,
    running: crate::testing::TestNotebooks,
}

impl Start {
    pub(crate) fn of(world: World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        world.engine.store().close();
        copy(&world.engine.config().data, folder.path());
        Self { folder, now: world.engine.now().0, running: world.notebooks }
    }

    pub(crate) fn world(&self) -> World {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        let world = World::on(folder, self.now);
        *world.notebooks.running.lock().unwrap() = self.running.running.lock().unwrap().clone();
        world
    }
}

async fn deployed() -> Start {
    let world = World::new();
    deploy(&world).await;
    Start::of(world)
}

#[tokio::test]
async fn a_vend_survives_death_at_every_commit() {
    let start = deployed().await;
    let world = start.world();
    let before = world.engine.store().commits();
    succeeded(&world, &provision(&world).await.unwrap()).await;
    vended_once(&world).await;
    let commits = world.engine.store().commits() - before;
    assert!(commits >= 8, "only {commits} commits: is the vend one transaction?");
    for death in deaths(commits) {
        let world = start.world();
        death.strike(&world);
        if let Some(record) = provision(&world).await {
            follow(&world, &record).await;
        }
        let world = world.restart();
        succeeded(&world, &provision(&world).await.unwrap()).await;
        vended_once(&world).await;
    }
}

#[tokio::test]
async fn a_termination_survives_death_at_every_commit() {
    let world = deployed().await.world();
    succeeded(&world, &provision(&world).await.unwrap()).await;
    let start = Start::of(world);
    let world = start.world();
    let before = world.engine.store().commits();
    succeeded(&world, &terminate(&world).await.unwrap()).await;
    nothing_left(&world).await;
    let commits = world.engine.store().commits() - before;
    for death in deaths(commits) {
        let world = start.world();
        death.strike(&world);
        if let Some(record) = terminate(&world).await {
            follow(&world, &record).await;
        }
        let world = world.restart();
        // Answered again if it had begun, begun if it had not; over and gone, there is nothing to terminate.
        match terminate(&world).await {
            Some(record) => succeeded(&world, &record).await,
            None => world.settle().await,
        }
        nothing_left(&world).await;
    }
}

#[tokio::test]
async fn stacks_survive_death_at_every_commit() {
    let world = World::new();
    let before = world.engine.store().commits();
    deploy(&world).await;
    let commits = world.engine.store().commits() - before;
    let mut died = 0;
    for death in deaths(commits) {
        let world = World::new();
        death.strike(&world);
        // The engine dies somewhere in here; what is not answered is asked again below.
        died += u32::from(try_deploy(&world).await.is_err());
        let world = world.restart();
        deploy(&world).await;
        let stacks = world.wire("cloudformation", "DescribeStacks", json!({})).await.unwrap();
        assert_eq!(stacks["Stacks"].as_array().unwrap().len(), 3);
        let roles = world.wire("iam", "ListRoles", json!({})).await.unwrap();
        assert_eq!(roles["Roles"].as_array().unwrap().len(), 4, "made once each: {roles}");
        let buckets = world.store_keys("s3.bucket");
        assert_eq!(buckets.len(), 1, "{buckets:?}");
    }
    assert!(died >= 20, "the engine died only {died} times");
}
