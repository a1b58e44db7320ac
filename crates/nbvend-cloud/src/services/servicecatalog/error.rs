//! Service Catalog's errors. Codes as in its model, all with status 400. Texts marked *seen* are AWS's own, from
//! public issue logs; the others say the same in AWS's manner.

use nbvend_template::TemplateError;
use nbvend_wire::error::WireError;

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Portfolio {0} not found.")]
    PortfolioNotFound(String),
    #[error("Product {0} not found.")]
    ProductNotFound(String),
    /// *Seen* (aws-cdk issue 21871).
    #[error("Product with name {0} not found")]
    ProductNameNotFound(String),
    #[error("Provisioning artifact {0} not found.")]
    ArtifactNotFound(String),
    #[error("Constraint {0} not found.")]
    ConstraintNotFound(String),
    #[error("Record {0} not found.")]
    RecordNotFound(String),
    #[error("Provisioned product {0} not found.")]
    ProvisionedProductNotFound(String),
    #[error("Principal {principal} is not associated with portfolio {portfolio}.")]
    PrincipalNotAssociated { principal: String, portfolio: String },
    #[error("Product {product} is not associated with portfolio {portfolio}.")]
    ProductNotAssociated { product: String, portfolio: String },
    /// *Seen* (aws-service-catalog-products issue 51).
    #[error("No launch paths found for resource: {0}")]
    NoLaunchPaths(String),
    #[error("Launch path {0} not found.")]
    LaunchPathNotFound(String),
    /// *Seen* (terraform-provider-controltower pull request 48).
    #[error("More than one launch path ids exist. Please specify the launch path id")]
    ManyLaunchPaths,
    /// *Seen* for artifacts (terraform-provider-aws issue 24362).
    #[error("Multiple {what} with name {name} found.")]
    Ambiguous { what: &'static str, name: String },
    /// The first sentences *seen* (sagemaker studio workshop, pull request 11); the reason is what a person needs.
    #[error("Invalid templateBody. Please make sure that your template is valid. {}", place(.0))]
    Template(TemplateError),
    /// A template that cannot be read from S3, with S3's own reason.
    #[error("The template cannot be read from {url}: {reason}")]
    TemplateSource { url: String, reason: String },
    /// What CloudFormation says of a parameter.
    #[error("{0}")]
    Parameter(TemplateError),
    #[error("{0}")]
    Invalid(String),
    /// The text *seen*, on AWS with the code InvalidParametersException (aws-service-catalog-puppet issue 284), though
    /// the model declares DuplicateResourceException for this very case and clients test for that.
    #[error("A stack named {0} already exists.")]
    NameInUse(String),
    #[error("{0}")]
    Duplicate(String),
    /// *Seen* for principals (cloudformation-coverage-roadmap issue 2430).
    #[error("Portfolio {portfolio} still has associated {what}")]
    PortfolioInUse { portfolio: String, what: &'static str },
    #[error("{0}")]
    InUse(String),
    #[error("{0}")]
    Limit(String),
    /// An operation that needs the product at rest.
    #[error(
        "Provisioned product {id} is {status}: the operation is possible when the one under way has ended."
    )]
    UnderChange { id: String, status: &'static str },
    #[error("{0}")]
    State(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

fn place(error: &TemplateError) -> String {
    match (error.line, error.column) {
        // A text that does not parse has its place in the message already.
        (Some(line), Some(column)) if !error.message.contains("(line ") => {
            format!("{} (line {line}, column {column})", error.message)
        }
        _ => error.message.clone(),
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        Self::Engine(error.into())
    }
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::PortfolioNotFound(_)
            | Self::ProductNotFound(_)
            | Self::ProductNameNotFound(_)
            | Self::ArtifactNotFound(_)
            | Self::ConstraintNotFound(_)
            | Self::RecordNotFound(_)
            | Self::ProvisionedProductNotFound(_)
            | Self::PrincipalNotAssociated { .. }
            | Self::ProductNotAssociated { .. }
            | Self::NoLaunchPaths(_)
            | Self::LaunchPathNotFound(_) => "ResourceNotFoundException",
            Self::ManyLaunchPaths
            | Self::Ambiguous { .. }
            | Self::Template(_)
            | Self::TemplateSource { .. }
            | Self::Parameter(_)
            | Self::Invalid(_) => "InvalidParametersException",
            Self::NameInUse(_) | Self::Duplicate(_) => "DuplicateResourceException",
            Self::PortfolioInUse { .. } | Self::InUse(_) => "ResourceInUseException",
            Self::Limit(_) => "LimitExceededException",
            Self::UnderChange { .. } | Self::State(_) => "InvalidStateException",
            Self::Engine(error) => error.code(),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::Engine(error) => error.status(),
            Self::PortfolioNotFound(_)
            | Self::ProductNotFound(_)
            | Self::ProductNameNotFound(_)
            | Self::ArtifactNotFound(_)
            | Self::ConstraintNotFound(_)
            | Self::RecordNotFound(_)
            | Self::ProvisionedProductNotFound(_)
            | Self::PrincipalNotAssociated { .. }
            | Self::ProductNotAssociated { .. }
            | Self::NoLaunchPaths(_)
            | Self::LaunchPathNotFound(_)
            | Self::ManyLaunchPaths
            | Self::Ambiguous { .. }
            | Self::Template(_)
            | Self::TemplateSource { .. }
            | Self::Parameter(_)
            | Self::Invalid(_)
            | Self::NameInUse(_)
            | Self::Duplicate(_)
            | Self::PortfolioInUse { .. }
            | Self::InUse(_)
            | Self::Limit(_)
            | Self::UnderChange { .. }
            | Self::State(_) => 400,
        }
    }
}
