//! The rules of a bus, compiled once and asked for every event until one of them changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use nbvend_pattern::{Pattern, RuleContext, RuleIndex};
use nbvend_wire::timestamp::Timestamp;
use serde_json::Value;

use super::input::{self, Compiled};
use super::state::{Delivery, Generation, Rule, State, Target};
use crate::store::{StoreError, Tx};

/// AWS's retry policy where a target gives none.
const RETRIES: u32 = 185;
const AGE_SECONDS: u32 = 86_400;

/// Compiled rules by region and bus. Lost at a restart, made again at the first event.
#[derive(Default)]
pub struct Cache(Mutex<HashMap<(String, String), Arc<Bus>>>);

impl Cache {
    /// The rules of a bus as the transaction sees them.
    pub fn bus(&self, tx: &Tx<'_>, region: &str, bus: &str) -> Result<Arc<Bus>, StoreError> {
        let generation = Generation::read(tx, region, bus)?;
        let key = (region.to_owned(), bus.to_owned());
        let kept = self.0.lock().expect("nobody panics while holding the rules").get(&key).cloned();
        if let Some(kept) = kept.filter(|kept| kept.generation == generation) {
            return Ok(kept);
        }
        let compiled = Arc::new(Bus::compile(tx, region, bus, generation)?);
        self.0.lock().expect("nobody panics while holding the rules").insert(key, Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// One bus's rules that listen for patterns.
pub struct Bus {
    pub generation: u64,
    index: RuleIndex<usize>,
    rules: Vec<Ready>,
}

impl Bus {
    fn compile(tx: &Tx<'_>, region: &str, bus: &str, generation: u64) -> Result<Self, StoreError> {
        let mut this = Self { generation, index: RuleIndex::new(), rules: Vec::new() };
        for rule in tx.list::<Rule>(region, &Rule::key_of(bus, ""), None, usize::MAX)? {
            if rule.state == State::Disabled || rule.targets.is_empty() {
                continue;
            }
            let Some(text) = &rule.pattern else { continue };
            match Pattern::parse(text) {
                Ok(pattern) => {
                    this.index.insert(this.rules.len(), &pattern);
                    this.rules.push(Ready::new(rule));
                }
                // Checked when it was put: only another version of the parser could come here.
                Err(error) => tracing::error!(rule = rule.arn, %error, "a stored pattern no longer parses"),
            }
        }
        Ok(this)
    }

    /// What an event causes: one delivery for each target of each rule that wants it.
    pub fn deliveries(&self, region: &str, event: &Value, hops: u32, now: Timestamp) -> Vec<Delivery> {
        let wanted = self.index.matches(event);
        if wanted.is_empty() {
            return Vec::new();
        }
        // Calls that only read never match an ordinary rule: AWS matches them in that one state alone.
        let read_only =
            event["detail-type"] == "AWS API Call via CloudTrail" && event["detail"]["readOnly"] == true;
        let whole = event.to_string();
        let rules = wanted.into_iter().filter_map(|at| self.rules.get(at));
        rules
            .filter(|ready| !read_only || ready.rule.state == State::EnabledWithAllCloudtrailManagementEvents)
            .flat_map(|ready| ready.deliveries(region, event, &whole, hops, now))
            .collect()
    }
}

/// A rule with its targets' inputs compiled.
pub struct Ready {
    rule: Rule,
    inputs: Vec<Compiled>,
}

impl Ready {
    pub fn new(rule: Rule) -> Self {
        let compiled = |target: &Target| {
            input::compile(&target.input).unwrap_or_else(|error| {
                tracing::error!(rule = rule.arn, target = target.id, %error, "a stored input no longer parses");
                Compiled::Event
            })
        };
        let inputs = rule.targets.iter().map(compiled).collect();
        Self { rule, inputs }
    }

    /// One delivery of the event for each target.
    pub fn deliveries(
        &self,
        region: &str,
        event: &Value,
        whole: &str,
        hops: u32,
        now: Timestamp,
    ) -> Vec<Delivery> {
        let rule = &self.rule;
        let ingested = now.iso8601();
        let context = RuleContext { rule_arn: &rule.arn, rule_name: &rule.name, ingestion_time: &ingested };
        let event_time = event["time"].as_str().and_then(Timestamp::parse).unwrap_or(now);
        // An event that came from another bus goes to no third one, as on AWS.
        let each = rule.targets.iter().zip(&self.inputs);
        let each = each.filter(|(target, _)| hops == 0 || !target.arn.contains(":event-bus/"));
        each.map(|(target, input)| Delivery {
            region: region.to_owned(),
            bus: rule.bus.clone(),
            rule: rule.name.clone(),
            rule_arn: rule.arn.clone(),
            target: target.id.clone(),
            arn: target.arn.clone(),
            role_arn: target.role_arn.clone(),
            event_id: event["id"].as_str().unwrap_or_default().to_owned(),
            event_time,
            payload: input.apply(event, whole, &context),
            hops,
            since: now,
            attempts: 0,
            retries: target.retry_attempts.unwrap_or(RETRIES),
            age_seconds: target.retry_age_seconds.unwrap_or(AGE_SECONDS),
        })
        .collect()
    }
}
