//! Ended links go; a host that still starts what nobody has a record of is told to end it.

use super::*;
use crate::reconcile::{Next, Reconciler};
use crate::services::sagemaker::prune::Prune;
use crate::services::sagemaker::state::Link;

async fn link(world: &World) {
    let ask = json!({"NotebookInstanceName": "ada"});
    call(world, "CreatePresignedNotebookInstanceUrl", ask).await.unwrap();
}

fn links(world: &World) -> usize {
    world.engine.store().read(|tx| tx.find_below::<Link>("hour", "999999", 1000)).unwrap().unwrap().len()
}

async fn pruned(world: &World) -> usize {
    while Prune.pass(&world.engine).await.unwrap() == Next::Again {}
    links(world)
}

#[tokio::test]
async fn ended_links_go_however_long_ago_they_ended_and_while_the_engine_runs() {
    let world = world().await;
    create(&world, "ada").await.unwrap();
    world.settle().await;
    for _ in 0..120 {
        link(&world).await;
    }
    assert_eq!(pruned(&world).await, 120, "they may be opened yet");
    world.clock.advance(10 * 86_400);
    link(&world).await;
    assert_eq!(pruned(&world).await, 1);
    world.clock.advance(7200);
    assert_eq!(pruned(&world).await, 0);
}
