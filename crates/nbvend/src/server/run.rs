//! The engine's process, from its first listening to its end: it serves, is stopped, or hands over and drains.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::handover::{self, Door, Given, Owned, Successor as Next, Taker};
use super::life::{Life, Plan, Prepared};
use super::successor::Successor;
use super::{Listeners, systemd};
use crate::failure::Failure;

/// Runs the engine until it is stopped, or another process has taken over and the last connection here is closed. `owned`
/// is the hand-over it begins with; `ready` is called once it serves.
pub async fn run(
    plan: Plan,
    prepared: Prepared,
    listeners: Listeners,
    owned: Option<Owned>,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let successor = Successor::of_this_process()?;
    let mut signals = Signals::new()?;
    let endpoint = format!("http://{}", plan.config.url_suffix);
    let (sender, mut takers) = mpsc::channel::<Taker>(1);
    let mut life = Life::begin(&plan, prepared, Arc::new(listeners)).await?;
    if let Some(owned) = &owned {
        owned.opened();
    }
    tokio::spawn(Door::open(&plan.home)?.serve(Arc::clone(&life.site), sender.clone()));
    plan.home.announce(&endpoint, plan.began.clone())?;
    // Before the first connection is accepted: until then nothing is lost if this process dies and the old one goes on.
    if let Some(owned) = owned {
        owned.serving().await;
    }
    life.accept();
    systemd::ready();
    ready()?;
    loop {
        let taker = tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            () = plan.lasting.stop.notified() => break,
            _ = signals.upgrade.recv() => {
                successor.start();
                continue;
            }
            Some(taker) = takers.recv() => taker,
        };
        match handover::give(&mut life, taker).await {
            Given::Kept => {}
            Given::Left => {
                let next = Life::begin(&plan, Prepared::make(&plan)?, Arc::clone(&life.listeners)).await?;
                life.site.gate.moved(Next::Site(Arc::clone(&next.site)));
                life = next;
                tokio::spawn(Door::open(&plan.home)?.serve(Arc::clone(&life.site), sender.clone()));
                life.accept();
                plan.home.announce(&endpoint, None)?;
                systemd::ready();
            }
            Given::Gone => return drain(&plan, life, &mut signals).await,
        }
    }
    Door::remove(&plan.home);
    life.end().await;
    plan.home.retract();
    Ok(())
}

async fn drain(plan: &Plan, life: Life, signals: &mut Signals) -> Result<(), Failure> {
    let folder = plan.home.root();
    life.site.gate.moved(Next::Process(folder.to_path_buf()));
    let shut = life.shut.map(|since| since.elapsed()).unwrap_or_default();
    let site = Arc::clone(&life.site);
    // The port is the other's alone from now on.
    drop(life);
    tracing::info!(
        connections = site.connections(),
        shut_ms = u64::try_from(shut.as_millis()).unwrap_or(u64::MAX),
        "handed over; open connections go on here until they end"
    );
    tokio::select! {
        () = handover::drain(&site, folder) => {}
        _ = signals.terminate.recv() => {}
        _ = signals.interrupt.recv() => {}
    }
    Ok(())
}

/// Installed at the start: without a handler each of them ends a process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    upgrade: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let install = |kind: SignalKind| {
            signal(kind).map_err(|error| Failure::new(format!("signals cannot be received: {error}")))
        };
        Ok(Self {
            terminate: install(SignalKind::terminate())?,
            interrupt: install(SignalKind::interrupt())?,
            upgrade: install(SignalKind::user_defined2())?,
        })
    }
}
