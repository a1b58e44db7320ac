//! The trail: one CloudTrail record a call, in AWS's shape, in the same commit as what the call changed.
//!
//! Writes are recorded inside their transaction. Reads are queued and written in batches; a crash may lose the last
//! 100 ms of them. Records of writes also leave as events (`AWS API Call via CloudTrail`).

pub mod denial;
pub mod prune;
pub mod query;
mod size;

use std::sync::Mutex;

use nbvend_wire::error::WireError;
use nbvend_wire::protocol;
use nbvend_wire::timestamp::Timestamp;
use rusqlite::params;
use serde_json::{Map, Value, json};

use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::{Caller, Principal};
use crate::metrics;
use crate::outbox::Event;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::services;
use crate::store::{Signal, StoreError, Tx};

/// What stands in the trail instead of a sensitive member; AWS's words.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
/// Reads are written at the latest so long after they were made.
const FLUSH_AFTER_MS: i64 = 100;
const READS: Signal = Signal("trail-reads");

/// A call as the trail sees it.
pub struct Call<'a> {
    pub service: &'a str,
    pub operation: &'a str,
    pub read_only: bool,
    pub sensitive: &'a [&'a str],
    /// Input in the model's member names; `None` where it could not be read.
    pub input: Option<Value>,
    pub outcome: Result<&'a Value, &'a WireError>,
    /// ARNs the call was about.
    pub resources: &'a [String],
}

/// A record ready to be written.
struct Row {
    event_id: String,
    time: Timestamp,
    region: String,
    source: String,
    name: String,
    principal: String,
    access_key: String,
    read_only: bool,
    resources: Vec<String>,
    body: Value,
}

/// Records a call in the caller's transaction, or queues it where there is none to write in.
pub fn note(cx: &Cx<'_>, call: Call<'_>) -> Result<(), StoreError> {
    if let Some(service) = services::find(call.service) {
        metrics::count(cx.engine, service.id, call.operation, call.outcome.err());
    }
    let row = row(cx, call);
    if !cx.tx.writable() {
        let queue = cx.engine.cache::<Queue>();
        let mut queue = queue.0.lock().expect("nobody panics while queueing");
        if queue.is_empty() {
            cx.engine.signals().wake(&[READS]);
        }
        queue.push(row);
        return Ok(());
    }
    if !row.read_only {
        let source = row.source.split('.').next().unwrap_or_default();
        cx.emit(&Event {
            source: format!("aws.{source}"),
            detail_type: "AWS API Call via CloudTrail".to_owned(),
            resources: Vec::new(),
            detail: row.body.clone(),
        })?;
    }
    insert(cx.tx, &row)
}

fn row(cx: &Cx<'_>, call: Call<'_>) -> Row {
    let service = services::find(call.service);
    let source =
        service.map_or_else(|| format!("{}.amazonaws.com", call.service), |s| s.event_source.to_owned());
    let event_id = cx.ids().uuid();
    let account = cx.account();
    let (response, error) = match call.outcome {
        Ok(output) if !call.read_only => {
            (form(call.service, call.operation, protocol::Side::Output, output.clone(), call.sensitive), None)
        }
        Ok(_) => (Value::Null, None),
        Err(error) => (Value::Null, Some(error)),
    };
    let request = match call.input {
        Some(input) => form(call.service, call.operation, protocol::Side::Input, input, call.sensitive),
        None => Value::Null,
    };
    let mut body = json!({
        "eventVersion": "1.11",
        "userIdentity": user_identity(&cx.caller, account),
        "eventTime": cx.now().iso8601(),
        "eventSource": source,
        "eventName": call.operation,
        "awsRegion": cx.region(),
        "sourceIPAddress": cx.caller.source_ip,
        "userAgent": cx.caller.user_agent,
    });
    if let (Some(error), Some(members)) = (error, body.as_object_mut()) {
        members.insert("errorCode".to_owned(), json!(error.code));
        members.insert("errorMessage".to_owned(), json!(error.message));
    }
    if let Some(members) = body.as_object_mut() {
        members.insert("requestParameters".to_owned(), request);
        members.insert("responseElements".to_owned(), response);
        // What was denied on the way to success is no matter of this record.
        if let (Some(_), Some(denial)) = (error, cx.denial.take()) {
            members.insert("additionalEventData".to_owned(), denial.document());
        }
        members.insert("requestID".to_owned(), json!(cx.caller.request_id));
        members.insert("eventID".to_owned(), json!(event_id));
        members.insert("readOnly".to_owned(), json!(call.read_only));
        members.insert("eventType".to_owned(), json!("AwsApiCall"));
        members.insert("managementEvent".to_owned(), json!(true));
        members.insert("recipientAccountId".to_owned(), json!(account));
        members.insert("eventCategory".to_owned(), json!("Management"));
        size::bound(members);
    }
    Row {
        event_id,
        time: cx.now(),
        region: cx.region().to_owned(),
        source,
        name: call.operation.to_owned(),
        principal: cx.caller.principal.user_name().to_owned(),
        access_key: cx.caller.access_key_id.clone().unwrap_or_default(),
        read_only: call.read_only,
        resources: call
            .resources
            .iter()
            .filter(|arn| *arn != "*" && arn.len() <= size::LONGEST_ARN)
            .cloned()
            .collect(),
        body,
    }
}

