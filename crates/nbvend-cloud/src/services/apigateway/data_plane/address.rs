//! Step 1: which API a request is for. `<api>.execute-api.<region>.<domain>/<stage>/<path>`, or the same by path:
//! `/restapis/<api>/<stage>/_user_request_/<path>`, which names no region.

use http::request::Parts;

use crate::config::Config;

#[derive(Debug, Clone, PartialEq)]
pub struct Address {
    pub api: String,
    /// `None` in the path form.
    pub region: Option<String>,
    /// Empty if the path ends before it.
    pub stage: String,
    /// Without the stage, percent-encoded as sent, beginning with one slash.
    pub path: String,
    /// With the stage, as sent: `requestContext.path`.
    pub full_path: String,
}

/// `None` for a host that is none of ours.
pub fn of(parts: &Parts, config: &Config) -> Option<Address> {
    let path = parts.uri.path();
    if let Some((host_api, rest)) = host(parts).split_once(".execute-api.") {
        let (region, domain) = rest.split_once('.')?;
        if !is_ours(domain, config) {
            return None;
        }
        let (stage, path_below) = split(path);
        return Some(Address {
            api: host_api.to_ascii_lowercase(),
            region: Some(region.to_ascii_lowercase()),
            stage: stage.to_owned(),
            path: one_slash(path_below),
            full_path: path.to_owned(),
        });
    }
    let (api, rest) = path.strip_prefix("/restapis/")?.split_once('/')?;
    let (stage, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let below = rest.strip_prefix("_user_request_").unwrap_or_default();
    Some(Address {
        api: api.to_owned(),
        region: None,
        stage: stage.to_owned(),
        path: one_slash(below),
        full_path: format!("/{stage}{below}"),
    })
}

/// The host and port a client named.
pub fn host(parts: &Parts) -> &str {
    let header = parts.headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
    header.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str)).unwrap_or_default()
}

/// AWS's domains, the engine's own, and `localhost`, whatever the port.
fn is_ours(domain: &str, config: &Config) -> bool {
    let name = |text: &str| text.rsplit_once(':').map_or(text, |(name, _)| name).to_ascii_lowercase();
    let domain = name(domain);
    let own = name(&config.url_suffix);
    [own.as_str(), "localhost", "amazonaws.com", "amazonaws.com.cn"].contains(&domain.as_str())
}

/// The first segment and what follows it.
fn split(path: &str) -> (&str, &str) {
    let path = path.trim_start_matches('/');
    match path.find('/') {
        Some(at) => path.split_at(at),
        None => (path, ""),
    }
}

/// AWS takes several slashes after the stage for one (recorded: `/stage//hardcoded` is `/hardcoded`).
fn one_slash(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let root_key =
            crate::config::RootKey { access_key_id: String::new(), secret_access_key: String::new() };
        Config {
            data: "/nowhere".into(),
            account: String::new(),
            root_key,
            url_suffix: "notebooks.example.org:8443".to_owned(),
            endpoint: String::new(),
            https_links: true,
            notebooks: crate::config::NotebookSettings::default(),
        }
    }

    #[test]
    fn finds_api_stage_and_path() {
        let cases = [
            (
                "abc.execute-api.us-east-1.amazonaws.com",
                "/Prod/refreshurl/",
                Some(("abc", "Prod", "/refreshurl/")),
            ),
            ("abc.execute-api.us-east-1.localhost:4566", "/Prod", Some(("abc", "Prod", "/"))),
            ("ABC.execute-api.eu-west-1.Notebooks.example.org", "/", Some(("abc", "", "/"))),
            ("abc.execute-api.us-east-1.localhost", "/Prod//a//b", Some(("abc", "Prod", "/a//b"))),
            ("abc.execute-api.us-east-1.evil.example", "/Prod/a", None),
            ("abc.execute-api.localhost", "/Prod/a", None),
            ("localhost:4566", "/restapis/abc/Prod/_user_request_/a/b", Some(("abc", "Prod", "/a/b"))),
            ("localhost:4566", "/restapis/abc/Prod/_user_request_", Some(("abc", "Prod", "/"))),
        ];
        for (host, path, expected) in cases {
            let request = http::Request::builder().uri(path).header("host", host).body(()).unwrap();
            let found = of(&request.into_parts().0, &config());
            let found = found.as_ref().map(|a| (a.api.as_str(), a.stage.as_str(), a.path.as_str()));
            assert_eq!(found, expected, "{host}{path}");
        }
    }
}
