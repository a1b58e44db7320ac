//! Templates: given back, summed up, validated.

mod get;
mod summary;
mod validate;

pub use get::GetTemplate;
pub use summary::GetTemplateSummary;
pub use validate::ValidateTemplate;
