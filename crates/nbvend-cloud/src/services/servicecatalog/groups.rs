//! The names by which a portfolio may know a caller.

use super::PRINCIPAL;
use super::error::Error;
use super::state::PrincipalAssociation;
use crate::context::Cx;
use crate::identity::{Caller, Principal};
use crate::services::iam::membership::ListGroupsForUser;

/// The ARN of the user or role behind the call, and those of the user's groups, which IAM is asked for.
pub fn names_of(cx: &mut Cx<'_>) -> Result<Vec<String>, Error> {
    let mut names = vec![cx.caller.principal.issuer_arn(cx.account())];
    let Principal::User { name, .. } = cx.caller.principal.clone() else { return Ok(names) };
    if !cx.tx.stands_in::<PrincipalAssociation>("group", "yes")? {
        // No portfolio is open to any group.
        return Ok(names);
    }
    // The catalog asks for itself: its users need no right on IAM.
    let service = Caller::service(PRINCIPAL, cx.region());
    let ask = ListGroupsForUser { user_name: name, ..ListGroupsForUser::default() };
    match cx.call_as(service, ask) {
        Ok(found) => names.extend(found.groups.into_iter().map(|group| group.arn)),
        // A user deleted while her call was under way is in no group.
        Err(error) if error.status == 404 => {}
        Err(error) => return Err(error.into()),
    }
    Ok(names)
}
