//! Exports, and who imports them.

use serde::{Deserialize, Serialize};

use crate::store::Record;

/// Unique by name in a region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Export {
    pub name: String,
    pub value: String,
    /// UUID, ARN and name of the stack that exports it.
    pub stack: String,
    pub stack_arn: String,
    pub stack_name: String,
}

impl Record for Export {
    const KIND: &'static str = "cloudformation.export";
    const INDEXES: &'static [&'static str] = &["stack"];

    fn key(&self) -> String {
        self.name.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("stack", self.stack.clone())]
    }
}

/// One stack's use of an export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Import {
    pub export: String,
    pub stack: String,
    pub stack_name: String,
}

impl Import {
    /// What the keys of all imports of an export begin with. No export name has a line break.
    pub fn prefix(export: &str) -> String {
        format!("{export}\n")
    }
}

impl Record for Import {
    const KIND: &'static str = "cloudformation.import";
    const INDEXES: &'static [&'static str] = &["stack"];

    fn key(&self) -> String {
        format!("{}\n{}/{}", self.export, self.stack_name, self.stack)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("stack", self.stack.clone())]
    }
}
