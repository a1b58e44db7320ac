//! A version of a stack: a template, the parameters and tags it is used with.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::store::Record;

/// Never changed once written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    pub stack: String,
    pub id: String,
    /// The template's text as it came.
    pub original: String,
    /// The template in long form, transformed.
    pub processed: Value,
    /// Whether a transform made `processed` of `original`.
    pub transformed: bool,
    /// As resolved, with the names of SSM-typed parameters.
    pub parameters: Map<String, Value>,
    /// The same with the values of SSM-typed parameters.
    pub values: Map<String, Value>,
    /// Parameters never shown.
    pub no_echo: Vec<String>,
    pub face: Face,
}

impl Record for Version {
    const KIND: &'static str = "cloudformation.version";

    fn key(&self) -> String {
        Self::key_of(&self.stack, &self.id)
    }
}

impl Version {
    pub fn key_of(stack: &str, id: &str) -> String {
        format!("{stack}/{id}")
    }
}

/// What DescribeStacks shows of a version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Face {
    pub description: Option<String>,
    pub parameters: Vec<ShownParameter>,
    pub tags: Vec<(String, String)>,
    pub capabilities: Vec<String>,
    pub notification_arns: Vec<String>,
}

/// A parameter as it may be shown: `****` where the template says NoEcho.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownParameter {
    pub key: String,
    pub value: String,
    /// What an SSM-typed parameter came to.
    pub resolved: Option<String>,
}
