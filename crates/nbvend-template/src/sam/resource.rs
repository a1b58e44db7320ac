//! A CloudFormation resource as the transform makes it.

use super::node::{Dict, Node, Text};

/// Attributes that the resources made for a serverless resource inherit from it.
const INHERITED: [&str; 3] = ["Condition", "DeletionPolicy", "UpdateReplacePolicy"];
/// Further attributes that only its main resource gets.
const OWN: [&str; 5] = ["DeletionPolicy", "UpdatePolicy", "Condition", "UpdateReplacePolicy", "Metadata"];

#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) id: Text,
    pub(crate) kind: &'static str,
    pub(crate) depends_on: Option<Node>,
    pub(crate) attributes: Dict,
    pub(crate) properties: Dict,
}

impl Resource {
    pub(crate) fn new(id: impl Into<Text>, kind: &'static str, attributes: &Dict) -> Self {
        Self {
            id: id.into(),
            kind,
            depends_on: None,
            attributes: attributes.clone(),
            properties: Dict::new(),
        }
    }

    /// Sets a property unless there is nothing to set.
    pub(crate) fn set(&mut self, name: &str, value: impl IntoProperty) {
        if let Some(value) = value.into_property() {
            self.properties.insert(name, value);
        }
    }

    /// Hands on properties of the same name as they are.
    pub(crate) fn pass(&mut self, from: &Dict, names: &[&str]) {
        for name in names {
            self.set(name, from.given(name));
        }
    }

    pub(crate) fn to_node(&self) -> Node {
        let mut out = Dict::new();
        out.insert("Type", self.kind);
        if let Some(depends_on) = &self.depends_on {
            out.insert("DependsOn", depends_on.clone());
        }
        for (name, value) in self.attributes.iter() {
            out.insert(name, value.clone());
        }
        out.insert("Properties", self.properties.clone());
        out.into()
    }
}

pub(crate) trait IntoProperty {
    fn into_property(self) -> Option<Node>;
}

impl<T: Into<Node>> IntoProperty for T {
    fn into_property(self) -> Option<Node> {
        Some(self.into())
    }
}

impl IntoProperty for Option<Node> {
    fn into_property(self) -> Option<Node> {
        self
    }
}

impl IntoProperty for Option<&Node> {
    fn into_property(self) -> Option<Node> {
        self.cloned()
    }
}

/// The attributes a serverless resource hands to every resource made for it.
pub(crate) fn inherited_attributes(resource: &Dict) -> Dict {
    pick(resource, &INHERITED)
}

/// The attributes it hands to the resource that takes its place.
pub(crate) fn own_attributes(resource: &Dict) -> Dict {
    pick(resource, &OWN)
}

fn pick(resource: &Dict, names: &[&str]) -> Dict {
    let mut attributes = Dict::new();
    for name in names {
        if let Some(value) = resource.given(name) {
            attributes.insert(*name, value.clone());
        }
    }
    attributes
}
