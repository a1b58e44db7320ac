//! Real sandboxes, attacked from inside by plain Python and shell.

mod life;
mod place;
