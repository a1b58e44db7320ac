//! Looking up the trail: newest first, by one attribute and a span of time, page by page.
//!
//! Names, principals, event ids and resources are indexed. The other attributes are looked for among at most
//! [`SCANNED`] records a call: a page may then hold fewer records than asked for, or none, and still say where the next one
//! begins, as AWS's contract for `NextToken` allows.

use nbvend_wire::timestamp::Timestamp;
use rusqlite::types::Value as Sql;
use rusqlite::{Row, params_from_iter};

use super::resource_name;
use crate::store::{StoreError, Tx};

/// Records that one call looks at.
pub const SCANNED: usize = 20_000;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    EventId(String),
    EventName(String),
    ReadOnly(bool),
    Username(String),
    /// A name, or a whole ARN.
    ResourceName(String),
    /// `AWS::S3::Bucket`, as [`Found::resources`] has it.
    ResourceType(String),
    EventSource(String),
    AccessKeyId(String),
}

/// A place in the trail: records behind it are older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub time: Timestamp,
    pub id: i64,
}

/// What to look up in one region.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub attribute: Option<Attribute>,
    /// Both inclusive.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub before: Option<Place>,
    pub limit: usize,
}

/// A record that was found.
#[derive(Debug, Clone)]
pub struct Found {
    pub place: Place,
    pub event_id: String,
    pub name: String,
    pub source: String,
    pub principal: String,
    pub access_key: String,
    pub read_only: bool,
    /// ARNs.
    pub resources: Vec<String>,
    /// The CloudTrail record, JSON text.
    pub body: String,
}

/// A page of records, and where the next begins, if there may be one.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub found: Vec<Found>,
    pub next: Option<Place>,
}

impl Found {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let resources: String = row.get(9)?;
        Ok(Self {
            place: Place { id: row.get(0)?, time: Timestamp(row.get(1)?) },
            event_id: row.get(2)?,
            name: row.get(3)?,
            source: row.get(4)?,
            principal: row.get(5)?,
            access_key: row.get(6)?,
            read_only: row.get(7)?,
            body: row.get(8)?,
            resources: serde_json::from_str(&resources).unwrap_or_default(),
        })
    }

    /// What no index answers.
    fn is_wanted(&self, attribute: Option<&Attribute>) -> bool {
        match attribute {
            Some(Attribute::ReadOnly(read_only)) => self.read_only == *read_only,
            Some(Attribute::EventSource(source)) => self.source == *source,
            Some(Attribute::AccessKeyId(key)) => self.access_key == *key,
            Some(Attribute::ResourceType(wanted)) => {
                self.resources.iter().any(|arn| resource_type(arn).is_some_and(|found| found == *wanted))
            }
            Some(Attribute::ResourceName(wanted)) if wanted.starts_with("arn:") => {
                self.resources.contains(wanted)
            }
            _ => true,
        }
    }
}

/// Looks up records of a region.
pub fn lookup(tx: &Tx<'_>, region: &str, query: &Query) -> Result<Page, StoreError> {
    let (from, mut values) = match &query.attribute {
        Some(Attribute::ResourceName(name)) => {
            let name = resource_name(name).to_owned();
            (
                "trail_resource r CROSS JOIN trail t ON t.id = r.trail_id WHERE r.name = ? AND t.region = ?",
                vec![Sql::Text(name)],
            )
        }
        Some(Attribute::EventId(id)) => {
            ("trail t WHERE t.event_id = ? AND t.region = ?", vec![Sql::Text(id.clone())])
        }
        Some(Attribute::EventName(name)) => {
            ("trail t WHERE t.name = ? AND t.region = ?", vec![Sql::Text(name.clone())])
        }
        Some(Attribute::Username(name)) => {
            ("trail t WHERE t.principal = ? AND t.region = ?", vec![Sql::Text(name.clone())])
        }
        _ => ("trail t WHERE t.region = ?", Vec::new()),
    };
    values.push(Sql::Text(region.to_owned()));
    let mut sql = format!(
        "SELECT t.id, t.time, t.event_id, t.name, t.source, t.principal, t.access_key, t.read_only, t.body, t.resources \
         FROM {from}"
    );
    for (time, condition) in [(query.from, " AND t.time >= ?"), (query.to, " AND t.time <= ?")] {
        if let Some(time) = time {
            sql.push_str(condition);
            values.push(Sql::Integer(time.0));
        }
    }
    if let Some(place) = query.before {
        sql.push_str(" AND t.time <= ? AND (t.time < ? OR t.id < ?)");
        values.extend([Sql::Integer(place.time.0), Sql::Integer(place.time.0), Sql::Integer(place.id)]);
    }
    sql.push_str(" ORDER BY t.time DESC, t.id DESC");
    let mut statement = tx.connection().prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut page = Page::default();
    let mut last = None;
    for scanned in 0.. {
        let Some(row) = rows.next()? else { return Ok(page) };
        if page.found.len() >= query.limit || scanned >= SCANNED {
            page.next = last;
            break;
        }
        let found = Found::read(row)?;
        last = Some(found.place);
        if found.is_wanted(query.attribute.as_ref()) {
            page.found.push(found);
        }
    }
    Ok(page)
}

/// The type of a resource as CloudTrail names it, for the kinds that exist here.
pub fn resource_type(arn: &str) -> Option<&'static str> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next()?, parts.nth(2)?);
    let kind = resource.split(['/', ':']).next().unwrap_or_default();
    Some(match (service, kind) {
        ("s3", _) if resource.contains('/') => "AWS::S3::Object",
        ("s3", _) => "AWS::S3::Bucket",
        ("iam", "role") => "AWS::IAM::Role",
        ("iam", "user") => "AWS::IAM::User",
        ("iam", "group") => "AWS::IAM::Group",
        ("iam", "policy") => "AWS::IAM::Policy",
        ("iam", "instance-profile") => "AWS::IAM::InstanceProfile",
        ("cloudformation", "stack") => "AWS::CloudFormation::Stack",
        ("cloudformation", "changeSet") => "AWS::CloudFormation::ChangeSet",
        ("sagemaker", "notebook-instance") => "AWS::SageMaker::NotebookInstance",
        ("sagemaker", "notebook-instance-lifecycle-config") => {
            "AWS::SageMaker::NotebookInstanceLifecycleConfig"
        }
        ("catalog", "portfolio") => "AWS::ServiceCatalog::Portfolio",
        ("catalog", "product") => "AWS::ServiceCatalog::CloudFormationProduct",
        ("servicecatalog", "stack") => "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
        ("lambda", "function") => "AWS::Lambda::Function",
        ("logs", "log-group") => "AWS::Logs::LogGroup",
        ("events", "rule") => "AWS::Events::Rule",
        ("events", "event-bus") => "AWS::Events::EventBus",
        ("ssm", "parameter") => "AWS::SSM::Parameter",
        ("apigateway", _) => "AWS::ApiGateway::RestApi",
        _ => return None,
    })
}
