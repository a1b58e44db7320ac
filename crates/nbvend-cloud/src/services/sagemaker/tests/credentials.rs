//! Credentials of the execution role for what runs in a notebook.

use serde_json::json;

use super::{ROLE, call, create, world};
use crate::identity::AccessKey;
use crate::services::sagemaker::credentials::{NoCredentials, credentials_by_token, credentials_for};
use crate::testing::World;

fn running(world: &World) -> (String, String) {
    let running = world.notebooks.running.lock().unwrap();
    let spec = running.values().next().unwrap();
    (spec.id.clone(), spec.credentials_token.clone())
}

fn key(world: &World, id: &str) -> Option<AccessKey> {
    world.engine.store().read(|tx| AccessKey::get(tx, id)).unwrap().unwrap()
}

#[tokio::test]
async fn a_token_is_good_for_its_notebook_and_start_alone() {
    let world = world().await;
    create(&world, "ada").await.unwrap();
    world.settle().await;
    let (ada, token) = running(&world);
    assert_eq!(token.len(), 64);
    let made = credentials_by_token(&world.engine, &ada, &token).await.unwrap();
    assert_eq!(made.role_arn, ROLE);
    let session = key(&world, &made.access_key_id).unwrap();
    assert_eq!(session.principal.arn("123456789012"), "arn:aws:sts::123456789012:assumed-role/Run/SageMaker");
    assert_eq!(session.secret, made.secret_access_key);
    for wrong in ["", "x", &token[1..]] {
        let refused = credentials_by_token(&world.engine, &ada, wrong).await;
        assert!(matches!(refused, Err(NoCredentials::Token)), "{wrong}");
    }
    create(&world, "bob").await.unwrap();
    world.settle().await;
    let bob = world.notebooks.running.lock().unwrap().values().find(|s| s.name == "bob").unwrap().id.clone();
    assert!(matches!(credentials_by_token(&world.engine, &bob, &token).await, Err(NoCredentials::Token)));

    let name = json!({"NotebookInstanceName": "ada"});
    call(&world, "StopNotebookInstance", name.clone()).await.unwrap();
    world.settle().await;
    assert!(matches!(credentials_by_token(&world.engine, &ada, &token).await, Err(NoCredentials::Token)));
    assert!(matches!(credentials_for(&world.engine, &ada).await, Err(NoCredentials::NotRunning)));
    assert!(key(&world, &made.access_key_id).is_none(), "a copied key ends with the notebook");
    call(&world, "StartNotebookInstance", name).await.unwrap();
    world.settle().await;
    assert!(matches!(credentials_by_token(&world.engine, &ada, &token).await, Err(NoCredentials::Token)));
    let fresh = world.notebooks.running.lock().unwrap()[&ada].credentials_token.clone();
    assert!(credentials_by_token(&world.engine, &ada, &fresh).await.is_ok());
}

#[tokio::test]
async fn one_session_serves_until_shortly_before_its_end_and_a_new_engine_knows_the_token() {
    let world = world().await;
    create(&world, "ada").await.unwrap();
    world.settle().await;
    let (ada, token) = running(&world);
    let first = credentials_for(&world.engine, &ada).await.unwrap();
    world.clock.advance(39 * 60);
    assert_eq!(credentials_for(&world.engine, &ada).await.unwrap().access_key_id, first.access_key_id);
    world.clock.advance(2 * 60);
    let second = credentials_for(&world.engine, &ada).await.unwrap();
    assert_ne!(second.access_key_id, first.access_key_id);
    assert!(key(&world, &first.access_key_id).is_some(), "who holds the first may use it to its end");
    let world = world.restart();
    world.settle().await;
    let third = credentials_by_token(&world.engine, &ada, &token).await.unwrap();
    call(&world, "StopNotebookInstance", json!({"NotebookInstanceName": "ada"})).await.unwrap();
    world.settle().await;
    for made in [first, second, third] {
        assert!(key(&world, &made.access_key_id).is_none());
    }
    assert!(world.store_keys("sagemaker.grant").is_empty());
}

#[tokio::test]
async fn a_role_that_sagemaker_may_not_assume_any_more_gives_nothing() {
    let world = world().await;
    create(&world, "ada").await.unwrap();
    world.settle().await;
    let (ada, _) = running(&world);
    world.wire("iam", "DeleteRole", json!({"RoleName": "Run"})).await.unwrap();
    let Err(NoCredentials::Role(reason)) = credentials_for(&world.engine, &ada).await else {
        panic!("given")
    };
    assert!(reason.contains("not authorized to perform: sts:AssumeRole"), "{reason}");
}

#[tokio::test]
async fn those_who_ask_together_get_one_session() {
    let world = world().await;
    create(&world, "ada").await.unwrap();
    world.settle().await;
    let (ada, _) = running(&world);
    let asked = (0..8).map(|_| credentials_for(&world.engine, &ada));
    let got = futures_util::future::join_all(asked).await;
    let mut keys: Vec<String> = got.into_iter().map(|made| made.ok().unwrap().access_key_id).collect();
    keys.dedup();
    assert_eq!(keys.len(), 1);
}
