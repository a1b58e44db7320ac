//! As whom the CLI acts: the person whose key is in the environment, else the root user.
//!
//! A key in the environment may well be one of real AWS, and `nbvend vend` must work beside it. It is taken for this
//! engine's if `AWS_ENDPOINT_URL` names the engine, or if the engine knows the key or has known it: a removed user does not
//! become root.

use nbvend_wire::sigv4::Credentials;
use serde_json::json;

use super::Client;
use crate::failure::Failure;
use crate::home::Home;

impl Client {
    /// A client that acts as the person of the environment; `None` where that is nobody of this engine's, and the root
    /// key is there to be used.
    pub async fn of_person(home: &Home) -> Result<Option<Self>, Failure> {
        let Some(credentials) = from_environment() else { return Ok(None) };
        let named = variable("AWS_ENDPOINT_URL");
        let Some(running) = home.running() else {
            let Some(endpoint) = named else { return Ok(None) };
            let authority = endpoint.strip_prefix("http://").ok_or_else(|| {
                Failure::new(format!(
                    "AWS_ENDPOINT_URL is {endpoint}: nbvend reaches engines by http:// only"
                ))
            })?;
            return Ok(Some(Self::signing(authority, credentials)));
        };
        let root = Self::new(&running, &home.root_key(None)?);
        if credentials.access_key_id == root.credentials.access_key_id {
            return Ok(None);
        }
        let meant = named.is_some_and(|endpoint| same_place(&endpoint, &running.endpoint));
        if meant || root.has_known(&credentials.access_key_id).await {
            return Ok(Some(Self::signing(&root.authority, credentials)));
        }
        Ok(None)
    }

    /// The person of the environment, else root.
    pub async fn acting(home: &Home) -> Result<Self, Failure> {
        match Self::of_person(home).await? {
            Some(client) => Ok(client),
            None => Self::of(home),
        }
    }

    /// Whether the engine has this key, or calls in its trail that were made with it.
    async fn has_known(&self, access_key_id: &str) -> bool {
        let info = self.query("sts", "GetAccessKeyInfo", json!({"AccessKeyId": access_key_id})).await;
        if info.is_ok() {
            return true;
        }
        let asked = json!({
            "LookupAttributes": [{"AttributeKey": "AccessKeyId", "AttributeValue": access_key_id}],
            "MaxResults": 1,
        });
        let seen = self.json("cloudtrail", "LookupEvents", asked).await;
        seen.is_ok_and(|answer| answer["Events"].as_array().is_some_and(|events| !events.is_empty()))
    }
}

fn from_environment() -> Option<Credentials> {
    Some(Credentials {
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?,
        session_token: variable("AWS_SESSION_TOKEN"),
    })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether two addresses are one engine's: it answers to several names, on one port.
fn same_place(one: &str, other: &str) -> bool {
    let port = |address: &str| {
        let bare = address.trim_end_matches('/').rsplit("//").next().unwrap_or_default();
        bare.rsplit_once(':').map(|(_, port)| port.to_owned())
    };
    port(one).is_some() && port(one) == port(other)
}

#[cfg(test)]
mod tests {
    use super::same_place;

    #[test]
    fn an_engine_has_several_names() {
        for (one, other, same) in [
            ("http://localhost:4566", "http://localhost:4566", true),
            ("https://127.0.0.1:4566/", "http://localhost:4566", true),
            ("http://localhost:4567", "http://localhost:4566", false),
            ("https://sts.amazonaws.com", "http://localhost:4566", false),
        ] {
            assert_eq!(same_place(one, other), same, "{one} {other}");
        }
    }
}
