//! What IAM is not asked about: the whole list, with reasons. Everything else is denied unless a policy allows it.

use nbvend_wire::error::WireError;

use crate::identity::{Caller, Principal};

/// Actions that every authenticated principal may.
const EVERYBODY: &[(&str, &str)] = &[
    ("sts:GetCallerIdentity", "needs no permission, and no policy can deny it (STS API reference)"),
    ("sts:GetSessionToken", "needs no permission (IAM User Guide, \"Permissions for GetSessionToken\")"),
    ("sts:GetAccessKeyInfo", "tells the account of a key, which its id holds already"),
];

/// Actions whose operation decides itself.
const DECIDED_BY_OPERATION: &[(&str, &str)] = &[(
    "sts:AssumeRole",
    "a trust policy that names the caller is enough without any policy of the caller's; the operation evaluates both",
)];

/// The owner cannot be locked out of a bucket: the account's root user always reads and changes its policy (S3 User Guide,
/// "Bucket policies").
const ROOT: &[&str] = &["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/// What services do for themselves, where AWS asks nobody's policy. Each is reached from inside the engine alone: no
/// key signs as a service.
const SERVICES: &[(&str, &str, &str)] = &[
    (
        "events.amazonaws.com",
        "events:PutEvents",
        "a bus takes what a rule of its own account forwards; its policy is about other accounts",
    ),
    (
        "servicecatalog.amazonaws.com",
        "iam:ListGroupsForUser",
        "a portfolio may be open to a group of the caller's",
    ),
    (
        "ssm.amazonaws.com",
        "ssm:DeleteParameter",
        "a parameter whose Expiration policy is due is deleted by its keeper",
    ),
];

/// What the sessions of users cannot do, whatever policies say (IAM User Guide, "Compare AWS STS credentials"): without a
/// second factor, which there is none of here, nothing of IAM, and of STS next to nothing.
pub(super) fn out_of_reach(caller: &Caller, action: &str) -> Option<WireError> {
    let of_sts: &[&str] = match caller.principal {
        Principal::User { .. } | Principal::Root if caller.session_issued.is_some() => {
            &["sts:AssumeRole", "sts:GetCallerIdentity"]
        }
        Principal::FederatedUser { .. } => &["sts:GetCallerIdentity"],
        _ => return None,
    };
    if action.starts_with("iam:") && action != "iam:PassRole" {
        // IAM does not even read such a session's token.
        let text = "The security token included in the request is invalid";
        return Some(WireError::new("InvalidClientTokenId", 403, text));
    }
    let name = action.strip_prefix("sts:").filter(|_| !of_sts.contains(&action))?;
    let text = format!("Cannot call {name} with session credentials");
    Some(WireError::new("AccessDenied", 403, text))
}

/// Whether a call passes without IAM being asked.
pub(super) fn stands(who: &Principal, action: &str) -> bool {
    let listed = |list: &[(&str, &str)]| list.iter().any(|(listed, _)| *listed == action);
    match who {
        Principal::Anonymous => false,
        Principal::Service { name } => {
            listed(DECIDED_BY_OPERATION)
                || SERVICES.iter().any(|(service, does, _)| service == name && *does == action)
        }
        Principal::Root if ROOT.contains(&action) => true,
        _ => listed(EVERYBODY) || listed(DECIDED_BY_OPERATION),
    }
}
