//! `Domain`: a custom domain name, its path mappings and its DNS records.

use super::{Api, reference_to};
use crate::sam::Transform;
use crate::sam::error::{Result, SamError};
use crate::sam::ids;
use crate::sam::intrinsics::{get_att, reference};
use crate::sam::node::{Dict, Node, Text, dict, list};
use crate::sam::resource::Resource;

/// The hosted zone of CloudFront distributions, which stand behind edge-optimised domains: one for the world, in
/// China another.
const CLOUDFRONT_ZONE: &str = "Z2FDTNDATAQYW2";
const CLOUDFRONT_ZONE_CN: &str = "Z3RFFRIM2A3IF5";

/// Record set groups by logical id: APIs with the same hosted zone share one.
#[derive(Default)]
pub(crate) struct RecordSets(Vec<(String, Resource)>);

/// A domain and the mappings that still need the stage.
pub(super) struct Domain {
    name: Resource,
    mappings: Vec<Resource>,
    records: Option<Resource>,
    association: Option<Resource>,
}

/// What answers for a domain, and so where its DNS records point.
#[derive(Clone, Copy)]
enum Behind {
    CloudFront,
    Region,
    VpcEndpoint,
}

pub(super) fn make(api: &mut Api<'_>, state: &mut Transform<'_>) -> Result<Option<Domain>> {
    let Some(Node::Dict(mut given)) = api.some("Domain").cloned() else { return Ok(None) };
    let required = |given: &Dict, name: &str| {
        given.given(name).cloned().ok_or_else(|| api.fault(format!("Property 'Domain.{name}' is required.")))
    };
    let domain_name = required(&given, "DomainName")?;
    let certificate = required(&given, "CertificateArn")?;
    let hash = match &domain_name {
        Node::Text(text) => ids::hashed("", text),
        other => ids::hashed("", &ids::canonical_json(other)),
    };
    let id = format!("ApiGatewayDomainName{hash}");
    if given.str("EndpointConfiguration") == Some("PRIVATE") {
        return private(api, given, domain_name, certificate, &hash, state).map(Some);
    }
    given.insert("ApiDomainName", id.clone());
    if given.given("EndpointConfiguration").is_none() {
        given.insert("EndpointConfiguration", "REGIONAL");
    }
    let endpoint = given.get("EndpointConfiguration").cloned().unwrap_or(Node::Null);
    let edge = endpoint.as_str() == Some("EDGE");
    if !edge && endpoint.as_str() != Some("REGIONAL") {
        return Err(api.fault(
            "EndpointConfiguration for Custom Domains must be one of ['EDGE', 'REGIONAL', 'PRIVATE'].",
        ));
    }
    if given.given("Policy").is_some() {
        return Err(SamError::resource(
            &id,
            "property Policy not defined for resource of type AWS::ApiGateway::DomainName",
        ));
    }
    if given.given("AccessAssociation").is_some() {
        return Err(
            api.fault("Property 'Domain.AccessAssociation' is for EndpointConfiguration PRIVATE only.")
        );
    }

    let mut name = Resource::new(id, "AWS::ApiGateway::DomainName", &api.inherited);
    name.set("DomainName", domain_name);
    name.set(if edge { "CertificateArn" } else { "RegionalCertificateArn" }, certificate);
    name.set("EndpointConfiguration", endpoint_configuration(&given, &endpoint));
    name.pass(&given, &["SecurityPolicy", "OwnershipVerificationCertificateArn", "EndpointAccessMode"]);
    if let Some(tls) = given.given("MutualTlsAuthentication") {
        name.set("MutualTlsAuthentication", mutual_tls(api, tls)?);
    }
    let behind = if edge { Behind::CloudFront } else { Behind::Region };
    let records = records(api, &mut given, &name, behind, state)?;
    let mappings = mappings(api, &given, &name)?;
    api.properties.insert("Domain", given);
    Ok(Some(Domain { name, mappings, records, association: None }))
}

