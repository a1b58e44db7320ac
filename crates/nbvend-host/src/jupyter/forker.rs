//! Keeps a kernel forker beside each server: the one it was started with, and another from the zygote when that has
//! ended, or when the server was started without the zygote. Meanwhile kernels start as Jupyter starts them.
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::launch;
use super::nursery::Nursery;
use super::place::Place;
use super::process::{MARKER, Process};
use super::record::Record;
use super::server::Inner;
use super::watch::Server;
use super::zygote::{Request, Role};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// One that lived this long did not die of itself.
const WELL: Duration = Duration::from_secs(60);

/// Sees to a server's forker until the server ends.
pub(super) fn tend(inner: &Arc<Inner>, server: Arc<Server>, mut forker: Option<Process>) {
    let inner = Arc::downgrade(inner);
    tokio::spawn(async move {
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(forker) = forker.take() {
                let begun = Instant::now();
                tokio::select! {
                    _ = forker.ended() => {}
                    _ = server.process.ended() => return,
                }
                if begun.elapsed() >= WELL {
                    pause = FIRST_PAUSE;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = server.process.ended() => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            let Some(inner) = inner.upgrade() else { return };
            let id = &server.running.id;
            let turn = inner.turn(id);
            let _turn = turn.lock().await;
            // Stopped meanwhile, or replaced.
            if !inner.get(id).is_some_and(|current| Arc::ptr_eq(&current, &server)) {
                return;
            }
            match fork(&inner.nursery, &server.record, &server.place).await {
                Ok(process) => {
                    let record = Record { forker: Some(process.identity), ..server.record.clone() };
                    if let Err(error) = record.write(&inner.folder) {
                        tracing::warn!(id, %error, "a server's record cannot be written");
                    }
                    forker = Some(process);
                }
                Err(why) => tracing::warn!(id, why, "kernels start without a forker for now"),
            }
        }
    });
}

async fn fork(nursery: &Nursery, record: &Record, place: &Place) -> Result<Process, String> {
    let zygote = nursery.zygote(&record.environment).await?;
    let output = launch::open_log(&record.log).map_err(|error| error.to_string())?;
    let view = place.view();
    // A kernel's own environment comes with each request for one.
    let env =
        [("HOME", view.home.to_string_lossy()), ("LANG", "C.UTF-8".into()), ("PYTHONNOUSERSITE", "1".into())];
    let mut env: serde_json::Map<_, _> =
        env.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned().into())).collect();
    env.insert(MARKER.to_owned(), record.marker.clone().into());
    let (entry, namespaces) = place.entry().await?;
    let request = Request {
        role: Role::Kernels,
        entry: &entry,
        argv: Vec::new(),
        env,
        cwd: view.work.to_string_lossy().into_owned(),
        title: "nbvend: kernel forker".to_owned(),
        kernels: Some(view.kernels().to_string_lossy().into_owned()),
        memory: None,
    };
    let mut descriptors = vec![output.as_fd()];
    descriptors.extend(namespaces.iter().map(AsFd::as_fd));
    let born = zygote.fork(&request, &descriptors).await?;
    Process::of_fork(born.process, zygote).map_err(|error| error.to_string())
}
