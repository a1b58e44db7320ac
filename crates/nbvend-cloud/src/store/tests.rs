use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Record, Signal, Store, StoreError};
use crate::reconcile::Signals;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Thing {
    name: String,
    colour: String,
}

impl Record for Thing {
    const KIND: &'static str = "test.thing";
    const VERSION: u32 = 2;
    const INDEXES: &'static [&'static str] = &["colour"];

    fn key(&self) -> String {
        self.name.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("colour", self.colour.clone())]
    }

    fn upgrade(from: u32, mut body: Value) -> Result<Value, String> {
        assert_eq!(from, 1);
        body["colour"] = json!("grey");
        Ok(body)
    }
}

fn thing(name: &str, colour: &str) -> Thing {
    Thing { name: name.to_owned(), colour: colour.to_owned() }
}

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path(), Signals::default()).unwrap()
}

#[tokio::test]
async fn an_index_follows_its_records() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let found = |colour: &'static str| {
        store.read(|tx| tx.find::<Thing>("r", "colour", colour)).unwrap().unwrap().len()
    };
    store.write(|tx| tx.put("r", &thing("a", "red"))).await.unwrap().unwrap();
    store.write(|tx| tx.put("other", &thing("a", "red"))).await.unwrap().unwrap();
    assert_eq!((found("red"), found("blue")), (1, 0));
    store.write(|tx| tx.put("r", &thing("a", "blue"))).await.unwrap().unwrap();
    assert_eq!((found("red"), found("blue")), (0, 1));
    assert!(store.write(|tx| tx.delete::<Thing>("r", "a")).await.unwrap().unwrap());
    assert_eq!((found("red"), found("blue")), (0, 0));
    assert!(!store.write(|tx| tx.delete::<Thing>("r", "a")).await.unwrap().unwrap());
}

#[tokio::test]
async fn what_fails_is_undone_and_wakes_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let signals = Signals::default();
    let store = Store::open(folder.path(), signals.clone()).unwrap();
    let outcome = store
        .write(|tx| {
            tx.put("r", &thing("kept", "red"))?;
            let inner = tx.savepoint(|| {
                tx.put("r", &thing("undone", "red"))?;
                tx.wake(Signal("never"));
                Err::<(), StoreError>(StoreError::Closed)
            })?;
            assert!(inner.is_err());
            tx.wake(Signal("once"));
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    outcome.unwrap();
    let names: Vec<String> = store
        .read(|tx| tx.list::<Thing>("r", "", None, 10))
        .unwrap()
        .unwrap()
        .into_iter()
        .map(|t| t.name)
        .collect();
    assert_eq!(names, ["kept"]);
    assert_eq!(signals.rung(), 1);
}

#[tokio::test]
async fn a_panic_is_undone_and_the_writer_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let outcome = store
        .write(|tx| {
            tx.put("r", &thing("a", "red")).unwrap();
            assert!(tx.get::<Thing>("r", "a").unwrap().is_none(), "on purpose: it is there");
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Panicked)));
    assert!(store.read(|tx| tx.get::<Thing>("r", "a")).unwrap().unwrap().is_none());
    store.write(|tx| tx.put("r", &thing("b", "red"))).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let outcome = store.read(|tx| tx.put("r", &thing("a", "red"))).unwrap();
    assert!(matches!(outcome, Err(StoreError::ReadOnly("test.thing"))));
}

#[tokio::test]
async fn what_was_committed_outlives_a_death_and_nobody_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.die_after(1);
    let told = store.write(|tx| tx.put("r", &thing("a", "red"))).await;
    assert!(matches!(told, Err(StoreError::Closed)), "{told:?}");
    assert!(matches!(store.write(|_| ()).await, Err(StoreError::Closed)));
    drop(store);
    let store = open(&folder);
    assert_eq!(store.read(|tx| tx.get::<Thing>("r", "a")).unwrap().unwrap(), Some(thing("a", "red")));
}

