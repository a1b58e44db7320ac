//! AWS's own managed policies: the ones that notebooks, functions and the catalog's people use.
//!
//! A policy that is not in the table cannot be attached: AWS's error for a policy that does not exist is better than
//! a policy that grants nothing. Their real versions are kept, so that what is granted can be compared with AWS.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use nbvend_wire::timestamp::Timestamp;
use serde_json::{Map, Value, json};

/// One of AWS's policies.
#[derive(Debug)]
pub struct AwsPolicy {
    pub name: String,
    /// With both slashes.
    pub path: String,
    pub arn: String,
    /// `ANPA…`: made from the name, so that it stays the same.
    pub id: String,
    /// `v3`
    pub version: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub document: String,
}

static TABLE: LazyLock<BTreeMap<String, AwsPolicy>> =
    LazyLock::new(|| read(include_str!("managed.txt")).expect("the table is well formed: a test reads it"));

/// The policy of that ARN.
pub fn find(arn: &str) -> Option<&'static AwsPolicy> {
    TABLE.get(arn)
}

/// All of them, by ARN.
pub fn all() -> impl Iterator<Item = &'static AwsPolicy> {
    TABLE.values()
}

/// Whether an ARN is one of AWS's own policies, known or not.
pub fn is_aws(arn: &str) -> bool {
    arn.starts_with("arn:aws:iam::aws:policy/")
}

fn read(text: &str) -> Result<BTreeMap<String, AwsPolicy>, String> {
    let mut policies: Vec<(AwsPolicy, Vec<Value>)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let wrong = || format!("line {}: {line}", at + 1);
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] | ["#", ..] => {}
            ["policy", name, path, version, created, updated] => {
                let policy = AwsPolicy {
                    name: (*name).to_owned(),
                    path: (*path).to_owned(),
                    arn: format!("arn:aws:iam::aws:policy{path}{name}"),
                    id: id(name),
                    version: (*version).to_owned(),
                    created: Timestamp::parse(created).ok_or_else(wrong)?,
                    updated: Timestamp::parse(updated).ok_or_else(wrong)?,
                    document: String::new(),
                };
                policies.push((policy, Vec::new()));
            }
            [effect @ ("allow" | "deny"), sid @ ..] => {
                let mut statement = Map::new();
                if let [sid] = sid {
                    statement.insert("Sid".to_owned(), json!(sid));
                }
                statement
                    .insert("Effect".to_owned(), json!(if *effect == "allow" { "Allow" } else { "Deny" }));
                policies.last_mut().ok_or_else(wrong)?.1.push(Value::Object(statement));
            }
            [word, rest @ ..] => {
                let statement = policies.last_mut().and_then(|(_, statements)| statements.last_mut());
                let statement = statement.ok_or_else(wrong)?;
                let (list, values) = match (*word, rest) {
                    ("do", values) => (&mut statement["Action"], values),
                    ("not-do", values) => (&mut statement["NotAction"], values),
                    ("on", values) => (&mut statement["Resource"], values),
                    ("not-on", values) => (&mut statement["NotResource"], values),
                    ("if", [operator, key, values @ ..]) => {
                        (&mut statement["Condition"][operator][key], values)
                    }
                    _ => return Err(wrong()),
                };
                add(list, values);
            }
        }
    }
    let finished = policies.into_iter().map(|(mut policy, statements)| {
        policy.document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        (policy.arn.clone(), policy)
    });
    Ok(finished.collect())
}

/// Adds values to an element: one value stands alone, several are a list.
fn add(list: &mut Value, values: &[&str]) {
    for value in values {
        match &mut *list {
            empty @ Value::Null => *empty = json!(value),
            Value::Array(items) => items.push(json!(value)),
            first => *first = json!([first.take(), value]),
        }
    }
}

fn id(name: &str) -> String {
    use sha2::{Digest, Sha256};
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = Sha256::digest(name.as_bytes());
    let letters = digest.iter().take(17).map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    "ANPA".chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_policies_that_aws_would_store() {
        assert!(all().count() >= 40);
        for policy in all() {
            nbvend_policy::validate(&policy.document, nbvend_policy::Kind::Managed)
                .unwrap_or_else(|error| panic!("{}: {error}", policy.arn));
        }
        let basic = find("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").unwrap();
        let document: Value = serde_json::from_str(&basic.document).unwrap();
        assert_eq!(
            document,
            json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow",
                "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": "*",
            }]})
        );
        assert_eq!((basic.id.len(), basic.version.as_str()), (21, "v1"));
    }

    #[test]
    fn conditions_and_single_values_are_read() {
        let text = "policy A / v1 2020-01-01T00:00:00Z 2020-01-01T00:00:00Z\n deny S\n  not-do a:B\n  on x\n  on y\n  if StringLike k v w\n";
        let table = read(text).unwrap();
        let document: Value = serde_json::from_str(&table["arn:aws:iam::aws:policy/A"].document).unwrap();
        assert_eq!(
            document["Statement"][0],
            json!({"Sid": "S", "Effect": "Deny", "NotAction": "a:B", "Resource": ["x", "y"],
                   "Condition": {"StringLike": {"k": ["v", "w"]}}})
        );
        assert!(read("do a:B").is_err());
        assert!(read("policy A / v1 yesterday 2020-01-01T00:00:00Z").is_err());
    }
}
