//! `TerminateProvisionedProduct`: accepts the end of what was launched; the reconciler deletes its stack.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::RECORDS;
use super::error::Error;
use super::provisioned::{by_id_or_name, level_keys};
use super::record::RecordAnswer;
use super::state::{LaunchRecord, RecordKind, Work, digest, recall, remember};
use super::update::at_rest;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Ends a launch. Idempotent by its token as long as it takes; afterwards the product is not found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct TerminateProvisionedProduct {
    pub accept_language: Option<String>,
    pub provisioned_product_name: Option<String>,
    pub provisioned_product_id: Option<String>,
    pub terminate_token: String,
    /// Gives the product up even if its stack cannot be deleted.
    pub ignore_errors: Option<bool>,
    /// Gives it up and leaves the stack as it is.
    pub retain_physical_resources: Option<bool>,
}

impl Operation for TerminateProvisionedProduct {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "TerminateProvisionedProduct";
    const KIND: Kind = Kind::Write;
    type Output = RecordAnswer;
    type Error = Error;

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        level_keys(
            cx,
            self.provisioned_product_id.as_deref(),
            self.provisioned_product_name.as_deref(),
            keys,
        );
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RecordAnswer, Error> {
        let (id, name) = (self.provisioned_product_id.as_deref(), self.provisioned_product_name.as_deref());
        let mut launched = by_id_or_name(cx, id, name)?;
        // The product is named by its id, so that the same token may come with the name or the id.
        let ignore_errors = self.ignore_errors == Some(true);
        let retain = self.retain_physical_resources == Some(true);
        let digest = digest(cx, &json!([launched.id, ignore_errors, retain]));
        if let Some(id) = recall(cx, Self::NAME, &self.terminate_token, &digest)?
            && let Some(record) = cx.get::<LaunchRecord>(&id)?
            && record.work.is_some()
        {
            return Ok(RecordAnswer::of(&record));
        }
        at_rest(&launched)?;
        let work = Work { ignore_errors, retain, ..Work::of(cx, launched.status) };
        let record = LaunchRecord::of(cx, RecordKind::Terminate, &launched, Some(work));
        launched.begin(&record);
        cx.put(&launched)?;
        cx.put(&record)?;
        remember(cx, Self::NAME, &self.terminate_token, digest, &record.id)?;
        cx.wake(RECORDS);
        Ok(RecordAnswer::of(&record))
    }
}
