//! REST routes: templates as `/2015-03-31/functions/{FunctionName}/versions`, matched against raw paths.

use percent_encoding::percent_decode_str;

/// A parsed template.
#[derive(Debug)]
pub(crate) struct Route {
    segments: Vec<Segment>,
    /// Fixed query parameters that must be present, as `mode=overwrite`; without a value any will do.
    query: Vec<(String, Option<String>)>,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Label(String),
    /// `{name+}`: takes further slashes too.
    Greedy(String),
}

impl Route {
    pub(crate) fn parse(uri: &str) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let segments =
            segments(path).map(|segment| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
                Some(label) => match label.strip_suffix('+') {
                    Some(label) => Segment::Greedy(label.to_owned()),
                    None => Segment::Label(label.to_owned()),
                },
                None => Segment::Literal(segment.to_owned()),
            });
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| match pair.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (pair.to_owned(), None),
        });
        Self { segments: segments.collect(), query: query.collect() }
    }

    /// How many fixed parts the template has: of two that match, the one with more is meant.
    pub(crate) fn weight(&self) -> usize {
        let literals = self.segments.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count();
        literals * 16 + self.query.len()
    }

    /// Whether the template itself has a query parameter of this name.
    pub(crate) fn fixes(&self, name: &str) -> bool {
        self.query.iter().any(|(key, _)| key == name)
    }

    /// Whether path and query are of this template. A slash at the end makes no difference.
    pub(crate) fn matches(&self, path: &str, query: &str) -> bool {
        self.walk(path, |_, _| {})
            && self.query.iter().all(|(name, value)| {
                form_urlencoded::parse(query.as_bytes())
                    .any(|(n, v)| n == name.as_str() && value.as_deref().is_none_or(|value| v == value))
            })
    }

    /// The labels of a path that matches, decoded; `None` if one is not UTF-8.
    pub(crate) fn labels(&self, path: &str) -> Option<Vec<(String, String)>> {
        let mut labels = Vec::new();
        self.walk(path, |name, raw| labels.push((name.to_owned(), raw.to_owned())));
        for (_, text) in &mut labels {
            let decoded = percent_decode_str(text).decode_utf8().ok()?.into_owned();
            *text = decoded;
        }
        Some(labels)
    }

    fn walk(&self, path: &str, mut label: impl FnMut(&str, &str)) -> bool {
        let mut rest = path.trim_matches('/');
        for segment in &self.segments {
            let (head, tail) = rest.split_once('/').unwrap_or((rest, ""));
            match segment {
                Segment::Literal(text) if head == text => rest = tail,
                Segment::Label(name) if !head.is_empty() => {
                    label(name, head);
                    rest = tail;
                }
                Segment::Greedy(name) if !rest.is_empty() => {
                    label(name, rest);
                    rest = "";
                }
                _ => return false,
            }
        }
        rest.is_empty()
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/').filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_paths() {
        let cases = [
            ("/a/{id}", "/a/x", "", true),
            ("/a/{id}", "/a/x/", "", true),
            ("/a/{id}", "/a/", "", false),
            ("/a/{id}", "/a/x/y", "", false),
            ("/a/{id}", "/A/x", "", false),
            ("/a/{id}/b", "/a//b", "", false),
            ("/a/{id+}", "/a/x/y", "", true),
            ("/a/", "/a", "", true),
            ("/a?mode=import", "/a", "", false),
            ("/a?mode=import", "/a", "x=1&mode=import", true),
            ("/a?mode=import", "/a", "mode=other", false),
            ("/a?list", "/a", "list=", true),
        ];
        for (template, path, query, expected) in cases {
            assert_eq!(Route::parse(template).matches(path, query), expected, "{template} {path}?{query}");
        }
        assert!(Route::parse("/a/b").weight() > Route::parse("/a/{x}").weight());
        assert!(Route::parse("/a?m").weight() > Route::parse("/a").weight());
    }

    #[test]
    fn decodes_labels() {
        let labels = |template, path| Route::parse(template).labels(path);
        let one = |name: &str, value: &str| Some(vec![(name.to_owned(), value.to_owned())]);
        assert_eq!(labels("/tags/{arn}", "/tags/arn%3Aaws%3Ax%2Fy"), one("arn", "arn:aws:x/y"));
        assert_eq!(labels("/f/{n}/v", "/f/a+b%C3%A9/v"), one("n", "a+b\u{e9}"));
        assert_eq!(labels("/f/{n}", "/f/%FF"), None);
        assert_eq!(labels("/f/{n+}", "/f/a/b"), one("n", "a/b"));
    }
}
