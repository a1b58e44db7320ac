//! `StartNotebookInstance`, `StopNotebookInstance`, `UpdateNotebookInstance`, `DeleteNotebookInstance`: what a
//! notebook may be asked in which state. The reconciler does the rest.

use serde::{Deserialize, Serialize};

use super::NOTEBOOKS;
use super::create::{MetadataService, role_can_be_assumed};
use super::error::Error;
use super::event::changed;
use super::state::{Notebook, Status, lifecycle_config};
use super::tags;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Need, Operation};

/// Finds the notebook and refuses if its state is none of `allowed` (`printed` as AWS prints them).
fn in_state(
    cx: &Cx<'_>,
    name: &str,
    allowed: &[Status],
    printed: &'static str,
    next: &'static str,
) -> Result<Notebook, Error> {
    let notebook = Notebook::find(cx, name)?;
    if allowed.contains(&notebook.status) {
        return Ok(notebook);
    }
    Err(Error::WrongState {
        now: notebook.status.name().to_owned(),
        allowed: printed,
        next,
        arn: notebook.arn,
    })
}

macro_rules! by_name {
    ($($(#[$doc:meta])* $operation:ident $run:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $operation {
            pub notebook_instance_name: String,
        }

        impl Operation for $operation {
            const SERVICE: &'static str = "sagemaker";
            const NAME: &'static str = stringify!($operation);
            const KIND: Kind = Kind::Write;
            type Output = ();
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![Notebook::arn_of(cx, &self.notebook_instance_name)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                tags::resource_keys(cx, &self.notebook_instance_name, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                let run: fn(&str, &mut Cx<'_>) -> Result<(), Error> = $run;
                run(&self.notebook_instance_name, cx)
            }
        }
    )*};
}

by_name! {
    /// `InService` to `Stopping`. Its links and sessions end now.
    StopNotebookInstance |name, cx| {
        let mut notebook = in_state(cx, name, &[Status::InService], "InService", "Stopping")?;
        notebook.status = Status::Stopping;
        changed(cx, &mut notebook)?;
        cx.wake(NOTEBOOKS);
        Ok(())
    };

    /// `Stopped` or `Failed` to `Pending`.
    StartNotebookInstance |name, cx| {
        let allowed = &[Status::Stopped, Status::Failed];
        let mut notebook = in_state(cx, name, allowed, "Stopped, Failed", "Pending")?;
        role_can_be_assumed(cx, &notebook.role_arn)?;
        notebook.status = Status::Pending;
        notebook.failure_reason = None;
        notebook.generation += 1;
        notebook.deaths = 0;
        changed(cx, &mut notebook)?;
        cx.wake(NOTEBOOKS);
        Ok(())
    };

    /// `Stopped` or `Failed` to `Deleting`, and then gone with its files.
    DeleteNotebookInstance |name, cx| {
        let allowed = &[Status::Stopped, Status::Failed];
        let mut notebook = in_state(cx, name, allowed, "Failed, Stopped", "Deleting")?;
        notebook.status = Status::Deleting;
        changed(cx, &mut notebook)?;
        cx.wake(NOTEBOOKS);
        Ok(())
    };
}

/// Changes a stopped notebook; what is not given stays.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateNotebookInstance {
    pub notebook_instance_name: String,
    pub instance_type: Option<String>,
    pub role_arn: Option<String>,
    pub lifecycle_config_name: Option<String>,
    pub disassociate_lifecycle_config: Option<bool>,
    #[serde(rename = "VolumeSizeInGB")]
    pub volume_size_in_gb: Option<i64>,
    pub root_access: Option<String>,
    pub platform_identifier: Option<String>,
    pub instance_metadata_service_configuration: Option<MetadataService>,
}

impl Operation for UpdateNotebookInstance {
    const SERVICE: &'static str = "sagemaker";
    const NAME: &'static str = "UpdateNotebookInstance";
    const KIND: Kind = Kind::Write;
    type Output = serde_json::Map<String, serde_json::Value>;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Notebook::arn_of(cx, &self.notebook_instance_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::resource_keys(cx, &self.notebook_instance_name, keys);
        if let Some(kind) = &self.instance_type {
            keys.insert("sagemaker:InstanceTypes".to_owned(), vec![kind.clone()]);
        }
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        self.role_arn.iter().map(|role| Need::pass_role(role, super::PRINCIPAL)).collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let mut notebook =
            in_state(cx, &self.notebook_instance_name, &[Status::Stopped], "Stopped", "Updating")?;
        if let Some(size) = self.volume_size_in_gb {
            if size < notebook.volume_size {
                return Err(Error::Validation(format!(
                    "Volume size cannot be decreased: it is {} GB",
                    notebook.volume_size
                )));
            }
            notebook.volume_size = size;
        }
        if let Some(role) = self.role_arn {
            role_can_be_assumed(cx, &role)?;
            notebook.role_arn = role;
        }
        if self.disassociate_lifecycle_config == Some(true) {
            notebook.lifecycle_config = None;
        } else if let Some(name) = self.lifecycle_config_name {
            if lifecycle_config(cx, &name)?.is_none() {
                return Err(Error::NoLifecycleConfig(name));
            }
            notebook.lifecycle_config = Some(name);
        }
        let keep = |new: Option<String>, old: &mut String| {
            if let Some(new) = new {
                *old = new;
            }
        };
        keep(self.instance_type, &mut notebook.instance_type);
        keep(self.root_access, &mut notebook.root_access);
        keep(self.platform_identifier, &mut notebook.platform);
        keep(
            self.instance_metadata_service_configuration.map(|m| m.minimum_instance_metadata_service_version),
            &mut notebook.metadata_version,
        );
        notebook.status = Status::Updating;
        changed(cx, &mut notebook)?;
        cx.wake(NOTEBOOKS);
        Ok(serde_json::Map::new())
    }
}
