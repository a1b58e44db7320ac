//! What was decided and why, and AWS's text for a denial.

use serde::Serialize;

use crate::explain::NearMiss;
use crate::{Place, Request, StatementEffect};

/// The answer. [`Serialize`] so that it can be kept beside the record of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    pub effect: Effect,
    pub because: Reason,
    /// The statements that decided: of an explicit deny the denying ones, else every allowing one that applied.
    pub matched: Vec<MatchedStatement>,
    /// Condition keys that statements for this action and resource asked for and the request did not have.
    pub missing_context_keys: Vec<String>,
    /// After an implicit deny: the Allow statements for this action, in the layer that lacked one, that did not apply.
    pub near_misses: Vec<NearMiss>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Effect {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

/// What tipped the balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Reason {
    /// This statement allowed or denied.
    Statement(MatchedStatement),
    /// The account's root user may do everything in its account.
    AccountRoot,
    NoIdentityAllow,
    NoBoundaryAllow,
    NoSessionAllow,
    NoResourceAllow,
    NoTrustAllow,
}

/// A statement that applied to the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchedStatement {
    pub layer: Layer,
    /// The name the policy was given with.
    pub policy: String,
    /// From 0.
    pub index: usize,
    pub sid: Option<String>,
    pub effect: StatementEffect,
    /// Where the statement stands in its document, as SimulateCustomPolicy reports it.
    pub start: Place,
    pub end: Place,
}

/// The kinds of policy that take part in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Layer {
    Identity,
    Boundary,
    Session,
    Resource,
    Trust,
}

impl Layer {
    /// As AWS's denials name it.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Identity => "identity-based policy",
            Layer::Boundary => "permissions boundary",
            Layer::Session => "session policy",
            Layer::Resource => "resource-based policy",
            Layer::Trust => "role trust policy",
        }
    }

    pub(crate) fn with_article(self) -> String {
        let article = match self {
            Layer::Identity => "an",
            Layer::Trust => "the",
            _ => "a",
        };
        format!("{article} {}", self.name())
    }
}

impl Reason {
    /// The layer that had no allow.
    pub fn lacking(&self) -> Option<Layer> {
        match self {
            Reason::Statement(_) | Reason::AccountRoot => None,
            Reason::NoIdentityAllow => Some(Layer::Identity),
            Reason::NoBoundaryAllow => Some(Layer::Boundary),
            Reason::NoSessionAllow => Some(Layer::Session),
            Reason::NoResourceAllow => Some(Layer::Resource),
            Reason::NoTrustAllow => Some(Layer::Trust),
        }
    }
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allowed
    }

    /// AWS's text for a denial ("Troubleshooting access denied error messages" in the IAM User Guide).
    ///
    /// STS words an AssumeRole that nothing allows without a reason, as many reports show.
    pub fn denial_message(&self, request: &Request<'_>) -> String {
        let (action, resource) = (request.action, request.resource);
        let subject = format!(
            "User: {} is not authorized to perform: {action} on resource: {resource}",
            request.principal.arn()
        );
        match &self.because {
            Reason::Statement(statement) => {
                format!("{subject} with an explicit deny in {}", statement.layer.with_article())
            }
            _ if action.eq_ignore_ascii_case("sts:AssumeRole") => subject,
            reason => match reason.lacking() {
                Some(layer) => format!("{subject} because no {} allows the {action} action", layer.name()),
                None => subject,
            },
        }
    }
}
