//! docs/parity.md is generated from the registry: this test fails when it is out of date, and writes it when
//! `UPDATE_PARITY` is set (`cargo xtask parity`).

use std::fmt::Write;

use super::{SERVICES, resource_types};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/parity.md");

fn page() -> String {
    let mut page = String::from(
        "# What is served\n\nGenerated from the registry by `cargo xtask parity`. An operation of AWS that is not here is refused by \
         name (501 `NotImplemented`), and so is a member or a property that is not served.\n",
    );
    for service in SERVICES {
        let names: Vec<&str> = service.operations.iter().map(|entry| entry.name).collect();
        let write = write!(page, "\n## {}\n\n{} operations: {}\n", service.id, names.len(), names.join(", "));
        write.expect("a string takes all");
    }
    let mut types: Vec<&str> = resource_types().filter(|name| name.starts_with("AWS::")).collect();
    types.sort_unstable();
    let write = write!(page, "\n## Resource types of CloudFormation\n\n{}\n", types.join(", "));
    write.expect("a string takes all");
    page
}

#[test]
fn the_parity_page_is_up_to_date() {
    let page = page();
    if std::env::var_os("UPDATE_PARITY").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let found = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(found == page, "docs/parity.md is out of date: run `cargo xtask parity`");
}
