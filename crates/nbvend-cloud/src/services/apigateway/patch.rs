//! Patch operations: how every Update of API Gateway says what to change.

use serde::{Deserialize, Serialize};

use super::error::Error;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchOperation {
    pub op: String,
    pub path: Option<String>,
    pub value: Option<String>,
    pub from: Option<String>,
}

/// One change, read: the segments of its path, `~1` and `~0` undone.
pub struct Change<'a> {
    pub op: &'a str,
    pub path: &'a str,
    pub segments: Vec<String>,
    value: Option<&'a str>,
}

impl<'a> Change<'a> {
    pub fn read(operation: &'a PatchOperation) -> Result<Self, Error> {
        let path = operation.path.as_deref().ok_or_else(|| Error::bad("Invalid patch path null"))?;
        let rest = path.strip_prefix('/').ok_or_else(|| invalid_path(path))?;
        let segments = rest.split('/').map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect();
        Ok(Self { op: &operation.op, path, segments, value: operation.value.as_deref() })
    }

    /// The segments, to be matched on.
    pub fn parts(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The value of a `replace` (or of an `add`, which means the same where there is one value).
    pub fn value(&self) -> Result<&'a str, Error> {
        self.value.ok_or_else(|| Error::bad("Invalid patch operation specified. A value is required"))
    }

    /// The value, where only `replace` is allowed; AWS's words are recorded.
    pub fn replaced(&self) -> Result<&'a str, Error> {
        if self.op != "replace" {
            return Err(Error::bad("Invalid patch operation specified. Must be one of: [replace]"));
        }
        self.value()
    }

    /// The text to keep, `None` when it is removed or made empty.
    pub fn text(&self) -> Result<Option<String>, Error> {
        match self.op {
            "remove" => Ok(None),
            "add" | "replace" => Ok(self.value.filter(|value| !value.is_empty()).map(str::to_owned)),
            _ => Err(self.unsupported_op()),
        }
    }

    pub fn flag(&self) -> Result<bool, Error> {
        match self.value()? {
            "true" => Ok(true),
            "false" => Ok(false),
            other => {
                Err(Error::bad(format!("Invalid value '{other}' specified for boolean path {}", self.path)))
            }
        }
    }

    pub fn invalid(&self) -> Error {
        invalid_path(self.path)
    }

    /// Recorded, with its two spaces.
    pub fn one_of(&self, paths: &str) -> Error {
        if self.op == "replace" {
            let (path, op) = (self.path, self.op);
            return Error::bad(format!(
                "Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{paths}]"
            ));
        }
        self.unsupported_op()
    }

    pub fn unsupported_op(&self) -> Error {
        let (path, op) = (self.path, self.op);
        Error::bad(format!(
            "Invalid patch path  '{path}' specified for op '{op}'. Please choose supported operations"
        ))
    }
}

fn invalid_path(path: &str) -> Error {
    Error::bad(format!("Invalid patch path {path}"))
}

/// Reads every change and applies it.
pub fn apply(
    operations: &[PatchOperation],
    mut change: impl FnMut(&Change<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    operations.iter().try_for_each(|operation| change(&Change::read(operation)?))
}
