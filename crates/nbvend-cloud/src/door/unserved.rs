//! What AWS has and the engine has not: refused by name, with a status that no AWS service answers.

use nbvend_wire::error::WireError;
use nbvend_wire::model;
use nbvend_wire::protocol::{self, Incoming};

/// Operations that AWS takes without a signature, so that their clients send none (STS API reference: neither "requires
/// the use of AWS security credentials"). Asked for a signature, their callers would look for the fault at their side.
const UNSIGNED: [&str; 2] = ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];

pub(super) fn refused(service: &str, operation: &str) -> WireError {
    WireError::new("NotImplemented", 501, format!("nbvend does not serve {service}:{operation}"))
}

/// The refusal of an unsigned request that AWS would not have asked for a signature.
pub(super) fn taken_unsigned(incoming: &Incoming<'_>) -> Option<WireError> {
    let name = protocol::operation_name(model::service("sts")?, incoming).ok()?;
    UNSIGNED.contains(&name.as_str()).then(|| refused("sts", &name))
}
