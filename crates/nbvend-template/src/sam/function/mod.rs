//! `AWS::Serverless::Function`: a Lambda function, its role, and what its properties ask for beside it.

mod capacity;
mod code;
mod invoke_config;
mod role;
mod url;
mod version;

pub(crate) use code::s3_location;

use super::Transform;
use super::error::{Result, SamError};
use super::events;
use super::intrinsics::{get_att, reference};
use super::node::{Dict, Node, Text, dict, list};
use super::resource::{Resource, inherited_attributes, own_attributes};
use super::schema::{self, Kind, Property, a_map, optional};
use super::tags;

const PROPERTIES: &[Property] = &[
    optional("FunctionName", Kind::TextOrMap),
    optional("Handler", Kind::Any),
    optional("Runtime", Kind::Any),
    optional("CodeUri", Kind::Any),
    optional("ImageUri", Kind::Any),
    optional("PackageType", Kind::Any),
    optional("InlineCode", Kind::Any),
    optional("DeadLetterQueue", Kind::Map),
    optional("Description", Kind::Any),
    optional("MemorySize", Kind::Any),
    optional("Timeout", Kind::Any),
    optional("VpcConfig", Kind::Any),
    optional("Role", Kind::String),
    optional("AssumeRolePolicyDocument", Kind::Map),
    optional("Policies", Kind::Policies),
    optional("RolePath", Kind::Any),
    optional("PermissionsBoundary", Kind::String),
    optional("Environment", Kind::Environment),
    optional("Events", Kind::Events),
    optional("Tags", Kind::Map),
    optional("PropagateTags", Kind::Bool),
    optional("Tracing", Kind::TextOrMap),
    optional("KmsKeyArn", Kind::Any),
    optional("ReservedConcurrentExecutions", Kind::Any),
    optional("Layers", Kind::Layers),
    optional("EventInvokeConfig", Kind::Map),
    optional("FileSystemConfigs", Kind::Any),
    optional("CodeSigningConfigArn", Kind::Any),
    optional("ImageConfig", Kind::Any),
    optional("Architectures", Kind::Any),
    optional("EphemeralStorage", Kind::Any),
    optional("SnapStart", Kind::Map),
    optional("RuntimeManagementConfig", Kind::Any),
    optional("LoggingConfig", Kind::Any),
    optional("RecursiveLoop", Kind::Any),
    optional("SourceKMSKeyArn", Kind::Any),
    optional("CapacityProviderConfig", Kind::Map),
    optional("FunctionScalingConfig", Kind::Map),
    optional("PublishToLatestPublished", Kind::Any),
    optional("TenancyConfig", Kind::Any),
    optional("DurableConfig", Kind::Map),
    optional("AutoPublishAlias", Kind::Text),
    optional("AutoPublishCodeSha256", Kind::Text),
    optional("AutoPublishAliasAllProperties", Kind::LiteralBool),
    optional("VersionDescription", Kind::Any),
    optional("VersionDeletionPolicy", Kind::DeleteOrRetain),
    optional("ProvisionedConcurrencyConfig", Kind::Any),
    optional("FunctionUrlConfig", Kind::Map),
];

/// Properties of the Lambda function of the same name and form.
const HANDED_ON: &[&str] = &[
    "FunctionName",
    "Handler",
    "Runtime",
    "Description",
    "MemorySize",
    "Timeout",
    "VpcConfig",
    "Environment",
    "KmsKeyArn",
    "ReservedConcurrentExecutions",
    "Layers",
    "FileSystemConfigs",
    "CodeSigningConfigArn",
    "PackageType",
    "ImageConfig",
    "Architectures",
    "EphemeralStorage",
    "SnapStart",
    "RuntimeManagementConfig",
    "LoggingConfig",
    "RecursiveLoop",
    "TenancyConfig",
    "DurableConfig",
    "FunctionScalingConfig",
    "PublishToLatestPublished",
];

/// A function under translation.
pub(crate) struct Function<'a> {
    pub(crate) id: &'a Text,
    pub(crate) properties: &'a Dict,
    /// Attributes of everything made for it.
    pub(crate) inherited: Dict,
    /// Attributes of the function itself.
    pub(crate) own: Dict,
}

