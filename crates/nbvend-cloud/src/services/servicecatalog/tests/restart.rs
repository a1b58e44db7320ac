//! The engine dies after every commit; the next one goes on.

use super::*;
use crate::reconcile::Next;
use crate::services;

/// One pass of each reconciler at a time, a new engine after each.
async fn crawl(mut world: World) -> World {
    for _ in 0..60 {
        let mut quiet = true;
        for reconciler in
            services::cloudformation::reconcilers().into_iter().chain(services::servicecatalog::reconcilers())
        {
            let next = reconciler.pass(&world.engine).await.unwrap();
            // What is only tidied up hours from now is no work under way.
            let hour = world.engine.now().plus_seconds(3600);
            quiet &= match next {
                Next::WhenWoken => true,
                Next::At(time) => time > hour,
                Next::Again => false,
            };
            world = world.restart();
            world.clock.advance(1);
        }
        if quiet {
            return world;
        }
    }
    panic!("it does not come to an end");
}

#[tokio::test]
async fn a_launch_an_update_and_an_end_live_through_a_death_at_every_commit() {
    let shop = shop().await;
    let launch = shop.order("mine", &[("Name", "abc"), ("Slow", "2")]);
    let launch = sc(&shop.world, "ProvisionProduct", launch).await.unwrap()["RecordDetail"].clone();
    let bad = shop.order("bad", &[("Name", "bad"), ("Fail", "create")]);
    let bad = sc(&shop.world, "ProvisionProduct", bad).await.unwrap()["RecordDetail"].clone();
    let world = crawl(shop.world).await;
    assert_eq!(outcome(&world, &launch["RecordId"]).await, "SUCCEEDED");
    assert_eq!(outcome(&world, &bad["RecordId"]).await, "FAILED Thing: no create today");
    assert_eq!(things(&world).len(), 1, "nothing is made twice, nothing is left over");

    let input = json!({"ProvisionedProductName": "mine", "ProvisioningParameters": [
        {"Key": "Name", "UsePreviousValue": true}, {"Key": "Size", "Value": "large"}]});
    let update = sc(&world, "UpdateProvisionedProduct", input).await.unwrap()["RecordDetail"].clone();
    let world = crawl(world).await;
    assert_eq!(outcome(&world, &update["RecordId"]).await, "SUCCEEDED");
    assert_eq!(things(&world)[0].changes, 2);

    let mut ends = Vec::new();
    for name in ["mine", "bad"] {
        let input = json!({"ProvisionedProductName": name});
        ends.push(
            sc(&world, "TerminateProvisionedProduct", input).await.unwrap()["RecordDetail"]["RecordId"]
                .clone(),
        );
    }
    let world = crawl(world).await;
    for end in &ends {
        assert_eq!(outcome(&world, end).await, "SUCCEEDED");
    }
    assert!(things(&world).is_empty());
    let left = sc(&world, "SearchProvisionedProducts", json!({})).await.unwrap();
    assert_eq!(left["TotalResultsCount"], 0);
}
