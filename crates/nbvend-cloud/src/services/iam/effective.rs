//! All policies that apply to a caller, compiled once.
//!
//! What was compiled holds as long as the account's stamp is the same: every change of who may do what writes a
//! fresh stamp in the same commit, so that a transaction never sees an old policy with a new record or the other way
//! round. Session policies never change and are kept by the session's access key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use nbvend_policy::{Decision, Kind, Policies, Policy, Request, evaluate};

use super::entity::{Entity, account};
use super::error::Error;
use super::policy;
use super::state::{Grants, Group, Role, User, key};
use crate::context::Cx;
use crate::error::{EngineError, ServiceError};
use crate::identity::{AccessKey, Principal};
use crate::services;

/// A compiled policy with the name it is reported under.
type Named = (String, Policy);

/// Principals and sessions kept compiled; emptied when full.
const KEPT: usize = 4096;

/// What a user or role may do, and its tags.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub identity: Vec<Named>,
    pub boundary: Option<Named>,
    pub tags: Vec<(String, String)>,
}

/// What limits one session, and its tags.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub policies: Vec<Named>,
    pub tags: Vec<(String, String)>,
}

/// Everything that applies to one caller.
#[derive(Debug, Clone, Default)]
pub(crate) struct Effective {
    pub held: Arc<Held>,
    pub session: Arc<Carried>,
}

#[derive(Default)]
struct Cache {
    /// By unique id, with the stamp it was compiled under.
    held: Mutex<HashMap<String, (String, Arc<Held>)>>,
    /// By access key.
    sessions: Mutex<HashMap<String, Arc<Carried>>>,
    /// Policies of resources, by their text.
    resources: Mutex<HashMap<String, Policy>>,
}

impl Effective {
    /// The policies of the caller of `cx`, as this transaction sees them. Root, services and nobody have none.
    pub(crate) fn of_caller(cx: &Cx<'_>) -> Result<Self, EngineError> {
        // A federated user has what the user behind it has, within its session's policies.
        let holder = match &cx.caller.principal {
            Principal::FederatedUser { issuer, .. } => issuer,
            own => own,
        };
        let held = match holder {
            Principal::User { name, id, .. } => held(cx, id, || user(cx, name, id))?,
            Principal::AssumedRole { role: name, role_id, .. } => {
                held(cx, role_id, || role(cx, name, role_id))?
            }
            Principal::Root
            | Principal::FederatedUser { .. }
            | Principal::Service { .. }
            | Principal::Anonymous => Arc::default(),
        };
        Ok(Self { held, session: session(cx)? })
    }

    /// The same for somebody who is not calling.
    pub(crate) fn of(held: Held) -> Self {
        Self { held: Arc::new(held), session: Arc::default() }
    }

    /// Decides a request of this caller; `resource` is the policy of what is asked for, if it has one.
    pub(crate) fn decide(&self, request: &Request<'_>, resource: Option<(&str, &Policy)>) -> Decision {
        let identity = refer(&self.held.identity);
        let session = refer(&self.session.policies);
        let boundary = self.held.boundary.as_ref().map(|(name, policy)| (name.as_str(), policy));
        evaluate(request, &Policies { identity: &identity, boundary, session: &session, resource })
    }

