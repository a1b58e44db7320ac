//! Resource policies of functions: `AddPermission`, `RemovePermission`, `GetPolicy`, and what they allow.
//!
//! A function, each of its versions and each of its aliases has a policy of its own; a call by qualifier is decided by
//! that qualifier's policy.

use nbvend_policy::Kind as PolicyKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Error;
use super::name::{Named, function_keys, resource, version_number};
use super::state::{Alias, Function, LATEST, ResourcePolicy, Version};
use crate::context::{ContextKeys, Cx};
use crate::error::EngineError;
use crate::operation::{Kind, Operation};

const LONGEST: usize = 20_480;

fn document(policy: &ResourcePolicy) -> String {
    json!({"Version": "2012-10-17", "Id": "default", "Statement": policy.statements}).to_string()
}

/// The key of a qualifier's policy.
fn policy_key(qualifier: Option<&str>) -> &str {
    qualifier.filter(|qualifier| *qualifier != LATEST).unwrap_or_default()
}

/// The resource policy that decides on calls of what is named, as JSON text; none if it has none.
pub fn policy_of(function: &Function, qualifier: Option<&str>) -> Option<String> {
    function.policies.get(policy_key(qualifier)).map(document)
}

/// The policy that stands on a function, or on the version or alias the ARN ends with.
pub fn of_resource(cx: &Cx<'_>, arn: &str) -> Result<Option<String>, EngineError> {
    let Some((_, named)) = arn.split_once(":function:") else { return Ok(None) };
    let (name, qualifier) = named.split_once(':').map_or((named, None), |(name, rest)| (name, Some(rest)));
    Ok(cx.get::<Function>(name)?.and_then(|function| policy_of(&function, qualifier)))
}

