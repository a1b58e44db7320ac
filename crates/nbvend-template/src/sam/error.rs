//! What the transform refuses, in the words AWS uses.

/// One fault of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamError {
    /// The resource at fault, if the fault is in one.
    pub logical_id: Option<String>,
    /// The whole sentence, e.g. `Resource with id [F] is invalid. Missing required property 'StageName'.`
    pub message: String,
}

pub(crate) type Result<T> = std::result::Result<T, SamError>;

impl SamError {
    pub(crate) fn resource(id: &str, message: impl AsRef<str>) -> Self {
        Self {
            logical_id: Some(id.to_owned()),
            message: format!("Resource with id [{id}] is invalid. {}", message.as_ref()),
        }
    }

    /// A fault of one event of a function.
    pub(crate) fn event(function: &str, event: &str, message: impl AsRef<str>) -> Self {
        Self::resource(function, format!("Event with id [{event}] is invalid. {}", message.as_ref()))
    }

    pub(crate) fn template(message: impl AsRef<str>) -> Self {
        Self {
            logical_id: None,
            message: format!("Structure of the SAM Template is invalid. {}", message.as_ref()),
        }
    }

    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self { logical_id: None, message: message.into() }
    }
}

impl std::fmt::Display for SamError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SamError {}

/// All faults as the one text that CloudFormation shows as the reason of a failed change set or stack.
pub fn message(errors: &[SamError]) -> String {
    let mut text = format!(
        "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. \
         Number of errors found: {}.",
        errors.len()
    );
    for error in errors {
        text.push(' ');
        text.push_str(&error.message);
    }
    text
}
