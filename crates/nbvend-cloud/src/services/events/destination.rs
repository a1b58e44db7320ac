//! What a target's ARN names. Only what is really there can be a target: functions, log groups, other buses of the account.

use nbvend_wire::arn::Arn;

use super::names::DEFAULT;

/// Where a delivery goes.
#[derive(Debug, PartialEq, Eq)]
pub enum Destination {
    /// A function, by its ARN (with a qualifier, if the target has one).
    Function,
    /// A log group of the same region, by name.
    LogGroup(String),
    Bus {
        region: String,
        name: String,
    },
}

/// Reads a target's ARN, or says why nothing can be delivered there.
pub fn parse(arn: &str, account: &str, region: &str) -> Result<Destination, String> {
    let malformed =
        || format!("Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.");
    let parsed: Arn = arn.parse().map_err(|_| malformed())?;
    if parsed.account != account {
        return Err(format!("nbvend has one account, {account}; the target {arn} is in another"));
    }
    let here = parsed.region == region;
    let elsewhere = || format!("The target {arn} is not in the rule's region {region}");
    match parsed.service.as_str() {
        "lambda" => match parsed.resource.strip_prefix("function:") {
            Some(name) if !name.is_empty() && here => Ok(Destination::Function),
            Some(_) if !here => Err(elsewhere()),
            _ => Err(malformed()),
        },
        "logs" => match parsed.resource.strip_prefix("log-group:") {
            Some(_) if !here => Err(elsewhere()),
            Some(name) => Ok(Destination::LogGroup(name.strip_suffix(":*").unwrap_or(name).to_owned())),
            None => Err(malformed()),
        },
        "events" => match parsed.resource.strip_prefix("event-bus/") {
            Some(name) if !name.is_empty() => {
                Ok(Destination::Bus { region: parsed.region, name: name.to_owned() })
            }
            _ => Err(format!(
                "nbvend delivers to event buses, not to {}",
                parsed.resource.split('/').next().unwrap_or(DEFAULT)
            )),
        },
        service => Err(format!(
            "nbvend delivers to Lambda functions, CloudWatch Logs groups and event buses; {service} targets are not supported"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns() {
        let parse = |arn: &str| parse(arn, "123456789012", "us-east-1");
        assert_eq!(parse("arn:aws:lambda:us-east-1:123456789012:function:f:live"), Ok(Destination::Function));
        for (arn, name) in [
            ("arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/x:*", "/aws/events/x"),
            ("arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/x", "/aws/events/x"),
        ] {
            assert_eq!(parse(arn), Ok(Destination::LogGroup(name.to_owned())));
        }
        let bus = Destination::Bus { region: "eu-west-1".to_owned(), name: "b".to_owned() };
        assert_eq!(parse("arn:aws:events:eu-west-1:123456789012:event-bus/b"), Ok(bus));
        for (arn, says) in [
            ("nonsense", "not in correct format"),
            ("arn:aws:lambda:us-east-1:123456789012:layer:x", "not in correct format"),
            ("arn:aws:lambda:eu-west-1:123456789012:function:f", "not in the rule's region"),
            ("arn:aws:lambda:us-east-1:210987654321:function:f", "one account"),
            ("arn:aws:sqs:us-east-1:123456789012:q", "sqs targets are not supported"),
            ("arn:aws:events:us-east-1:123456789012:api-destination/x", "not to api-destination"),
        ] {
            assert!(parse(arn).unwrap_err().contains(says), "{arn}");
        }
    }
}