/// Whether what is named exists, for a policy to be put on it.
fn exists(cx: &Cx<'_>, named: &Named) -> Result<Function, Error> {
    let function = named.function(cx)?;
    match named.qualifier.as_deref() {
        None => {}
        Some(LATEST) => {
            return Err(Error::parameter("We currently do not support adding policies for $LATEST."));
        }
        Some(qualifier) => match version_number(qualifier) {
            Some(number) => {
                let version = cx.get::<Version>(&Version::key_of(&named.name, number))?;
                version.ok_or_else(|| Error::NoFunction(named.arn(cx)))?;
            }
            // Recorded from AWS: what cannot be an alias is looked for as a function.
            None if qualifier.contains('$') => return Err(Error::NoFunction(named.arn(cx))),
            None => {
                let alias = cx.get::<Alias>(&Alias::key_of(&named.name, qualifier))?;
                alias.ok_or_else(|| Error::NoAlias(named.arn(cx)))?;
            }
        },
    }
    Ok(function)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct AddPermission {
    pub function_name: String,
    pub statement_id: String,
    pub action: String,
    pub principal: String,
    pub source_arn: Option<String>,
    pub source_account: Option<String>,
    pub event_source_token: Option<String>,
    pub qualifier: Option<String>,
    pub revision_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AddPermissionOutput {
    /// JSON text.
    pub statement: String,
}

impl AddPermission {
    /// `*`, an account, an ARN or a service. A service written with this engine's own suffix means AWS's.
    fn principal(&self, cx: &Cx<'_>) -> Option<Value> {
        let given = self.principal.as_str();
        if given == "*" {
            return Some(json!("*"));
        }
        if given.len() == 12 && given.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(json!({"AWS": format!("arn:aws:iam::{given}:root")}));
        }
        if given.starts_with("arn:") {
            return Some(json!({"AWS": given}));
        }
        let own = given.strip_suffix(cx.config().url_suffix.as_str());
        let service = own.map_or_else(|| given.to_owned(), |service| format!("{service}amazonaws.com"));
        let name = service.strip_suffix(".amazonaws.com").or_else(|| service.strip_suffix(".amazon.com"))?;
        (!name.is_empty()).then(|| json!({"Service": service}))
    }

    fn statement(&self, cx: &Cx<'_>, named: &Named) -> Result<Value, Error> {
        let invalid = || {
            Error::parameter("The provided principal was invalid. Please check the principal and try again.")
        };
        let mut statement = json!({
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": self.principal(cx).ok_or_else(invalid)?,
            "Action": self.action,
            "Resource": named.arn(cx),
        });
        let mut equals = serde_json::Map::new();
        if let Some(account) = &self.source_account {
            equals.insert("AWS:SourceAccount".to_owned(), json!(account));
        }
        if let Some(token) = &self.event_source_token {
            equals.insert("lambda:EventSourceToken".to_owned(), json!(token));
        }
        let mut condition = serde_json::Map::new();
        if !equals.is_empty() {
            condition.insert("StringEquals".to_owned(), Value::Object(equals));
        }
        if let Some(source) = &self.source_arn {
            condition.insert("ArnLike".to_owned(), json!({"AWS:SourceArn": source}));
        }
        if !condition.is_empty() {
            statement["Condition"] = Value::Object(condition);
        }
        let alone = ResourcePolicy { statements: vec![statement.clone()], ..Default::default() };
        match nbvend_policy::validate(&document(&alone), PolicyKind::Resource) {
            Ok(_) => Ok(statement),
            Err(_) => Err(invalid()),
        }
    }
}

impl Operation for AddPermission {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "AddPermission";
    const KIND: Kind = Kind::Write;
    type Output = AddPermissionOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("lambda:Principal".to_owned(), vec![self.principal.clone()]);
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<AddPermissionOutput, Error> {
        let named = Named::read(cx, &self.function_name, self.qualifier.as_deref())?;
        let mut function = exists(cx, &named)?;
        let statement = self.statement(cx, &named)?;
        let policy = function.policies.entry(policy_key(named.qualifier.as_deref()).to_owned()).or_default();
        if self.revision_id.is_some_and(|revision| revision != policy.revision) {
            return Err(Error::Revision("GetPolicy"));
        }
        if policy.statements.iter().any(|old| old["Sid"] == statement["Sid"]) {
            return Err(Error::StatementExists(self.statement_id));
        }
        let text = statement.to_string();
        policy.statements.push(statement);
        policy.revision = cx.ids().uuid();
        let size = document(policy).len();
        if size > LONGEST {
            return Err(Error::PolicyTooLong(size));
        }
        cx.put(&function)?;
        Ok(AddPermissionOutput { statement: text })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct RemovePermission {
    pub function_name: String,
    pub statement_id: String,
    pub qualifier: Option<String>,
    pub revision_id: Option<String>,
}

impl Operation for RemovePermission {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "RemovePermission";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let named = Named::read(cx, &self.function_name, self.qualifier.as_deref())?;
        // Recorded from AWS: a function that does not exist has no policy.
        let function = cx.get::<Function>(&named.name)?;
        let mut function = function.ok_or_else(|| Error::NoPolicyFor(named.arn(cx)))?;
        let key = policy_key(named.qualifier.as_deref()).to_owned();
        let policy = function.policies.get_mut(&key).ok_or(Error::NoPolicy)?;
        if self.revision_id.is_some_and(|revision| revision != policy.revision) {
            return Err(Error::Revision("GetPolicy"));
        }
        let before = policy.statements.len();
        policy.statements.retain(|statement| statement["Sid"] != self.statement_id.as_str());
        if policy.statements.len() == before {
            return Err(Error::NoStatement(self.statement_id));
        }
        policy.revision = cx.ids().uuid();
        if policy.statements.is_empty() {
            function.policies.remove(&key);
        }
        Ok(cx.put(&function)?)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetPolicy {
    pub function_name: String,
    pub qualifier: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetPolicyOutput {
    /// JSON text.
    pub policy: String,
    pub revision_id: String,
}

impl Operation for GetPolicy {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "GetPolicy";
    const KIND: Kind = Kind::Read;
    type Output = GetPolicyOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetPolicyOutput, Error> {
        let named = Named::read(cx, &self.function_name, self.qualifier.as_deref())?;
        let function = named.function(cx)?;
        let policy = function.policies.get(policy_key(named.qualifier.as_deref()));
        let policy = policy.ok_or(Error::NoPolicy)?;
        Ok(GetPolicyOutput { policy: document(policy), revision_id: policy.revision.clone() })
    }
}
