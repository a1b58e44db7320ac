//! Forgetting everything: for tests that want an empty account without starting an engine anew.
//!
//! One commit empties every table. What was being done at that moment is done before it or meets a world without
//! its records, as if all of it had been deleted. Blobs lose their owners and are swept in time.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::store::{StoreError, Tx};
use crate::trail;

impl Engine {
    /// Empties the account: resources, sessions, the trail, logs. The root key stays.
    pub async fn reset(&self) -> Result<(), EngineError> {
        trail::flush(self).await?;
        self.store().write(wipe).await??;
        self.forget_caches();
        Ok(())
    }
}

fn wipe(tx: &Tx<'_>) -> Result<(), StoreError> {
    let connection = tx.connection();
    let mut tables = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let names = tables.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    for name in names {
        // Names come from the schema, and AUTOINCREMENT goes on counting: an old page token never fits a new row.
        connection.execute(&format!("DELETE FROM \"{name}\""), [])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn nothing_is_left_and_everything_can_be_made_again() {
        let world = World::new();
        for round in 0..2 {
            let parameter = json!({"Name": "/a", "Value": "x", "Type": "String"});
            let put = world.wire("ssm", "PutParameter", parameter).await.unwrap();
            assert_eq!(put["Version"], 1, "round {round}");
            world.wire("logs", "CreateLogGroup", json!({"logGroupName": "g"})).await.unwrap();
            let rule = json!({"Name": "r", "EventPattern": r#"{"source":["shop"]}"#});
            world.wire("events", "PutRule", rule).await.unwrap();
            world.settle().await;
            world.engine.reset().await.unwrap();
            world.settle().await;
            let rules = world.wire("events", "ListRules", json!({})).await.unwrap();
            assert_eq!(rules["Rules"], json!([]));
            let groups = world.wire("logs", "DescribeLogGroups", json!({})).await.unwrap();
            assert_eq!(groups["logGroups"], json!([]));
            assert!(world.store_keys("ssm.parameter").is_empty());
        }
        let world = world.restart();
        let events = world.wire("cloudtrail", "LookupEvents", json!({})).await.unwrap();
        let names: Vec<_> =
            events["Events"].as_array().unwrap().iter().map(|e| e["EventName"].clone()).collect();
        assert!(!names.contains(&json!("PutParameter")), "{names:?}");
    }
}