impl Function<'_> {
    pub(crate) fn given(&self, name: &str) -> Option<&Node> {
        self.properties.given(name)
    }

    pub(crate) fn fault(&self, message: impl AsRef<str>) -> SamError {
        SamError::resource(self.id, message)
    }

    /// The tracing mode, unless it is, or is a parameter that says, `Disabled`.
    fn tracing(&self, state: &Transform<'_>) -> Option<&Node> {
        self.given("Tracing").filter(|mode| mode.truthy() && state.resolve(mode).as_str() != Some("Disabled"))
    }

    pub(crate) fn condition(&self) -> Option<&Node> {
        self.own.get("Condition")
    }

    /// A resource made for this function.
    pub(crate) fn make(&self, suffix: &str, kind: &'static str) -> Resource {
        Resource::new(format!("{}{suffix}", self.id.as_str()), kind, &self.inherited)
    }
}

/// What events and permissions refer to: the function, or its alias.
pub(crate) struct Target {
    /// `{"Ref": ..}` of it, for permissions.
    pub(crate) reference: Node,
    /// Its ARN.
    pub(crate) arn: Node,
    /// The logical id of the alias.
    pub(crate) alias: Option<Text>,
}

pub(crate) fn translate(id: &Text, resource: &Dict, state: &mut Transform<'_>) -> Result<Vec<Resource>> {
    let empty = Dict::new();
    let properties = resource.get("Properties").and_then(Node::as_dict).unwrap_or(&empty);
    if properties.given("DeploymentPreference").is_some() {
        return Err(SamError::resource(id, "Property 'DeploymentPreference' is not supported."));
    }
    let mut properties = properties.clone();
    properties.remove("DeploymentPreference");
    let properties = &properties;
    schema::check(id, "AWS::Serverless::Function", PROPERTIES, properties)?;
    let function =
        Function { id, properties, inherited: inherited_attributes(resource), own: own_attributes(resource) };
    events::check(&function)?;
    check(&function)?;
    let mut main = lambda_function(&function, resource, state)?;
    let mut made = Vec::new();
    let mut target = Target { reference: reference(id.clone()), arn: get_att(id, "Arn"), alias: None };

    if function.given("AutoPublishAlias").is_some() {
        let (version, alias) = version::make(&function, &mut main, state)?;
        target = Target {
            reference: reference(alias.id.clone()),
            arn: reference(alias.id.clone()),
            alias: Some(alias.id.clone()),
        };
        made.extend([version, alias]);
    } else if function.given("ProvisionedConcurrencyConfig").is_some() {
        return Err(function
            .fault("To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function"));
    }
    check_dead_letters(&function)?;
    if let Some(config) = function.given("FunctionUrlConfig").filter(|config| config.truthy()) {
        made.extend(url::make(&function, a_map(id, "FunctionUrlConfig", config)?, &target)?);
    }
    let mut role_policies = Vec::new();
    if let Some(config) = function.given("EventInvokeConfig") {
        let config = state.resolve(config);
        let config = a_map(id, "EventInvokeConfig", &config)?;
        made.extend(invoke_config::make(&function, config, &target, &mut role_policies, state)?);
    }
    let mut role = role::make(&function, role_policies, state)?;
    if let Some(role) = &role {
        main.set("Role", role::reference_of(&function, role));
    } else {
        main.set("Role", function.given("Role"));
    }
    let events = events::translate(&function, &target, role.as_mut(), state)?;

    let mut all = vec![main];
    all.extend(made);
    all.extend(role);
    all.extend(events);
    for resource in &all {
        if let Some(property) = referable(resource.kind) {
            state.references.add(id, property, &resource.id);
        }
    }
    let own_tags = function.given("Tags").and_then(Node::as_dict);
    tags::propagate(&mut all, own_tags, function.given("PropagateTags").is_some_and(Node::truthy));
    Ok(all)
}

/// The name under which a template may refer to a made resource, `Function.Name`. Of several the last counts.
fn referable(kind: &str) -> Option<&'static str> {
    match kind {
        "AWS::Lambda::Alias" => Some("Alias"),
        "AWS::Lambda::Version" => Some("Version"),
        "AWS::SNS::Topic" => Some("DestinationTopic"),
        "AWS::SQS::Queue" => Some("DestinationQueue"),
        _ => None,
    }
}

