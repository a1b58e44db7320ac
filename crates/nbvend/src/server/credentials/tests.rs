//! The handler in process: an engine in a temporary folder whose notebooks are a list.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::BodyExt;
use nbvend_cloud::Config;
use nbvend_cloud::config::{NotebookSettings, RootKey};
use nbvend_cloud::identity::{Caller, Principal};
use nbvend_cloud::ports::{Activity, Capacity, NotebookHost, NotebookSpec, PortFuture, Ports, Started};

use super::*;
use crate::ports::functions::Functions;
use crate::ports::{SystemClock, SystemIds};

#[derive(Clone, Default)]
struct Listed(Arc<Mutex<Vec<NotebookSpec>>>);

impl NotebookHost for Listed {
    fn start(&self, spec: NotebookSpec) -> PortFuture<'_, Started> {
        self.0.lock().unwrap().push(spec);
        Box::pin(async { Started::default() })
    }
    fn stop(&self, _id: &str) -> PortFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
    fn delete(&self, _id: &str) -> PortFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
    fn is_running(&self, id: &str) -> bool {
        self.0.lock().unwrap().iter().any(|spec| spec.id == id)
    }
    fn capacity(&self) -> Capacity {
        Capacity { cores: 2, memory: 16 << 30, free_memory: 8 << 30 }
    }
    fn activity(&self, _id: &str) -> PortFuture<'_, Option<Activity>> {
        Box::pin(async { None })
    }
    fn enforces_volume(&self, _id: &str) -> bool {
        false
    }
    fn isolation(&self) -> &'static str {
        "full"
    }
}

async fn ask(engine: &Engine, operation: &str, input: Value) {
    let root = Caller {
        principal: Principal::Root,
        access_key_id: None,
        session_issued: None,
        region: "us-east-1".to_owned(),
        source_ip: "127.0.0.1".to_owned(),
        user_agent: "tests".to_owned(),
        request_id: "1".to_owned(),
        invoked_by: None,
        secure: false,
    };
    let service = if operation.contains("Role") { "iam" } else { "sagemaker" };
    let entry = nbvend_cloud::services::find(service).unwrap().operation(operation).unwrap();
    (entry.run)(engine.clone(), root, input).await.unwrap();
}

async fn asked(engine: &Engine, id: &str, method: &str, token: Option<&str>) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri("/creds");
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    let answer = serve_credentials(engine, id, request.body(()).unwrap()).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn credentials_in_the_shape_of_containers_for_the_notebooks_token_alone() {
    let folder = tempfile::tempdir().unwrap();
    let notebooks = Listed::default();
    let config = Config {
        data: folder.path().to_path_buf(),
        account: "123456789012".to_owned(),
        root_key: RootKey { access_key_id: "AKIAROOT".to_owned(), secret_access_key: "secret".to_owned() },
        url_suffix: "localhost:4566".to_owned(),
        endpoint: "http://127.0.0.1:4566".to_owned(),
        https_links: false,
        notebooks: NotebookSettings::default(),
    };
    let ports = Ports {
        clock: Box::new(SystemClock),
        ids: Box::new(SystemIds),
        notebooks: Box::new(notebooks.clone()),
        functions: Box::new(Functions::open(&folder.path().join("functions"), || false).unwrap()),
    };
    let engine = Engine::open(config, ports).unwrap();
    engine.start();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    ask(&engine, "CreateRole", json!({"RoleName": "Run", "AssumeRolePolicyDocument": trust.to_string()}))
        .await;
    let role = "arn:aws:iam::123456789012:role/Run";
    let input = json!({"NotebookInstanceName": "ada", "InstanceType": "ml.t3.medium", "RoleArn": role});
    ask(&engine, "CreateNotebookInstance", input).await;
    let spec = loop {
        if let Some(spec) = notebooks.0.lock().unwrap().first().cloned() {
            break spec;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let (status, body) = asked(&engine, &spec.id, "GET", Some(&spec.credentials_token)).await;
    assert_eq!(status, 200, "{body}");
    let mut names: Vec<&String> = body.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["AccessKeyId", "Expiration", "RoleArn", "SecretAccessKey", "Token"]);
    assert_eq!(body["RoleArn"], role);
    assert!(body["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    let ends = body["Expiration"].as_str().unwrap();
    assert!(ends.ends_with('Z') && nbvend_wire::timestamp::Timestamp::parse(ends).unwrap() > engine.now());
    for (id, token) in [
        (spec.id.as_str(), None),
        (spec.id.as_str(), Some("guess")),
        ("no-such-notebook", Some(spec.credentials_token.as_str())),
    ] {
        let (status, body) = asked(&engine, id, "GET", token).await;
        assert_eq!((status, &body["code"]), (403, &json!("AccessDenied")), "{id} {token:?}");
    }
    assert_eq!(asked(&engine, &spec.id, "POST", Some(&spec.credentials_token)).await.0, 405);
    ask(&engine, "DeleteRole", json!({"RoleName": "Run"})).await;
    engine.stop().await;
}
