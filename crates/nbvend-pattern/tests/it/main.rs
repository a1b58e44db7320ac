//! The crate from outside: tables of patterns, transformers and schedules with what AWS makes of them.

mod errors;
mod index;
mod matching;
mod schedules;
mod transformers;
