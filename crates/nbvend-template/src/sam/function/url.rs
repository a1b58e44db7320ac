//! `FunctionUrlConfig`: the function's URL, and leave for everyone to call one without authorisation.

use super::{Function, Target};
use crate::sam::error::Result;
use crate::sam::intrinsics::is_intrinsic;
use crate::sam::node::{Dict, Node};
use crate::sam::resource::Resource;

const CORS: [&str; 6] =
    ["AllowCredentials", "AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders", "MaxAge"];

pub(super) fn make(function: &Function<'_>, config: &Dict, target: &Target) -> Result<Vec<Resource>> {
    let whole_is_intrinsic = is_intrinsic(&Node::Dict(config.clone()));
    check(function, config, whole_is_intrinsic)?;
    let mut url = function.make("Url", "AWS::Lambda::Url");
    url.set("TargetFunctionArn", target.reference.clone());
    url.pass(config, &["AuthType", "InvokeMode"]);
    url.set("Cors", config.given("Cors").filter(|cors| cors.truthy()));
    let mut made = vec![url];
    if config.str("AuthType") == Some("NONE") {
        let mut open = function.make("UrlPublicPermissions", "AWS::Lambda::Permission");
        open.set("Action", "lambda:InvokeFunctionUrl");
        open.set("FunctionName", target.reference.clone());
        open.set("Principal", "*");
        open.set("FunctionUrlAuthType", "NONE");
        let mut invoke = function.make("URLInvokeAllowPublicAccess", "AWS::Lambda::Permission");
        invoke.set("Action", "lambda:InvokeFunction");
        invoke.set("FunctionName", target.reference.clone());
        invoke.set("Principal", "*");
        invoke.set("InvokedViaFunctionUrl", true);
        made.extend([open, invoke]);
    }
    Ok(made)
}

fn check(function: &Function<'_>, config: &Dict, whole_is_intrinsic: bool) -> Result<()> {
    let auth = config.given("AuthType");
    let fine = auth.is_some_and(is_intrinsic) || matches!(config.str("AuthType"), Some("NONE" | "AWS_IAM"));
    if !fine && !whole_is_intrinsic {
        return Err(function.fault(
            "AuthType is required to configure function property `FunctionUrlConfig`. Please provide either \
             AWS_IAM or NONE.",
        ));
    }
    let Some(cors) = config.given("Cors").filter(|cors| cors.truthy() && !is_intrinsic(cors)) else {
        return Ok(());
    };
    let Some(cors) = cors.as_dict() else {
        return Err(function.fault("Cors must be an object."));
    };
    match cors.keys().find(|name| !CORS.contains(&name.as_str())) {
        Some(name) => {
            Err(function.fault(format!("{} is not a valid property for configuring Cors.", name.as_str())))
        }
        None => Ok(()),
    }
}