/// Properties that need or exclude one another.
fn check(function: &Function<'_>) -> Result<()> {
    let some = |name: &str| function.given(name).is_some_and(Node::truthy);
    if function.given("FunctionScalingConfig").is_some() && function.given("CapacityProviderConfig").is_none()
    {
        return Err(function.fault("'FunctionScalingConfig' requires 'CapacityProviderConfig'."));
    }
    if function.given("CapacityProviderConfig").is_some() && function.given("VpcConfig").is_some() {
        return Err(function.fault("Cannot specify 'CapacityProviderConfig' and 'VpcConfig' together."));
    }
    if function.given("VersionDeletionPolicy").is_some() && function.given("AutoPublishAlias").is_none() {
        return Err(function.fault("'VersionDeletionPolicy' requires 'AutoPublishAlias'."));
    }
    if some("TenancyConfig") {
        const EXCLUDED: [(&str, &str); 3] = [
            ("ProvisionedConcurrencyConfig", "Provisioned concurrency"),
            ("FunctionUrlConfig", "Function URL"),
            ("SnapStart", "SnapStart"),
        ];
        if let Some((_, what)) = EXCLUDED.iter().find(|(name, _)| some(name)) {
            return Err(function.fault(format!(
                "{what} is not supported for functions enabled with tenancy configuration."
            )));
        }
        let kinds = function.given("Events").and_then(Node::as_dict);
        let kinds = kinds.into_iter().flat_map(Dict::values).filter_map(|event| event.get("Type")?.as_str());
        if let Some(kind) = kinds.into_iter().find(|kind| !matches!(*kind, "Api" | "HttpApi")) {
            return Err(function.fault(format!(
                "Event source '{kind}' is not supported for functions enabled with tenancy configuration. Only Api \
                 and HttpApi event sources are supported."
            )));
        }
    }
    Ok(())
}

fn check_dead_letters(function: &Function<'_>) -> Result<()> {
    if let Some(queue) = function.given("DeadLetterQueue") {
        let queue = a_map(function.id, "DeadLetterQueue", queue)?;
        if queue.given("Type").is_none() || queue.given("TargetArn").is_none() {
            return Err(
                function.fault("'DeadLetterQueue' requires Type and TargetArn properties to be specified.")
            );
        }
        let known = matches!(queue.str("Type"), Some("SQS" | "SNS"));
        if !known && queue.get("Type").is_some_and(|kind| kind.as_dict().is_none()) {
            return Err(function.fault("'DeadLetterQueue' requires Type of ['SQS', 'SNS']"));
        }
    }
    Ok(())
}

fn lambda_function(function: &Function<'_>, resource: &Dict, state: &Transform<'_>) -> Result<Resource> {
    let mut main = Resource::new(function.id, "AWS::Lambda::Function", &function.own);
    main.depends_on = resource.given("DependsOn").cloned();
    main.set("Code", code::make(function)?);
    main.pass(function.properties, HANDED_ON);
    main.set("Tags", tags::with_sam(function.given("Tags").and_then(Node::as_dict)));
    if let Some(queue) = function.given("DeadLetterQueue") {
        main.set(
            "DeadLetterConfig",
            dict! { "TargetArn" => queue.get("TargetArn").cloned().unwrap_or(Node::Null) },
        );
    }
    if let Some(mode) = function.tracing(state) {
        main.set("TracingConfig", dict! { "Mode" => mode.clone() });
    }
    if let Some(config) = function.given("CapacityProviderConfig") {
        main.set("CapacityProviderConfig", capacity::provider(function, config)?);
    }
    Ok(main)
}

/// A policy document's statement that allows `action` on `resource`.
pub(crate) fn allow(action: &str, resource: impl Into<Node>) -> Dict {
    dict! { "Action" => action, "Effect" => "Allow", "Resource" => resource.into() }
}

/// An inline policy of a role.
pub(crate) fn inline_policy(name: String, statements: Vec<Node>) -> Node {
    dict! { "PolicyName" => name, "PolicyDocument" => dict! { "Statement" => statements } }.into()
}

/// The trust policy that lets a service assume the role.
pub(crate) fn trust(service: &str) -> Dict {
    dict! {
        "Version" => "2012-10-17",
        "Statement" => list![dict! {
            "Action" => list!["sts:AssumeRole"],
            "Effect" => "Allow",
            "Principal" => dict! { "Service" => list![service] },
        }],
    }
}
