//! `GetAccountSettings`.

use serde::{Deserialize, Serialize};

use super::concurrency::{LIMIT, reserved};
use super::error::Error;
use super::state::Function;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetAccountSettings {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccountSettingsOutput {
    pub account_limit: AccountLimit,
    pub account_usage: AccountUsage,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountLimit {
    /// Bytes.
    pub total_code_size: u64,
    pub code_size_unzipped: u64,
    pub code_size_zipped: u64,
    pub concurrent_executions: u32,
    pub unreserved_concurrent_executions: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountUsage {
    /// Bytes of the unpublished versions' packages.
    pub total_code_size: u64,
    pub function_count: usize,
}

impl Operation for GetAccountSettings {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "GetAccountSettings";
    const KIND: Kind = Kind::Read;
    type Output = GetAccountSettingsOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<GetAccountSettingsOutput, Error> {
        let functions = cx.tx.list::<Function>(cx.region(), "", None, usize::MAX)?;
        Ok(GetAccountSettingsOutput {
            account_limit: AccountLimit {
                total_code_size: 80_530_636_800,
                code_size_unzipped: 262_144_000,
                code_size_zipped: 52_428_800,
                concurrent_executions: LIMIT,
                unreserved_concurrent_executions: LIMIT.saturating_sub(reserved(cx.tx)?),
            },
            account_usage: AccountUsage {
                total_code_size: functions.iter().map(|function| function.latest.code.size).sum(),
                function_count: functions.len(),
            },
        })
    }
}
