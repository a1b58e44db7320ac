//! `AutoPublishAlias`: a version named after a hash of the code, and the alias that points at it.

use super::Function;
use crate::sam::Transform;
use crate::sam::error::Result;
use crate::sam::ids;
use crate::sam::intrinsics::{get_att, is_intrinsic, ref_target, reference};
use crate::sam::node::{Dict, Node, Text, dict, list};
use crate::sam::resource::Resource;

pub(super) fn make(
    function: &Function<'_>,
    main: &mut Resource,
    state: &Transform<'_>,
) -> Result<(Resource, Resource)> {
    let name = alias_name(function, state)?;
    let digest = code_digest(function, state)?;
    // From here on the code is where the parameters say, for the function itself too.
    if let Some(code) = main.properties.get("Code").map(|code| state.resolve(code)) {
        main.set("Code", code);
    }
    if let Some(digest) = &digest {
        note_digest(main, digest, state);
    }
    let version = version(function, main, digest.as_ref());
    let mut alias =
        function.make(&format!("Alias{}", name.replace('-', "D").replace('_', "U")), "AWS::Lambda::Alias");
    alias.set("Name", Text::from(name));
    alias.set("FunctionName", reference(function.id.clone()));
    alias.set("FunctionVersion", get_att(&version.id, "Version"));
    alias.set("ProvisionedConcurrencyConfig", function.given("ProvisionedConcurrencyConfig"));
    Ok((version, alias))
}

fn alias_name(function: &Function<'_>, state: &Transform<'_>) -> Result<String> {
    let given = function.given("AutoPublishAlias").unwrap_or(&Node::Null);
    let resolved = if ref_target(given).is_some() { state.resolve(given) } else { given.clone() };
    let Some(name) = resolved.as_str() else {
        return Err(function.fault("'AutoPublishAlias' must be a string or a Ref to a template parameter"));
    };
    let fine = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && !name.chars().all(|c| c.is_ascii_digit());
    if !fine {
        return Err(function.fault(format!(
            "AutoPublishAlias name ('{name}') must contain only alphanumeric characters, hyphens, or underscores \
             matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern."
        )));
    }
    Ok(name.to_owned())
}

fn code_digest(function: &Function<'_>, state: &Transform<'_>) -> Result<Option<Text>> {
    match function.given("AutoPublishCodeSha256").map(|given| state.resolve(given)) {
        None => Ok(None),
        Some(Node::Text(digest)) => Ok(Some(digest)),
        Some(_) => Err(function.fault("AutoPublishCodeSha256 must be a string")),
    }
}

/// Lambda publishes a new version only of a function that changed: the digest in its description is a change.
fn note_digest(main: &mut Resource, digest: &Text, state: &Transform<'_>) {
    let given = main.properties.given("Description").map(|given| state.resolve(given));
    let description = match &given {
        None => Node::from(digest.clone()),
        Some(Node::Text(text)) => Node::from(format!("{} {}", text.as_str(), digest.as_str())),
        Some(intrinsic) if is_intrinsic(intrinsic) => {
            dict! { "Fn::Join" => list![" ", list![intrinsic.clone(), digest.clone()]] }.into()
        }
        Some(other) => other.clone(),
    };
    main.set("Description", description);
}

fn version(function: &Function<'_>, main: &Resource, digest: Option<&Text>) -> Resource {
    let prefix = format!("{}Version", function.id.as_str());
    let id = match digest {
        Some(digest) => format!("{prefix}{}", digest.chars().take(10).collect::<String>()),
        None => ids::hashed(&prefix, &ids::canonical_json(&hashed_part(function, main).into())),
    };
    let mut version = Resource::new(id, "AWS::Lambda::Version", &function.inherited);
    if !version.attributes.contains("DeletionPolicy") {
        let default = if function.given("CapacityProviderConfig").is_some() { "Delete" } else { "Retain" };
        let policy = function.given("VersionDeletionPolicy").cloned().unwrap_or_else(|| default.into());
        version.attributes.insert("DeletionPolicy", policy);
    }
    version.set("Description", function.given("VersionDescription"));
    version.set("FunctionName", reference(function.id.clone()));
    version.set("FunctionScalingConfig", function.given("FunctionScalingConfig"));
    version
}

/// What a new version depends on: the code, the environment, the memory and SnapStart, or every property if that is asked for.
fn hashed_part(function: &Function<'_>, main: &Resource) -> Dict {
    if matches!(function.given("AutoPublishAliasAllProperties"), Some(Node::Bool(true))) {
        let mut all = main.properties.clone();
        if let Some(role) = function.given("Role") {
            all.insert("Role", role.clone());
        }
        return all;
    }
    let mut part = main.properties.get("Code").and_then(Node::as_dict).cloned().unwrap_or_else(Dict::new);
    if let Some(environment) = function.given("Environment").and_then(Node::as_dict) {
        part.update(environment.clone());
    }
    if let Some(size) = function.given("MemorySize") {
        part.insert("MemorySize", size.clone());
    }
    if let Some(snap_start) = function.given("SnapStart")
        && snap_start.get("ApplyOn").and_then(Node::as_str) != Some("None")
    {
        part.insert("SnapStart", snap_start.clone());
    }
    part
}
