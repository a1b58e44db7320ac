//! STS: who am I, and becoming somebody else for a while.
//!
//! Different from AWS: sessions of the catalog's and the engine's own services are made by the same `AssumeRole` as
//! everybody's, with a service as the caller. The web identity and SAML operations and `DecodeAuthorizationMessage`
//! are not served, nor are second factors.

pub mod assume_role;
mod caller;
pub(crate) mod credentials;
mod error;
mod federation;
mod reconcile;
mod session_token;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "sts",
    action_prefix: "sts",
    event_source: "sts.amazonaws.com",
    resource_policy: None,
    operations: &[
        op::<assume_role::AssumeRole>(),
        op::<caller::GetAccessKeyInfo>(),
        op::<caller::GetCallerIdentity>(),
        op::<federation::GetFederationToken>(),
        op::<session_token::GetSessionToken>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(reconcile::SweepSessions)]
}
