//! The engine's ports, plugged into this machine.

mod evidence;
pub mod functions;
mod machine;
pub mod notebooks;
mod script;

use nbvend_cloud::ports::{Clock, Ids};
use nbvend_wire::timestamp::Timestamp;

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The machine's random bytes.
pub struct SystemIds;

impl Ids for SystemIds {
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the machine gives random bytes");
    }
}
