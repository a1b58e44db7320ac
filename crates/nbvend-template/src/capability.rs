//! What a caller must acknowledge before a template may be used.
//!
//! The types and the rule are those of CreateStack's `Capabilities` in the API reference: either of the
//! two IAM capabilities is enough for IAM resources, a custom name needs the NAMED one.

use std::collections::BTreeSet;

use crate::document::{Resource, Template};

pub const IAM: &str = "CAPABILITY_IAM";
pub const NAMED_IAM: &str = "CAPABILITY_NAMED_IAM";
pub const AUTO_EXPAND: &str = "CAPABILITY_AUTO_EXPAND";

/// The property that gives a custom name; `PolicyName` of an inline policy is required and is none.
const IAM_TYPES: [(&str, Option<&str>); 8] = [
    ("AWS::IAM::AccessKey", None),
    ("AWS::IAM::Group", Some("GroupName")),
    ("AWS::IAM::InstanceProfile", Some("InstanceProfileName")),
    ("AWS::IAM::ManagedPolicy", Some("ManagedPolicyName")),
    ("AWS::IAM::Policy", None),
    ("AWS::IAM::Role", Some("RoleName")),
    ("AWS::IAM::User", Some("UserName")),
    ("AWS::IAM::UserToGroupAddition", None),
];

impl Template {
    /// The capabilities this template needs, as ValidateTemplate and GetTemplateSummary list them.
    pub fn capabilities(&self) -> Vec<&'static str> {
        let mut needed = Vec::new();
        let resources = self.resources();
        if resources.iter().any(named) {
            needed.push(NAMED_IAM);
        } else if resources.iter().any(is_iam) {
            needed.push(IAM);
        }
        if !self.transforms().is_empty() {
            needed.push(AUTO_EXPAND);
        }
        needed
    }

    /// Why: `The following resource(s) require capabilities: [AWS::IAM::Role]`, as GetTemplateSummary
    /// words it. `None` if nothing needs one.
    pub fn capabilities_reason(&self) -> Option<String> {
        let resources = self.resources();
        let mut types: BTreeSet<&str> =
            resources.iter().filter(|r| is_iam(r)).map(|r| r.resource_type).collect();
        let transforms = self.transforms();
        types.extend(transforms.iter().map(String::as_str));
        if types.is_empty() {
            return None;
        }
        let list = types.into_iter().collect::<Vec<_>>().join(", ");
        Some(format!("The following resource(s) require capabilities: [{list}]"))
    }

    /// The first capability that is needed and not in `given`, for `InsufficientCapabilitiesException`.
    pub fn missing_capability(&self, given: &[&str]) -> Option<&'static str> {
        self.capabilities().into_iter().find(|needed| match *needed {
            IAM => !given.contains(&IAM) && !given.contains(&NAMED_IAM),
            other => !given.contains(&other),
        })
    }
}

fn is_iam(resource: &Resource<'_>) -> bool {
    IAM_TYPES.iter().any(|(name, _)| *name == resource.resource_type)
}

fn named(resource: &Resource<'_>) -> bool {
    IAM_TYPES.iter().any(|(name, property)| {
        *name == resource.resource_type && property.is_some_and(|p| resource.properties().contains_key(p))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{AUTO_EXPAND, IAM, NAMED_IAM, Template};

    #[test]
    fn what_needs_which() {
        for (resource, want) in [
            (json!({"Type": "AWS::S3::Bucket"}), vec![]),
            (json!({"Type": "AWS::IAM::Role"}), vec![IAM]),
            (json!({"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p"}}), vec![IAM]),
            (json!({"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "N"}}}), vec![NAMED_IAM]),
            (
                json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "p"}}),
                vec![NAMED_IAM],
            ),
            (json!({"Type": "AWS::S3::Bucket", "Properties": {"RoleName": "x"}}), vec![]),
        ] {
            let template = Template::from_value(json!({"Resources": {"A": resource}}));
            assert_eq!(template.capabilities(), want, "{template:?}");
        }
    }

    #[test]
    fn a_transform_needs_auto_expand() {
        let text = "Transform: AWS::Serverless-2016-10-31\nResources:\n  R: {Type: 'AWS::IAM::Role'}\n";
        let template = Template::parse(text).unwrap();
        assert_eq!(template.capabilities(), [IAM, AUTO_EXPAND]);
        assert_eq!(template.missing_capability(&[NAMED_IAM]), Some(AUTO_EXPAND));
        assert_eq!(template.missing_capability(&[NAMED_IAM, AUTO_EXPAND]), None);
        assert_eq!(template.missing_capability(&[]), Some(IAM));
    }
}
