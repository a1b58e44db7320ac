//! `nbvend up --replace`: to be the engine instead of the one that runs. It hands over if it can; one that cannot is stopped.

use std::fs::{File, TryLockError};
use std::time::Duration;

use nbvend_cloud::store;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::down;
use super::up::Up;
use crate::failure::Failure;
use crate::home::{Home, Running, start_time};
use crate::printer::Printer;
use crate::server::{self, Listeners, Miss, Owned, Plan, Prepared};

/// How long an engine that does not hand over may take to stop.
const STOPPING: Duration = Duration::from_secs(15);
/// How long notebooks' fast start is waited for before the old engine is asked to let go.
const WARMING: Duration = Duration::from_secs(20);

/// The right to replace the engine of a folder: one at a time has it.
pub fn turn(home: &Home) -> Result<File, Failure> {
    let path = home.path("replace.lock");
    let file = File::create(&path).map_err(|error| Failure::io("the file", &path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
            "another `nbvend up --replace` is at work on {}; wait until it is done",
            home.root().display()
        ))),
        Err(TryLockError::Error(error)) => Err(Failure::io("the file", &path, &error)),
    }
}

/// What to serve with, when the engine that runs has let go. Before that, all that can go wrong has been tried: it serves on
/// if something does.
pub async fn replace(
    up: &Up,
    home: &Home,
    running: &Running,
    printer: &Printer,
) -> Result<(Plan, Prepared, Listeners, Option<Owned>), Failure> {
    store::check(home.root())?;
    let pid = running.pid;
    let (mut plan, prepared, miss, listeners) = match server::ask(home, &up.account, up.listen).await {
        Ok(offer) => {
            let began =
                format!("took over from process {pid}, which serves its open connections until they end");
            let plan = up.plan(home, offer.listeners.address().port(), Some(began))?;
            let prepared = Prepared::make(&plan)?;
            let _ = tokio::time::timeout(WARMING, prepared.notebooks.warmed()).await;
            match offer.take().await {
                Ok((listeners, owned)) => return Ok((plan, prepared, listeners, Some(owned))),
                Err(Miss::Refused(why)) => return Err(Failure::new(why)),
                Err(Miss::Unable(why, listeners)) => (plan, prepared, why, listeners),
            }
        }
        Err(Miss::Refused(why)) => return Err(Failure::new(why)),
        Err(Miss::Unable(why, listeners)) => {
            let plan = up.plan(home, up.listen.port(), None)?;
            let prepared = Prepared::make(&plan)?;
            (plan, prepared, why, listeners)
        }
    };
    printer.note(&format!("process {pid} does not hand over: {miss}. It is stopped instead"));
    let end = put_away(home, running).await?;
    plan.began = Some(format!("process {pid} did not hand over ({miss}); {end}"));
    let listeners = match listeners {
        Some(listeners) => listeners,
        None => Listeners::bind(up.listen).await?,
    };
    Ok((plan, prepared, listeners, None))
}

/// Stops an engine; kills one that does not even hear of it.
async fn put_away(home: &Home, running: &Running) -> Result<&'static str, Failure> {
    if let Ok(Ok(())) = tokio::time::timeout(STOPPING, down::stop(home, running, false)).await {
        return Ok("it was stopped");
    }
    let pid = i32::try_from(running.pid).ok().and_then(Pid::from_raw);
    let process = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    // Asked after opening: now the number cannot pass to another process unnoticed.
    if let Some(process) = process.filter(|_| start_time(running.pid) == Some(running.started)) {
        let _ = pidfd_send_signal(process, Signal::KILL);
        for _ in 0..500 {
            if start_time(running.pid) != Some(running.started) {
                return Ok("it did not stop either and was killed");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        return Err(Failure::new(format!("the engine (pid {}) cannot be killed", running.pid)));
    }
    Ok("it had ended")
}
