//! Tags put on what is being made need a permission of their own, as the service authorization reference lists it among
//! the dependent actions. What AWS stamps itself (`aws:…`) needs none.

use crate::context::ContextKeys;
use crate::operation::Need;

/// Actions that make something with tags, and what tagging it needs.
const MAKES: &[(&str, &str)] = &[
    ("events:CreateEventBus", "events:TagResource"),
    ("events:PutRule", "events:TagResource"),
    ("iam:CreateInstanceProfile", "iam:TagInstanceProfile"),
    ("iam:CreatePolicy", "iam:TagPolicy"),
    ("iam:CreateRole", "iam:TagRole"),
    ("iam:CreateUser", "iam:TagUser"),
    ("lambda:CreateFunction", "lambda:TagResource"),
    ("logs:CreateLogGroup", "logs:TagResource"),
    ("s3:PutObject", "s3:PutObjectTagging"),
    ("sagemaker:CreateNotebookInstance", "sagemaker:AddTags"),
    ("sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:AddTags"),
    ("ssm:PutParameter", "ssm:AddTagsToResource"),
];

/// Where a request's tags stand among the condition keys.
const TAGS: &[&str] = &["aws:RequestTag/", "s3:RequestObjectTag/"];

/// The permission to tag, where the caller puts tags of its own on what it makes.
pub(super) fn need(action: &str, resource: &str, keys: &ContextKeys) -> Option<Need> {
    let (_, tagging) = MAKES.iter().find(|(makes, _)| *makes == action)?;
    let own = |key: &String| {
        TAGS.iter().filter_map(|prefix| key.strip_prefix(prefix)).any(|tag| !tag.starts_with("aws:"))
    };
    keys.keys().any(own).then(|| Need {
        action: tagging,
        resource: resource.to_owned(),
        context: keys.clone(),
    })
}
