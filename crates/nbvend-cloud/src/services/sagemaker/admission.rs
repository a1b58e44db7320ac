//! Whether one more notebook fits on this machine. A type bigger than the machine never does; else what counts is the
//! memory that is really free, for most notebooks idle most of the time and thirty of 4 GiB fit where 24 GiB are.
//!
//! All refusals are AWS's quota error, which clients know to wait for or to show; its last sentence says what there is.

use super::error::Error;
use super::instance_type::{self, GIB, InstanceType};
use super::state::{Notebook, Status};
use crate::context::Cx;
use crate::ports::Capacity;
use crate::store::StoreError;

/// What a server takes when it starts, with room for a first kernel. Starts under way are not in the measurement yet.
const START_MEMORY: u64 = 128 << 20;

/// Refuses a start that the machine has no room for.
pub fn admit(cx: &Cx<'_>, kind: &str, owner: &str) -> Result<(), Error> {
    let machine = cx.engine.notebooks().capacity();
    let one = known(kind)?;
    fits(cx, one, machine)?;
    alone(cx, one, owner)?;
    let settings = &cx.config().notebooks;
    let starting = cx.tx.find_everywhere::<Notebook>("status", Status::Pending.name())?.len() as u64;
    let needed = settings.memory_reserve + START_MEMORY * (starting + 1);
    if machine.free_memory < needed {
        let reason = format!(
            "This machine has {} of memory free, and {} are needed to start one more notebook and keep the reserve; stop a notebook.",
            gib(machine.free_memory),
            gib(needed)
        );
        return Err(refused(cx, one, reason)?);
    }
    if let Some(factor) = settings.memory_factor {
        let promised: f64 = running(cx)?
            .iter()
            .filter_map(|n| instance_type::find(&n.instance_type))
            .map(|t| t.memory_gib)
            .sum();
        let limit = machine.memory as f64 / GIB * factor;
        if promised + one.memory_gib > limit {
            let reason = format!(
                "The running notebooks' types have {promised:.1} GiB of memory together, and this machine promises {limit:.1} GiB at the most."
            );
            return Err(refused(cx, one, reason)?);
        }
    }
    Ok(())
}

/// Refuses a type that this machine can never run.
pub fn type_fits(cx: &Cx<'_>, kind: &str) -> Result<(), Error> {
    fits(cx, known(kind)?, cx.engine.notebooks().capacity())
}

fn known(kind: &str) -> Result<&'static InstanceType, Error> {
    instance_type::find(kind)
        .ok_or_else(|| Error::Validation(format!("nbvend knows no instance type {kind}")))
}

fn fits(cx: &Cx<'_>, one: &InstanceType, machine: Capacity) -> Result<(), Error> {
    // The kernel keeps a little for itself: a machine sold with 4 GiB reports 3.8.
    let size = (machine.memory as f64 / GIB).ceil();
    let reason = if one.accelerators > 0 {
        "This machine offers no accelerators to notebooks.".to_owned()
    } else if one.memory_gib > size {
        format!(
            "{} has {} GiB of memory and this machine has {}.",
            one.name,
            one.memory_gib,
            gib(machine.memory)
        )
    } else {
        return Ok(());
    };
    Err(refused(cx, one, reason)?)
}

/// Where notebooks run as plain processes of one user, each could read the other's files: they must be one person's.
fn alone(cx: &Cx<'_>, one: &InstanceType, owner: &str) -> Result<(), Error> {
    if cx.engine.notebooks().isolation() != "process" || cx.config().notebooks.force_process_isolation {
        return Ok(());
    }
    let others = Notebook::everywhere(cx.tx)?;
    if !others.iter().any(|(_, other)| !other.owner.is_empty() && other.owner != owner) {
        return Ok(());
    }
    let reason = "This machine cannot keep several people's notebooks apart (isolation is 'process') and somebody else has notebooks here; run nbvend where it can use namespaces, or allow it with --force-process-isolation.".to_owned();
    Err(refused(cx, one, reason)?)
}

fn refused(cx: &Cx<'_>, one: &InstanceType, reason: String) -> Result<Error, StoreError> {
    let used = running(cx)?.iter().filter(|other| other.instance_type == one.name).count();
    Ok(Error::Limit { kind: one.name.to_owned(), used, reason })
}

/// Notebooks that take memory now or soon.
fn running(cx: &Cx<'_>) -> Result<Vec<Notebook>, StoreError> {
    let mut all = Vec::new();
    for status in [Status::InService, Status::Pending] {
        all.extend(
            cx.tx.find_everywhere::<Notebook>("status", status.name())?.into_iter().map(|(_, one)| one),
        );
    }
    Ok(all)
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / GIB)
}