    /// `aws:PrincipalTag/…`: a session's own tags win over its role's.
    pub(crate) fn principal_tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.session.tags.iter();
        let rest = self.held.tags.iter().filter(|(key, _)| {
            !self.session.tags.iter().any(|(session, _)| session.eq_ignore_ascii_case(key))
        });
        own.chain(rest).map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

fn refer(named: &[Named]) -> Vec<(&str, &Policy)> {
    named.iter().map(|(name, policy)| (name.as_str(), policy)).collect()
}

fn held(
    cx: &Cx<'_>,
    id: &str,
    compile: impl FnOnce() -> Result<Held, EngineError>,
) -> Result<Arc<Held>, EngineError> {
    let stamp = account(cx)?.stamp;
    let cache = cx.engine.cache::<Cache>();
    let kept = cache.held.lock().expect("nobody panics while holding the policies").get(id).cloned();
    if let Some((under, held)) = kept
        && under == stamp
    {
        return Ok(held);
    }
    let fresh = Arc::new(compile()?);
    let mut kept = cache.held.lock().expect("nobody panics while holding the policies");
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(id.to_owned(), (stamp, Arc::clone(&fresh)));
    Ok(fresh)
}

/// A user's policies and its groups'. Somebody who was deleted holds nothing, even if another has the name now.
fn user(cx: &Cx<'_>, name: &str, id: &str) -> Result<Held, EngineError> {
    let Some(user) = cx.get_global::<User>(&key(name))?.filter(|user| user.id == id) else {
        return Ok(Held::default());
    };
    of_user(cx, &user)
}

pub(crate) fn of_user(cx: &Cx<'_>, user: &User) -> Result<Held, EngineError> {
    let mut identity = Vec::new();
    add::<User>(cx, &user.name, &user.grants, &mut identity)?;
    for group in &user.groups {
        if let Some(group) = cx.get_global::<Group>(group)? {
            add::<Group>(cx, &group.name, &group.grants, &mut identity)?;
        }
    }
    Ok(Held {
        identity,
        boundary: boundary(cx, user.boundary.as_ref())?,
        tags: user.tags.clone().into_iter().collect(),
    })
}

fn role(cx: &Cx<'_>, name: &str, id: &str) -> Result<Held, EngineError> {
    let Some(role) = cx.get_global::<Role>(&key(name))?.filter(|role| role.id == id) else {
        return Ok(Held::default());
    };
    of_role(cx, &role)
}

pub(crate) fn of_role(cx: &Cx<'_>, role: &Role) -> Result<Held, EngineError> {
    let mut identity = Vec::new();
    add::<Role>(cx, &role.name, &role.grants, &mut identity)?;
    Ok(Held {
        identity,
        boundary: boundary(cx, role.boundary.as_ref())?,
        tags: role.tags.clone().into_iter().collect(),
    })
}

pub(crate) fn of_group(cx: &Cx<'_>, group: &Group) -> Result<Held, EngineError> {
    let mut identity = Vec::new();
    add::<Group>(cx, &group.name, &group.grants, &mut identity)?;
    Ok(Held { identity, ..Held::default() })
}

/// The compiled policies of one entity: inline ones are reported as `role_NAME_POLICY`, managed ones by their ARN.
fn add<E: Entity>(
    cx: &Cx<'_>,
    name: &str,
    grants: &Grants,
    identity: &mut Vec<Named>,
) -> Result<(), EngineError> {
    for (policy, document) in &grants.inline {
        identity.push((format!("{}_{name}_{policy}", E::WORD), compile(document, Kind::Identity)?));
    }
    for arn in &grants.attached {
        // What is attached cannot be deleted.
        if let Some(found) = find(cx, arn)? {
            identity.push((arn.clone(), compile(found.document(), Kind::Managed)?));
        }
    }
    Ok(())
}

fn boundary(cx: &Cx<'_>, arn: Option<&String>) -> Result<Option<Named>, EngineError> {
    let Some(arn) = arn else { return Ok(None) };
    let found = find(cx, arn)?.ok_or_else(|| Error::NoBoundary(arn.clone()).to_wire())?;
    Ok(Some((arn.clone(), compile(found.document(), Kind::Boundary)?)))
}

fn session(cx: &Cx<'_>) -> Result<Arc<Carried>, EngineError> {
    let Some(id) = cx.caller.access_key_id.as_ref().filter(|_| cx.caller.session_issued.is_some()) else {
        return Ok(Arc::default());
    };
    let cache = cx.engine.cache::<Cache>();
    if let Some(kept) = cache.sessions.lock().expect("nobody panics while holding the sessions").get(id) {
        return Ok(Arc::clone(kept));
    }
    let Some(session) = AccessKey::get(cx.tx, id)?.and_then(|key| key.session) else {
        return Ok(Arc::default());
    };
    let policies =
        session.policies.iter().map(|text| Ok(("session".to_owned(), compile(text, Kind::Session)?)));
    let carried =
        Arc::new(Carried { policies: policies.collect::<Result<_, EngineError>>()?, tags: session.tags });
    // A session begun in this very transaction may yet be undone; its key is random and never comes again.
    let mut kept = cache.sessions.lock().expect("nobody panics while holding the sessions");
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(id.clone(), Arc::clone(&carried));
    Ok(carried)
}

/// The policy that stands on a resource of a service, compiled.
pub(crate) fn resource_policy(cx: &Cx<'_>, service: &str, arn: &str) -> Result<Option<Policy>, EngineError> {
    let Some(of_resource) = services::find(service).and_then(|service| service.resource_policy) else {
        return Ok(None);
    };
    let Some(text) = of_resource(cx, arn)? else { return Ok(None) };
    let cache = cx.engine.cache::<Cache>();
    let known = cache.resources.lock().expect("nobody panics while holding the policies").get(&text).cloned();
    if known.is_some() {
        return Ok(known);
    }
    let suffix = Some(cx.config().url_suffix.as_str());
    let policy = Policy::parse_in(&text, Kind::Resource, suffix)
        .map_err(|fault| EngineError::from(Error::Malformed(fault.message).to_wire()))?;
    let mut kept = cache.resources.lock().expect("nobody panics while holding the policies");
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(text, policy.clone());
    Ok(Some(policy))
}

fn find(cx: &Cx<'_>, arn: &str) -> Result<Option<policy::Found>, EngineError> {
    policy::find(cx, arn).map_err(|error| match error {
        Error::Engine(error) => error,
        other => other.to_wire().into(),
    })
}

/// Stored policies were checked when they came in; one that does not compile now lets nobody through.
fn compile(document: &str, kind: Kind) -> Result<Policy, EngineError> {
    Policy::parse(document, kind).map_err(|fault| Error::Malformed(fault.message).to_wire().into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::identity::Caller;
    use crate::services::iam::subject::{global_context, subject};
    use crate::testing::World;

    async fn ask(world: &World, operation: &str, input: Value) -> Value {
        world.wire("iam", operation, input).await.unwrap()
    }

    async fn user(world: &World, name: &str) -> Caller {
        let made = ask(world, "CreateUser", json!({"UserName": name})).await;
        let id = made["User"]["UserId"].as_str().unwrap().to_owned();
        let principal = Principal::User { name: name.to_owned(), id, path: "/".to_owned() };
        Caller { principal, access_key_id: None, ..world.root() }
    }

    fn may(world: &World, caller: &Caller, action: &str) -> bool {
        let decided = world.engine.view(caller.clone(), |cx| {
            let effective = Effective::of_caller(cx).unwrap();
            let principal = subject(&cx.caller.principal, cx.account());
            let context = global_context(cx);
            let request = Request {
                principal: &principal,
                action,
                resource: "*",
                resource_account: None,
                context: &context,
            };
            Ok(effective.decide(&request, None).is_allowed())
        });
        decided.unwrap()
    }

    fn allow(action: &str) -> String {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})
            .to_string()
    }

