//! Step 2: what a stage serves. Compiled from the deployment's snapshot at the first request, and again only after the
//! stage was changed; one small record is read a request to see that.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use nbvend_policy::Policy;

use super::address::Address;
use super::refusal::Refusal;
use super::routes::Routes;
use crate::Engine;
use crate::services::apigateway::policy;
use crate::services::apigateway::state::{
    GatewayResponse, MethodSetting, RestApi, Snapshot, Stage, Texts, within,
};
use crate::store::{StoreError, Tx};

/// A stage ready to serve.
#[derive(Debug)]
pub struct Compiled {
    generation: String,
    pub api: String,
    pub region: String,
    pub name: String,
    pub deployment: String,
    pub disabled: bool,
    pub routes: Routes,
    pub variables: Texts,
    pub settings: BTreeMap<String, MethodSetting>,
    pub binary_media_types: Vec<String>,
    pub policy: Option<Policy>,
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
}

/// By region and key of the stage. Emptied when full.
#[derive(Default)]
struct Cache(Mutex<HashMap<(String, String), Arc<Compiled>>>);
const KEPT: usize = 256;

/// The stage of an address; `None` if there is no such API or stage.
pub fn stage(engine: &Engine, address: &Address) -> Result<Option<Arc<Compiled>>, Refusal> {
    let found = engine.store().read(|tx| look_up(engine, tx, address));
    found.and_then(|inner| inner).map_err(|error| {
        tracing::error!(%error, api = address.api, "a stage could not be read");
        Refusal::internal()
    })
}

fn look_up(engine: &Engine, tx: &Tx<'_>, address: &Address) -> Result<Option<Arc<Compiled>>, StoreError> {
    let region = match &address.region {
        Some(region) => region.clone(),
        None => match tx.find_everywhere::<RestApi>("id", &address.api)?.into_iter().next() {
            Some((region, _)) => region,
            None => return Ok(None),
        },
    };
    let key = within(&address.api, &address.stage);
    let Some(stage) = tx.get::<Stage>(&region, &key)? else { return Ok(None) };
    let cache = engine.cache::<Cache>();
    let slot = (region, key);
    let kept = cache.0.lock().expect("nobody panics while holding the stages").get(&slot).cloned();
    if let Some(kept) = kept.filter(|kept| kept.generation == stage.generation) {
        return Ok(Some(kept));
    }
    let Some(snapshot) = tx.get::<Snapshot>(&slot.0, &within(&stage.api, &stage.deployment))? else {
        return Ok(None);
    };
    let compiled = Arc::new(compile(stage, snapshot, &slot.0, &engine.config().url_suffix));
    let mut stages = cache.0.lock().expect("nobody panics while holding the stages");
    if stages.len() >= KEPT {
        stages.clear();
    }
    stages.insert(slot, Arc::clone(&compiled));
    Ok(Some(compiled))
}

fn compile(stage: Stage, snapshot: Snapshot, region: &str, url_suffix: &str) -> Compiled {
    let api = snapshot.api;
    let policy = api.policy.as_deref().map(|text| policy::compiled(text, url_suffix));
    // It was checked when it was stored; should it not be readable any more, nobody passes.
    let unreadable = matches!(policy, Some(None));
    Compiled {
        generation: stage.generation,
        region: region.to_owned(),
        name: stage.name,
        deployment: stage.deployment,
        disabled: api.disable_execute_api_endpoint || unreadable,
        routes: Routes::of(&snapshot.definition),
        variables: stage.variables,
        settings: stage.settings,
        binary_media_types: api.binary_media_types,
        policy: policy.flatten(),
        gateway_responses: snapshot.definition.gateway_responses,
        api: api.id,
    }
}
