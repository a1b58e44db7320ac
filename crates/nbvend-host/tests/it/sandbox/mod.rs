//! Real sandboxes, attacked from inside by plain Python and shell.

mod attacks;
mod life;
mod limits;
mod place;
mod volumes;

pub use place::offer;
