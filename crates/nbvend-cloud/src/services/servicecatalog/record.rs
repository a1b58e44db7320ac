//! Records: how each request about a launch goes or went.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::{AccessLevelFilter, Level};
use super::error::Error;
use super::page;
use super::state::{LaunchRecord, Output};
use super::tags::{self, Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// `RecordDetail`. The lists are there when they are empty: the trail's record of ProvisionProduct shows them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecordDetail {
    pub record_id: String,
    pub provisioned_product_name: String,
    pub status: &'static str,
    pub created_time: Timestamp,
    pub updated_time: Timestamp,
    pub provisioned_product_type: &'static str,
    pub record_type: &'static str,
    pub provisioned_product_id: String,
    pub product_id: String,
    pub provisioning_artifact_id: String,
    pub path_id: String,
    pub record_errors: Vec<RecordErrorView>,
    pub record_tags: Vec<Tag>,
    pub launch_role_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecordErrorView {
    pub code: String,
    pub description: String,
}

impl RecordDetail {
    pub fn of(record: &LaunchRecord) -> Self {
        let error = |e: &super::state::RecordError| RecordErrorView {
            code: e.code.clone(),
            description: e.description.clone(),
        };
        Self {
            record_id: record.id.clone(),
            provisioned_product_name: record.provisioned_product_name.clone(),
            status: record.status.name(),
            created_time: record.created,
            updated_time: record.updated,
            provisioned_product_type: "CFN_STACK",
            record_type: record.kind.name(),
            provisioned_product_id: record.provisioned_product_id.clone(),
            product_id: record.product_id.clone(),
            provisioning_artifact_id: record.artifact_id.clone(),
            path_id: record.path_id.clone(),
            record_errors: record.errors.iter().map(error).collect(),
            record_tags: tags::view(&record.tags),
            launch_role_arn: record.launch_role_arn.clone(),
        }
    }
}

/// `RecordOutput`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OutputView {
    pub output_key: String,
    pub output_value: String,
    pub description: Option<String>,
}

impl From<Output> for OutputView {
    fn from(output: Output) -> Self {
        Self { output_key: output.key, output_value: output.value, description: output.description }
    }
}

/// One page of outputs, in the order they have.
pub fn outputs(
    all: Vec<Output>,
    page_token: Option<&str>,
    page_size: Option<usize>,
) -> Result<(Vec<OutputView>, Option<String>), Error> {
    let numbered = all.into_iter().enumerate();
    let keyed = numbered.map(|(at, output)| (format!("{at:05}"), OutputView::from(output))).collect();
    page::cut(keyed, false, page_token, page_size)
}

/// The answer of the operations that ask for something to be done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecordAnswer {
    pub record_detail: RecordDetail,
}

impl RecordAnswer {
    pub fn of(record: &LaunchRecord) -> Self {
        Self { record_detail: RecordDetail::of(record) }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeRecord {
    pub accept_language: Option<String>,
    pub id: String,
    pub page_token: Option<String>,
    pub page_size: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeRecordOutput {
    pub record_detail: RecordDetail,
    pub record_outputs: Vec<OutputView>,
    pub next_page_token: Option<String>,
}

impl Operation for DescribeRecord {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DescribeRecord";
    const KIND: Kind = Kind::Read;
    type Output = DescribeRecordOutput;
    type Error = Error;

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        if let Ok(Some(record)) = cx.get::<LaunchRecord>(&self.id) {
            level_to(cx, &record).keys(keys);
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeRecordOutput, Error> {
        let missing = || Error::RecordNotFound(self.id.clone());
        let record = cx.get::<LaunchRecord>(&self.id)?.ok_or_else(missing)?;
        let record_detail = RecordDetail::of(&record);
        let (record_outputs, next_page_token) =
            outputs(record.outputs, self.page_token.as_deref(), self.page_size)?;
        Ok(DescribeRecordOutput { record_detail, record_outputs, next_page_token })
    }
}

/// How the caller stands to a record: to the product's owner of today if there is one (who inherits its history), else
/// to who asked.
fn level_to(cx: &Cx<'_>, record: &LaunchRecord) -> Level {
    match cx.get::<super::state::ProvisionedProduct>(&record.provisioned_product_id) {
        Ok(Some(product)) => Level::to(cx, &product.user_arn, &product.session_arn),
        _ => Level::to(cx, &record.user_arn, &record.session_arn),
    }
}

/// Records, newest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListRecordHistory {
    pub accept_language: Option<String>,
    pub access_level_filter: Option<AccessLevelFilter>,
    pub search_filter: Option<SearchFilter>,
    pub page_size: Option<usize>,
    pub page_token: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct SearchFilter {
    pub key: Option<String>,
    pub value: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRecordHistoryOutput {
    pub record_details: Vec<RecordDetail>,
    pub next_page_token: Option<String>,
}

impl Operation for ListRecordHistory {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "ListRecordHistory";
    const KIND: Kind = Kind::Read;
    type Output = ListRecordHistoryOutput;
    type Error = Error;

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        if let Ok(level) = Level::asked(self.access_level_filter.as_ref(), Level::User) {
            level.keys(keys);
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListRecordHistoryOutput, Error> {
        let mine = Level::asked(self.access_level_filter.as_ref(), Level::User)?.index(cx);
        let about = match &self.search_filter {
            None => None,
            Some(SearchFilter { key: Some(key), value: Some(value) }) => match key.as_str() {
                "product" => Some(("product", value.clone())),
                "provisionedproduct" => Some(("provisioned-product", value.clone())),
                _ => return Err(Error::Invalid(format!("Invalid search filter key: {key}"))),
            },
            Some(_) => return Err(Error::Invalid("A search filter needs a key and a value".to_owned())),
        };
        // The narrowest index there is for the question.
        let mut found: Vec<LaunchRecord> = match about.as_ref().or(mine.as_ref()) {
            Some((index, value)) => cx.find(index, value)?,
            None => cx.tx.list(cx.region(), "", None, usize::MAX)?,
        };
        if let Some(mine) = mine {
            found.retain(|record| crate::store::Record::indexes(record).contains(&mine));
        }
        let keyed = found
            .iter()
            .map(|record| (format!("{:020}\n{}", record.created.0, record.id), RecordDetail::of(record)));
        let (record_details, next_page_token) =
            page::cut(keyed.collect(), true, self.page_token.as_deref(), self.page_size)?;
        Ok(ListRecordHistoryOutput { record_details, next_page_token })
    }
}
