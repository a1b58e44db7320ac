//! What was launched: provisioned products, and a record of each thing that was asked of them.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::Cx;
use crate::identity::Caller;
use crate::store::Record;

/// `ProvisionedProductStatus`. Plans are not served, so `PLAN_IN_PROGRESS` never happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProductStatus {
    Available,
    UnderChange,
    Tainted,
    Error,
}

impl ProductStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::UnderChange => "UNDER_CHANGE",
            Self::Tainted => "TAINTED",
            Self::Error => "ERROR",
        }
    }
}

/// Something a product made, as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProvisionedProduct {
    /// `pp-…`
    pub id: String,
    pub name: String,
    pub status: ProductStatus,
    pub status_message: Option<String>,
    pub created: Timestamp,
    /// The token of the request that made it.
    pub token: String,
    pub product_id: String,
    pub artifact_id: String,
    pub path_id: String,
    pub launch_role_arn: Option<String>,
    /// Whether an administrator set the launch role for this one product; else it follows the constraint.
    pub launch_role_fixed: bool,
    /// ARN of its stack, once there is one.
    pub stack_id: Option<String>,
    /// The owner: the user or role …
    pub user_arn: String,
    /// … and the session in which it was asked for.
    pub session_arn: String,
    pub tags: Vec<(String, String)>,
    /// Names of the parameters its stack was last given; the values are CloudFormation's.
    pub parameter_keys: Vec<String>,
    pub last_record_id: String,
    pub last_provisioning_record_id: String,
    pub last_successful_record_id: Option<String>,
}

impl ProvisionedProduct {
    pub fn arn(&self, cx: &Cx<'_>) -> String {
        cx.arn("servicecatalog", &format!("stack/{}/{}", self.name, self.id))
    }

    /// A request about it was accepted.
    pub fn begin(&mut self, record: &LaunchRecord) {
        self.status = ProductStatus::UnderChange;
        self.last_record_id.clone_from(&record.id);
        self.last_provisioning_record_id.clone_from(&record.id);
    }
}

impl Record for ProvisionedProduct {
    const KIND: &'static str = "servicecatalog.provisioned-product";
    const INDEXES: &'static [&'static str] = &["name", "user", "session"];

    fn key(&self) -> String {
        self.id.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![
            ("name", self.name.clone()),
            ("user", self.user_arn.clone()),
            ("session", self.session_arn.clone()),
        ]
    }
}

/// `RecordStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordStatus {
    Created,
    InProgress,
    InProgressInError,
    Succeeded,
    Failed,
}

impl RecordStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::InProgress => "IN_PROGRESS",
            Self::InProgressInError => "IN_PROGRESS_IN_ERROR",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }
}

/// `RecordType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordKind {
    Provision,
    Update,
    Terminate,
}

impl RecordKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Provision => "PROVISION_PRODUCT",
            Self::Update => "UPDATE_PROVISIONED_PRODUCT",
            Self::Terminate => "TERMINATE_PROVISIONED_PRODUCT",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordError {
    pub code: String,
    pub description: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Output {
    pub key: String,
    pub value: String,
    pub description: Option<String>,
}

/// One request about a provisioned product, and how it went. It outlives the product.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LaunchRecord {
    /// `rec-…`
    pub id: String,
    pub kind: RecordKind,
    pub status: RecordStatus,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub provisioned_product_id: String,
    pub provisioned_product_name: String,
    pub product_id: String,
    pub artifact_id: String,
    pub path_id: String,
    pub launch_role_arn: Option<String>,
    pub errors: Vec<RecordError>,
    pub tags: Vec<(String, String)>,
    pub outputs: Vec<Output>,
    /// Who asked.
    pub user_arn: String,
    pub session_arn: String,
    /// What is still to be done. Gone at the end, and with it the values of parameters.
    pub work: Option<Work>,
}

/// A parameter for a stack; without a value, the one it has is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    pub key: String,
    pub value: Option<String>,
}

/// What the reconciler needs to carry out a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Work {
    /// Who asked, as whom the stack is made where there is no launch role.
    pub by: Caller,
    /// The launch role's session, once it was assumed.
    pub actor: Option<Actor>,
    /// Digest of the template to launch.
    pub template: Option<String>,
    pub parameters: Vec<Given>,
    /// The user's tags for the stack.
    pub tags: Vec<(String, String)>,
    pub portfolio_id: String,
    /// How the product stood before.
    pub before: ProductStatus,
    pub ignore_errors: bool,
    pub retain: bool,
    /// CloudFormation said that there is nothing to update.
    pub unchanged: bool,
}

impl Work {
    /// Work of the caller on a product as it stands.
    pub fn of(cx: &Cx<'_>, before: ProductStatus) -> Self {
        Self {
            by: cx.caller.clone(),
            actor: None,
            template: None,
            parameters: Vec::new(),
            tags: Vec::new(),
            portfolio_id: String::new(),
            before,
            ignore_errors: false,
            retain: false,
            unchanged: false,
        }
    }
}

impl LaunchRecord {
    /// A request of the caller about a product.
    pub fn of(cx: &Cx<'_>, kind: RecordKind, product: &ProvisionedProduct, work: Option<Work>) -> Self {
        let principal = &cx.caller.principal;
        Self {
            id: format!("rec-{}", cx.ids().lower(13)),
            kind,
            status: if work.is_some() { RecordStatus::Created } else { RecordStatus::Succeeded },
            created: cx.now(),
            updated: cx.now(),
            provisioned_product_id: product.id.clone(),
            provisioned_product_name: product.name.clone(),
            product_id: product.product_id.clone(),
            artifact_id: product.artifact_id.clone(),
            path_id: product.path_id.clone(),
            launch_role_arn: product.launch_role_arn.clone(),
            errors: Vec::new(),
            tags: Vec::new(),
            outputs: Vec::new(),
            user_arn: principal.issuer_arn(cx.account()),
            session_arn: principal.arn(cx.account()),
            work,
        }
    }
}

/// A session of the launch role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Actor {
    pub caller: Caller,
    pub expires: Timestamp,
}

impl Record for LaunchRecord {
    const KIND: &'static str = "servicecatalog.record";
    const INDEXES: &'static [&'static str] =
        &["unfinished", "provisioned-product", "product", "user", "session"];

    fn key(&self) -> String {
        self.id.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![
            ("provisioned-product", self.provisioned_product_id.clone()),
            ("product", self.product_id.clone()),
            ("user", self.user_arn.clone()),
            ("session", self.session_arn.clone()),
        ];
        if self.work.is_some() {
            all.push(("unfinished", "yes".to_owned()));
        }
        all
    }
}
