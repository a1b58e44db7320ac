//! Step 4: a stage's limits. A token bucket a method, refilled at the rate limit up to the burst limit; methods without
//! a limit of their own have the stage's (`*/*`).

use std::collections::HashMap;
use std::sync::Mutex;

use super::compiled::Compiled;
use super::exchange::Exchange;
use super::refusal::Refusal;
use super::routes::Route;
use crate::Engine;
use crate::services::apigateway::state::MethodSetting;

#[derive(Default)]
struct Buckets(Mutex<HashMap<String, Bucket>>);
const KEPT: usize = 4096;

struct Bucket {
    tokens: f64,
    filled: i64,
}

/// Lets a request through, or answers that there are too many.
pub fn admit(engine: &Engine, exchange: &Exchange, stage: &Compiled, route: &Route) -> Result<(), Refusal> {
    let verb = exchange.parts.method.as_str();
    let path = route.resource_path.trim_start_matches('/');
    let own = [format!("{path}/{verb}"), format!("{path}/*"), format!("*/{verb}"), "*/*".to_owned()];
    let Some(setting) = own.iter().find_map(|key| stage.settings.get(key)) else { return Ok(()) };
    if setting.rate_limit.is_none() && setting.burst_limit.is_none() {
        return Ok(());
    }
    let key = format!("{}/{}/{}/{}{verb}", stage.region, stage.api, stage.name, route.resource_path);
    let buckets = engine.cache::<Buckets>();
    let mut buckets = buckets.0.lock().expect("nobody panics while counting");
    if buckets.len() >= KEPT {
        buckets.clear();
    }
    let bucket =
        buckets.entry(key).or_insert_with(|| Bucket { tokens: f64::INFINITY, filled: exchange.now.0 });
    if bucket.take(setting, exchange.now.0) { Ok(()) } else { Err(Refusal::throttled()) }
}

impl Bucket {
    fn take(&mut self, setting: &MethodSetting, now: i64) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds between requests and limits are small")]
        let (passed, burst) =
            ((now - self.filled).max(0) as f64 / 1000.0, setting.burst_limit.map(|limit| limit as f64));
        let rate = setting.rate_limit.unwrap_or(f64::INFINITY);
        let most = burst.unwrap_or_else(|| rate.max(1.0));
        let gained = if passed > 0.0 { passed * rate } else { 0.0 };
        self.tokens = (self.tokens + gained).min(most);
        self.filled = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_empties_the_bucket_and_time_fills_it() {
        let setting = MethodSetting { burst_limit: Some(2), rate_limit: Some(1.0) };
        let mut bucket = Bucket { tokens: f64::INFINITY, filled: 0 };
        let taken = [0, 0, 0, 500, 1000, 1000, 9000, 9000, 9000].map(|now| bucket.take(&setting, now));
        assert_eq!(taken, [true, true, false, false, true, false, true, true, false]);
        let mut closed = Bucket { tokens: f64::INFINITY, filled: 0 };
        assert!(!closed.take(&MethodSetting { burst_limit: Some(0), rate_limit: Some(0.0) }, 1));
    }
}