/// Members in CloudTrail's letter case, sensitive ones hidden, an empty document as null.
fn form(
    service: &str,
    operation: &str,
    side: protocol::Side,
    mut document: Value,
    sensitive: &[&str],
) -> Value {
    hide(&mut document, sensitive);
    let model = nbvend_wire::model::service(service);
    let form = match model.and_then(|model| model.operation(operation).map(|op| (model, op))) {
        Some((model, op)) => protocol::trail_form(model, op, side, &document),
        None => protocol::camel(&document),
    };
    if form.as_object().is_some_and(Map::is_empty) { Value::Null } else { form }
}

/// Hides sensitive members and drops those that were not given.
fn hide(value: &mut Value, sensitive: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            for (name, member) in members.iter_mut() {
                if sensitive.contains(&name.as_str()) && !member.is_null() {
                    *member = json!(HIDDEN);
                } else {
                    hide(member, sensitive);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, sensitive)),
        _ => {}
    }
}

fn user_identity(caller: &Caller, account: &str) -> Value {
    let principal = &caller.principal;
    let mut identity = Map::new();
    let mut set = |name: &str, value: Value| {
        identity.insert(name.to_owned(), value);
    };
    let kind = match principal {
        Principal::Root => "Root",
        Principal::User { .. } => "IAMUser",
        Principal::AssumedRole { .. } => "AssumedRole",
        Principal::FederatedUser { .. } => "FederatedUser",
        Principal::Service { .. } => "AWSService",
        Principal::Anonymous => "AWSAccount",
    };
    set("type", json!(kind));
    if !matches!(principal, Principal::Service { .. }) {
        set("principalId", json!(principal.id(account)));
    }
    if !matches!(principal, Principal::Service { .. } | Principal::Anonymous) {
        set("arn", json!(principal.arn(account)));
        set("accountId", json!(account));
    }
    if let Some(key) = &caller.access_key_id {
        set("accessKeyId", json!(key));
    }
    match principal {
        Principal::User { name, .. } => set("userName", json!(name)),
        Principal::AssumedRole { role, role_id, .. } => set(
            "sessionContext",
            json!({
                "sessionIssuer": {
                    "type": "Role", "principalId": role_id, "arn": principal.issuer_arn(account),
                    "accountId": account, "userName": role,
                },
                "attributes": {
                    "creationDate": caller.session_issued.map(Timestamp::iso8601),
                    "mfaAuthenticated": "false",
                },
            }),
        ),
        Principal::FederatedUser { issuer, .. } => {
            let kind = if **issuer == Principal::Root { "Root" } else { "IAMUser" };
            set(
                "sessionContext",
                json!({
                    "sessionIssuer": {
                        "type": kind, "principalId": issuer.id(account), "arn": issuer.arn(account),
                        "accountId": account, "userName": issuer.user_name(),
                    },
                    "attributes": {
                        "creationDate": caller.session_issued.map(Timestamp::iso8601),
                        "mfaAuthenticated": "false",
                    },
                }),
            );
        }
        _ => {}
    }
    if let Some(service) = &caller.invoked_by {
        set("invokedBy", json!(service));
    }
    Value::Object(identity)
}

fn insert(tx: &Tx<'_>, row: &Row) -> Result<(), StoreError> {
    tx.connection()
        .prepare_cached(
            "INSERT INTO trail
             (event_id, time, region, source, name, principal, access_key, read_only, body, resources)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            row.event_id,
            row.time.0,
            row.region,
            row.source,
            row.name,
            row.principal,
            row.access_key,
            row.read_only,
            row.body.to_string(),
            json!(row.resources).to_string(),
        ])?;
    let id = tx.connection().last_insert_rowid();
    for resource in &row.resources {
        let name = resource_name(resource);
        tx.connection()
            .prepare_cached("INSERT OR IGNORE INTO trail_resource (name, trail_id) VALUES (?1, ?2)")?
            .execute(params![name, id])?;
    }
    Ok(())
}

/// What `LookupEvents` calls a resource: the last part of its ARN.
fn resource_name(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}

/// Reads waiting to be written.
#[derive(Default)]
struct Queue(Mutex<Vec<Row>>);

/// Writes the queued reads now.
pub async fn flush(engine: &Engine) -> Result<(), StoreError> {
    let rows = std::mem::take(&mut *engine.cache::<Queue>().0.lock().expect("nobody panics while queueing"));
    if rows.is_empty() {
        return Ok(());
    }
    engine.store().write(move |tx| rows.iter().try_for_each(|row| insert(tx, row))).await?
}

/// Writes queued reads in batches.
pub struct Flush;

impl Reconciler for Flush {
    fn signal(&self) -> Signal {
        READS
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let waiting = engine
                .cache::<Queue>()
                .0
                .lock()
                .expect("nobody panics while queueing")
                .first()
                .map(|r| r.time);
            match waiting {
                None => Ok(Next::WhenWoken),
                Some(time) if engine.now().0 - time.0 < FLUSH_AFTER_MS => {
                    Ok(Next::At(Timestamp(time.0 + FLUSH_AFTER_MS)))
                }
                Some(_) => {
                    flush(engine).await.map_err(EngineError::from)?;
                    Ok(Next::WhenWoken)
                }
            }
        })
    }
}
