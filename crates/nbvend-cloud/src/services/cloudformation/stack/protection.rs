//! `UpdateTerminationProtection`.

use serde::{Deserialize, Serialize};

use super::super::error::Error;
use super::super::find;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// Guards a stack against DeleteStack, or no longer.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateTerminationProtection {
    pub stack_name: String,
    pub enable_termination_protection: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateTerminationProtectionOutput {
    pub stack_id: String,
}

impl Operation for UpdateTerminationProtection {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "UpdateTerminationProtection";
    const KIND: Kind = Kind::Write;
    type Output = UpdateTerminationProtectionOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<UpdateTerminationProtectionOutput, Error> {
        let mut stack = find::existing(cx, &self.stack_name)?;
        if stack.deleted.is_some() {
            return Err(Error::no_stack(&self.stack_name));
        }
        stack.protected = self.enable_termination_protection;
        cx.put(&stack)?;
        Ok(UpdateTerminationProtectionOutput { stack_id: stack.arn })
    }
}