#[tokio::test]
async fn a_folder_has_one_engine() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(&folder);
    let error = Store::open(folder.path(), Signals::default()).err().unwrap().to_string();
    assert!(error.contains("in use by another engine"), "{error}");
}

#[tokio::test]
async fn a_closed_store_lets_another_have_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(&folder);
    first.write(|tx| tx.put("r", &thing("a", "red"))).await.unwrap().unwrap();
    first.close();
    let second = open(&folder);
    assert_eq!(second.read(|tx| tx.get::<Thing>("r", "a")).unwrap().unwrap().unwrap().colour, "red");
    assert!(matches!(first.read(|_| ()), Err(StoreError::Closed)));
    assert!(matches!(first.write(|_| ()).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_closed_folder_is_at_rest() {
    let names = |folder: &tempfile::TempDir| {
        let entries =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    };
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.write(|tx| tx.put("r", &thing("a", "red"))).await.unwrap().unwrap();
        let (begun, wait) = std::sync::mpsc::channel();
        let slow = store.clone();
        let read = std::thread::spawn(move || {
            slow.read(|tx| {
                begun.send(()).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(20));
                tx.get::<Thing>("r", "a").unwrap()
            })
        });
        wait.recv().unwrap();
        store.close();
        assert_eq!(
            names(&folder),
            ["blobs", "lock", "nbvend.db"],
            "nothing of SQLite's is left beside the database"
        );
        assert_eq!(read.join().unwrap().unwrap(), Some(thing("a", "red")), "who was reading has read");
        assert!(matches!(store.read(|_| ()), Err(StoreError::Closed)));
    }
}

#[tokio::test]
async fn a_read_that_panics_keeps_nobody_from_closing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let reader = store.clone();
    let read = std::thread::spawn(move || reader.read(|_| panic!("as a test")));
    assert!(read.join().is_err());
    store.read(|_| ()).unwrap();
    store.close();
}

#[tokio::test]
async fn old_records_are_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store
        .write(|tx| {
            let old = "INSERT INTO record (kind, region, key, version, body) VALUES ('test.thing', 'r', 'a', 1, '{\"name\":\"a\"}')";
            tx.connection().execute(old, []).unwrap();
        })
        .await
        .unwrap();
    assert_eq!(store.read(|tx| tx.get::<Thing>("r", "a")).unwrap().unwrap(), Some(thing("a", "grey")));
}

#[tokio::test]
async fn lists_page_by_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store
        .write(|tx| ["a/1", "a/2", "a/3", "b/1"].iter().try_for_each(|name| tx.put("r", &thing(name, "red"))))
        .await
        .unwrap()
        .unwrap();
    let names = |prefix: &'static str, after: Option<&'static str>, limit| -> Vec<String> {
        let list = store.read(|tx| tx.list::<Thing>("r", prefix, after, limit)).unwrap().unwrap();
        list.into_iter().map(|thing| thing.name).collect()
    };
    assert_eq!(names("a/", None, 2), ["a/1", "a/2"]);
    assert_eq!(names("a/", Some("a/2"), 2), ["a/3"]);
    assert_eq!(names("", None, 9).len(), 4);
}

#[test]
fn a_sweep_spares_what_is_young_or_known() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let (old, known, young) = (
        store.blobs().put(b"old").unwrap(),
        store.blobs().put(b"known").unwrap(),
        store.blobs().put(b"young").unwrap(),
    );
    let past = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    for id in [&old, &known] {
        std::fs::File::options()
            .append(true)
            .open(store.blobs().path(id))
            .unwrap()
            .set_modified(past)
            .unwrap();
    }
    assert_eq!(store.blobs().sweep(&|id| id == known).unwrap(), 1);
    assert!(store.blobs().read(&old).is_err());
    assert_eq!(
        (store.blobs().read(&known).unwrap(), store.blobs().read(&young).unwrap()),
        (b"known".to_vec(), b"young".to_vec())
    );
}
