//! `DescribeStacks`.

use serde::{Deserialize, Serialize};

use super::super::error::Error;
use super::super::find;
use super::super::page;
use super::super::state::{Live, Stack};
use super::StackView;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// Stacks by name or id (deleted ones by id only), or all that are not deleted.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeStacks {
    pub stack_name: Option<String>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStacksOutput {
    pub stacks: Vec<StackView>,
    pub next_token: Option<String>,
}

impl Operation for DescribeStacks {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "DescribeStacks";
    const KIND: Kind = Kind::Read;
    type Output = DescribeStacksOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![match &self.stack_name {
            Some(name) => find::arn(cx, name),
            None => cx.arn("cloudformation", "stack/*/*"),
        }]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeStacksOutput, Error> {
        if let Some(name) = self.stack_name.filter(|name| !name.is_empty()) {
            let stack = find::stack(cx, &name)?.ok_or_else(|| Error::no_stack_with_id(&name))?;
            return Ok(DescribeStacksOutput { stacks: vec![StackView::of(stack)], next_token: None });
        }
        let page = page::of::<Live>(cx, "", self.next_token.as_deref(), 100)?;
        let mut stacks = Vec::with_capacity(page.items.len());
        for live in page.items {
            stacks.extend(cx.get::<Stack>(&live.uuid)?.map(StackView::of));
        }
        Ok(DescribeStacksOutput { stacks, next_token: page.next })
    }
}
