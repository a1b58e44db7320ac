//! Settings of buckets, and buckets that stacks make.

use serde_json::{Value, json};

use super::*;
use crate::provider::{Deletion, Handle, Progress, Provider, Request};
use crate::services;

#[tokio::test]
async fn settings_are_kept_and_told() {
    let world = with_bucket("bucket-a").await;
    let initial = [
        ("?encryption", 200, "<SSEAlgorithm>AES256</SSEAlgorithm>"),
        ("?publicAccessBlock", 200, "<BlockPublicPolicy>true</BlockPublicPolicy>"),
        ("?versioning", 200, "VersioningConfiguration"),
        ("?ownershipControls", 200, "<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>"),
        ("?acl", 200, "FULL_CONTROL"),
        ("?location", 200, "LocationConstraint"),
        ("?tagging", 404, "<Code>NoSuchTagSet</Code>"),
        ("?policy", 404, "<Code>NoSuchBucketPolicy</Code>"),
    ];
    for (query, status, text) in initial {
        let got = ask(&world, "GET", &format!("/bucket-a{query}"), "").await;
        assert!(got.status == status && got.text().contains(text), "{query}: {}", got.text());
    }
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket-a","arn:aws:s3:::bucket-a/*"],"Condition":{"Bool":{"aws:SecureTransport":"maybe"}}}]}"#;
    for (query, body, status) in [
        (
            "?encryption",
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>",
            200,
        ),
        ("?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", 200),
        ("?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>", 204),
        ("?policy", policy, 204),
        (
            "?publicAccessBlock",
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>",
            200,
        ),
    ] {
        let put = ask(&world, "PUT", &format!("/bucket-a{query}"), body).await;
        assert_eq!(put.status, status, "{query}: {}", put.text());
    }
    let world = world.restart();
    for (query, text) in [
        ("?encryption", "<SSEAlgorithm>aws:kms</SSEAlgorithm>"),
        ("?versioning", "<Status>Enabled</Status>"),
        ("?tagging", "<Tag><Key>a</Key><Value>b</Value></Tag>"),
        ("?policy", policy),
        ("?policyStatus", "<IsPublic>false</IsPublic>"),
        ("?publicAccessBlock", "<BlockPublicPolicy>false</BlockPublicPolicy>"),
    ] {
        let got = ask(&world, "GET", &format!("/bucket-a{query}"), "").await;
        assert!(got.text().contains(text), "{query}: {}", got.text());
    }
    let put = ask(&world, "PUT", "/bucket-a/k", "x").await;
    assert_eq!(put.header("x-amz-server-side-encryption"), "aws:kms");
    for (query, after) in [
        ("?encryption", "<SSEAlgorithm>AES256</SSEAlgorithm>"),
        ("?tagging", "NoSuchTagSet"),
        ("?policy", "NoSuchBucketPolicy"),
        ("?publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
        ("?ownershipControls", "OwnershipControlsNotFoundError"),
    ] {
        assert_eq!(ask(&world, "DELETE", &format!("/bucket-a{query}"), "").await.status, 204, "{query}");
        let got = ask(&world, "GET", &format!("/bucket-a{query}"), "").await;
        assert!(got.text().contains(after), "{query}: {}", got.text());
    }
}

#[tokio::test]
async fn settings_that_cannot_be() {
    let world = with_bucket("bucket-a").await;
    let public = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket-a/*"}]}"#;
    let other = public.replace("bucket-a", "bucket-b");
    let foreign = public.replace("s3:GetObject", "ec2:RunInstances");
    for (query, body, status, code) in [
        ("?policy", "", 400, "MalformedPolicy"),
        ("?policy", "{}", 400, "MalformedPolicy"),
        ("?policy", other.as_str(), 400, "MalformedPolicy"),
        ("?policy", foreign.as_str(), 400, "MalformedPolicy"),
        ("?policy", public, 403, "AccessDenied"),
        ("?versioning", "<VersioningConfiguration/>", 400, "IllegalVersioningConfigurationException"),
        (
            "?tagging",
            "<Tagging><TagSet><Tag><Key>aws:x</Key><Value>b</Value></Tag></TagSet></Tagging>",
            400,
            "InvalidTag",
        ),
        (
            "?tagging",
            "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>a</Key><Value>c</Value></Tag></TagSet></Tagging>",
            400,
            "InvalidTag",
        ),
        (
            "?ownershipControls",
            "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
            501,
            "NotImplemented",
        ),
        ("?encryption", "<ServerSideEncryptionConfiguration/>", 400, "MalformedXML"),
    ] {
        let put = ask(&world, "PUT", &format!("/bucket-a{query}"), body).await;
        assert_eq!((put.status, put.element("Code").as_str()), (status, code), "{query} {body}");
    }
}

fn provider(name: &str) -> &'static dyn Provider {
    services::provider(name).expect(name)
}

fn request(logical: &str, properties: Value) -> Request {
    Request {
        logical_id: logical.to_owned(),
        stack_name: "s3-iam-config".to_owned(),
        stack_id: "arn:aws:cloudformation:us-east-1:123456789012:stack/s3-iam-config/1".to_owned(),
        properties,
        tags: vec![("aws:cloudformation:stack-name".to_owned(), "s3-iam-config".to_owned())],
    }
}

fn handle(request: &Request, physical: &str) -> Handle {
    Handle {
        logical_id: request.logical_id.clone(),
        stack_name: request.stack_name.clone(),
        stack_id: request.stack_id.clone(),
        physical_id: physical.to_owned(),
        properties: request.properties.clone(),
    }
}

#[tokio::test]
async fn a_stack_makes_changes_and_ends_a_bucket() {
    let world = World::new();
    let caller = world.root().through("cloudformation.amazonaws.com");
    let wanted = request(
        "S3Bucket",
        json!({
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]},
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": "true", "BlockPublicPolicy": true},
            "VersioningConfiguration": {"Status": "Enabled"},
            "Tags": [{"Key": "ManagedStackSource", "Value": "AwsSamCli"}],
        }),
    );
    let first = wanted.clone();
    let made = world
        .engine
        .transact(caller.clone(), move |cx| provider("AWS::S3::Bucket").create(cx, &first))
        .await
        .unwrap();
    let Progress::Done { physical_id: name, attributes } = made else { panic!("{made:?}") };
    let rest = name.strip_prefix("s3-iam-config-s3bucket-").unwrap();
    assert!(rest.len() == 12 && name.len() <= 63 && name == name.to_ascii_lowercase(), "{name}");
    for (attribute, value) in [
        ("Arn", format!("arn:aws:s3:::{name}")),
        ("DomainName", format!("{name}.s3.amazonaws.com")),
        ("RegionalDomainName", format!("{name}.s3.us-east-1.amazonaws.com")),
        ("DualStackDomainName", format!("{name}.s3.dualstack.us-east-1.amazonaws.com")),
        ("WebsiteURL", format!("http://{name}.s3-website-us-east-1.localhost:4566")),
    ] {
        assert_eq!(attributes[attribute], value);
    }
    let tags = ask(&world, "GET", &format!("/{name}?tagging"), "").await;
    assert_eq!(tags.elements("Key"), ["ManagedStackSource", "aws:cloudformation:stack-name"]);
    let kms = ask(&world, "GET", &format!("/{name}?encryption"), "").await;
    assert_eq!(kms.element("SSEAlgorithm"), "aws:kms");

    let document = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [format!("arn:aws:s3:::{name}/secret/*")], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]});
    let policy = request("Policy", json!({"Bucket": name, "PolicyDocument": document}));
    let put = policy.clone();
    world
        .engine
        .transact(caller.clone(), move |cx| provider("AWS::S3::BucketPolicy").create(cx, &put))
        .await
        .unwrap();
    assert_eq!(ask(&world, "GET", &format!("/{name}?policy"), "").await.status, 200);

    // What the new template leaves out goes back to how a bucket begins.
    let (old, new) = (handle(&wanted, &name), request("S3Bucket", json!({})));
    world
        .engine
        .transact(caller.clone(), move |cx| provider("AWS::S3::Bucket").update(cx, &old, &new))
        .await
        .unwrap();
    assert_eq!(
        ask(&world, "GET", &format!("/{name}?encryption"), "").await.element("SSEAlgorithm"),
        "AES256"
    );
    assert_eq!(ask(&world, "GET", &format!("/{name}?versioning"), "").await.element("Status"), "Suspended");

    ask(&world, "PUT", &format!("/{name}/k"), "x").await;
    let delete = |properties: &Request, kind: &'static str| {
        let (engine, caller, handle) = (world.engine.clone(), caller.clone(), handle(properties, &name));
        async move { engine.transact(caller, move |cx| provider(kind).delete(cx, &handle)).await }
    };
    assert_eq!(delete(&policy, "AWS::S3::BucketPolicy").await.unwrap(), Deletion::Done);
    let full = delete(&wanted, "AWS::S3::Bucket").await.unwrap_err().to_string();
    assert!(full.starts_with("The bucket you tried to delete is not empty"), "{full}");
    ask(&world, "DELETE", &format!("/{name}/k?versionId=null"), "").await;
    assert_eq!(delete(&wanted, "AWS::S3::Bucket").await.unwrap(), Deletion::Done);
    assert_eq!(delete(&wanted, "AWS::S3::Bucket").await.unwrap(), Deletion::Done);
}

#[tokio::test]
async fn a_stack_does_not_take_over_a_bucket() {
    let world = with_bucket("bucket-a").await;
    let again = request("B", json!({"BucketName": "bucket-a"}));
    let made = world
        .engine
        .transact(world.root(), move |cx| provider("AWS::S3::Bucket").create(cx, &again))
        .await
        .unwrap();
    assert!(
        matches!(&made, Progress::Failed { reason, .. } if reason == "bucket-a already exists"),
        "{made:?}"
    );
    let wrong = request("B", json!({"VersioningConfiguration": {"Status": "Sometimes"}}));
    let made =
        world.engine.transact(world.root(), move |cx| provider("AWS::S3::Bucket").create(cx, &wrong)).await;
    assert!(made.is_err());
}
