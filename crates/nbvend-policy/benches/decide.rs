//! What a decision costs: twenty policies of 2 KB with conditions, read and compiled, and then asked.
//!
//! Without arguments it measures and prints one JSON object. `decide policies` prints the policies themselves, so that
//! the same ones can be given to a user of the whole engine: the last of them allows reading `/bench/value` to users whose
//! name begins with `bench`. Each question meets the action, the resource and so the conditions of one statement in every
//! policy: conditions that are never reached would cost nothing.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that meets trouble has nothing to report"
)]
use std::hint::black_box;
use std::time::Instant;

use nbvend_policy::{Context, Effect, Kind, Policies, Policy, Principal, Request, evaluate};
use serde_json::{Value, json};

const COUNT: usize = 20;
const BYTES: usize = 2048;
const ACCOUNT: &str = "123456789012";
/// Measured so often, the median of which is told: a machine is never quiet for long.
const ROUNDS: usize = 21;

fn main() {
    let texts: Vec<String> = (1..=COUNT).map(document).collect();
    if std::env::args().any(|word| word == "policies") {
        println!("{}", json!(texts));
        return;
    }
    let compile_us = median(|| {
        for text in &texts {
            black_box(Policy::parse(black_box(text), Kind::Managed).unwrap());
        }
    });
    let policies: Vec<(String, Policy)> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| (format!("team-{at}"), Policy::parse(text, Kind::Managed).unwrap()))
        .collect();
    let parameter = format!("arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/bench/value");
    let notebook = format!("arn:aws:sagemaker:us-east-1:{ACCOUNT}:notebook-instance/bench");
    let asked = [
        ("allowed_us", "ssm:GetParameter", &parameter, Effect::Allowed),
        ("denied_us", "sagemaker:DeleteNotebookInstance", &notebook, Effect::ImplicitDeny),
        ("explicit_deny_us", "ssm:DeleteParameter", &parameter, Effect::ExplicitDeny),
    ];
    let sizes: usize = texts.iter().map(String::len).sum();
    let mut figures = json!({"policies": COUNT, "bytes_each": sizes / COUNT, "compile_us": compile_us});
    for (name, action, resource, expected) in asked {
        assert_eq!(decide(&policies, action, resource), expected, "{action}");
        figures[name] = median(|| {
            black_box(decide(black_box(&policies), black_box(action), black_box(resource)));
        })
        .into();
    }
    println!("{figures}");
}

/// Everything the door does for each call: who asks and from where is put together anew.
fn decide(policies: &[(String, Policy)], action: &str, resource: &str) -> Effect {
    let principal =
        Principal::User { arn: format!("arn:aws:iam::{ACCOUNT}:user/bench"), account: ACCOUNT.to_owned() };
    let mut context = Context::new();
    context.set_principal(&principal);
    context
        .set_one("aws:CurrentTime", "2026-11-22T18:00:00Z")
        .set_one("aws:EpochTime", "1795370400")
        .set_one("aws:RequestedRegion", "us-east-1")
        .set_one("aws:SecureTransport", "false")
        .set_one("aws:SourceIp", "127.0.0.1")
        .set_one("aws:UserAgent", "aws-cli/2.31");
    let identity: Vec<(&str, &Policy)> =
        policies.iter().map(|(name, policy)| (name.as_str(), policy)).collect();
    let request =
        Request { principal: &principal, action, resource, resource_account: None, context: &context };
    evaluate(&request, &Policies { identity: &identity, ..Policies::default() }).effect
}

/// Microseconds of one run.
fn median(mut work: impl FnMut()) -> f64 {
    let mut once = || {
        let begun = Instant::now();
        work();
        begun.elapsed().as_secs_f64()
    };
    // About 20 ms a round.
    let times = (0.02 / once().max(1e-7)).ceil();
    let mut rounds: Vec<f64> =
        (0..ROUNDS).map(|_| (0..times as u32).map(|_| once()).sum::<f64>() * 1e6 / times).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// A team's policy: reading parameters, its notebooks for a time that is over, a denial, and as many buckets as fill it up.
fn document(team: usize) -> String {
    let name = if team == COUNT { "bench".to_owned() } else { format!("team-{team}") };
    let mut buckets: Vec<Value> = Vec::new();
    loop {
        let text = with_buckets(team, &name, &buckets);
        buckets.push(json!(format!("arn:aws:s3:::{name}-data-{}/${{aws:username}}/*", buckets.len())));
        if with_buckets(team, &name, &buckets).len() > BYTES {
            return text;
        }
    }
}

fn with_buckets(team: usize, name: &str, buckets: &[Value]) -> String {
    let parameters = format!("arn:aws:ssm:*:{ACCOUNT}:parameter");
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "ReadParameters", "Effect": "Allow", "Action": ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
         "Resource": [format!("{parameters}/{name}-own/*"), format!("{parameters}/bench/*")],
         "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]},
                       "DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"},
                       "StringLike": {"aws:PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:user/{name}*")}}},
        {"Sid": "NotebooksForAWhile", "Effect": "Allow", "Action": ["sagemaker:Describe*", "sagemaker:*NotebookInstance"],
         "Resource": format!("arn:aws:sagemaker:*:{ACCOUNT}:notebook-instance/${{aws:username}}*"),
         "Condition": {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]},
                       "NumericLessThan": {"aws:EpochTime": (1_700_000_000 + team).to_string()}}},
        {"Sid": "KeepParameters", "Effect": "Deny", "Action": "ssm:Delete*",
         "Resource": [format!("{parameters}/{name}-own/value"), format!("{parameters}/*/value")],
         "Condition": {"StringNotLike": {"aws:PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:role/Admin*")}}},
        {"Sid": "Data", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": buckets},
    ]})
    .to_string()
}
