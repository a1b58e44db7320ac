//! The decision: IAM's policy evaluation logic within one account and across two.
//!
//! 1. An explicit deny in any policy that applies wins.
//! 2. Within one account a resource policy that names the principal itself (or everyone) is enough; one that names
//!    the role of a session, or the user behind a federated one, is still limited by boundary and session policies;
//!    one that names the account hands over to the identity policies.
//! 3. Otherwise the identity policies must allow, and with them the boundary and the session policies, if any.
//! 4. Across accounts both sides must allow.
//! 5. A role's trust policy and a KMS key's policy must always allow, if only by naming the account.

use crate::context::Scope;
use crate::decision::{Decision, Effect, Layer, MatchedStatement, Reason};
use crate::principal::Grant;
use crate::statement::{Statement, StatementEffect};
use crate::{Context, Kind, Policy, Principal};

/// One call to be decided. An operation that touches several resources is several requests.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub principal: &'a Principal,
    /// `service:Operation`, in any letter case.
    pub action: &'a str,
    /// An ARN, or `*` where the operation names no resource.
    pub resource: &'a str,
    /// The account that owns the resource; `None` is the principal's own.
    pub resource_account: Option<&'a str>,
    pub context: &'a Context,
}

/// The policies that apply, each with the name it is to be reported under.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// Of the user and its groups, of the role, or of the user behind a federated session.
    pub identity: &'a [(&'a str, &'a Policy)],
    pub boundary: Option<(&'a str, &'a Policy)>,
    /// Passed when the session was made; empty if none were.
    pub session: &'a [(&'a str, &'a Policy)],
    /// The resource's, or the trust policy of the role to be assumed (told apart by [`Policy::kind`]).
    pub resource: Option<(&'a str, &'a Policy)>,
}

/// Decides.
pub fn evaluate(request: &Request<'_>, policies: &Policies<'_>) -> Decision {
    let mut walk = Walk {
        request,
        action: request.action.to_lowercase(),
        scope: Scope::new(request.context),
        bounded: policies.boundary.is_some(),
        matched: Vec::new(),
    };
    let identity = walk.layer(Layer::Identity, policies.identity);
    let boundary = policies.boundary.map(|boundary| walk.layer(Layer::Boundary, &[boundary]));
    let session = (!policies.session.is_empty()).then(|| walk.layer(Layer::Session, policies.session));
    let resource = match policies.resource {
        Some(resource) => walk.layer(resource_layer(policies), &[resource]),
        None => Found::default(),
    };
    let Walk { scope, matched, .. } = walk;
    let missing_context_keys = scope.missing;

    if let Some(deny) = matched.iter().find(|statement| statement.effect == StatementEffect::Deny).cloned() {
        let matched =
            matched.into_iter().filter(|statement| statement.effect == StatementEffect::Deny).collect();
        return Decision {
            effect: Effect::ExplicitDeny,
            because: Reason::Statement(deny),
            matched,
            missing_context_keys,
            near_misses: Vec::new(),
        };
    }
    let sides = Sides {
        identity,
        boundary,
        session,
        resource,
        resource_must_allow: resource_must_allow(request, policies),
        no_resource_allow: match resource_layer(policies) {
            Layer::Trust => Reason::NoTrustAllow,
            _ => Reason::NoResourceAllow,
        },
    };
    let (effect, because) = match sides.decide(request) {
        Ok(Some(index)) => (Effect::Allowed, Reason::Statement(matched[index].clone())),
        Ok(None) => (Effect::Allowed, Reason::AccountRoot),
        Err(reason) => (Effect::ImplicitDeny, reason),
    };
    let near_misses = crate::explain::near_misses(request, policies, &because);
    Decision { effect, because, matched, missing_context_keys, near_misses }
}

fn resource_layer(policies: &Policies<'_>) -> Layer {
    match policies.resource {
        Some((_, policy)) if policy.kind() == Kind::Trust => Layer::Trust,
        _ => Layer::Resource,
    }
}

/// The guide names two kinds of resource policy that must allow even within one account: trust policies and the
/// policies of KMS keys.
fn resource_must_allow(request: &Request<'_>, policies: &Policies<'_>) -> bool {
    let is_key = || {
        let mut parts = request.resource.splitn(6, ':');
        parts.nth(2) == Some("kms") && parts.nth(2).is_some_and(|tail| tail.starts_with("key/"))
    };
    resource_layer(policies) == Layer::Trust || is_key()
}

