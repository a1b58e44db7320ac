//! Exports and imports: their books, `ListExports`, `ListImports`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::page;
use super::state::{Export, Import, Stack, StackStatus};
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::store::StoreError;

/// The names of the stacks that import an export.
pub fn importers(cx: &Cx<'_>, export: &str) -> Result<Vec<String>, StoreError> {
    let imports = cx.tx.list::<Import>(cx.region(), &Import::prefix(export), None, 100)?;
    Ok(imports.into_iter().map(|import| import.stack_name).collect())
}

/// `a`, `a and b`, `a, b and c`: how AWS lists the stacks that hold an export.
fn and(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        other => other.join(""),
    }
}

/// Refuses to end a stack whose exports others import.
///
/// AWS answers the call and then lets the stack be, with this text as its status reason. Here the caller is told at
/// once: a deletion that will not be is not accepted.
pub fn refuse_if_used(cx: &Cx<'_>, stack: &Stack) -> Result<(), Error> {
    for export in cx.find::<Export>("stack", &stack.uuid)? {
        let users = importers(cx, &export.name)?;
        if !users.is_empty() {
            return Err(Error::Validation(format!(
                "Export {} cannot be deleted as it is in use by {}",
                export.name,
                and(&users)
            )));
        }
    }
    Ok(())
}

/// Brings the stack's exports to `wanted` (name, value). The inner error is AWS's reason why not.
pub fn replace_exports(
    cx: &Cx<'_>,
    stack: &Stack,
    wanted: &[(String, String)],
) -> Result<Result<(), String>, StoreError> {
    let old = cx.find::<Export>("stack", &stack.uuid)?;
    for (at, (name, _)) in wanted.iter().enumerate() {
        if wanted[..at].iter().any(|(other, _)| other == name) {
            return Ok(Err(format!("Duplicate Export names: [{name}]")));
        }
        if let Some(taken) = cx.get::<Export>(name)?
            && taken.stack != stack.uuid
        {
            return Ok(Err(format!(
                "Export with name {name} is already exported by stack {}",
                taken.stack_name
            )));
        }
    }
    let mut gone = Vec::new();
    for export in &old {
        let new = wanted.iter().find(|(name, _)| *name == export.name);
        if new.is_some_and(|(_, value)| *value == export.value) {
            continue;
        }
        let users = importers(cx, &export.name)?;
        if !users.is_empty() {
            let verb = if new.is_some() { "updated" } else { "deleted" };
            return Ok(Err(format!(
                "Export {} cannot be {verb} as it is in use by {}",
                export.name,
                and(&users)
            )));
        }
        if new.is_none() {
            gone.push(&export.name);
        }
    }
    for name in gone {
        cx.delete::<Export>(name)?;
    }
    for (name, value) in wanted {
        cx.put(&Export {
            name: name.clone(),
            value: value.clone(),
            stack: stack.uuid.clone(),
            stack_arn: stack.arn.clone(),
            stack_name: stack.name.clone(),
        })?;
    }
    Ok(Ok(()))
}

/// Notes that the stack imports `names`, beside what it imports already. The inner error names one that is not there.
pub fn hold_imports(
    cx: &Cx<'_>,
    stack: &Stack,
    names: &BTreeSet<String>,
) -> Result<Result<(), String>, StoreError> {
    for name in names {
        let export = cx.get::<Export>(name)?;
        let owner = export.map(|export| cx.get::<Stack>(&export.stack)).transpose()?.flatten();
        // What is about to go is not there for those who come now.
        if owner.is_none_or(|owner| owner.status == StackStatus::DeleteInProgress) {
            return Ok(Err(format!("No export named {name} found")));
        }
    }
    for name in names {
        cx.put(&Import { export: name.clone(), stack: stack.uuid.clone(), stack_name: stack.name.clone() })?;
    }
    Ok(Ok(()))
}

/// Lets go of every import but `keep`.
pub fn release_imports(cx: &Cx<'_>, stack: &Stack, keep: &BTreeSet<String>) -> Result<(), StoreError> {
    for import in cx.find::<Import>("stack", &stack.uuid)? {
        if !keep.contains(&import.export) {
            cx.delete::<Import>(&crate::store::Record::key(&import))?;
        }
    }
    Ok(())
}

/// All exports of the region.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListExports {
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListExportsOutput {
    pub exports: Vec<ExportView>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExportView {
    pub exporting_stack_id: String,
    pub name: String,
    pub value: String,
}

impl Operation for ListExports {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "ListExports";
    const KIND: Kind = Kind::Read;
    type Output = ListExportsOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<ListExportsOutput, Error> {
        let page = page::of::<Export>(cx, "", self.next_token.as_deref(), 100)?;
        let view = |export: Export| ExportView {
            exporting_stack_id: export.stack_arn,
            name: export.name,
            value: export.value,
        };
        Ok(ListExportsOutput { exports: page.items.into_iter().map(view).collect(), next_token: page.next })
    }
}

/// The names of the stacks that import an export.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListImports {
    pub export_name: String,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListImportsOutput {
    pub imports: Vec<String>,
    pub next_token: Option<String>,
}

impl Operation for ListImports {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "ListImports";
    const KIND: Kind = Kind::Read;
    type Output = ListImportsOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<ListImportsOutput, Error> {
        let prefix = Import::prefix(&self.export_name);
        let page = page::of::<Import>(cx, &prefix, self.next_token.as_deref(), 100)?;
        if page.items.is_empty() && self.next_token.is_none() {
            // AWS has an error for it, also where the export exists.
            return Err(Error::Validation(format!(
                "Export '{}' is not imported by any stack.",
                self.export_name
            )));
        }
        let imports = page.items.into_iter().map(|import| import.stack_name).collect();
        Ok(ListImportsOutput { imports, next_token: page.next })
    }
}
