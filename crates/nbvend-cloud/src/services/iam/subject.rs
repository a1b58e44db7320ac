//! A caller in the terms of the policy language: who it is, and the global condition keys of its call.

use std::net::IpAddr;

use nbvend_policy::Context;

use crate::context::Cx;
use crate::identity::{Caller, Principal};

/// The principal as policies see it.
pub(crate) fn subject(principal: &Principal, account: &str) -> nbvend_policy::Principal {
    let account = account.to_owned();
    match principal {
        Principal::Root => nbvend_policy::Principal::Root { account },
        Principal::User { .. } => nbvend_policy::Principal::User { arn: principal.arn(&account), account },
        Principal::AssumedRole { .. } => nbvend_policy::Principal::AssumedRole {
            role_arn: principal.issuer_arn(&account),
            session_arn: principal.arn(&account),
            account,
        },
        Principal::FederatedUser { .. } => nbvend_policy::Principal::FederatedUser {
            arn: principal.arn(&account),
            user_arn: principal.issuer_arn(&account),
            account,
        },
        Principal::Service { name } => nbvend_policy::Principal::Service { name: name.clone() },
        Principal::Anonymous => nbvend_policy::Principal::Anonymous,
    }
}

/// Whether nobody on the way could have read the request: it came over TLS, or it never left the machine (by loopback or
/// from inside the engine). The SAM CLI's own bucket denies everything else, and the default endpoint is
/// `http://localhost`.
fn secure(caller: &Caller) -> bool {
    let here = || caller.source_ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    caller.secure || caller.invoked_by.is_some() || here()
}

/// The keys every request has: time, address, principal, region. Tags of the principal and the keys of the operation
/// are the caller's to add.
pub(crate) fn global_context(cx: &Cx<'_>) -> Context {
    let caller = &cx.caller;
    let mut context = Context::new();
    context
        .set_principal(&subject(&caller.principal, cx.account()))
        .set_one("aws:CurrentTime", cx.now().iso8601())
        .set_one("aws:EpochTime", (cx.now().0 / 1000).to_string())
        .set_one("aws:SecureTransport", secure(caller).to_string())
        .set_one("aws:UserAgent", &caller.user_agent)
        .set_one("aws:RequestedRegion", cx.region())
        .set_one("aws:ViaAWSService", caller.invoked_by.is_some().to_string());
    if caller.source_ip.parse::<IpAddr>().is_ok() {
        context.set_one("aws:SourceIp", &caller.source_ip);
    }
    if let Some(issued) = caller.session_issued {
        context.set_one("aws:TokenIssueTime", issued.iso8601());
    }
    match &caller.principal {
        Principal::Anonymous => {}
        // A service that acts for itself does so for a resource of this account.
        Principal::Service { .. } => {
            context.set_one("aws:SourceAccount", cx.account());
        }
        principal => {
            context.set_one("aws:userid", principal.id(cx.account()));
        }
    }
    if let Some(service) = &caller.invoked_by
        && !matches!(caller.principal, Principal::Service { .. })
    {
        context
            .set("aws:CalledVia", [service])
            .set_one("aws:CalledViaFirst", service)
            .set_one("aws:CalledViaLast", service);
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_else_could_read_is_secure_and_a_plain_request_of_another_machine_is_not() {
        let from = |source_ip: &str, tls: bool| Caller {
            source_ip: source_ip.to_owned(),
            secure: tls,
            invoked_by: None,
            ..Caller::service("x.amazonaws.com", "us-east-1")
        };
        for (source_ip, tls, expected) in [
            ("127.0.0.1", false, true),
            ("127.8.8.8", false, true),
            ("::1", false, true),
            ("192.0.2.7", false, false),
            ("192.0.2.7", true, true),
            ("2001:db8::1", false, false),
            ("not an address", false, false),
        ] {
            assert_eq!(secure(&from(source_ip, tls)), expected, "{source_ip} {tls}");
        }
        let internal = Caller { invoked_by: Some("x".into()), ..from("x.amazonaws.com", false) };
        assert!(secure(&internal));
    }
}
