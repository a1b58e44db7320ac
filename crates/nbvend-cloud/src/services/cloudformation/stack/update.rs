//! `UpdateStack`.

use serde::{Deserialize, Serialize};

use super::super::announce::{self, USER_INITIATED};
use super::super::diff;
use super::super::draft::{Ask, Draft, draft};
use super::super::error::Error;
use super::super::state::{OperationKind, Stack, StackStatus, Version};
use super::super::{STACKS, find};
use super::create::{request_keys, run};
use super::{Parameter, Prepared, Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Need, Operation};

/// Accepts a change of a stack.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateStack {
    pub stack_name: String,
    pub template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    pub template_url: Option<String>,
    pub parameters: Vec<Parameter>,
    pub capabilities: Vec<String>,
    /// For callers inside the engine; empty keeps the stack's tags.
    #[serde(rename = "Tags", skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// From outside: no list keeps the stack's tags, an empty one takes them away.
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    pub given_tags: Option<Vec<Tag>>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub client_request_token: Option<String>,
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Vec<String>,
    pub use_previous_template: Option<bool>,
    pub disable_rollback: Option<bool>,
    #[serde(skip)]
    pub prepared: Prepared,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStackOutput {
    pub stack_id: String,
}

impl UpdateStack {
    fn draft(&self, cx: &mut Cx<'_>, stack: &Stack) -> Result<Box<Draft>, Error> {
        let ask = Ask {
            stack_name: &stack.name,
            body: self.template_body.as_deref(),
            url: self.template_url.as_deref(),
            use_previous: self.use_previous_template == Some(true),
            parameters: &self.parameters,
            previous: Some(stack),
        };
        Ok(Box::new(draft(cx, &ask)?))
    }

    /// The tags the caller wants; `None` keeps those of the stack.
    fn wanted_tags(&self) -> Option<&[Tag]> {
        if self.tags.is_empty() { self.given_tags.as_deref() } else { Some(&self.tags) }
    }
}

impl Operation for UpdateStack {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "UpdateStack";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["TemplateBody", "ParameterValue"];
    const PREPARES: bool = true;
    type Output = UpdateStackOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        let tags = self.wanted_tags().unwrap_or_default();
        request_keys(keys, tags, self.template_url.as_deref(), self.role_arn.as_deref());
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let stack = find::existing(cx, &self.stack_name)?;
        self.prepared = Prepared(Some(self.draft(cx, &stack)?));
        Ok(())
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        self.role_arn.iter().map(|role| Need::pass_role(role, super::super::PRINCIPAL)).collect()
    }

    fn run(mut self, cx: &mut Cx<'_>) -> Result<UpdateStackOutput, Error> {
        let found = find::existing(cx, &self.stack_name)?;
        let token = self.client_request_token.as_ref();
        let last = found.operation.as_ref();
        if token.is_some()
            && last.is_some_and(|o| o.kind == OperationKind::Update && o.token.as_ref() == token)
        {
            return Ok(UpdateStackOutput { stack_id: found.arn });
        }
        let mut stack = find::updatable(cx, &self.stack_name)?;
        topics(&self.notification_arns)?;
        let draft = match self.prepared.0.take() {
            // Another update came between.
            Some(draft) if draft.based_on == stack.current.clone().or_else(|| stack.target.clone()) => draft,
            _ => self.draft(cx, &stack)?,
        };
        draft.require_capabilities(&self.capabilities, false)?;
        let tags = match self.wanted_tags() {
            Some(tags) => super::tags(cx, tags)?,
            None => stack.face.tags.clone(),
        };
        let face = draft.face(tags, self.capabilities, Vec::new());
        let version = draft.version(&stack.uuid, cx.ids().uuid(), face);
        if !stack.status.unfinished_business() && diff::nothing_changes(cx, &stack, &version)? {
            return Err(Error::validation("No updates are to be performed."));
        }
        cx.put(&version)?;
        if let Some(role) = self.role_arn {
            stack.role_arn = Some(role);
        }
        let keep = self.disable_rollback.unwrap_or(false);
        begin_update(cx, &mut stack, &version, self.client_request_token, keep)?;
        Ok(UpdateStackOutput { stack_id: stack.arn })
    }
}

/// Sets a stack going to another version, and stores it.
pub fn begin_update(
    cx: &Cx<'_>,
    stack: &mut Stack,
    version: &Version,
    token: Option<String>,
    keep_on_failure: bool,
) -> Result<(), Error> {
    // What an update that failed and was kept left behind is no version anybody goes back to.
    if let Some(old) = stack.target.take()
        && stack.current.as_ref() != Some(&old)
    {
        cx.delete::<Version>(&Version::key_of(&stack.uuid, &old))?;
    }
    stack.target = Some(version.id.clone());
    stack.face = version.face.clone();
    stack.updated = Some(cx.now());
    let mut operation = run(cx, OperationKind::Update, token);
    operation.keep_on_failure = keep_on_failure;
    stack.operation = Some(operation);
    announce::stack(cx, stack, StackStatus::UpdateInProgress, Some(USER_INITIATED))?;
    cx.put(stack)?;
    cx.wake(STACKS);
    Ok(())
}

/// Nobody would be told: there is no SNS here.
pub fn topics(arns: &[String]) -> Result<(), Error> {
    if arns.iter().all(String::is_empty) {
        return Ok(());
    }
    Err(Error::validation("NotificationARNs is not supported by nbvend: it has no SNS topics"))
}
