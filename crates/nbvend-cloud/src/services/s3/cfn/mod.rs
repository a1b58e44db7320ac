//! The resource types S3 makes for CloudFormation.

use crate::provider::Provider;

pub static PROVIDERS: &[&dyn Provider] = &[];
