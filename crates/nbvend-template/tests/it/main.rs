//! Whole templates: what is refused, where, and the three stacks of the notebook solution end to end.

mod refused;
mod solution;
