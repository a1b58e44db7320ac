//! When, where and for what each user's key was last used: `GetAccessKeyLastUsed`.
//!
//! The door says of every request with such a key that it was used ([`note`]); that costs an entry in a map and never
//! the writer. What gathered is written once a second:
//!
//! ```text
//! used --(the key's first use in a while)--> in the map --(a second later)--> in the store
//! ```
//!
//! A crash may lose the last second. AWS tells the time of use to the minute or so; here a use that follows another one
//! of the same key, service and region within [`GRAIN_MS`] is not told apart from it.

use std::collections::HashMap;
use std::sync::Mutex;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::{AccessKey, Caller, Principal};
use crate::operation::{Kind, Operation};
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{GLOBAL, Record, Signal, StoreError};

const USED: Signal = Signal("iam-keys-used");
/// Uses are written so often.
const FLUSH_MS: i64 = 1000;
/// Uses nearer to each other count as one.
const GRAIN_MS: i64 = 5000;
/// So many keys are remembered as just used; forgotten all together.
const KEPT: usize = 4096;

/// The last use of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    pub access_key_id: String,
    pub time: Timestamp,
    /// The service's name in signatures: `servicecatalog`.
    pub service: String,
    pub region: String,
}

impl Record for KeyUse {
    const KIND: &'static str = "iam.key-use";

    fn key(&self) -> String {
        self.access_key_id.clone()
    }
}

/// Uses of this second, and those already written that make a further write needless.
#[derive(Default)]
struct Uses {
    waiting: HashMap<String, KeyUse>,
    written: HashMap<String, KeyUse>,
    flushed: Option<Timestamp>,
}

#[derive(Default)]
struct Seen(Mutex<Uses>);

impl KeyUse {
    fn repeats(&self, earlier: &Self) -> bool {
        self.service == earlier.service
            && self.region == earlier.region
            && self.time.0 - earlier.time.0 < GRAIN_MS
    }
}

impl Uses {
    /// These were committed. One that was used again since waits on.
    fn written(&mut self, all: Vec<KeyUse>) {
        if self.written.len() > KEPT {
            self.written.clear();
        }
        for used in all {
            if self.waiting.get(&used.access_key_id) == Some(&used) {
                self.waiting.remove(&used.access_key_id);
            }
            self.written.insert(used.access_key_id.clone(), used);
        }
    }
}

/// Notes that a request was signed with this key. To be called once its signature was found good.
pub fn note(engine: &Engine, key: &AccessKey, service: &str, region: &str) {
    if key.session.is_some() || !matches!(key.principal, Principal::User { .. }) {
        return;
    }
    let used = KeyUse {
        access_key_id: key.id.clone(),
        time: engine.now(),
        service: service.to_owned(),
        region: region.to_owned(),
    };
    let seen = engine.cache::<Seen>();
    let mut uses = seen.0.lock().expect("nobody panics while holding the uses");
    if uses.written.get(&key.id).is_some_and(|earlier| used.repeats(earlier)) {
        return;
    }
    if uses.waiting.is_empty() {
        engine.signals().wake(&[USED]);
    }
    uses.waiting.insert(key.id.clone(), used);
}

/// Forgets a key that is deleted.
pub fn forget(cx: &Cx<'_>, access_key_id: &str) -> Result<(), StoreError> {
    cx.tx.delete::<KeyUse>(GLOBAL, access_key_id)?;
    Ok(())
}

/// Writes uses, a second's at a time.
pub struct WriteUses;

impl Reconciler for WriteUses {
    fn signal(&self) -> Signal {
        USED
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let seen = engine.cache::<Seen>();
            let waiting = {
                let mut uses = seen.0.lock().expect("nobody panics while holding the uses");
                if uses.waiting.is_empty() {
                    return Ok(Next::WhenWoken);
                }
                let due = uses.flushed.map_or(0, |last| last.0 + FLUSH_MS);
                if engine.now().0 < due {
                    return Ok(Next::At(Timestamp(due)));
                }
                uses.flushed = Some(engine.now());
                uses.waiting.values().cloned().collect::<Vec<_>>()
            };
            let caller = Caller::service("iam.amazonaws.com", "");
            let now = waiting.clone();
            engine.transact(caller, move |cx| Ok(write(cx, &now)?)).await?;
            seen.0.lock().expect("nobody panics while holding the uses").written(waiting);
            // What was used meanwhile is next.
            Ok::<_, EngineError>(Next::Again)
        })
    }
}

