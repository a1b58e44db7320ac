//! `CreateStack`.

use serde::{Deserialize, Serialize};

use super::super::announce::{self, USER_INITIATED};
use super::super::draft::{Ask, Draft, draft};
use super::super::error::Error;
use super::super::state::{Face, Listed, Live, Operation as Run, OperationKind, Stack, StackStatus};
use super::super::{STACKS, find};
use super::update::topics;
use super::{Parameter, Prepared, Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Need, Operation};
use nbvend_wire::timestamp::Timestamp;

/// Accepts a stack; the reconciler makes it. Idempotent by `ClientRequestToken`. Service Catalog calls this as the launch role; `aws:` tags are taken only from callers inside the engine.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateStack {
    pub stack_name: String,
    pub template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    pub template_url: Option<String>,
    pub parameters: Vec<Parameter>,
    pub capabilities: Vec<String>,
    pub tags: Vec<Tag>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub client_request_token: Option<String>,
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Vec<String>,
    pub disable_rollback: Option<bool>,
    pub on_failure: Option<String>,
    pub timeout_in_minutes: Option<i64>,
    pub enable_termination_protection: Option<bool>,
    #[serde(skip)]
    pub prepared: Prepared,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateStackOutput {
    pub stack_id: String,
}

impl CreateStack {
    fn draft(&self, cx: &mut Cx<'_>) -> Result<Box<Draft>, Error> {
        let ask = Ask {
            stack_name: &self.stack_name,
            body: self.template_body.as_deref(),
            url: self.template_url.as_deref(),
            use_previous: false,
            parameters: &self.parameters,
            previous: None,
        };
        Ok(Box::new(draft(cx, &ask)?))
    }
}

impl Operation for CreateStack {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "CreateStack";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["TemplateBody", "ParameterValue"];
    const PREPARES: bool = true;
    type Output = CreateStackOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        request_keys(keys, &self.tags, self.template_url.as_deref(), self.role_arn.as_deref());
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        find::check_name(&self.stack_name)?;
        self.prepared = Prepared(Some(self.draft(cx)?));
        Ok(())
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        self.role_arn.iter().map(|role| Need::pass_role(role, super::super::PRINCIPAL)).collect()
    }

    fn run(mut self, cx: &mut Cx<'_>) -> Result<CreateStackOutput, Error> {
        find::check_name(&self.stack_name)?;
        if let Some(found) = find::stack(cx, &self.stack_name)? {
            let repeated =
                self.client_request_token.is_some() && found.create_token == self.client_request_token;
            if repeated {
                return Ok(CreateStackOutput { stack_id: found.arn });
            }
            // Also a stack in review: it has the name.
            return Err(Error::StackExists(self.stack_name));
        }
        if self.stack_name.starts_with("arn:") {
            return Err(Error::no_stack(&self.stack_name));
        }
        if self.disable_rollback.is_some() && self.on_failure.is_some() {
            return Err(Error::validation(
                "Only one of DisableRollback or OnFailure may be specified at a time.",
            ));
        }
        topics(&self.notification_arns)?;
        let draft = match self.prepared.0.take() {
            Some(draft) => draft,
            None => self.draft(cx)?,
        };
        draft.require_capabilities(&self.capabilities, false)?;
        let tags = super::tags(cx, &self.tags)?;
        let face = draft.face(tags, self.capabilities, self.notification_arns);
        let new = New {
            name: self.stack_name,
            role_arn: self.role_arn,
            on_failure: match self.disable_rollback {
                Some(true) => Some("DO_NOTHING".to_owned()),
                _ => self.on_failure,
            },
            timeout_minutes: self.timeout_in_minutes,
            protected: self.enable_termination_protection.unwrap_or(false),
        };
        let mut stack = new_stack(cx, new, face.clone());
        stack.create_token.clone_from(&self.client_request_token);
        let version = draft.version(&stack.uuid, cx.ids().uuid(), face);
        cx.put(&version)?;
        begin_create(cx, &mut stack, version.id, self.client_request_token)?;
        Ok(CreateStackOutput { stack_id: stack.arn })
    }
}

/// What a new stack is told besides its template.
pub struct New {
    pub name: String,
    pub role_arn: Option<String>,
    pub on_failure: Option<String>,
    pub timeout_minutes: Option<i64>,
    pub protected: bool,
}

/// A stack with nothing in it, not stored yet.
pub fn new_stack(cx: &Cx<'_>, new: New, face: Face) -> Stack {
    let uuid = cx.ids().uuid();
    Stack {
        arn: cx.arn("cloudformation", &format!("stack/{}/{uuid}", new.name)),
        uuid,
        name: new.name,
        status: StackStatus::ReviewInProgress,
        reason: None,
        failure: None,
        created: cx.now(),
        updated: None,
        deleted: None,
        current: None,
        target: None,
        face,
        outputs: Vec::new(),
        role_arn: new.role_arn,
        disable_rollback: new.on_failure.as_deref() == Some("DO_NOTHING"),
        on_failure: new.on_failure,
        timeout_minutes: new.timeout_minutes,
        protected: new.protected,
        change_set_arn: None,
        operation: None,
        create_token: None,
        events: 0,
        last_event: Timestamp(0),
        leftovers: 0,
    }
}

/// Enters the stack in the lists.
pub fn enlist(cx: &Cx<'_>, stack: &Stack) -> Result<(), Error> {
    cx.put(&Live { name: stack.name.clone(), uuid: stack.uuid.clone() })?;
    cx.put(&Listed { created: stack.created, uuid: stack.uuid.clone() })?;
    Ok(())
}

/// Sets a stack going to its first version, and stores it.
pub fn begin_create(
    cx: &Cx<'_>,
    stack: &mut Stack,
    version: String,
    token: Option<String>,
) -> Result<(), Error> {
    enlist(cx, stack)?;
    stack.target = Some(version);
    let deadline = stack.timeout_minutes.map(|minutes| Timestamp(cx.now().0 + minutes * 60_000));
    stack.operation = Some(Run {
        deadline,
        keep_on_failure: stack.on_failure.as_deref() == Some("DO_NOTHING"),
        ..run(cx, OperationKind::Create, token)
    });
    announce::stack(cx, stack, StackStatus::CreateInProgress, Some(USER_INITIATED))?;
    cx.put(stack)?;
    cx.wake(STACKS);
    Ok(())
}

/// An operation of the caller's, about to begin.
pub fn run(cx: &Cx<'_>, kind: OperationKind, token: Option<String>) -> Run {
    Run {
        kind,
        caller: cx.caller.clone(),
        acting: None,
        acting_until: None,
        token,
        deadline: None,
        begun: false,
        keep_on_failure: false,
        abort: None,
        skip: Vec::new(),
        force: false,
    }
}

/// Condition keys of requests that bring a template.
pub fn request_keys(keys: &mut ContextKeys, tags: &[Tag], url: Option<&str>, role: Option<&str>) {
    for tag in tags {
        keys.insert(format!("aws:RequestTag/{}", tag.key), vec![tag.value.clone()]);
    }
    if !tags.is_empty() {
        keys.insert("aws:TagKeys".to_owned(), tags.iter().map(|tag| tag.key.clone()).collect());
    }
    for (name, value) in [("TemplateUrl", url), ("RoleArn", role)] {
        if let Some(value) = value {
            keys.insert(format!("cloudformation:{name}"), vec![value.to_owned()]);
        }
    }
}
