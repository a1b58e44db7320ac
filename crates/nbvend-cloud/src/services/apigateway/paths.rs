//! The tree of resources: what a path part may be, and how resources are added, moved and removed.

use super::error::Error;
use super::state::{Definition, Resource};
use crate::ports::Ids;

/// AWS's default quota.
const MOST_RESOURCES: usize = 300;

/// `{proxy+}`: takes all that follows.
pub fn is_greedy(part: &str) -> bool {
    part.ends_with("+}")
}

/// `{id}` or `{proxy+}`.
pub fn is_variable(part: &str) -> bool {
    part.starts_with('{')
}

/// The name between the braces of a variable part.
pub fn variable(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}').map(|name| name.strip_suffix('+').unwrap_or(name))
}

fn check_part(part: &str) -> Result<(), Error> {
    let name = variable(part).unwrap_or(part);
    let ok = |c: char| c.is_ascii_alphanumeric() || "._-:".contains(c);
    if !name.is_empty() && name.chars().all(ok) {
        return Ok(());
    }
    Err(Error::bad(
        "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the \
         beginning and the end.",
    ))
}

/// Whether a resource may stand below `parent` under that part, `itself` aside.
fn check_place(
    definition: &Definition,
    parent: &Resource,
    part: &str,
    itself: Option<&str>,
) -> Result<(), Error> {
    check_part(part)?;
    if let Some(greedy) = parent.part.as_deref().filter(|part| is_greedy(part)) {
        return Err(Error::bad(format!(
            "Cannot create a child of a resource with a greedy path variable: {greedy}"
        )));
    }
    for sibling in definition.children(&parent.id).filter(|sibling| Some(sibling.id.as_str()) != itself) {
        let theirs = sibling.part.as_deref().unwrap_or_default();
        if theirs == part {
            return Err(Error::Conflict(format!(
                "Another resource with the same parent already has this name: {part}"
            )));
        }
        if is_variable(theirs) && is_variable(part) && is_greedy(theirs) == is_greedy(part) {
            return Err(Error::bad(format!(
                "A sibling ({theirs}) of this resource already has a variable path part -- only one is allowed"
            )));
        }
    }
    Ok(())
}

fn joined(parent: &str, part: &str) -> String {
    format!("{}/{part}", parent.trim_end_matches('/'))
}

/// Adds a resource; answers its id.
pub fn add(definition: &mut Definition, parent: &str, part: &str, ids: &dyn Ids) -> Result<String, Error> {
    if definition.resources.len() >= MOST_RESOURCES {
        return Err(Error::Limit(
            "Maximum number of resources for this API has been reached. Please contact AWS if you need additional resources.",
        ));
    }
    let parent = definition.resource(parent)?;
    check_place(definition, parent, part, None)?;
    let resource = Resource {
        // Six characters, as AWS's resource ids have.
        id: ids.lower(6),
        parent: Some(parent.id.clone()),
        part: Some(part.to_owned()),
        path: joined(&parent.path, part),
        ..Resource::default()
    };
    let id = resource.id.clone();
    definition.resources.insert(id.clone(), resource);
    Ok(id)
}

/// The resource of a path, made with all that is missing above it.
pub fn ensure(definition: &mut Definition, root: &str, path: &str, ids: &dyn Ids) -> Result<String, Error> {
    let mut at = root.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let known =
            definition.children(&at).find(|child| child.part.as_deref() == Some(part)).map(|c| c.id.clone());
        at = match known {
            Some(id) => id,
            None => add(definition, &at, part, ids)?,
        };
    }
    Ok(at)
}

/// Puts a resource under another parent or name, with all below it.
pub fn relocate(definition: &mut Definition, id: &str, parent: &str, part: &str) -> Result<(), Error> {
    let above = definition.resource(parent)?;
    if subtree(definition, id).iter().any(|below| below == parent) {
        return Err(Error::bad("Resources cannot be cyclical."));
    }
    check_place(definition, above, part, Some(id))?;
    let path = joined(&above.path, part);
    let resource = definition.resource_mut(id)?;
    resource.parent = Some(parent.to_owned());
    resource.part = Some(part.to_owned());
    resource.path = path;
    for below in subtree(definition, id).into_iter().skip(1) {
        let resource = definition.resource(&below)?;
        let (parent, part) = (resource.parent.clone(), resource.part.clone());
        if let (Some(parent), Some(part)) = (parent, part) {
            let path = joined(&definition.resource(&parent)?.path, &part);
            definition.resource_mut(&below)?.path = path;
        }
    }
    Ok(())
}

/// Removes a resource with all below it.
pub fn remove(definition: &mut Definition, id: &str) {
    for gone in subtree(definition, id) {
        definition.resources.remove(&gone);
    }
}

/// A resource's id and those of all below it, parents before children.
fn subtree(definition: &Definition, id: &str) -> Vec<String> {
    let mut all = vec![id.to_owned()];
    let mut at = 0;
    while at < all.len() {
        let children: Vec<String> = definition.children(&all[at]).map(|child| child.id.clone()).collect();
        all.extend(children);
        at += 1;
    }
    all
}
