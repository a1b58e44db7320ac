//! What AWS refuses when a policy is stored, beyond what it could not evaluate.
//!
//! The texts and their order were recorded from IAM by others' tests of CreatePolicy and PutUserPolicy; sizes and
//! whether the principals exist are the storing service's to check.

use crate::document::{Kind, read, worst};
use crate::principal::{Entry, is_account};
use crate::statement::Statement;
use crate::{Policy, PolicyError, Problem};

/// Checks a document that is to be stored.
///
/// # Errors
/// AWS's text for the fault that AWS would name first, with the place.
pub fn validate(text: &str, kind: Kind) -> Result<Policy, PolicyError> {
    validate_in(text, kind, None)
}

/// As [`validate`], reading service principals as [`Policy::parse_in`] does.
///
/// # Errors
/// As [`validate`].
pub fn validate_in(text: &str, kind: Kind, url_suffix: Option<&str>) -> Result<Policy, PolicyError> {
    let (statements, mut faults) = read(text, kind, url_suffix);
    if kind == Kind::Managed && !faults.iter().any(is_structural) && !text_has_new_version(text) {
        let message = "Policy document must be version 2012-10-17 or greater.";
        faults.push(PolicyError::new(Problem::Version, message, ""));
    }
    for (index, statement) in statements.iter().enumerate() {
        let earlier = &statements[..index];
        let found = sid_fault(kind, statement, earlier)
            .into_iter()
            .chain(resource_faults(kind, statement))
            .chain(action_faults(kind, statement))
            .chain(principal_faults(statement));
        faults.extend(found.map(|fault| fault.at(statement.place).in_statement(index)));
    }
    match worst(faults) {
        Some(fault) => Err(fault),
        None => Policy::parse_in(text, kind, url_suffix),
    }
}

fn is_structural(fault: &PolicyError) -> bool {
    matches!(fault.problem, Problem::InvalidJson | Problem::Syntax)
}

fn text_has_new_version(text: &str) -> bool {
    use crate::json::{Json, read};
    let Ok(node) = read(text) else { return false };
    let Json::Object(members) = node.value else { return false };
    members.iter().any(|(name, member)| {
        name == "Version" && matches!(&member.value, Json::String(v) if v == "2012-10-17")
    })
}

fn sid_fault(kind: Kind, statement: &Statement, earlier: &[Statement]) -> Option<PolicyError> {
    let sid = statement.sid.as_deref().filter(|sid| !sid.is_empty())?;
    if earlier.iter().any(|other| other.sid.as_deref() == Some(sid)) {
        let message = "Statement IDs (SID) in a single policy must be unique.";
        return Some(PolicyError::new(Problem::DuplicateSid, message, sid));
    }
    // S3 and Lambda take other characters too.
    if kind == Kind::Resource || sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let message = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
                   expression [0-9A-Za-z]*";
    Some(PolicyError::new(Problem::SidFormat, message, sid))
}

/// Only identity policies: other services read the resources of their own policies differently.
fn resource_faults(kind: Kind, statement: &Statement) -> Vec<PolicyError> {
    if kind.has_principal() {
        return Vec::new();
    }
    statement.resources.iter().filter_map(|resource| resource_fault(&resource.source)).collect()
}

fn resource_fault(resource: &str) -> Option<PolicyError> {
    let fault = |message: String| Some(PolicyError::new(Problem::Resource, message, resource));
    if resource == "*" {
        return None;
    }
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    if parts.len() < 2 || parts[0] != "arn" {
        return fault(format!("Resource {resource} must be in ARN format or \"*\"."));
    }
    if parts[1] != "aws" {
        let rest = |index: usize| parts.get(index).copied().unwrap_or("*");
        let partition = parts[1];
        let shown = format!("arn:{partition}:{}:{}:{}:{}", rest(2), rest(3), rest(4), rest(5));
        return fault(format!("Partition \"{partition}\" is not valid for resource \"{shown}\"."));
    }
    let service = match parts.get(2) {
        Some(service) if !service.contains(['*', '?']) => *service,
        _ => return fault("Resource vendor must be fully qualified and cannot contain regexes.".into()),
    };
    if service.is_empty() || (parts.len() < 6 && resource.contains("::")) {
        return Some(PolicyError::legacy(resource));
    }
    let region = parts.get(3).copied().unwrap_or_default();
    let tail = parts.get(5).copied().unwrap_or_default();
    match service {
        "iam" if !region.is_empty() => {
            fault(format!("IAM resource {resource} cannot contain region information."))
        }
        // Buckets and objects; access points and the like have a region and an account.
        "s3" if !region.is_empty() && parts.get(4).is_none_or(|account| account.is_empty()) => {
            fault(format!("Resource {resource} can not contain region information."))
        }
        "iam" if !tail.starts_with('*') && !IAM_PATHS.iter().any(|path| tail.starts_with(path)) => {
            fault(format!("IAM resource path must either be \"*\" or start with {}.", IAM_PATHS.join(", ")))
        }
        _ => None,
    }
}

const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

fn action_faults(kind: Kind, statement: &Statement) -> Vec<PolicyError> {
    statement.actions.iter().filter_map(|action| action_fault(kind, &action.source)).collect()
}

fn action_fault(kind: Kind, action: &str) -> Option<PolicyError> {
    let fault = |message: String| Some(PolicyError::new(Problem::Action, message, action));
    if kind == Kind::Trust && !action.to_ascii_lowercase().starts_with("sts:") {
        return fault("AssumeRole policy may only specify STS AssumeRole actions.".into());
    }
    if action == "*" {
        return None;
    }
    let Some((vendor, name)) = action.split_once(':') else {
        return fault("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".into());
    };
    if name.contains(':') {
        return fault("Actions/Condition can contain only one colon.".into());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if vendor != "*" && !vendor.bytes().all(plain) {
        return fault(format!("Vendor {vendor} is not valid"));
    }
    None
}

fn principal_faults(statement: &Statement) -> Vec<PolicyError> {
    let entries = statement.principal.as_ref().map(|rule| rule.entries.as_slice()).unwrap_or_default();
    entries.iter().filter_map(principal_fault).collect()
}

fn principal_fault(entry: &Entry) -> Option<PolicyError> {
    let (member, value, fine) = match entry {
        Entry::Aws(value) => ("AWS", value, is_principal_arn(value)),
        Entry::Account(account) => ("AWS", account, is_account(account)),
        Entry::Service(name) => ("Service", name, name.contains('.') && !name.contains('*')),
        Entry::Everyone | Entry::Federated(_) | Entry::CanonicalUser(_) => return None,
    };
    if fine {
        return None;
    }
    let message = format!("Invalid principal in policy: \"{member}\":\"{value}\"");
    Some(PolicyError::new(Problem::Principal, message, value))
}

/// A user, role or session by its full ARN, or the unique id of a user or role. Wildcards name nobody.
fn is_principal_arn(value: &str) -> bool {
    if value.contains(['*', '?']) {
        return false;
    }
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let path = |wanted: &[&str], path: &str| {
        wanted.iter().any(|start| path.strip_prefix(start).is_some_and(|name| !name.is_empty()))
    };
    match parts.as_slice() {
        ["arn", _, "iam", "", account, tail] => is_account(account) && path(&["user/", "role/"], tail),
        ["arn", _, "sts", "", account, tail] => {
            is_account(account) && path(&["assumed-role/", "federated-user/"], tail)
        }
        [id] => (id.starts_with("AIDA") || id.starts_with("AROA")) && id.len() >= 16,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
