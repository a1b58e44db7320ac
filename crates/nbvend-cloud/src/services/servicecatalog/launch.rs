//! The first step of a record: as whom, and what CloudFormation is asked for.

use std::collections::BTreeMap;

use nbvend_wire::error::WireError;
use nbvend_wire::timestamp::Timestamp;

use super::error::Error;
use super::follow::{Failure, abandon, fail, finish};
use super::state::{
    Actor, Given, LaunchRecord, Portfolio, Product, ProvisionedProduct, RecordKind, RecordStatus, Work,
};
use super::{PRINCIPAL, template};
use crate::context::Cx;
use crate::error::{EngineError, ServiceError};
use crate::identity::Caller;
use crate::operation::Operation;
use crate::services::cloudformation::stack::{
    CreateStack, DeleteStack, Parameter, Prepared, Tag, UpdateStack,
};
use crate::services::sts::assume_role::AssumeRole;

/// A session of the launch role is renewed when so little of it is left, in milliseconds.
const RENEW_MS: i64 = 60_000;

/// What a product's stack may do: the launch role, not a checkbox, is its limit.
const CAPABILITIES: [&str; 3] = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];

/// Why a step did not come about.
enum Stop {
    /// For a reason to be told.
    Failure(Failure),
    /// The engine's own fault: the step is tried again.
    Engine(EngineError),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// CloudFormation refused a call.
fn refused(cx: &Cx<'_>, error: WireError) -> Stop {
    match told(error) {
        Ok(error) => Stop::Failure(Failure::cloudformation(cx, &error)),
        Err(error) => Stop::Engine(error),
    }
}

/// A refusal by another service, or its own failure.
pub fn told(error: WireError) -> Result<WireError, EngineError> {
    if error.status == 500 { Err(EngineError::Called(error)) } else { Ok(error) }
}

fn stack_name(cx: &Cx<'_>, product_id: &str) -> String {
    format!("SC-{}-{product_id}", cx.account())
}

/// Lets CloudFormation read and check the template of a launch on a snapshot, so that the writer need not. Only where
/// it does not matter who asks: parameters that stand for values in Parameter Store are read as the launch role. What
/// is wrong is said when the stack is asked for.
pub fn prepare(cx: &mut Cx<'_>, record: &LaunchRecord) -> Prepared {
    let Some(work) = record.work.as_ref().filter(|_| record.kind == RecordKind::Provision) else {
        return Prepared::default();
    };
    let template = work.template.as_ref().and_then(|digest| template::by_digest(cx, digest).ok());
    let Some(template) = template.filter(|t| t.parameters.iter().all(|decl| !decl.kind.is_ssm())) else {
        return Prepared::default();
    };
    let mut request = CreateStack {
        stack_name: stack_name(cx, &record.provisioned_product_id),
        template_body: Some(template.text.clone()),
        parameters: work.parameters.iter().map(parameter).collect(),
        ..CreateStack::default()
    };
    match request.prepare(cx) {
        Ok(()) => request.prepared,
        Err(_) => Prepared::default(),
    }
}

/// Begins a record's work. It was begun already if its state says so.
pub fn begin(cx: &mut Cx<'_>, id: &str, prepared: Prepared) -> Result<(), EngineError> {
    let Some(mut record) = cx.get::<LaunchRecord>(id)?.filter(|one| one.status == RecordStatus::Created)
    else {
        return Ok(());
    };
    let (Some(work), Some(mut product)) =
        (record.work.clone(), cx.get::<ProvisionedProduct>(&record.provisioned_product_id)?)
    else {
        return abandon(cx, record);
    };
    if record.kind == RecordKind::Terminate && (product.stack_id.is_none() || work.retain) {
        return finish(cx, record, product, None);
    }
    match ask(cx, &mut record, &mut product, &work, prepared) {
        Ok(()) => {
            record.status = RecordStatus::InProgress;
            record.updated = cx.now();
            cx.put(&product)?;
            cx.put(&record)?;
            Ok(())
        }
        Err(Stop::Failure(failure)) => fail(cx, record, product, &failure),
        Err(Stop::Engine(error)) => Err(error),
    }
}

/// Asks CloudFormation.
fn ask(
    cx: &mut Cx<'_>,
    record: &mut LaunchRecord,
    product: &mut ProvisionedProduct,
    work: &Work,
    prepared: Prepared,
) -> Result<(), Stop> {
    let caller = match &record.launch_role_arn {
        None => work.by.through(PRINCIPAL),
        Some(role) => {
            let actor = assume(cx, role)?;
            let caller = actor.caller.clone();
            if let Some(work) = &mut record.work {
                work.actor = Some(actor);
            }
            caller
        }
    };
    let text = match &work.template {
        Some(digest) => Some(template::by_digest(cx, digest).map_err(stop)?.text.clone()),
        None => None,
    };
    match (record.kind, product.stack_id.clone()) {
        (RecordKind::Provision, _) => {
            let request = CreateStack {
                stack_name: stack_name(cx, &product.id),
                template_body: text,
                parameters: work.parameters.iter().map(parameter).collect(),
                capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
                tags: tags(cx, record, product, work)?,
                client_request_token: Some(record.id.clone()),
                prepared,
                ..CreateStack::default()
            };
            let made = cx.call_as(caller, request);
            product.stack_id = Some(made.map_err(|error| refused(cx, error))?.stack_id);
        }
        (RecordKind::Update, Some(stack)) => {
            let request = UpdateStack {
                stack_name: stack,
                template_body: text,
                parameters: work.parameters.iter().map(parameter).collect(),
                capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
                tags: tags(cx, record, product, work)?,
                client_request_token: Some(record.id.clone()),
                ..UpdateStack::default()
            };
            match cx.call_as(caller, request) {
                // The stack is what was asked for already.
                Err(error) if error.message.contains("No updates are to be performed") => {
                    if let Some(work) = &mut record.work {
                        work.unchanged = true;
                    }
                }
                other => {
                    other.map_err(|error| refused(cx, error))?;
                }
            }
        }
        (RecordKind::Terminate, Some(stack)) => {
            let token = Some(record.id.clone());
            let request =
                DeleteStack { stack_name: stack, client_request_token: token, ..DeleteStack::default() };
            cx.call_as(caller, request).map_err(|error| refused(cx, error))?;
        }
        (RecordKind::Update | RecordKind::Terminate, None) => {
            return Err(Stop::Failure(Failure::internal("the provisioned product has no stack")));
        }
    }
    Ok(())
}

fn stop(error: Error) -> Stop {
    match error {
        Error::Engine(error) => Stop::Engine(error),
        other => {
            let (code, reason) = (other.code().to_owned(), other.to_string());
            Stop::Failure(Failure { code, message: reason.clone(), reason })
        }
    }
}

/// A session of the launch role, as AWS names it.
fn assume(cx: &mut Cx<'_>, role: &str) -> Result<Actor, Stop> {
    let service = Caller::service(PRINCIPAL, cx.region());
    let request = AssumeRole {
        role_arn: role.to_owned(),
        role_session_name: "servicecatalog".to_owned(),
        ..AssumeRole::default()
    };
    let session = match cx.call_as(service.clone(), request) {
        Ok(session) => session,
        Err(error) => {
            let error = told(error)?;
            let reason = format!("Access denied while assuming the role {role}: {}", error.message);
            let code = error.code.into_owned();
            return Err(Stop::Failure(Failure { code, message: reason.clone(), reason }));
        }
    };
    let Some(principal) = session.assumed_role_user.principal else {
        return Err(Stop::Failure(Failure::internal("STS named no principal for the launch role")));
    };
    let key = session.credentials.access_key_id;
    let caller = service.acting_as(principal, Some(key), Some(cx.now())).through(PRINCIPAL);
    Ok(Actor { caller, expires: session.credentials.expiration })
}

fn parameter(given: &Given) -> Parameter {
    Parameter {
        parameter_key: given.key.clone(),
        parameter_value: given.value.clone(),
        use_previous_value: given.value.is_none().then_some(true),
        resolved_value: None,
    }
}

/// The user's tags and the catalog's own, which reach every resource of the stack.
fn tags(
    cx: &Cx<'_>,
    record: &LaunchRecord,
    product: &ProvisionedProduct,
    work: &Work,
) -> Result<Vec<Tag>, EngineError> {
    let own = [
        ("productArn", Product::arn_of(cx, &record.product_id)),
        ("portfolioArn", Portfolio::arn_of(cx, &work.portfolio_id)),
        // The owner, also when somebody else updates it: who owns a notebook is read from here.
        ("provisioningPrincipalArn", product.session_arn.clone()),
        ("provisionedProductArn", product.arn(cx)),
        ("provisioningArtifactIdentifier", record.artifact_id.clone()),
    ];
    let policy = policy(cx, record, work)?;
    let theirs = work.tags.iter().filter(|(key, _)| !policy.contains_key(key));
    let users = theirs.map(|(key, value)| Tag { key: key.clone(), value: value.clone() });
    let own = own.into_iter().map(|(name, value)| Tag { key: format!("aws:servicecatalog:{name}"), value });
    let policy = policy.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() });
    Ok(users.chain(policy).chain(own).collect())
}

