//! Documents that are refused, with AWS's text and the place; and what is read into those that are not.

use super::*;
use crate::Principal;
use crate::principal::Grant;

fn fault(text: &str, kind: Kind) -> PolicyError {
    Policy::parse(text, kind).expect_err(text)
}

#[test]
fn refused_documents() {
    const SYNTAX: &str = "Syntax errors in policy.";
    let identity = |statement: &str| format!("{{\"Version\":\"2012-10-17\",\"Statement\":{statement}}}");
    for (text, message) in [
        ("".to_owned(), "This policy contains invalid Json"),
        ("{\"Version\":".to_owned(), "This policy contains invalid Json"),
        ("[]".to_owned(), SYNTAX),
        ("{}".to_owned(), SYNTAX),
        ("{\"Version\":\"2012-10-18\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}".to_owned(), SYNTAX),
        ("{\"Version\":\"2012-10-17\",\"Extra\":1,\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}".to_owned(), SYNTAX),
        (identity("[]"), SYNTAX),
        (identity("\"all\""), SYNTAX),
        (identity("[[]]"), SYNTAX),
        (identity(r#"{"Action":"*","Resource":"*"}"#), SYNTAX),
        (identity(r#"{"Effect":"Permit","Action":"*","Resource":"*"}"#), SYNTAX),
        (identity(r#"{"Effect":"allow","Action":"*","Resource":"*"}"#), "The policy failed legacy parsing"),
        (identity(r#"{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Action":["s3:*",5],"Resource":"*"}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":"*","Action":"s3:*"}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":"*","Sid":5}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":"*","Resources":"*"}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Resource":"*"}"#), "Policy statement must contain actions."),
        (identity(r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#), "Policy statement must contain actions."),
        (identity(r#"{"Effect":"Allow","Action":"*"}"#), "Policy statement must contain resources."),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":[]}"#), "Policy statement must contain resources."),
        (identity(r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#), "Policy document should not specify a principal."),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":[]}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Equals":{"a":"b"}}}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":null}}}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"home"}}}"#), SYNTAX),
        (identity(r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}}}"#), "The policy failed legacy parsing"),
        // The worst fault is named, not the first.
        (identity(r#"[{"Effect":"Allow","Action":"*"},{"Effect":"Allow","Action":"*","Resource":"*","X":1}]"#), SYNTAX),
    ] {
        assert_eq!(fault(&text, Kind::Identity).message, message, "{text}");
    }
}

#[test]
fn refused_resource_and_trust_policies() {
    let of = |statement: &str| format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}");
    for (kind, statement, message) in [
        (
            Kind::Resource,
            r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
            "Missing required field Principal",
        ),
        (
            Kind::Resource,
            r#"{"Effect":"Allow","Principal":"*","Resource":"*"}"#,
            "Missing required field Action",
        ),
        (
            Kind::Resource,
            r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#,
            "Missing required field Resource",
        ),
        (
            Kind::Resource,
            r#"{"Effect":"Allow","Principal":"ann","Action":"*","Resource":"*"}"#,
            "Invalid principal in policy: \"ann\"",
        ),
        (
            Kind::Resource,
            r#"{"Effect":"Allow","Principal":{"Aws":"x"},"Action":"*","Resource":"*"}"#,
            "Invalid principal in policy: \"Aws\":\"x\"",
        ),
        (
            Kind::Resource,
            r#"{"Effect":"Allow","Principal":{},"Action":"*","Resource":"*"}"#,
            "Syntax errors in policy.",
        ),
        (Kind::Trust, r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#, "Missing required field Principal"),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}"#,
            "Has prohibited field Resource",
        ),
    ] {
        assert_eq!(fault(&of(statement), kind).message, message, "{statement}");
    }
}

#[test]
fn a_refusal_says_where() {
    let error = fault("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [,]\n}", Kind::Identity);
    assert_eq!((error.problem, error.place), (Problem::InvalidJson, Some(Place { line: 3, column: 17 })));
    let text = "{\"Statement\": [\n {\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},\n \
                {\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Extra\":1}]}";
    let error = fault(text, Kind::Identity);
    assert_eq!((error.statement, error.place), (Some(1), Some(Place { line: 3, column: 56 })));
    assert_eq!(
        error.to_string(),
        "Syntax errors in policy. (statement 2) (line 3, column 56): unknown element Extra"
    );
    let error = fault("{\"Statement\":{\"Effect\":\"Deny\",\"Effect\":\"Allow\"}}", Kind::Identity);
    assert_eq!(
        (error.detail.as_str(), error.place),
        ("Effect is given twice", Some(Place { line: 1, column: 31 }))
    );
}

#[test]
fn the_simulators_positions() {
    // Recorded: column 38 where the statement is the only one, by itself or in a list; the end is behind the brace.
    let single = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let list = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    for (text, end) in [(single, 83), (list, 84)] {
        let policy = Policy::parse(text, Kind::Identity).expect(text);
        let statement = &policy.statements()[0];
        assert_eq!((statement.start.column, statement.end.column), (38, end));
    }
}

#[test]
fn principals_are_read() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":{
        "AWS":["111122223333","arn:aws:iam::111122223333:user/ann","AROAEXAMPLEID1234"],
        "Service":"events.localhost:4566","Federated":"accounts.google.com","CanonicalUser":"79a5"}}}"#;
    let policy = Policy::parse_in(text, Kind::Resource, Some("localhost:4566")).expect("policy");
    let named: Vec<&str> = policy.named_principals().collect();
    assert_eq!(named, ["arn:aws:iam::111122223333:user/ann", "AROAEXAMPLEID1234"]);
    let rule = policy.statements()[0].principal.as_ref().expect("principal");
    let events = Principal::Service { name: "events.amazonaws.com".into() };
    assert_eq!(rule.grants(&events), Some(Grant::Direct));
    // Without the suffix the name is what it says.
    let policy = Policy::parse(text, Kind::Resource).expect("policy");
    assert_eq!(policy.statements()[0].principal.as_ref().expect("principal").grants(&events), None);
}

#[test]
fn a_document_without_version_is_of_the_old_one() {
    for (version, variables) in
        [("", 0), ("\"Version\":\"2008-10-17\",", 0), ("\"Version\":\"2012-10-17\",", 1)]
    {
        let text = format!(
            "{{{version}\"Statement\":{{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::${{aws:username}}\"}}}}"
        );
        let policy = Policy::parse(&text, Kind::Identity).expect("policy");
        assert_eq!(policy.context_keys().len(), variables, "{text}");
    }
}
