//! What the host is told to run for a notebook.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::state::{LifecycleConfig, Notebook};
use super::{credentials, instance_type, repository};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::ports::{NotebookLimits, NotebookSpec};
use crate::store::{StoreError, Tx};

/// Where programs in a notebook look for its name, also AWS's own sample scripts.
const METADATA: &str = "/opt/ml/metadata/resource-metadata.json";

pub fn of(engine: &Engine, region: &str, notebook: &Notebook) -> Result<NotebookSpec, EngineError> {
    let machine = engine.notebooks().capacity();
    let kind = instance_type::find(&notebook.instance_type);
    let metadata = json!({"ResourceArn": notebook.arn, "ResourceName": notebook.name});
    engine.store().read(|tx| {
        Ok(NotebookSpec {
            id: notebook.id.clone(),
            generation: notebook.generation,
            name: notebook.name.clone(),
            region: region.to_owned(),
            instance_type: notebook.instance_type.clone(),
            limits: kind.map_or(
                NotebookLimits { cpu: f64::from(machine.cores), memory: machine.memory, pids: 4096 },
                |kind| kind.limits(machine),
            ),
            volume_gb: u64::try_from(notebook.volume_size).unwrap_or_default(),
            direct_internet: notebook.direct_internet_access == "Enabled",
            role_arn: notebook.role_arn.clone(),
            credentials_token: credentials::token(tx, notebook)?,
            files: vec![(METADATA.into(), metadata.to_string().into_bytes())],
            repositories: repository::of(notebook),
            scripts: scripts(tx, region, notebook)?,
        })
    })?
}

/// The scripts of the notebook's lifecycle configuration that this start has to run.
fn scripts(
    tx: &Tx<'_>,
    region: &str,
    notebook: &Notebook,
) -> Result<Vec<(&'static str, Vec<u8>)>, StoreError> {
    let Some(name) = &notebook.lifecycle_config else { return Ok(Vec::new()) };
    let Some(config) = tx.get::<LifecycleConfig>(region, name)? else { return Ok(Vec::new()) };
    let create = config.on_create.filter(|_| !notebook.created_once);
    let all = [("OnCreate", create), ("OnStart", config.on_start)];
    // Checked to be base64 when the configuration was made.
    Ok(all.into_iter().filter_map(|(hook, text)| Some((hook, STANDARD.decode(text?).ok()?))).collect())
}