/// What portfolio and product say of their notebooks' lives (`nbvend:idle-stop-minutes`): tags of this name reach what is
/// launched, and a user's tag does not change them. Those of the product go before the portfolio's.
fn policy(cx: &Cx<'_>, record: &LaunchRecord, work: &Work) -> Result<BTreeMap<String, String>, EngineError> {
    let portfolio = cx.get::<Portfolio>(&work.portfolio_id)?.map(|one| one.tags).unwrap_or_default();
    let product = cx.get::<Product>(&record.product_id)?.map(|one| one.tags).unwrap_or_default();
    Ok(portfolio.into_iter().chain(product).filter(|(key, _)| key.starts_with("nbvend:")).collect())
}

/// Whether the record's session of the launch role has ended or is about to.
pub fn needs_session(record: &LaunchRecord, now: Timestamp) -> bool {
    let actor = record.work.as_ref().and_then(|work| work.actor.as_ref());
    actor.is_some_and(|actor| actor.expires.0 - now.0 < RENEW_MS)
}

/// Assumes the launch role afresh; `None` if the record needs nothing any more, or failed for it.
pub fn renew(cx: &mut Cx<'_>, id: &str) -> Result<Option<LaunchRecord>, EngineError> {
    let Some(mut record) = cx.get::<LaunchRecord>(id)? else { return Ok(None) };
    let (Some(role), true) = (record.launch_role_arn.clone(), record.work.is_some()) else { return Ok(None) };
    match assume(cx, &role) {
        Ok(actor) => {
            if let Some(work) = &mut record.work {
                work.actor = Some(actor);
            }
            cx.put(&record)?;
            Ok(Some(record))
        }
        Err(Stop::Engine(error)) => Err(error),
        Err(Stop::Failure(failure)) => {
            match cx.get::<ProvisionedProduct>(&record.provisioned_product_id)? {
                Some(product) => fail(cx, record, product, &failure)?,
                None => abandon(cx, record)?,
            }
            Ok(None)
        }
    }
}
