//! `S3`: notifications of a bucket of the same template. The bucket itself is changed, so it is made anew here.

use super::Event;
use crate::sam::Transform;
use crate::sam::error::Result;
use crate::sam::intrinsics::ref_target;
use crate::sam::node::{Dict, Node, dict, list};
use crate::sam::resource::Resource;
use crate::sam::schema::{Kind, Property, optional, required};

pub(super) const PROPERTIES: &[Property] =
    &[required("Bucket", Kind::String), required("Events", Kind::Any), optional("Filter", Kind::Map)];

pub(super) fn make(event: &Event<'_>, state: &mut Transform<'_>) -> Result<Vec<Resource>> {
    const NOT_HERE: &str = "S3 events must reference an S3 bucket in the same template.";
    if event.function.condition().is_some() {
        return Err(event.fault("S3 events of a function with a Condition are not supported."));
    }
    let Some(id) = event.given("Bucket").and_then(ref_target).map(str::to_owned) else {
        return Err(event.fault(NOT_HERE));
    };
    let Some(Node::Dict(bucket)) = state.resources.get(&id) else { return Err(event.fault(NOT_HERE)) };
    if bucket.str("Type") != Some("AWS::S3::Bucket") {
        return Err(event.fault(NOT_HERE));
    }
    let mut bucket = bucket.clone();
    let permission_id = format!("{}Permission", event.id);
    depend_on(&mut bucket, &permission_id);
    let properties = bucket.entry("Properties", || Dict::new().into());
    if let Some(properties) = properties.as_dict_mut() {
        let config = properties.entry("NotificationConfiguration", || Dict::new().into());
        let lambdas = config.as_dict_mut().map(|config| config.entry("LambdaConfigurations", || list![]));
        let Some(lambdas) = lambdas.and_then(Node::as_list_mut) else {
            return Err(event.fault("Invalid S3 NotificationConfiguration."));
        };
        let events = match event.given("Events") {
            Some(Node::List(events)) => events.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        for kind in events {
            let mut config = dict! { "Event" => kind, "Function" => event.target.arn.clone() };
            if let Some(filter) = event.given("Filter") {
                config.insert("Filter", filter.clone());
            }
            lambdas.push(config.into());
        }
    }
    let mut made = Resource::new(id.as_str(), "AWS::S3::Bucket", &Dict::new());
    for (name, value) in bucket.iter() {
        match name.as_str() {
            "Type" => {}
            "Properties" => made.properties = value.as_dict().cloned().unwrap_or_else(Dict::new),
            _ => made.attributes.insert(name, value.clone()),
        }
    }
    state.resources.insert(id.as_str(), bucket);
    let mut permission = event.permission("s3.amazonaws.com", None, "");
    permission.set("SourceAccount", dict! { "Ref" => "AWS::AccountId" });
    Ok(vec![permission, made])
}

fn depend_on(bucket: &mut Dict, permission: &str) {
    let mut all = match bucket.get("DependsOn") {
        None => Vec::new(),
        Some(Node::List(ids)) => ids.clone(),
        Some(one) => vec![one.clone()],
    };
    all.push(permission.into());
    bucket.insert("DependsOn", all);
}
