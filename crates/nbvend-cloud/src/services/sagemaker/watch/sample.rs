//! How much CPU a notebook's processes used between two looks. In memory alone: a new engine measures anew.

use std::collections::HashMap;
use std::sync::Mutex;

use nbvend_wire::timestamp::Timestamp;

use crate::engine::Engine;
use crate::ports::Activity;
use crate::services::sagemaker::state::Notebook;

/// Two measurements nearer to each other say little.
const SHORTEST_SECONDS: i64 = 10;
/// A share older than this is not told any more.
const OLD_SECONDS: i64 = 120;

#[derive(Debug, Clone, Copy)]
struct Sample {
    generation: u64,
    at: Timestamp,
    cpu_seconds: f64,
    share: Option<f64>,
}

#[derive(Default)]
pub struct Samples(Mutex<HashMap<String, Sample>>);

impl Samples {
    /// Keeps a measurement, if it is time for one.
    pub fn take(engine: &Engine, notebook: &Notebook, seen: &Activity) {
        let Some(cpu_seconds) = seen.cpu_seconds else { return };
        let (samples, now) = (engine.cache::<Self>(), engine.now());
        let mut samples = samples.0.lock().expect("nobody panics while holding the samples");
        samples.retain(|_, sample| now.seconds_since(sample.at) < OLD_SECONDS * 2);
        let last = samples.get(&notebook.id).filter(|last| last.generation == notebook.generation).copied();
        let share = match last {
            Some(last) if now.seconds_since(last.at) < SHORTEST_SECONDS => return,
            Some(last) => {
                Some((cpu_seconds - last.cpu_seconds).max(0.0) / ((now.0 - last.at.0) as f64 / 1000.0))
            }
            None => None,
        };
        let sample = Sample { generation: notebook.generation, at: now, cpu_seconds, share };
        samples.insert(notebook.id.clone(), sample);
    }

    /// The share of a core used between the last two measurements.
    pub fn share(engine: &Engine, notebook: &Notebook) -> Option<f64> {
        let samples = engine.cache::<Self>();
        let samples = samples.0.lock().expect("nobody panics while holding the samples");
        let last = samples.get(&notebook.id)?;
        let fresh = engine.now().seconds_since(last.at) <= OLD_SECONDS;
        last.share.filter(|_| fresh && last.generation == notebook.generation)
    }
}
