//! How long commits take: a histogram in memory, written by the writer alone and read by anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds in microseconds; what takes longer counts in the sum and the total only.
const BOUNDS: [u64; 10] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000];

#[derive(Default)]
struct Cells {
    at_most: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

/// The writer's clock card. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Cells>);

/// A moment's reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency {
    /// Commits that took at most so many seconds, for each bound.
    pub at_most: Vec<(f64, u64)>,
    pub count: u64,
    pub sum_seconds: f64,
}

impl Watch {
    pub(super) fn took(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        for (bound, cell) in BOUNDS.iter().zip(&self.0.at_most) {
            if us <= *bound {
                cell.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.0.count.fetch_add(1, Ordering::Relaxed);
        self.0.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Latency {
        let seconds = |us: u64| Duration::from_micros(us).as_secs_f64();
        let cells = BOUNDS.iter().zip(&self.0.at_most);
        Latency {
            at_most: cells.map(|(bound, cell)| (seconds(*bound), cell.load(Ordering::Relaxed))).collect(),
            count: self.0.count.load(Ordering::Relaxed),
            sum_seconds: seconds(self.0.sum_us.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_holds_what_is_below_it() {
        let watch = Watch::default();
        for us in [50, 100, 101, 2_000_000] {
            watch.took(Duration::from_micros(us));
        }
        let read = watch.read();
        assert_eq!(
            (read.count, read.at_most[0], read.at_most[1].1, read.at_most[9].1),
            (4, (0.0001, 2), 3, 3)
        );
        assert!((read.sum_seconds - 2.000_251).abs() < 1e-9);
    }
}
