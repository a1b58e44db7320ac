//! Amazon Resource Names: `arn:partition:service:region:account:resource`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// An ARN in its six parts. `resource` is everything after the fifth colon, further colons and slashes included.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    pub partition: String,
    pub service: String,
    pub region: String,
    pub account: String,
    pub resource: String,
}

impl Arn {
    /// An ARN in the partition that `region` belongs to (`aws` for a global service's empty region).
    pub fn new(service: &str, region: &str, account: &str, resource: impl Into<String>) -> Self {
        Self {
            partition: partition(region).to_owned(),
            service: service.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            resource: resource.into(),
        }
    }

    /// `instance/abc` or `instance:abc` -> `("instance", "abc")`; without either sign the type is empty.
    pub fn resource_parts(&self) -> (&str, &str) {
        self.resource.split_once(['/', ':']).unwrap_or(("", &self.resource))
    }
}

/// The partition of a region, by the prefixes AWS uses.
pub fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// The text is not of the form `arn:partition:service:region:account:resource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnArn(pub String);

impl fmt::Display for NotAnArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an ARN: {}", self.0)
    }
}

impl std::error::Error for NotAnArn {}

impl FromStr for Arn {
    type Err = NotAnArn;

    fn from_str(text: &str) -> Result<Self, NotAnArn> {
        let mut parts = text.splitn(6, ':').map(str::to_owned);
        let mut next = || parts.next().ok_or_else(|| NotAnArn(text.to_owned()));
        let (prefix, partition, service) = (next()?, next()?, next()?);
        let (region, account, resource) = (next()?, next()?, next()?);
        if prefix != "arn" || partition.is_empty() || service.is_empty() || resource.is_empty() {
            return Err(NotAnArn(text.to_owned()));
        }
        Ok(Self { partition, service, region, account, resource })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl Serialize for Arn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Arn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for text in [
            "arn:aws:iam::123456789012:role/service/Launch",
            "arn:aws:s3:::bucket/a:b",
            "arn:aws-cn:sagemaker:cn-north-1:123456789012:notebook-instance/a",
            "arn:aws:lambda:eu-west-1:123456789012:function:f:7",
        ] {
            assert_eq!(text.parse::<Arn>().map(|arn| arn.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "arn",
            "arn:aws:iam",
            "urn:aws:iam::1:r",
            "arn:aws:iam::1:",
            "arn::iam::1:r",
            "arn:aws::r:1:r",
        ] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_region_decides_the_partition() {
        let arn = |region| Arn::new("ssm", region, "1", "parameter/a").to_string();
        assert_eq!(arn("eu-west-1"), "arn:aws:ssm:eu-west-1:1:parameter/a");
        assert_eq!(arn("cn-north-1"), "arn:aws-cn:ssm:cn-north-1:1:parameter/a");
        assert_eq!(arn("us-gov-west-1"), "arn:aws-us-gov:ssm:us-gov-west-1:1:parameter/a");
    }

    #[test]
    fn the_resource_has_a_type() {
        let parts = |resource| {
            let arn = Arn::new("s", "r", "1", resource);
            let (kind, name) = arn.resource_parts();
            format!("{kind}|{name}")
        };
        assert_eq!(parts("role/path/name"), "role|path/name");
        assert_eq!(parts("function:f:1"), "function|f:1");
        assert_eq!(parts("topic"), "|topic");
    }

    #[test]
    fn is_a_string_in_json() {
        let arn = Arn::new("iam", "", "1", "user/a");
        assert_eq!(serde_json::to_string(&arn).unwrap(), "\"arn:aws:iam::1:user/a\"");
        assert_eq!(serde_json::from_str::<Arn>("\"arn:aws:iam::1:user/a\"").unwrap(), arn);
        assert!(serde_json::from_str::<Arn>("\"x\"").is_err());
    }
}
