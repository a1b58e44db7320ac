//! Which pages may make a browser send a request. All notebooks and the portal are one *site* to a browser, so that
//! SameSite cookies do not keep them apart; Origin and Sec-Fetch-Site do.
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Method};

/// Whether a request that may change something comes from the page's own origin, or from no page at all.
///
/// Unsafe methods and websocket upgrades need an Origin that is `http://` or `https://` and the request's own Host;
/// or no Origin and a Sec-Fetch-Site that is absent, `same-origin` or `none`. Safe methods always pass.
pub fn origin_allowed(method: &Method, headers: &HeaderMap, upgrade: bool) -> bool {
    if method.is_safe() && !upgrade {
        return true;
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => {
            let Some(Ok(host)) = single(headers, HOST.as_str()).map(|host| host.to_str()) else {
                return false;
            };
            let Ok(origin) = origin.to_str() else { return false };
            let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            own.is_some_and(|own| !own.is_empty() && own.eq_ignore_ascii_case(host))
        }
        (Some(_), Some(_)) => false,
        (None, _) => match fetch_site(headers) {
            Site::Absent | Site::Own => true,
            Site::Other => false,
        },
    }
}

/// Whether a request may be answered to the page it comes from: another page may lead the browser's window here, but
/// not embed, frame or read what is here.
///
/// Browsers that send no Sec-Fetch headers pass; the framing headers of the notebook protect them.
pub fn embedding_allowed(headers: &HeaderMap) -> bool {
    if !matches!(fetch_site(headers), Site::Other) {
        return true;
    }
    let says =
        |name, want: &str| single(headers, name).is_some_and(|value| value.as_bytes() == want.as_bytes());
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}

enum Site {
    Absent,
    Own,
    Other,
}

fn fetch_site(headers: &HeaderMap) -> Site {
    // As a name that need not be parsed for every request.
    static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    let mut values = headers.get_all(&FETCH_SITE).iter();
    match (values.next(), values.next()) {
        (None, _) => Site::Absent,
        (Some(value), None) if matches!(value.as_bytes(), b"same-origin" | b"none") => Site::Own,
        _ => Site::Other,
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a http::HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { None } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "a-notebook.notebook.eu-west-1.sagemaker.localhost:4566";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.append("host", HOST.parse().unwrap());
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn only_the_own_origin_or_none_may_change_things() {
        let own = format!("http://{HOST}");
        let own_tls = format!("https://{HOST}");
        let upper = own.to_uppercase().replace("HTTP", "http");
        let suffix = format!("http://{HOST}.evil.com");
        let prefix = format!("http://evil.{HOST}");
        let user = format!("http://{HOST}@evil.com");
        let slash = format!("http://{HOST}/");
        let ftp = format!("ftp://{HOST}");
        for (pairs, allowed) in [
            (vec![], true),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "")], false),
            (vec![("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], false),
            (vec![("origin", own.as_str())], true),
            (vec![("origin", own_tls.as_str())], true),
            (vec![("origin", upper.as_str())], true),
            (vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")], true),
            (vec![("origin", own.as_str()), ("origin", "http://evil.com")], false),
            (vec![("origin", "null")], false),
            (vec![("origin", "")], false),
            (vec![("origin", "http://")], false),
            (vec![("origin", HOST)], false),
            (vec![("origin", "http://b-notebook.notebook.eu-west-1.sagemaker.localhost:4566")], false),
            (vec![("origin", "http://localhost:4566")], false),
            (vec![("origin", "http://a-notebook.notebook.eu-west-1.sagemaker.localhost")], false),
            (vec![("origin", suffix.as_str())], false),
            (vec![("origin", prefix.as_str())], false),
            (vec![("origin", user.as_str())], false),
            (vec![("origin", slash.as_str())], false),
            (vec![("origin", ftp.as_str())], false),
        ] {
            let map = headers(&pairs);
            for method in ["POST", "PUT", "PATCH", "DELETE", "FROBNICATE"] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                assert_eq!(origin_allowed(&method, &map, false), allowed, "{method} {pairs:?}");
            }
            assert_eq!(origin_allowed(&Method::GET, &map, true), allowed, "upgrade {pairs:?}");
            for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                assert!(origin_allowed(&method, &map, false), "{method} {pairs:?}");
            }
        }
    }

    #[test]
    fn an_origin_is_nothing_without_one_host() {
        let mut map = headers(&[("origin", &format!("http://{HOST}"))]);
        map.append("host", HOST.parse().unwrap());
        assert!(!origin_allowed(&Method::POST, &map, false));
        map.remove("host");
        assert!(!origin_allowed(&Method::POST, &map, false));
    }

    #[test]
    fn other_pages_may_lead_here_but_not_embed() {
        let fetch = |site, mode, dest| {
            headers(&[("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)])
        };
        assert!(embedding_allowed(&headers(&[])));
        assert!(embedding_allowed(&fetch("same-origin", "cors", "empty")));
        assert!(embedding_allowed(&fetch("none", "navigate", "document")));
        assert!(embedding_allowed(&fetch("same-site", "navigate", "document")));
        assert!(embedding_allowed(&fetch("cross-site", "navigate", "document")));
        for (site, mode, dest) in [
            ("same-site", "navigate", "iframe"),
            ("same-site", "no-cors", "script"),
            ("cross-site", "no-cors", "image"),
            ("cross-site", "cors", "empty"),
            ("cross-site", "websocket", "document"),
            ("", "cors", "empty"),
        ] {
            assert!(!embedding_allowed(&fetch(site, mode, dest)), "{site} {mode} {dest}");
        }
    }
}
