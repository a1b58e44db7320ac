//! Parameters: writing one, reading one or some.

mod get;
mod put;
mod view;

pub use get::{GetParameter, GetParameterOutput, GetParameters};
pub use put::{PutParameter, PutParameterOutput};
pub use view::{ParameterView, PolicyView};
pub(super) use view::{policies, view};
