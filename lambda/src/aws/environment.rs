//! Where the services are and who calls them, as Lambda (or the engine) puts it in the environment.

use std::time::{Duration, SystemTime};

use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::{Service, sign};

/// The value of the variable of that name.
type Lookup = dyn Fn(&str) -> Option<String>;

/// What the variables say, read once: a function's process never outlives its credentials.
pub struct Environment {
    region: String,
    key: sign::Key,
    /// The certificates of `AWS_CA_BUNDLE`, as PEM.
    authorities: Option<Vec<u8>>,
    /// Looks a variable up; an empty one counts as not set.
    lookup: Box<Lookup>,
}

impl Environment {
    /// From the process's own variables. The error names what is missing.
    pub fn from_process() -> Result<Self, String> {
        Self::new(|name| std::env::var(name).ok())
    }

    /// From `lookup` in place of the process's variables.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + 'static) -> Result<Self, String> {
        let lookup = move |name: &str| lookup(name).filter(|value| !value.is_empty());
        let need = |name: &str| lookup(name).ok_or_else(|| format!("{name} is not set"));
        let region = lookup("AWS_REGION").map_or_else(|| need("AWS_DEFAULT_REGION"), Ok)?;
        let key = sign::Key {
            id: need("AWS_ACCESS_KEY_ID")?,
            secret: need("AWS_SECRET_ACCESS_KEY")?,
            session_token: lookup("AWS_SESSION_TOKEN"),
        };
        let read = |path: String| std::fs::read(&path).map_err(|e| format!("AWS_CA_BUNDLE: {path}: {e}"));
        let authorities = lookup("AWS_CA_BUNDLE").map(read).transpose()?;
        Ok(Self { region, key, authorities, lookup: Box::new(lookup) })
    }

    /// The URL to post to: `AWS_ENDPOINT_URL_<SERVICE>`, else `AWS_ENDPOINT_URL`, else AWS's own, as the AWS SDKs
    /// have it.
    pub(super) fn endpoint(&self, service: &Service) -> String {
        let get = &self.lookup;
        let heeded =
            get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_none_or(|v| !v.eq_ignore_ascii_case("true"));
        let configured =
            || get(&format!("AWS_ENDPOINT_URL_{}", service.variable)).or_else(|| get("AWS_ENDPOINT_URL"));
        match heeded.then(configured).flatten() {
            Some(url) => format!("{}/", url.trim_end_matches('/')),
            None => format!("https://{}.{}.{}/", service.host, self.region, self.suffix()),
        }
    }

    fn suffix(&self) -> &'static str {
        if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    pub(super) fn sign(&self, request: &sign::Request<'_>, now: SystemTime) -> Vec<(&'static str, String)> {
        sign::headers(&self.key, &self.region, request, now)
    }

    /// The HTTP client: no redirects, short limits, and the certificates of `AWS_CA_BUNDLE` where that is set
    /// (an engine with a certificate authority of its own) in place of the built-in public ones.
    pub(super) fn agent(&self) -> Agent {
        let mut tls = TlsConfig::builder();
        if let Some(authorities) = &self.authorities {
            let certificates: Vec<_> = parse_pem(authorities)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
        }
        Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("nbvend-functions/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(2)))
            .timeout_global(Some(Duration::from_secs(5)))
            .build()
            .into()
    }
}
