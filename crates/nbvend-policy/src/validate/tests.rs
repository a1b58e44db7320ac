//! What may be evaluated but not stored.

use super::*;

fn document(statement: &str) -> String {
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}")
}

#[test]
fn resources() {
    let cases = [
        ("*", None),
        ("arn:aws:s3:::bucket/*", None),
        ("arn:aws:s3:eu-west-1:111122223333:accesspoint/a", None),
        ("arn:aws:iam::111122223333:role/service-role/x", None),
        ("arn:aws:iam::111122223333:*", None),
        ("arn:aws:sagemaker:*:*:notebook-instance/${aws:username}", None),
        ("bucket", Some("Resource bucket must be in ARN format or \"*\".")),
        ("urn:aws:s3:::b", Some("Resource urn:aws:s3:::b must be in ARN format or \"*\".")),
        ("arn:other:s3", Some("Partition \"other\" is not valid for resource \"arn:other:s3:*:*:*\".")),
        (
            "arn:aws-cn:s3:::b:c",
            Some("Partition \"aws-cn\" is not valid for resource \"arn:aws-cn:s3:::b:c\"."),
        ),
        ("arn:aws", Some("Resource vendor must be fully qualified and cannot contain regexes.")),
        ("arn:aws:s*:::b", Some("Resource vendor must be fully qualified and cannot contain regexes.")),
        ("arn:aws:s3::b", Some("The policy failed legacy parsing")),
        (
            "arn:aws:s3:us-east-1::b",
            Some("Resource arn:aws:s3:us-east-1::b can not contain region information."),
        ),
        (
            "arn:aws:iam:us-east-1:1:user/a",
            Some("IAM resource arn:aws:iam:us-east-1:1:user/a cannot contain region information."),
        ),
        (
            "arn:aws:iam::111122223333:users/a",
            Some(
                "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, \
                 instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, \
                 report/, access-report/.",
            ),
        ),
    ];
    for (resource, message) in cases {
        let text =
            document(&format!("{{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"{resource}\"}}"));
        let found = validate(&text, Kind::Managed).err().map(|fault| fault.message);
        assert_eq!(found.as_deref(), message, "{resource}");
    }
}

#[test]
fn actions() {
    for (action, message) in [
        ("*", None),
        ("s3:Get*", None),
        ("*:*", None),
        ("execute-api:Invoke", None),
        ("s3", Some("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")),
        ("", Some("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")),
        ("a:b:c", Some("Actions/Condition can contain only one colon.")),
        ("s_3:Get", Some("Vendor s_3 is not valid")),
    ] {
        let text =
            document(&format!("{{\"Effect\":\"Allow\",\"NotAction\":[\"{action}\"],\"Resource\":\"*\"}}"));
        let found = validate(&text, Kind::Identity).err().map(|fault| fault.message);
        assert_eq!(found.as_deref(), message, "{action}");
    }
}

#[test]
fn versions_are_asked_of_managed_policies_only() {
    let body = r#""Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    for version in ["{", "{\"Version\":\"2008-10-17\","] {
        let text = format!("{version}{body}");
        let fault = validate(&text, Kind::Managed).expect_err("old");
        assert_eq!(fault.message, "Policy document must be version 2012-10-17 or greater.");
        assert!(validate(&text, Kind::Identity).is_ok());
    }
}

#[test]
fn statement_ids() {
    let two = |a: &str, b: &str| {
        let one =
            |sid| format!("{{\"Sid\":\"{sid}\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}");
        document(&format!("{},{}", one(a), one(b)))
    };
    assert!(validate(&two("", ""), Kind::Identity).is_ok());
    assert!(validate(&two("A1", "a1"), Kind::Identity).is_ok());
    let fault = validate(&two("A", "A"), Kind::Identity).expect_err("twice");
    assert_eq!((fault.problem, fault.statement), (Problem::DuplicateSid, Some(1)));
    let fault = validate(&two("A", "b-c"), Kind::Identity).expect_err("dash");
    assert_eq!((fault.problem, fault.statement), (Problem::SidFormat, Some(1)));
}

#[test]
fn trust_policies() {
    let trust = |principal: &str, action: &str| {
        document(&format!("{{\"Effect\":\"Allow\",\"Principal\":{principal},\"Action\":\"{action}\"}}"))
    };
    for (principal, action, message) in [
        (r#"{"Service":"sagemaker.amazonaws.com"}"#, "sts:AssumeRole", None),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/a/b"}"#, "sts:TagSession", None),
        (r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/b/s"}"#, "sts:AssumeRole", None),
        (r#"{"AWS":"*"}"#, "STS:AssumeRole", None),
        (r#"{"AWS":"*"}"#, "s3:*", Some("AssumeRole policy may only specify STS AssumeRole actions.")),
        (r#"{"AWS":"*"}"#, "*", Some("AssumeRole policy may only specify STS AssumeRole actions.")),
        (r#"{"AWS":"ann"}"#, "sts:AssumeRole", Some("Invalid principal in policy: \"AWS\":\"ann\"")),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#,
            "sts:AssumeRole",
            Some("Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:user/*\""),
        ),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:group/g"}"#,
            "sts:AssumeRole",
            Some("Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:group/g\""),
        ),
        (
            r#"{"AWS":"arn:aws:iam::12:root"}"#,
            "sts:AssumeRole",
            Some("Invalid principal in policy: \"AWS\":\"12\""),
        ),
        (
            r#"{"Service":"sagemaker"}"#,
            "sts:AssumeRole",
            Some("Invalid principal in policy: \"Service\":\"sagemaker\""),
        ),
    ] {
        let found = validate(&trust(principal, action), Kind::Trust).err().map(|fault| fault.message);
        assert_eq!(found.as_deref(), message, "{principal} {action}");
    }
}
