//! Lists: filters, orders, pages.

use serde_json::{Value, json};

use super::{World, call, create, world};

#[tokio::test]
async fn lists_page_through() {
    let world = world().await;
    for at in 0..5 {
        create(&world, &format!("nb-{at}")).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut input = json!({"MaxResults": 2, "SortBy": "CreationTime", "SortOrder": "Ascending"});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = call(&world, "ListNotebookInstances", input).await.unwrap();
        seen.extend(
            page["NotebookInstances"]
                .as_array()
                .unwrap()
                .iter()
                .map(|n| n["NotebookInstanceName"].to_string()),
        );
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["\"nb-0\"", "\"nb-1\"", "\"nb-2\"", "\"nb-3\"", "\"nb-4\""]);
}

/// The names a list answers, page by page.
async fn names(world: &World, operation: &str, mut input: Value) -> Vec<String> {
    let (list, name) = match operation {
        "ListNotebookInstances" => ("NotebookInstances", "NotebookInstanceName"),
        _ => ("NotebookInstanceLifecycleConfigs", "NotebookInstanceLifecycleConfigName"),
    };
    let mut seen = Vec::new();
    loop {
        let page = call(world, operation, input.clone()).await.unwrap();
        let items = page[list].as_array().unwrap();
        assert!(items.len() <= input["MaxResults"].as_u64().unwrap_or(10) as usize);
        seen.extend(items.iter().map(|item| item[name].as_str().unwrap().to_owned()));
        if page["NextToken"].is_null() {
            return seen;
        }
        input["NextToken"] = page["NextToken"].clone();
    }
}

/// Four configurations, a minute between one and the next; `apple` is changed last of all.
async fn configs() -> (World, i64) {
    let world = world().await;
    let begun = world.engine.now().0;
    for name in ["pear", "Fig", "apple", "fig-2"] {
        let input = json!({"NotebookInstanceLifecycleConfigName": name});
        call(&world, "CreateNotebookInstanceLifecycleConfig", input).await.unwrap();
        world.clock.advance(60);
    }
    let change =
        json!({"NotebookInstanceLifecycleConfigName": "apple", "OnStart": [{"Content": "ZWNobw=="}]});
    call(&world, "UpdateNotebookInstanceLifecycleConfig", change).await.unwrap();
    (world, begun)
}

const CONFIGS: &str = "ListNotebookInstanceLifecycleConfigs";

#[tokio::test]
async fn lifecycle_configurations_are_sorted_in_either_order_over_pages() {
    let (world, _) = configs().await;
    for (by, order) in [
        (Value::Null, ["pear", "Fig", "apple", "fig-2"]),
        (json!("CreationTime"), ["pear", "Fig", "apple", "fig-2"]),
        (json!("LastModifiedTime"), ["pear", "Fig", "fig-2", "apple"]),
        (json!("Name"), ["apple", "Fig", "fig-2", "pear"]),
    ] {
        for descending in [false, true] {
            let mut expected = order.map(str::to_owned).to_vec();
            let mut input = json!({"SortOrder": "Ascending"});
            if descending {
                expected.reverse();
                input["SortOrder"] = json!("Descending");
            }
            if !by.is_null() {
                input["SortBy"] = by.clone();
            }
            assert_eq!(names(&world, CONFIGS, input.clone()).await, expected, "{input}");
            for size in 1..4 {
                input["MaxResults"] = json!(size);
                assert_eq!(names(&world, CONFIGS, input.clone()).await, expected, "{input}");
            }
        }
    }
    assert_eq!(names(&world, CONFIGS, json!({})).await, ["pear", "Fig", "apple", "fig-2"]);
    for (member, value) in [("SortBy", "Size"), ("SortOrder", "Up")] {
        let error = call(&world, CONFIGS, json!({member: value})).await.unwrap_err();
        assert!(error.starts_with("400 ValidationException") && error.contains("enum value set"), "{error}");
    }
}

#[tokio::test]
async fn lifecycle_configurations_are_filtered() {
    let (world, begun) = configs().await;
    let at = |seconds: i64| json!(begun + seconds * 1000);
    for (filter, expected) in [
        (json!({"NameContains": "fig"}), &["fig-2"][..]),
        (json!({"NameContains": "i"}), &["Fig", "fig-2"]),
        (json!({"NameContains": "none"}), &[]),
        (json!({"CreationTimeAfter": at(30)}), &["Fig", "apple", "fig-2"]),
        (json!({"CreationTimeBefore": at(90)}), &["pear", "Fig"]),
        (json!({"CreationTimeAfter": at(30), "CreationTimeBefore": at(90)}), &["Fig"]),
        (json!({"LastModifiedTimeAfter": at(150)}), &["apple", "fig-2"]),
        (json!({"LastModifiedTimeBefore": at(150)}), &["pear", "Fig"]),
        (json!({"LastModifiedTimeAfter": at(30), "NameContains": "ig", "SortBy": "Name"}), &["Fig", "fig-2"]),
    ] {
        let mut input = filter.clone();
        assert_eq!(names(&world, CONFIGS, input.clone()).await, expected, "{filter}");
        input["MaxResults"] = json!(1);
        assert_eq!(names(&world, CONFIGS, input).await, expected, "{filter} one by one");
    }
}

/// A page begins after its token's item, be that gone or not.
#[tokio::test]
async fn a_list_goes_on_where_the_last_item_was() {
    let (world, _) = configs().await;
    for at in 0..4 {
        create(&world, &format!("nb-{at}")).await.unwrap();
        world.clock.advance(60);
    }
    world.settle().await;
    for (operation, list, name, gone, left) in [
        (CONFIGS, "NotebookInstanceLifecycleConfigs", "NotebookInstanceLifecycleConfigName", "fig-2", "Fig"),
        ("ListNotebookInstances", "NotebookInstances", "NotebookInstanceName", "nb-2", "nb-1"),
    ] {
        let mut input = json!({"MaxResults": 2, "SortBy": "Name", "SortOrder": "Descending"});
        let first = call(&world, operation, input.clone()).await.unwrap();
        assert_eq!(first[list][1][name], gone);
        let ended = json!({name: gone});
        if operation == CONFIGS {
            call(&world, "DeleteNotebookInstanceLifecycleConfig", ended).await.unwrap();
        } else {
            call(&world, "StopNotebookInstance", ended.clone()).await.unwrap();
            world.settle().await;
            call(&world, "DeleteNotebookInstance", ended).await.unwrap();
            world.settle().await;
        }
        input["NextToken"] = first["NextToken"].clone();
        let second = call(&world, operation, input).await.unwrap();
        assert_eq!(second[list][0][name], left);
        assert_eq!(second[list].as_array().unwrap().len(), 2);
    }
    for token in ["???", "bm8gbGluZQ"] {
        let error = call(&world, CONFIGS, json!({"NextToken": token})).await.unwrap_err();
        assert_eq!(error, "400 ValidationException Invalid pagination token");
    }
}
