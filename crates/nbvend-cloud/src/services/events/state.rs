//! What EventBridge keeps: buses and rules by region; deliveries that wait or failed, and schedules, in one queue for all
//! regions.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::{Record, StoreError, Tx};

/// An event bus. The default bus exists without a record until something is said about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bus {
    pub name: String,
    pub description: Option<String>,
    /// The resource policy, a whole document; `None` where there is none.
    pub policy: Option<Value>,
    pub created: Option<Timestamp>,
    pub modified: Option<Timestamp>,
    pub tags: BTreeMap<String, String>,
}

impl Record for Bus {
    const KIND: &'static str = "events.bus";

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// Whether a rule listens, and to what. Stored under AWS's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    Enabled,
    Disabled,
    EnabledWithAllCloudtrailManagementEvents,
}

impl State {
    pub fn parse(name: Option<&str>) -> Self {
        match name {
            Some("DISABLED") => Self::Disabled,
            Some("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS") => {
                Self::EnabledWithAllCloudtrailManagementEvents
            }
            _ => Self::Enabled,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
            Self::EnabledWithAllCloudtrailManagementEvents => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    pub name: String,
    pub bus: String,
    pub arn: String,
    pub pattern: Option<String>,
    pub schedule: Option<String>,
    pub state: State,
    pub description: Option<String>,
    /// At most [`super::target::TARGETS`], in the order they were put.
    pub targets: Vec<Target>,
    pub tags: BTreeMap<String, String>,
    /// When the schedule fires next; the key of its [`Due`].
    pub due: Option<Timestamp>,
}

impl Rule {
    /// `bus|name`: neither holds the sign.
    pub fn key_of(bus: &str, name: &str) -> String {
        format!("{bus}|{name}")
    }
}

impl Record for Rule {
    const KIND: &'static str = "events.rule";
    const INDEXES: &'static [&'static str] = &["target"];

    fn key(&self) -> String {
        Self::key_of(&self.bus, &self.name)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        let mut arns: Vec<&str> = self.targets.iter().map(|target| target.arn.as_str()).collect();
        arns.sort_unstable();
        arns.dedup();
        arns.into_iter().map(|arn| ("target", Self::key_of(&self.bus, arn))).collect()
    }
}

/// Where a rule's events go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub id: String,
    pub arn: String,
    pub role_arn: Option<String>,
    pub input: Input,
    /// As given; AWS's default stands in for what was not.
    pub retry_attempts: Option<u32>,
    pub retry_age_seconds: Option<u32>,
}

/// What of an event a target gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// All of it.
    Event,
    /// A fixed text instead.
    Constant(String),
    /// The part at a JSON path.
    Path(String),
    /// A template filled from it.
    Transformer { paths: BTreeMap<String, String>, template: String },
}

/// Counts the changes of a bus's rules: what was compiled from them is good as long as the count stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Generation {
    pub bus: String,
    pub count: u64,
}

impl Record for Generation {
    const KIND: &'static str = "events.generation";

    fn key(&self) -> String {
        self.bus.clone()
    }
}

impl Generation {
    pub fn read(tx: &Tx<'_>, region: &str, bus: &str) -> Result<u64, StoreError> {
        Ok(tx.get::<Self>(region, bus)?.map_or(0, |generation| generation.count))
    }

    pub fn bump(tx: &Tx<'_>, region: &str, bus: &str) -> Result<(), StoreError> {
        let count = Self::read(tx, region, bus)? + 1;
        tx.put(region, &Self { bus: bus.to_owned(), count })
    }
}

/// One event for one target, whole: what becomes of the rule meanwhile does not matter to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivery {
    pub region: String,
    pub bus: String,
    pub rule: String,
    pub rule_arn: String,
    pub target: String,
    pub arn: String,
    pub role_arn: Option<String>,
    pub event_id: String,
    /// The event's own time.
    pub event_time: Timestamp,
    /// What the target gets.
    pub payload: String,
    /// How often the event went from one bus to another.
    pub hops: u32,
    /// The first attempt; the age of a retry policy is counted from here.
    pub since: Timestamp,
    /// Attempts that failed.
    pub attempts: u32,
    pub retries: u32,
    pub age_seconds: u32,
}

impl Delivery {
    /// Names the queue it waits in: one a target, so that no target waits for another.
    pub fn lane(&self) -> String {
        format!("{}|{}|{}|{}|{}", self.region, self.bus, self.rule, self.target, self.arn)
    }
}

/// A delivery that waits to be tried again, behind those of its lane with a lower number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parked {
    pub number: u64,
    pub delivery: Delivery,
}

impl Record for Parked {
    const KIND: &'static str = "events.delivery";

    fn key(&self) -> String {
        format!("{}|{:020}", self.delivery.lane(), self.number)
    }
}

/// A lane with deliveries parked in it. While it stands, everything for the target is parked: order is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Blocked {
    pub lane: String,
    /// When the first of the lane is tried again.
    pub until: Timestamp,
    /// The number the next parked delivery gets.
    pub next: u64,
}

impl Record for Blocked {
    const KIND: &'static str = "events.blocked";

    fn key(&self) -> String {
        self.lane.clone()
    }
}

/// A delivery that was given up: what on AWS a dead-letter queue would hold. Kept for 14 days, as such a queue keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failed {
    pub id: String,
    pub time: Timestamp,
    pub code: String,
    pub message: String,
    pub delivery: Delivery,
}

impl Record for Failed {
    const KIND: &'static str = "events.failed-delivery";

    fn key(&self) -> String {
        format!("{:020}|{}", self.time.0, self.id)
    }
}

/// An entry of the calendar: keys sort by time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Due {
    pub time: Timestamp,
    pub region: String,
    pub bus: String,
    pub rule: String,
}

impl Record for Due {
    const KIND: &'static str = "events.due";

    fn key(&self) -> String {
        format!("{:020}|{}|{}|{}", self.time.0, self.region, self.bus, self.rule)
    }
}