/// A domain that only VPC endpoints reach: another resource type, which refers to itself by ARN.
fn private(
    api: &mut Api<'_>,
    mut given: Dict,
    domain_name: Node,
    certificate: Node,
    hash: &str,
    state: &mut Transform<'_>,
) -> Result<Domain> {
    for name in ["OwnershipVerificationCertificateArn", "MutualTlsAuthentication"] {
        if given.given(name).is_some() {
            return Err(SamError::resource(
                &format!("ApiGatewayDomainNameV2{hash}"),
                format!("property {name} not defined for resource of type AWS::ApiGateway::DomainNameV2"),
            ));
        }
    }
    let mut name = Resource::new(
        format!("ApiGatewayDomainNameV2{hash}"),
        "AWS::ApiGateway::DomainNameV2",
        &api.inherited,
    );
    name.set("DomainName", domain_name);
    name.set("CertificateArn", certificate);
    name.set("EndpointConfiguration", endpoint_configuration(&given, &Node::from("PRIVATE")));
    name.pass(&given, &["SecurityPolicy", "Policy", "EndpointAccessMode"]);
    let association = given.given("AccessAssociation").cloned().map(|wanted| {
        let source = wanted.get("VpcEndpointId").cloned().unwrap_or(Node::Null);
        let seed = list![source.clone(), name.id.clone()];
        let mut association = Resource::new(
            ids::hashed("DomainNameAccessAssociation", &ids::canonical_json(&seed)),
            "AWS::ApiGateway::DomainNameAccessAssociation",
            &api.inherited,
        );
        association.set("AccessAssociationSource", Some(source).filter(|source| *source != Node::Null));
        association.set("AccessAssociationSourceType", "VPCE");
        association.set("DomainNameArn", reference(name.id.clone()));
        association
    });
    let records = records(api, &mut given, &name, Behind::VpcEndpoint, state)?;
    let mappings = mappings(api, &given, &name)?;
    Ok(Domain { name, mappings, records, association })
}

fn endpoint_configuration(given: &Dict, endpoint: &Node) -> Dict {
    let mut made = dict! { "Types" => Node::List(vec![endpoint.clone()]) };
    if let Some(kind) = given.given("IpAddressType") {
        made.insert("IpAddressType", kind.clone());
    }
    made
}

fn mutual_tls(api: &Api<'_>, tls: &Node) -> Result<Option<Node>> {
    let Some(tls) = tls.as_dict() else {
        return Err(api.fault("Property 'Domain.MutualTlsAuthentication' should be a map."));
    };
    if tls.keys().any(|key| !matches!(key.as_str(), "TruststoreUri" | "TruststoreVersion")) {
        return Err(api.fault(
            "Available Domain.MutualTlsAuthentication fields are ['TruststoreUri', 'TruststoreVersion'].",
        ));
    }
    Ok((!tls.is_empty()).then(|| tls.clone().into()))
}

fn mappings(api: &Api<'_>, given: &Dict, domain: &Resource) -> Result<Vec<Resource>> {
    let (kind, refers) = match domain.kind {
        "AWS::ApiGateway::DomainNameV2" => ("AWS::ApiGateway::BasePathMappingV2", "DomainNameArn"),
        _ => ("AWS::ApiGateway::BasePathMapping", "DomainName"),
    };
    let normalize = given.given("NormalizeBasePath").is_none_or(Node::truthy);
    let mapping = |suffix: &str| {
        let mut mapping = api.make(&format!("{suffix}BasePathMapping"), kind);
        mapping.set(refers, reference(domain.id.clone()));
        mapping.set("RestApiId", reference_to(api));
        mapping
    };
    let paths = match given.given("BasePath") {
        None => return Ok(vec![mapping("")]),
        Some(Node::List(paths)) => paths.clone(),
        Some(one) => vec![one.clone()],
    };
    let mut made = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let Some(path) = path.as_str() else {
            return Err(api.fault(format!("Property 'Domain.BasePath[{index}]' should be a string.")));
        };
        let plain: String = path.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut one = mapping(&plain);
        one.set("BasePath", if normalize { plain } else { path.to_owned() });
        made.push(one);
    }
    Ok(made)
}

