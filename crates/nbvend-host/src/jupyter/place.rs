//! Where a server runs: in a sandbox, or, without one, as the engine's own user with the machine's own view.
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ServerSpec;

/// A notebook's folders as it sees them itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct View {
    pub(super) home: PathBuf,
    /// The root of what the notebook shows.
    pub(super) work: PathBuf,
    pub(super) run: PathBuf,
}

impl View {
    /// Where kernels are asked for.
    pub(super) fn kernels(&self) -> PathBuf {
        self.run.join("kernels.sock")
    }
}

#[derive(Debug)]
pub(super) struct Place {
    view: View,
    entry: Value,
}

impl Place {
    /// No sandbox: the folders are where they are.
    pub(super) fn bare(spec: &ServerSpec) -> Self {
        let view = View { home: spec.home.clone(), work: spec.home.clone(), run: spec.run_dir.clone() };
        Self::with(view)
    }

    /// What an earlier engine has left.
    pub(super) fn with(view: View) -> Self {
        Self { view, entry: json!({"level": "process", "cgroups": [], "namespaces": []}) }
    }

    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// What a fork of the zygote does to get in, and the descriptors it needs for that.
    pub(super) fn entry(&self) -> &Value {
        &self.entry
    }

    pub(super) fn namespaces(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
}
