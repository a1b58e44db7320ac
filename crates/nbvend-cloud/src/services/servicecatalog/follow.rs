//! The later steps of a record: how its stack goes, and what that means for record and product.

use nbvend_wire::error::WireError;

use super::PRINCIPAL;
use super::launch::told;
use super::state::{
    LaunchRecord, Output, ProductStatus, ProvisionedProduct, RecordError, RecordKind, RecordStatus,
};
use super::template;
use crate::context::Cx;
use crate::error::EngineError;
use crate::services::cloudformation::stack::{DescribeStacks, StackView};

/// Why something failed.
#[derive(Debug, Clone)]
pub struct Failure {
    pub code: String,
    /// For a person: what went wrong.
    pub reason: String,
    /// The same as the product's status message has it.
    pub message: String,
}

impl Failure {
    /// CloudFormation refused a call, or a stack failed. The message has the form (and the two spaces) that AWS shows.
    pub fn cloudformation(cx: &Cx<'_>, error: &WireError) -> Self {
        let (text, status, code, request) = (&error.message, error.status, &error.code, cx.ids().uuid());
        let message = format!(
            "AmazonCloudFormationException  {text} (Service: AmazonCloudFormation; Status Code: {status}; Error Code: {code}; Request ID: {request})"
        );
        Self { code: code.to_string(), reason: text.clone(), message }
    }

    fn stack(cx: &Cx<'_>, reason: &str) -> Self {
        Self::cloudformation(cx, &WireError::new("ValidationError", 400, reason.to_owned()))
    }

    pub fn internal(reason: &str) -> Self {
        Self { code: "InternalError".to_owned(), reason: reason.to_owned(), message: reason.to_owned() }
    }
}

/// What a look at the stack tells.
pub enum Seen {
    NotYet,
    RollingBack,
    Done(Vec<Output>),
    Gone,
    /// Failed; whether the stack is back at what it was before.
    Failed {
        failure: Failure,
        as_before: bool,
    },
}

/// Looks at a record's stack, as whoever asked for it.
pub fn look(cx: &mut Cx<'_>, record: &LaunchRecord) -> Result<Seen, EngineError> {
    let product = cx.get::<ProvisionedProduct>(&record.provisioned_product_id)?;
    let (Some(work), Some(stack)) = (&record.work, product.and_then(|product| product.stack_id)) else {
        return Ok(Seen::Gone);
    };
    let caller = match &work.actor {
        Some(actor) => actor.caller.clone(),
        None => work.by.through(PRINCIPAL),
    };
    let request = DescribeStacks { stack_name: Some(stack), ..DescribeStacks::default() };
    let mut found = match cx.call_as(caller, request) {
        Ok(found) => found.stacks,
        Err(error) => {
            let error = told(error)?;
            if error.code == "ValidationError" && error.message.contains("does not exist") {
                return Ok(Seen::Gone);
            }
            return Ok(Seen::Failed { failure: Failure::cloudformation(cx, &error), as_before: false });
        }
    };
    Ok(match found.pop() {
        Some(stack) => read(cx, record.kind, work.unchanged, stack),
        None => Seen::Gone,
    })
}

fn read(cx: &Cx<'_>, kind: RecordKind, unchanged: bool, stack: StackView) -> Seen {
    let status = stack.stack_status.as_str();
    let failed = |as_before| {
        // The first resource that failed says more than the stack's list of those that did.
        let mut reasons = [&stack.failure, &stack.stack_status_reason].into_iter().flatten();
        let reason = reasons.find(|reason| !reason.is_empty()).cloned();
        let reason = reason.unwrap_or_else(|| format!("The stack {} is {status}", stack.stack_name));
        Seen::Failed { failure: Failure::stack(cx, &reason), as_before }
    };
    match (kind, status) {
        (_, "DELETE_COMPLETE") => Seen::Gone,
        (
            RecordKind::Provision | RecordKind::Update,
            "ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_IN_PROGRESS",
        ) => Seen::RollingBack,
        (_, status) if status.ends_with("_IN_PROGRESS") => Seen::NotYet,
        (RecordKind::Provision, "CREATE_COMPLETE") => Seen::Done(outputs(stack)),
        (RecordKind::Update, "UPDATE_COMPLETE") => Seen::Done(outputs(stack)),
        (RecordKind::Update, "CREATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE") if unchanged => {
            Seen::Done(outputs(stack))
        }
        (RecordKind::Update, "UPDATE_ROLLBACK_COMPLETE") => failed(true),
        _ => failed(false),
    }
}

/// The stack's ARN, then the outputs of the template.
fn outputs(stack: StackView) -> Vec<Output> {
    let own = Output {
        key: "CloudformationStackARN".to_owned(),
        value: stack.stack_id,
        description: Some("The ARN of the launched Cloudformation Stack".to_owned()),
    };
    let of_template = stack.outputs.into_iter().map(|output| Output {
        key: output.output_key,
        value: output.output_value,
        description: output.description,
    });
    std::iter::once(own).chain(of_template).collect()
}

