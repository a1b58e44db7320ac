//! What Parameter Store keeps: one record a parameter, with all its versions.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::Record;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameter {
    /// As its maker wrote it: `/SageMaker/Notebooks/Demo-User-Notebook` or `name`.
    pub name: String,
    /// Newest last; at most 100, as AWS keeps.
    pub versions: Vec<ParameterVersion>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParameterVersion {
    pub version: i64,
    pub kind: String,
    pub value: String,
    pub description: Option<String>,
    pub modified: Timestamp,
    pub modified_by: String,
}

impl Record for Parameter {
    const KIND: &'static str = "ssm.parameter";

    fn key(&self) -> String {
        self.name.clone()
    }
}

impl Parameter {
    /// The current version.
    pub fn current(&self) -> Option<&ParameterVersion> {
        self.versions.last()
    }
}
