//! `CreateChangeSet`.

use nbvend_template::diff::{Change, Replacement};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::announce::{self, USER_INITIATED};
use super::super::draft::{Ask, Draft, draft};
use super::super::error::Error;
use super::super::stack::{self, New, Parameter, Prepared, Tag, enlist, new_stack, request_keys, topics};
use super::super::state::{ChangeSet, Face, Resource, Stack, StackStatus, Version};
use super::super::{diff, find};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Need, Operation};

const NO_CHANGE: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";

/// Works out what a template would change. With `ChangeSetType` CREATE the stack comes to be, in review.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateChangeSet {
    pub stack_name: String,
    pub change_set_name: String,
    pub change_set_type: Option<String>,
    pub template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    pub template_url: Option<String>,
    pub use_previous_template: Option<bool>,
    pub parameters: Vec<Parameter>,
    pub capabilities: Vec<String>,
    /// No list keeps the stack's tags.
    pub tags: Option<Vec<Tag>>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Vec<String>,
    pub client_token: Option<String>,
    pub description: Option<String>,
    pub on_stack_failure: Option<String>,
    /// There are none to be included: accepted, nothing follows.
    pub include_nested_stacks: Option<bool>,
    #[serde(skip)]
    pub prepared: Prepared,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateChangeSetOutput {
    pub id: String,
    pub stack_id: String,
}

impl CreateChangeSet {
    fn creates(&self) -> bool {
        self.change_set_type.as_deref() == Some("CREATE")
    }

    /// The stack it is about; `None` where it is to come to be.
    fn stack(&self, cx: &Cx<'_>) -> Result<Option<Stack>, Error> {
        let found = find::stack(cx, &self.stack_name)?;
        let Some(found) = found else {
            find::check_name(&self.stack_name)?;
            return if self.creates() && !self.stack_name.starts_with("arn:") {
                Ok(None)
            } else {
                Err(Error::no_stack(&self.stack_name))
            };
        };
        match (self.creates(), found.status) {
            (true, StackStatus::ReviewInProgress) => Ok(Some(found)),
            (true, _) => Err(Error::Validation(format!(
                "Stack [{}] already exists and cannot be created again with the changeSet [{}].",
                self.stack_name, self.change_set_name
            ))),
            (false, status) if status.updatable() => Ok(Some(found)),
            (false, status) => Err(Error::Validation(format!(
                "Stack:{} is in {status} state and can not be updated.",
                found.arn
            ))),
        }
    }

    fn draft(&self, cx: &mut Cx<'_>, stack: Option<&Stack>) -> Result<Box<Draft>, Error> {
        let ask = Ask {
            stack_name: stack.map_or(&self.stack_name, |stack| &stack.name),
            body: self.template_body.as_deref(),
            url: self.template_url.as_deref(),
            use_previous: self.use_previous_template == Some(true),
            parameters: &self.parameters,
            previous: stack,
        };
        let draft = draft(cx, &ask)?;
        draft.require_capabilities(&self.capabilities, true)?;
        Ok(Box::new(draft))
    }
}

