//! A version made ready for work: conditions evaluated, dependencies known. Worked out on a snapshot and kept while
//! its stack is under way, so that the writer never parses.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use nbvend_template::Template;
use nbvend_template::graph::Graph;
use nbvend_template::intrinsics::{Env, Resolver, evaluate_conditions, resolve};
use nbvend_template::{TemplateError, intrinsics::NoResources};
use serde_json::{Map, Value};

use super::draft::pseudo_parameters;
use super::state::{Stack, Version};
use crate::context::Cx;
use crate::error::EngineError;

#[derive(Debug)]
pub struct Plan {
    pub version: Version,
    pub template: Template,
    pub conditions: BTreeMap<String, bool>,
    pub graph: Graph,
    pub pseudo: Map<String, Value>,
    /// Parameters with `****` in place of those never shown; none if there are none such.
    masked: Option<Map<String, Value>>,
}

impl Plan {
    /// # Errors
    /// AWS's text: a condition that cannot be evaluated, a dependency on a resource that is not to exist.
    pub fn of(cx: &Cx<'_>, stack: &Stack, version: Version) -> Result<Self, TemplateError> {
        let template = Template::from_value(version.processed.clone());
        let pseudo = pseudo_parameters(cx, &stack.name, &stack.arn, &version.face.notification_arns);
        let conditions = evaluate_conditions(&template, &version.values, &pseudo)?;
        let graph = Graph::of(&template, &conditions)?;
        let masked = (!version.no_echo.is_empty()).then(|| {
            let mut masked = version.values.clone();
            for name in &version.no_echo {
                masked.insert(name.clone(), "****".into());
            }
            masked
        });
        Ok(Self { version, template, conditions, graph, pseudo, masked })
    }

    /// The value an expression stands for; `None` is AWS::NoValue.
    pub fn resolve(&self, value: &Value, resolver: &dyn Resolver) -> Result<Option<Value>, TemplateError> {
        self.resolve_with(value, &self.version.values, resolver)
    }

    /// The same as it may be shown.
    pub fn resolve_shown(
        &self,
        value: &Value,
        resolver: &dyn Resolver,
    ) -> Result<Option<Value>, TemplateError> {
        self.resolve_with(value, self.masked.as_ref().unwrap_or(&self.version.values), resolver)
    }

    /// Whether what is shown differs from what is meant.
    pub fn hides(&self) -> bool {
        self.masked.is_some()
    }

    fn resolve_with(
        &self,
        value: &Value,
        parameters: &Map<String, Value>,
        resolver: &dyn Resolver,
    ) -> Result<Option<Value>, TemplateError> {
        let env = Env {
            parameters,
            pseudo: &self.pseudo,
            mappings: self.template.mappings(),
            conditions: &self.conditions,
            language_extensions: self.template.language_extensions(),
            resolver,
        };
        resolve(value, &env)
    }

    /// The exports it imports. Their names depend on no resource.
    pub fn imports(&self) -> Result<BTreeSet<String>, TemplateError> {
        let mut names = BTreeSet::new();
        for name in self.graph.imports(&self.template) {
            if let Some(Value::String(name)) = self.resolve(name, &NoResources)? {
                names.insert(name);
            }
        }
        Ok(names)
    }
}

/// Plans of stacks under way, by stack and version. Bounded: a plan that was dropped is worked out again.
#[derive(Default)]
pub struct Plans(Mutex<HashMap<String, Arc<Plan>>>);

const KEPT: usize = 256;

/// The plan of a version of a stack; `None` if there is no such version. The inner error is AWS's.
pub fn plan(
    cx: &Cx<'_>,
    stack: &Stack,
    id: &str,
) -> Result<Option<Result<Arc<Plan>, TemplateError>>, EngineError> {
    let key = Version::key_of(&stack.uuid, id);
    let plans = cx.engine.cache::<Plans>();
    if let Some(plan) = plans.0.lock().expect("nobody panics while holding the plans").get(&key) {
        return Ok(Some(Ok(Arc::clone(plan))));
    }
    let Some(version) = cx.get::<Version>(&key)? else { return Ok(None) };
    let plan = match Plan::of(cx, stack, version) {
        Ok(plan) => Arc::new(plan),
        Err(error) => return Ok(Some(Err(error))),
    };
    let mut kept = plans.0.lock().expect("nobody panics while holding the plans");
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(key, Arc::clone(&plan));
    Ok(Some(Ok(plan)))
}

/// Forgets the plans of a stack that is done.
pub fn forget(cx: &Cx<'_>, stack: &Stack) {
    let prefix = format!("{}/", stack.uuid);
    let plans = cx.engine.cache::<Plans>();
    plans.0.lock().expect("nobody panics while holding the plans").retain(|key, _| !key.starts_with(&prefix));
}