/// What a layer says when nothing denies.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    /// The first allowing statement, by its place among the matched ones; in a resource policy the first of those
    /// that name the principal most closely.
    allow: Option<usize>,
    grant: Option<Grant>,
}

struct Walk<'a> {
    request: &'a Request<'a>,
    action: String,
    scope: Scope<'a>,
    bounded: bool,
    matched: Vec<MatchedStatement>,
}

impl Walk<'_> {
    fn layer(&mut self, layer: Layer, policies: &[(&str, &Policy)]) -> Found {
        let mut found = Found::default();
        for (name, policy) in policies {
            for (index, statement) in policy.statements().iter().enumerate() {
                let Some(grant) = self.applies(statement) else { continue };
                if statement.effect == StatementEffect::Allow && found.grant < Some(grant) {
                    found = Found { allow: Some(self.matched.len()), grant: Some(grant) };
                }
                self.matched.push(MatchedStatement {
                    layer,
                    policy: (*name).to_owned(),
                    index,
                    sid: statement.sid.as_deref().map(str::to_owned),
                    effect: statement.effect,
                    start: statement.start,
                    end: statement.end,
                });
            }
        }
        found
    }

    fn applies(&mut self, statement: &Statement) -> Option<Grant> {
        if !statement.covers_action(&self.action) {
            return None;
        }
        let grant = grant_of(statement, self.request.principal, self.bounded)?;
        let applies = statement.covers_resource(self.request.resource, &mut self.scope)
            && statement.conditions_hold(&mut self.scope);
        applies.then_some(grant)
    }
}

/// How closely the statement names the principal; a statement of an identity policy means it without naming it.
pub(crate) fn grant_of(statement: &Statement, principal: &Principal, bounded: bool) -> Option<Grant> {
    match &statement.principal {
        None => Some(Grant::Direct),
        // The guide warns of this on its page about boundaries: for a principal that has one, a Deny with
        // NotPrincipal always strikes, whomever it lists.
        Some(rule) if rule.negated && bounded && statement.effect == StatementEffect::Deny => {
            Some(Grant::Direct)
        }
        Some(rule) => rule.grants(principal),
    }
}

struct Sides {
    identity: Found,
    boundary: Option<Found>,
    session: Option<Found>,
    resource: Found,
    resource_must_allow: bool,
    no_resource_allow: Reason,
}

impl Sides {
    /// The index of the statement that allowed, `None` where none was needed, or the layer that lacked an allow.
    fn decide(self, request: &Request<'_>) -> Result<Option<usize>, Reason> {
        let Some(account) = request.principal.account() else {
            // Services and nobody have no identity policies.
            return self.resource.allow.map(Some).ok_or(self.no_resource_allow);
        };
        if request.resource_account.is_some_and(|owner| owner != account) {
            let allowed = self.identity_side(request.principal)?;
            return self.resource.allow.map(|_| allowed).ok_or(self.no_resource_allow);
        }
        match self.resource.grant {
            Some(Grant::Direct) => Ok(self.resource.allow),
            Some(Grant::Limited) => self.within_limits(request.principal).map(|()| self.resource.allow),
            None if self.resource_must_allow => Err(self.no_resource_allow),
            Some(Grant::Account) | None => self.identity_side(request.principal),
        }
    }

    fn identity_side(&self, principal: &Principal) -> Result<Option<usize>, Reason> {
        let is_root = match principal {
            Principal::Root { .. } => true,
            Principal::FederatedUser { user_arn, .. } => user_arn.ends_with(":root"),
            _ => false,
        };
        let allow = self.identity.allow;
        if !is_root && allow.is_none() {
            return Err(Reason::NoIdentityAllow);
        }
        self.within_limits(principal).map(|()| allow)
    }

    fn within_limits(&self, principal: &Principal) -> Result<(), Reason> {
        if self.boundary.is_some_and(|boundary| boundary.allow.is_none()) {
            return Err(Reason::NoBoundaryAllow);
        }
        match self.session {
            Some(session) if session.allow.is_none() => Err(Reason::NoSessionAllow),
            // A federated user without session policies has no permissions but what resource policies give it.
            None if matches!(principal, Principal::FederatedUser { .. }) => Err(Reason::NoSessionAllow),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
