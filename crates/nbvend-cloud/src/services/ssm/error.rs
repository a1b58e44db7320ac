//! Parameter Store's errors. Codes and statuses as in the service's model; texts as AWS writes them, where they are known from
//! its documentation or its users' reports; the model's own words elsewhere.

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// AWS says no more than the code: recorded answers have an empty message.
    #[error("")]
    ParameterNotFound,
    #[error("Systems Manager could not find version {version} of {name}. Verify the version and try again.")]
    VersionNotFound { version: String, name: String },
    #[error(
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
    )]
    ParameterAlreadyExists,
    #[error(
        "A hierarchy can have a maximum of 15 levels. For more information, see Requirements and constraints for parameter names in the Amazon Web Services Systems Manager User Guide."
    )]
    HierarchyLevels,
    #[error(
        "Parameter Store doesn't support changing a parameter type from {from} to {to}. You must create a new, unique parameter."
    )]
    TypeChange { from: String, to: String },
    #[error(
        "You attempted to create a new version of {name} by calling the PutParameter API with the overwrite flag. Version {version}, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again."
    )]
    OldestLabelled { name: String, version: i64 },
    #[error("Parameter value, cannot be validated against allowedPattern: {0}")]
    PatternMismatch(String),
    #[error("The request does not meet the regular expression requirement: {0}")]
    InvalidPattern(String),
    #[error(
        "A parameter version can have maximum 10 labels. Move one or more labels to another version and try again."
    )]
    TooManyLabels,
    #[error("{0}")]
    InvalidKeyId(String),
    #[error(
        "You specified more than the maximum number of allowed policies for the parameter. The maximum is 10."
    )]
    TooManyPolicies,
    #[error(
        "The policy type {0} isn't supported. Parameter Store supports the following policy types: Expiration, ExpirationNotification, and NoChangeNotification."
    )]
    PolicyType(String),
    #[error("{0}")]
    PolicyAttribute(String),
    #[error("{0}")]
    IncompatiblePolicy(String),
    #[error("No access to reserved parameter name: {0}.")]
    Reserved(String),
    #[error("{0}")]
    FilterKey(String),
    #[error("{0}")]
    FilterOption(String),
    #[error("{0}")]
    FilterValue(String),
    #[error("The specified token isn't valid.")]
    NextToken,
    #[error("The resource type isn't valid: nbvend has parameters alone.")]
    ResourceType,
    #[error("The resource ID isn't valid. Verify that you entered the correct ID and try again.")]
    ResourceId,
    #[error("The request contains more than 50 tags.")]
    TooManyTags,
    #[error("{0}")]
    Validation(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Error {
    pub fn validation(text: impl Into<String>) -> Self {
        Self::Validation(text.into())
    }
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::ParameterNotFound => "ParameterNotFound",
            Self::VersionNotFound { .. } => "ParameterVersionNotFound",
            Self::ParameterAlreadyExists => "ParameterAlreadyExists",
            Self::HierarchyLevels => "HierarchyLevelLimitExceededException",
            Self::TypeChange { .. } => "HierarchyTypeMismatchException",
            Self::OldestLabelled { .. } => "ParameterMaxVersionLimitExceeded",
            Self::PatternMismatch(_) => "ParameterPatternMismatchException",
            Self::InvalidPattern(_) => "InvalidAllowedPatternException",
            Self::TooManyLabels => "ParameterVersionLabelLimitExceeded",
            Self::InvalidKeyId(_) => "InvalidKeyId",
            Self::TooManyPolicies => "PoliciesLimitExceededException",
            Self::PolicyType(_) => "InvalidPolicyTypeException",
            Self::PolicyAttribute(_) => "InvalidPolicyAttributeException",
            Self::IncompatiblePolicy(_) => "IncompatiblePolicyException",
            Self::Reserved(_) => "AccessDeniedException",
            Self::FilterKey(_) => "InvalidFilterKey",
            Self::FilterOption(_) => "InvalidFilterOption",
            Self::FilterValue(_) => "InvalidFilterValue",
            Self::NextToken => "InvalidNextToken",
            Self::ResourceType => "InvalidResourceType",
            Self::ResourceId => "InvalidResourceId",
            Self::TooManyTags => "TooManyTagsError",
            Self::Validation(_) => "ValidationException",
            Self::Engine(error) => error.code(),
        }
    }
}