fn write(cx: &Cx<'_>, waiting: &[KeyUse]) -> Result<(), StoreError> {
    for used in waiting {
        // One deleted meanwhile leaves nothing behind.
        if AccessKey::get(cx.tx, &used.access_key_id)?.is_some() {
            cx.put_global(used)?;
        }
    }
    Ok(())
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetAccessKeyLastUsed {
    pub access_key_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccessKeyLastUsedOutput {
    pub user_name: String,
    pub access_key_last_used: LastUse,
}

/// `N/A` for a key that was never used, as AWS says it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LastUse {
    pub last_used_date: Option<Timestamp>,
    pub service_name: String,
    pub region: String,
}

/// The user whose key that is.
fn owner(cx: &Cx<'_>, id: &str) -> Result<Principal, Error> {
    let found = AccessKey::get(cx.tx, id)?.filter(|key| key.session.is_none());
    let user = found.map(|key| key.principal).filter(|who| matches!(who, Principal::User { .. }));
    user.ok_or_else(|| Error::NoAccessKey(id.to_owned()))
}

impl Operation for GetAccessKeyLastUsed {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetAccessKeyLastUsed";
    const KIND: Kind = Kind::Read;
    type Output = GetAccessKeyLastUsedOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        match owner(cx, &self.access_key_id) {
            Ok(principal) => vec![principal.arn(cx.account())],
            Err(_) => vec![cx.iam_arn("user/*")],
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetAccessKeyLastUsedOutput, Error> {
        let user_name = owner(cx, &self.access_key_id)?.user_name().to_owned();
        // What is not written yet is known all the same.
        let waiting = {
            let seen = cx.engine.cache::<Seen>();
            let uses = seen.0.lock().expect("nobody panics while holding the uses");
            uses.waiting.get(&self.access_key_id).cloned()
        };
        let last = match waiting {
            Some(used) => Some(used),
            None => cx.get_global::<KeyUse>(&self.access_key_id)?,
        };
        let none = || "N/A".to_owned();
        Ok(GetAccessKeyLastUsedOutput {
            user_name,
            access_key_last_used: LastUse {
                last_used_date: last.as_ref().map(|used| used.time),
                service_name: last.as_ref().map_or_else(none, |used| used.service.clone()),
                region: last.map_or_else(none, |used| used.region),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::World;

    async fn last(world: &World, id: &str) -> Value {
        let asked = world.wire("iam", "GetAccessKeyLastUsed", json!({"AccessKeyId": id})).await.unwrap();
        asked["AccessKeyLastUsed"].clone()
    }

    async fn key(world: &World, user: &str) -> AccessKey {
        let made = world.wire("iam", "CreateAccessKey", json!({"UserName": user})).await.unwrap();
        let id = made["AccessKey"]["AccessKeyId"].as_str().unwrap().to_owned();
        world.engine.store().read(|tx| AccessKey::get(tx, &id)).unwrap().unwrap().unwrap()
    }

    #[tokio::test]
    async fn uses_are_told_at_once_and_written_once_a_second() {
        let world = World::new();
        world.wire("iam", "CreateUser", json!({"UserName": "alice"})).await.unwrap();
        let key = key(&world, "alice").await;
        assert_eq!(
            last(&world, &key.id).await,
            json!({"LastUsedDate": null, "ServiceName": "N/A", "Region": "N/A"})
        );

        world.clock.advance(10);
        note(&world.engine, &key, "ssm", "eu-west-1");
        let first = last(&world, &key.id).await;
        assert_eq!((&first["ServiceName"], &first["Region"]), (&json!("ssm"), &json!("eu-west-1")));
        world.engine.settle().await.unwrap();
        let commits = world.engine.store().commits();
        // Again within seconds: the writer is left alone.
        for _ in 0..100 {
            note(&world.engine, &key, "ssm", "eu-west-1");
        }
        assert_eq!(WriteUses.pass(&world.engine).await.unwrap(), Next::WhenWoken);
        assert_eq!(world.engine.store().commits(), commits);

        world.clock.advance(60);
        note(&world.engine, &key, "s3", "us-east-1");
        world.engine.settle().await.unwrap();
        let world = world.restart();
        let later = last(&world, &key.id).await;
        assert_eq!(later["ServiceName"], "s3");
        assert_ne!(later["LastUsedDate"], first["LastUsedDate"]);
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_written_later() {
        let world = World::new();
        world.wire("iam", "CreateUser", json!({"UserName": "alice"})).await.unwrap();
        let key = key(&world, "alice").await;
        note(&world.engine, &key, "ssm", "us-east-1");
        world.fail_writes(KeyUse::KIND, true).await;
        assert!(WriteUses.pass(&world.engine).await.is_err());
        assert_eq!(last(&world, &key.id).await["ServiceName"], "ssm");
        world.fail_writes(KeyUse::KIND, false).await;
        world.clock.advance(1);
        world.settle().await;
        let world = world.restart();
        assert_eq!(last(&world, &key.id).await["ServiceName"], "ssm");
    }

    #[tokio::test]
    async fn keys_of_nobody() {
        let world = World::new();
        let error = world
            .wire("iam", "GetAccessKeyLastUsed", json!({"AccessKeyId": "AKIAAAAAAAAAAAAAAAAA"}))
            .await
            .unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), ("NoSuchEntity", 404));
        // Deleted between its use and the writing.
        world.wire("iam", "CreateUser", json!({"UserName": "alice"})).await.unwrap();
        let key = key(&world, "alice").await;
        note(&world.engine, &key, "ssm", "us-east-1");
        let gone = json!({"UserName": "alice", "AccessKeyId": key.id});
        world.wire("iam", "DeleteAccessKey", gone).await.unwrap();
        world.engine.settle().await.unwrap();
        let left = world.engine.store().read(|tx| tx.get::<KeyUse>(GLOBAL, &key.id)).unwrap().unwrap();
        assert_eq!(left, None);
    }
}