/// Writes down what was seen, if the record is still under way.
pub fn note(cx: &mut Cx<'_>, id: &str, seen: Seen) -> Result<(), EngineError> {
    let Some(mut record) = cx.get::<LaunchRecord>(id)?.filter(|record| record.work.is_some()) else {
        return Ok(());
    };
    let Some(product) = cx.get::<ProvisionedProduct>(&record.provisioned_product_id)? else {
        return abandon(cx, record);
    };
    match (seen, record.kind) {
        (Seen::NotYet, _) => Ok(()),
        (Seen::RollingBack, _) => {
            record.status = RecordStatus::InProgressInError;
            record.updated = cx.now();
            Ok(cx.put(&record)?)
        }
        (Seen::Done(outputs), _) => finish(cx, record, product, Some(outputs)),
        (Seen::Gone, RecordKind::Terminate) => finish(cx, record, product, None),
        (Seen::Gone, RecordKind::Provision | RecordKind::Update) => {
            let failure = Failure::stack(cx, "The stack was deleted by somebody else");
            fail(cx, record, product, &failure)
        }
        (Seen::Failed { failure, as_before }, RecordKind::Update) if as_before => {
            end(cx, record, product, &failure, ProductStatus::Tainted)
        }
        (Seen::Failed { failure, .. }, _) => fail(cx, record, product, &failure),
    }
}

/// The request is done. `outputs` of a launch or an update.
pub fn finish(
    cx: &mut Cx<'_>,
    mut record: LaunchRecord,
    mut product: ProvisionedProduct,
    outputs: Option<Vec<Output>>,
) -> Result<(), EngineError> {
    let work = record.work.take();
    record.status = RecordStatus::Succeeded;
    record.updated = cx.now();
    record.outputs = outputs.unwrap_or_default();
    cx.put(&record)?;
    if record.kind == RecordKind::Terminate {
        cx.delete::<ProvisionedProduct>(&product.id)?;
        return Ok(());
    }
    product.status = ProductStatus::Available;
    product.status_message = None;
    product.last_successful_record_id = Some(record.id);
    product.product_id = record.product_id;
    product.artifact_id = record.artifact_id;
    product.path_id = record.path_id;
    product.launch_role_arn = record.launch_role_arn;
    if let Some(work) = work {
        product.tags = work.tags;
        // The stack has a value for every parameter of its template, given or not.
        let template = work.template.and_then(|digest| template::by_digest(cx, &digest).ok());
        product.parameter_keys = match template {
            Some(template) => template.parameters.iter().map(|decl| decl.name.clone()).collect(),
            None => work.parameters.into_iter().map(|given| given.key).collect(),
        };
    }
    Ok(cx.put(&product)?)
}

/// The request failed: a launch left nothing that runs; an update or a deletion that was refused left things as they
/// were.
pub fn fail(
    cx: &mut Cx<'_>,
    record: LaunchRecord,
    product: ProvisionedProduct,
    failure: &Failure,
) -> Result<(), EngineError> {
    let untouched = record.status == RecordStatus::Created;
    let before = record.work.as_ref().map(|work| work.before);
    let status = match (record.kind, before) {
        (
            RecordKind::Update | RecordKind::Terminate,
            Some(ProductStatus::Available | ProductStatus::Tainted),
        ) if untouched => ProductStatus::Tainted,
        _ => ProductStatus::Error,
    };
    end(cx, record, product, failure, status)
}

/// A record whose product is gone has nothing left to do.
pub fn abandon(cx: &mut Cx<'_>, mut record: LaunchRecord) -> Result<(), EngineError> {
    let description = format!("The provisioned product {} is gone", record.provisioned_product_id);
    record.errors = vec![RecordError { code: "ResourceNotFoundException".to_owned(), description }];
    record.status = RecordStatus::Failed;
    record.updated = cx.now();
    record.work = None;
    Ok(cx.put(&record)?)
}

fn end(
    cx: &mut Cx<'_>,
    mut record: LaunchRecord,
    mut product: ProvisionedProduct,
    failure: &Failure,
    status: ProductStatus,
) -> Result<(), EngineError> {
    let gives_up = record.work.take().is_some_and(|work| work.ignore_errors);
    let error = RecordError { code: failure.code.clone(), description: failure.reason.clone() };
    record.errors = vec![error];
    record.updated = cx.now();
    if record.kind == RecordKind::Terminate && gives_up {
        // As asked for: the catalog lets go of it, and the record says what is left behind and why.
        record.status = RecordStatus::Succeeded;
        cx.put(&record)?;
        cx.delete::<ProvisionedProduct>(&product.id)?;
        return Ok(());
    }
    record.status = RecordStatus::Failed;
    cx.put(&record)?;
    product.status = status;
    product.status_message = Some(failure.message.clone());
    Ok(cx.put(&product)?)
}
