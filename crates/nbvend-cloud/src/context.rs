//! What an operation has in its hands: the transaction, the caller, the time, ids, and other operations.

use std::cell::RefCell;
use std::collections::BTreeMap;

use nbvend_wire::arn::Arn;
use nbvend_wire::error::WireError;
use nbvend_wire::timestamp::Timestamp;

use crate::config::Config;
use crate::door::perform;
use crate::engine::Engine;
use crate::identity::Caller;
use crate::operation::Operation;
use crate::outbox::{self, Event};
use crate::ports::Ids;
use crate::store::{GLOBAL, Record, Signal, StoreError, Tx};
use crate::trail::denial::Denial;

/// Condition keys of a request (`sagemaker:ResourceTag/owner`) with their values, for IAM.
pub type ContextKeys = BTreeMap<String, Vec<String>>;

/// One call's surroundings. Calls made inside an operation get a `Cx` of their own on the same transaction.
pub struct Cx<'a> {
    pub engine: &'a Engine,
    pub tx: &'a Tx<'a>,
    pub caller: Caller,
    now: Timestamp,
    /// Why IAM said no last, for the trail.
    pub(crate) denial: RefCell<Option<Denial>>,
}

impl<'a> Cx<'a> {
    pub fn new(engine: &'a Engine, tx: &'a Tx<'a>, caller: Caller) -> Self {
        let now = engine.now();
        Self { engine, tx, caller, now, denial: RefCell::default() }
    }

    /// The time of this call; it does not move while the call runs.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn ids(&self) -> &dyn Ids {
        self.engine.ids()
    }

    pub fn config(&self) -> &Config {
        self.engine.config()
    }

    pub fn account(&self) -> &str {
        &self.engine.config().account
    }

    pub fn region(&self) -> &str {
        &self.caller.region
    }

    /// An ARN of this account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        Arn::new(service, self.region(), self.account(), resource).to_string()
    }

    /// An ARN of IAM: no region.
    pub fn iam_arn(&self, resource: &str) -> String {
        format!("arn:aws:iam::{}:{resource}", self.account())
    }

    /// The record of that key in the caller's region.
    pub fn get<R: Record>(&self, key: &str) -> Result<Option<R>, StoreError> {
        self.tx.get(self.region(), key)
    }

    pub fn put<R: Record>(&self, record: &R) -> Result<(), StoreError> {
        self.tx.put(self.region(), record)
    }

    pub fn delete<R: Record>(&self, key: &str) -> Result<bool, StoreError> {
        self.tx.delete::<R>(self.region(), key)
    }

    /// Records of the caller's region by index.
    pub fn find<R: Record>(&self, index: &'static str, value: &str) -> Result<Vec<R>, StoreError> {
        self.tx.find(self.region(), index, value)
    }

    /// The same for records that belong to no region.
    pub fn get_global<R: Record>(&self, key: &str) -> Result<Option<R>, StoreError> {
        self.tx.get(GLOBAL, key)
    }

    pub fn put_global<R: Record>(&self, record: &R) -> Result<(), StoreError> {
        self.tx.put(GLOBAL, record)
    }

    /// Wakes a reconciler after the commit.
    pub fn wake(&self, signal: Signal) {
        self.tx.wake(signal);
    }

    /// Sends an event of an AWS service to the default bus, in this commit.
    pub fn emit(&self, event: &Event) -> Result<(), StoreError> {
        outbox::push(self.tx, self.region(), self.account(), self.now, self.ids(), event)
    }

    /// Calls another operation as the same caller, in this transaction. It is authorised and recorded like any call;
    /// if it fails, what it wrote is undone and this operation may go on.
    pub fn call<O: Operation>(&mut self, operation: O) -> Result<O::Output, WireError> {
        let caller = self.caller.clone();
        self.call_as(caller, operation)
    }

    /// Calls another operation as somebody else.
    pub fn call_as<O: Operation>(
        &mut self,
        mut caller: Caller,
        operation: O,
    ) -> Result<O::Output, WireError> {
        caller.request_id = self.ids().uuid();
        let mut inner =
            Cx { engine: self.engine, tx: self.tx, caller, now: self.now, denial: RefCell::default() };
        perform(&mut inner, operation)
    }
}