/// The group of DNS records that the API's zone has so far, with this domain's added.
fn records(
    api: &Api<'_>,
    given: &mut Dict,
    name: &Resource,
    behind: Behind,
    state: &mut Transform<'_>,
) -> Result<Option<Resource>> {
    let Some(route53) = given.given("Route53").cloned() else {
        return Ok(None);
    };
    let Node::Dict(mut route53) = route53 else {
        return Err(api.fault("Property 'Domain.Route53' should be a map."));
    };
    let (zone_key, zone) = match (route53.given("HostedZoneId"), route53.given("HostedZoneName")) {
        (Some(id), _) => ("HostedZoneId", id.clone()),
        (None, Some(name)) => ("HostedZoneName", name.clone()),
        (None, None) => {
            return Err(api.fault(
                "HostedZoneId or HostedZoneName is required to enable Route53 support on Custom Domains.",
            ));
        }
    };
    let hash = match &zone {
        Node::Text(text) => ids::hashed("", text),
        other => ids::hashed("", &ids::canonical_json(other)),
    };
    let mut target = Dict::new();
    if let Some(evaluate) = route53.given("EvaluateTargetHealth") {
        target.insert("EvaluateTargetHealth", evaluate.clone());
    }
    match behind {
        Behind::CloudFront => {
            if route53.given("DistributionDomainName").is_none() {
                route53.insert("DistributionDomainName", get_att(&name.id, "DistributionDomainName"));
            }
            let zone = if state.cx.partition() == "aws-cn" { CLOUDFRONT_ZONE_CN } else { CLOUDFRONT_ZONE };
            target.insert("HostedZoneId", zone);
            target.insert("DNSName", route53.given("DistributionDomainName").cloned().unwrap_or(Node::Null));
        }
        Behind::Region => {
            target.insert("HostedZoneId", get_att(&name.id, "RegionalHostedZoneId"));
            target.insert("DNSName", get_att(&name.id, "RegionalDomainName"));
        }
        Behind::VpcEndpoint => {
            let given = |key: &str| route53.given(key).cloned().unwrap_or(Node::Null);
            target.insert("HostedZoneId", given("VpcEndpointHostedZoneId"));
            target.insert("DNSName", given("VpcEndpointDomainName"));
        }
    }
    given.insert("Route53", route53.clone());

    let id = format!("RecordSetGroup{hash}");
    let groups = &mut state.api.record_sets.0;
    let at = groups.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
        let mut group = Resource::new(id.as_str(), "AWS::Route53::RecordSetGroup", &api.inherited);
        group.set(zone_key, zone);
        group.set("RecordSets", Node::List(Vec::new()));
        groups.push((id, group));
        groups.len() - 1
    });
    let group = &mut groups[at].1;
    let wanted: &[&str] =
        if route53.given("IpV6").is_some_and(Node::truthy) { &["A", "AAAA"] } else { &["A"] };
    for kind in wanted {
        let domain_name = given.given("DomainName").cloned().unwrap_or(Node::Null);
        let mut record = dict! { "Name" => domain_name, "Type" => *kind, "AliasTarget" => target.clone() };
        for extra in ["Region", "SetIdentifier"] {
            if let Some(value) = route53.given(extra) {
                record.insert(extra, value.clone());
            }
        }
        if let Some(sets) = group.properties.get_mut("RecordSets").and_then(Node::as_list_mut) {
            sets.push(record.into());
        }
    }
    Ok(Some(group.clone()))
}

/// Points the mappings at the stage; returns them after putting the domain and its records among what is made.
pub(super) fn finish(
    domain: Option<Domain>,
    stage: &Text,
    made: &mut Vec<Resource>,
    state: &mut Transform<'_>,
) -> Vec<Resource> {
    let Some(domain) = domain else { return Vec::new() };
    let mut mappings = domain.mappings;
    for mapping in &mut mappings {
        mapping.set("Stage", reference(stage.clone()));
    }
    if let Some(Resource { id, .. }) = made.first() {
        let api = id.clone();
        state.references.add(&api, "DomainName", &domain.name.id);
    }
    made.push(domain.name);
    made.extend(domain.association);
    made.extend(domain.records);
    mappings
}