    #[tokio::test]
    async fn every_change_is_seen_at_once() {
        let world = World::new();
        let alice = user(&world, "alice").await;
        assert!(!may(&world, &alice, "s3:GetObject"));
        ask(
            &world,
            "PutUserPolicy",
            json!({"UserName": "alice", "PolicyName": "p", "PolicyDocument": allow("s3:*")}),
        )
        .await;
        assert!(may(&world, &alice, "s3:GetObject"));

        let policy = json!({"PolicyName": "sqs", "PolicyDocument": allow("sqs:*")});
        let arn = ask(&world, "CreatePolicy", policy).await["Policy"]["Arn"].clone();
        ask(&world, "CreateGroup", json!({"GroupName": "g"})).await;
        ask(&world, "AttachGroupPolicy", json!({"GroupName": "g", "PolicyArn": arn})).await;
        assert!(!may(&world, &alice, "sqs:SendMessage"));
        ask(&world, "AddUserToGroup", json!({"GroupName": "g", "UserName": "alice"})).await;
        assert!(may(&world, &alice, "sqs:SendMessage"));
        let version = json!({"PolicyArn": arn, "PolicyDocument": allow("sns:*"), "SetAsDefault": true});
        ask(&world, "CreatePolicyVersion", version).await;
        assert!(!may(&world, &alice, "sqs:SendMessage") && may(&world, &alice, "sns:Publish"));

        ask(&world, "PutUserPermissionsBoundary", json!({"UserName": "alice", "PermissionsBoundary": arn}))
            .await;
        assert!(!may(&world, &alice, "s3:GetObject") && may(&world, &alice, "sns:Publish"));
        ask(&world, "DeleteUserPermissionsBoundary", json!({"UserName": "alice"})).await;
        assert!(may(&world, &alice, "s3:GetObject"));

        ask(&world, "DeleteUserPolicy", json!({"UserName": "alice", "PolicyName": "p"})).await;
        ask(&world, "RemoveUserFromGroup", json!({"GroupName": "g", "UserName": "alice"})).await;
        ask(&world, "DeleteUser", json!({"UserName": "alice"})).await;
        let other = user(&world, "alice").await;
        ask(
            &world,
            "PutUserPolicy",
            json!({"UserName": "alice", "PolicyName": "p", "PolicyDocument": allow("*")}),
        )
        .await;
        assert!(may(&world, &other, "s3:GetObject"));
        assert!(!may(&world, &alice, "s3:GetObject"), "the former alice is not the new one");
    }

    #[tokio::test]
    async fn what_was_rolled_back_leaves_no_trace() {
        let world = World::new();
        let alice = user(&world, "alice").await;
        let caller = alice.clone();
        let undone: Result<(), _> = world
            .engine
            .transact(world.root(), move |cx| {
                let put = crate::services::iam::inline::PutUserPolicy {
                    user_name: "alice".to_owned(),
                    policy_name: "p".to_owned(),
                    policy_document: allow("*"),
                };
                cx.call(put)?;
                let mut inner = Cx::new(cx.engine, cx.tx, caller);
                assert_eq!(Effective::of_caller(&inner).unwrap().held.identity.len(), 1);
                inner.caller = cx.caller.clone();
                Err(nbvend_wire::WireError::new("Undo", 400, "undo").into())
            })
            .await;
        assert!(undone.is_err());
        assert!(!may(&world, &alice, "s3:GetObject"));
        ask(&world, "CreateGroup", json!({"GroupName": "g"})).await;
        assert!(!may(&world, &alice, "s3:GetObject"));
    }
}