impl Operation for CreateChangeSet {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "CreateChangeSet";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["TemplateBody", "ParameterValue"];
    const PREPARES: bool = true;
    type Output = CreateChangeSetOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        let tags = self.tags.as_deref().unwrap_or_default();
        request_keys(keys, tags, self.template_url.as_deref(), self.role_arn.as_deref());
        keys.insert("cloudformation:ChangeSetName".to_owned(), vec![self.change_set_name.clone()]);
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let stack = self.stack(cx)?;
        match self.draft(cx, stack.as_ref()) {
            Ok(draft) => self.prepared = Prepared(Some(draft)),
            // The change set is made, and failed.
            Err(Error::Transform(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        self.role_arn.iter().map(|role| Need::pass_role(role, super::super::PRINCIPAL)).collect()
    }

    fn run(mut self, cx: &mut Cx<'_>) -> Result<CreateChangeSetOutput, Error> {
        let found = self.stack(cx)?;
        topics(&self.notification_arns)?;
        if let Some(stack) = &found
            && let Some(same) = cx.get::<ChangeSet>(&format!("{}/{}", stack.uuid, self.change_set_name))?
        {
            if same.token.is_some() && same.token == self.client_token {
                return Ok(CreateChangeSetOutput { id: same.arn, stack_id: stack.arn.clone() });
            }
            return Err(Error::ChangeSetExists(self.change_set_name));
        }
        let based_on = |stack: &Stack| stack.current.clone().or_else(|| stack.target.clone());
        let draft = match self.prepared.0.take() {
            // Else an update came between.
            Some(draft) if draft.based_on == found.as_ref().and_then(based_on) => Ok(draft),
            _ => self.draft(cx, found.as_ref()),
        };
        let tags = match (&self.tags, &found) {
            (Some(tags), _) => stack::tags(cx, tags)?,
            (None, Some(stack)) => stack.face.tags.clone(),
            (None, None) => Vec::new(),
        };
        let fresh = found.is_none();
        let mut stack = match found {
            Some(stack) => stack,
            None => new_stack(cx, self.new_stack(), Face { tags: tags.clone(), ..Face::default() }),
        };
        if fresh {
            enlist(cx, &stack)?;
            announce::stack(cx, &mut stack, StackStatus::ReviewInProgress, Some(USER_INITIATED))?;
            cx.put(&stack)?;
        }
        let mut set = self.blank(cx, &stack);
        match draft {
            Ok(draft) => {
                set.face = draft.face(tags, self.capabilities, Vec::new());
                let version = draft.version(&stack.uuid, cx.ids().uuid(), set.face.clone());
                set.version = Some(version.id.clone());
                fill(cx, &stack, &mut set, &version)?;
                cx.put(&version)?;
            }
            Err(Error::Transform(reason)) => fail(&mut set, reason),
            Err(error) => return Err(error),
        }
        cx.put(&set)?;
        Ok(CreateChangeSetOutput { id: set.arn, stack_id: stack.arn })
    }
}

impl CreateChangeSet {
    fn new_stack(&self) -> New {
        New {
            name: self.stack_name.clone(),
            role_arn: self.role_arn.clone(),
            on_failure: self.on_stack_failure.clone(),
            timeout_minutes: None,
            protected: false,
        }
    }

    fn blank(&self, cx: &Cx<'_>, stack: &Stack) -> ChangeSet {
        let uuid = cx.ids().uuid();
        ChangeSet {
            arn: cx.arn("cloudformation", &format!("changeSet/{}/{uuid}", self.change_set_name)),
            uuid,
            name: self.change_set_name.clone(),
            stack: stack.uuid.clone(),
            description: self.description.clone(),
            created: cx.now(),
            status: "CREATE_COMPLETE".to_owned(),
            reason: None,
            execution: "AVAILABLE".to_owned(),
            creates: self.creates(),
            version: None,
            based_on: stack.current.clone().or_else(|| stack.target.clone()),
            role_arn: self.role_arn.clone(),
            on_failure: self.on_stack_failure.clone(),
            token: self.client_token.clone(),
            face: Face::default(),
            changes: Vec::new(),
        }
    }
}

fn fail(set: &mut ChangeSet, reason: String) {
    "FAILED".clone_into(&mut set.status);
    "UNAVAILABLE".clone_into(&mut set.execution);
    set.reason = Some(reason);
}

/// Works out the changes.
fn fill(cx: &Cx<'_>, stack: &Stack, set: &mut ChangeSet, version: &Version) -> Result<(), Error> {
    let (changes, more) = diff::changes(cx, stack, version)?;
    if changes.is_empty() && !more && !stack.status.unfinished_business() {
        fail(set, NO_CHANGE.to_owned());
        return Ok(());
    }
    for change in changes {
        let row = cx.get::<Resource>(&format!("{}/{}", stack.uuid, change.logical_id))?;
        let physical = row.as_ref().and_then(|row| row.body.physical_id.as_ref());
        set.changes.push(view(&change, physical));
    }
    Ok(())
}

/// A change as DescribeChangeSet shows it.
fn view(change: &Change, physical_id: Option<&String>) -> Value {
    let details: Vec<Value> = change
        .details
        .iter()
        .map(|detail| {
            let mut target = Map::new();
            target.insert("Attribute".to_owned(), json!(detail.attribute.as_str()));
            if let Some(name) = &detail.name {
                target.insert("Name".to_owned(), json!(name));
            }
            target.insert("RequiresRecreation".to_owned(), json!(detail.requires_recreation.as_str()));
            json!({
                "Target": target,
                "Evaluation": detail.evaluation.as_str(),
                "ChangeSource": detail.source.as_str(),
                "CausingEntity": detail.causing_entity,
            })
        })
        .collect();
    let scope: Vec<&str> = change.scope.iter().map(|attribute| attribute.as_str()).collect();
    json!({
        "Type": "Resource",
        "ResourceChange": {
            "Action": change.action.as_str(),
            "LogicalResourceId": change.logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": change.resource_type,
            "Replacement": change.replacement.map(Replacement::as_str),
            "Scope": scope,
            "Details": details,
        },
    })
}
