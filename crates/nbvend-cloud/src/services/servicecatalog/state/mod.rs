//! What Service Catalog keeps: the catalog ([`catalog`]), what was launched from it ([`launch`]), and which requests
//! were answered already ([`token`]).

mod catalog;
mod launch;
mod token;

pub use catalog::{
    Artifact, Constraint, Portfolio, PrincipalAssociation, PrincipalKind, Product, ProductAssociation,
    StoredTemplate,
};
pub use launch::{
    Actor, Given, LaunchRecord, Output, ProductStatus, ProvisionedProduct, RecordError, RecordKind,
    RecordStatus, Work,
};
pub use token::{digest, recall, remember};
