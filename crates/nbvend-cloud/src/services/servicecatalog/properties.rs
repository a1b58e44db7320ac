//! `UpdateProvisionedProductProperties`: another owner, another launch role.

use std::collections::BTreeMap;
use std::str::FromStr;

use nbvend_wire::arn::Arn;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Error;
use super::provisioned::find;
use super::state::{LaunchRecord, RecordKind, digest, recall, remember};
use super::update::at_rest;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// Done at once: nothing of the stack changes. Its tags name the new owner from the next update on.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateProvisionedProductProperties {
    pub accept_language: Option<String>,
    pub provisioned_product_id: String,
    /// `OWNER`: ARN of a user, a role or a role's session. `LAUNCH_ROLE`: ARN of a role.
    pub provisioned_product_properties: BTreeMap<String, String>,
    pub idempotency_token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateProvisionedProductPropertiesOutput {
    pub provisioned_product_id: String,
    pub provisioned_product_properties: BTreeMap<String, String>,
    pub record_id: String,
    pub status: &'static str,
}

/// The user or role of an owner's ARN, and the session.
fn owner(cx: &Cx<'_>, text: &str) -> Result<(String, String), Error> {
    let invalid = || Error::Invalid(format!("Invalid owner: {text}"));
    let arn = Arn::from_str(text).map_err(|_| invalid())?;
    if arn.account != cx.account() {
        return Err(invalid());
    }
    match (arn.service.as_str(), arn.resource_parts()) {
        ("iam", ("user" | "role", name)) if !name.is_empty() => Ok((text.to_owned(), text.to_owned())),
        ("iam", _) if arn.resource == "root" => Ok((text.to_owned(), text.to_owned())),
        ("sts", ("assumed-role", session)) => {
            let (role, _) = session.split_once('/').ok_or_else(invalid)?;
            Ok((cx.iam_arn(&format!("role/{role}")), text.to_owned()))
        }
        _ => Err(invalid()),
    }
}

impl Operation for UpdateProvisionedProductProperties {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "UpdateProvisionedProductProperties";
    const KIND: Kind = Kind::Write;
    type Output = UpdateProvisionedProductPropertiesOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let mut launched = find(cx, &self.provisioned_product_id)?;
        let properties = self.provisioned_product_properties;
        let digest = digest(cx, &json!([launched.id, properties]));
        let answer = |record: &LaunchRecord, properties| UpdateProvisionedProductPropertiesOutput {
            provisioned_product_id: record.provisioned_product_id.clone(),
            provisioned_product_properties: properties,
            record_id: record.id.clone(),
            status: record.status.name(),
        };
        if let Some(id) = recall(cx, Self::NAME, &self.idempotency_token, &digest)?
            && let Some(record) = cx.get::<LaunchRecord>(&id)?
        {
            return Ok(answer(&record, properties));
        }
        at_rest(&launched)?;
        for (key, value) in &properties {
            match key.as_str() {
                "OWNER" => (launched.user_arn, launched.session_arn) = owner(cx, value)?,
                "LAUNCH_ROLE" => {
                    let role = Arn::from_str(value).is_ok_and(|arn| {
                        arn.service == "iam"
                            && arn.account == cx.account()
                            && arn.resource_parts().0 == "role"
                    });
                    if !role {
                        return Err(Error::Invalid(format!("Invalid launch role: {value}")));
                    }
                    launched.launch_role_arn = Some(value.clone());
                    launched.launch_role_fixed = true;
                }
                _ => return Err(Error::Invalid(format!("Invalid property: {key}"))),
            }
        }
        let record = LaunchRecord::of(cx, RecordKind::Update, &launched, None);
        launched.last_record_id = record.id.clone();
        cx.put(&launched)?;
        cx.put(&record)?;
        remember(cx, Self::NAME, &self.idempotency_token, digest, &record.id)?;
        Ok(answer(&record, properties))
    }
}
