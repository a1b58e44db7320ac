//! What of an event a target gets: all of it, a part, a fixed text, or a template filled from it.

use nbvend_pattern::{InputTransformer, RuleContext, TransformError, input_path};
use serde_json::Value;

use super::state::Input;

/// An input that is ready to be applied to many events.
#[derive(Debug)]
pub enum Compiled {
    Event,
    Constant(String),
    Path(String),
    Transformer(Box<InputTransformer>),
}

/// Compiles an input; what does not compile was refused when the target was put.
pub fn compile(input: &Input) -> Result<Compiled, TransformError> {
    Ok(match input {
        Input::Event => Compiled::Event,
        Input::Constant(text) => Compiled::Constant(text.clone()),
        Input::Path(path) => Compiled::Path(path.clone()),
        Input::Transformer { paths, template } => {
            let paths = paths.iter().map(|(name, path)| (name.as_str(), path.as_str()));
            Compiled::Transformer(Box::new(InputTransformer::parse(paths, template)?))
        }
    })
}

impl Compiled {
    /// The text for the target. `whole` is the event as text; a path that leads nowhere gives `null`.
    pub fn apply(&self, event: &Value, whole: &str, rule: &RuleContext<'_>) -> String {
        match self {
            Self::Event => whole.to_owned(),
            Self::Constant(text) => text.clone(),
            Self::Path(path) => input_path(path, event).unwrap_or(Value::Null).to_string(),
            Self::Transformer(transformer) => transformer.apply(event, rule),
        }
    }
}
