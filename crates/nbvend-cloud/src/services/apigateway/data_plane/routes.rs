//! Step 3: the resource and method of a path. Of several resources that match, a literal part goes before a
//! variable one and that before a greedy one; a resource without methods is none.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::services::apigateway::paths::{is_greedy, is_variable, variable};
use crate::services::apigateway::state::{Definition, Method, Resource};

/// Where a request goes.
#[derive(Debug, Clone)]
pub struct Route {
    pub resource_id: String,
    /// `/pets/{id}`
    pub resource_path: String,
    /// Path parameters as sent: AWS does not undo their percent-encoding (recorded).
    pub parameters: BTreeMap<String, String>,
    pub method: Arc<Method>,
    /// The path that policies see: normalised once, for routing and authorisation alike, without first and last slash.
    pub policy_path: String,
}

#[derive(Debug, Default)]
pub struct Routes {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    leaf: Option<Leaf>,
    literals: HashMap<String, Node>,
    variable: Option<(String, Box<Node>)>,
    greedy: Option<(String, Leaf)>,
}

#[derive(Debug, Clone)]
struct Leaf {
    id: String,
    path: String,
    methods: Arc<HashMap<String, Arc<Method>>>,
}

impl Routes {
    pub fn of(definition: &Definition) -> Self {
        let mut routes = Self::default();
        for resource in definition.resources.values().filter(|resource| !resource.methods.is_empty()) {
            routes.add(resource);
        }
        routes
    }

    fn add(&mut self, resource: &Resource) {
        let methods = resource.methods.iter().map(|(verb, method)| (verb.clone(), Arc::new(method.clone())));
        let leaf = Leaf {
            id: resource.id.clone(),
            path: resource.path.clone(),
            methods: Arc::new(methods.collect()),
        };
        let mut at = &mut self.root;
        for part in resource.path.split('/').filter(|part| !part.is_empty()) {
            let name = variable(part).unwrap_or(part).to_owned();
            at = match part {
                // Nothing can be below it.
                part if is_greedy(part) => {
                    at.greedy = Some((name, leaf));
                    return;
                }
                part if is_variable(part) => &mut at.variable.get_or_insert_with(|| (name, Box::default())).1,
                _ => at.literals.entry(name).or_default(),
            };
        }
        at.leaf = Some(leaf);
    }

    /// The route of a request. A slash at the end makes no difference.
    pub fn find(&self, verb: &str, path: &str) -> Option<Route> {
        let trimmed = path.strip_prefix('/').unwrap_or(path);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        let segments: Vec<&str> = if trimmed.is_empty() { Vec::new() } else { trimmed.split('/').collect() };
        let plain: Vec<String> = segments.iter().map(|segment| normal(segment)).collect();
        let mut taken = Vec::new();
        let leaf = self.root.walk(&segments, &plain, &mut taken)?;
        let method = leaf.methods.get(verb).or_else(|| leaf.methods.get("ANY"))?;
        Some(Route {
            resource_id: leaf.id.clone(),
            resource_path: leaf.path.clone(),
            parameters: taken.into_iter().collect(),
            method: Arc::clone(method),
            policy_path: plain.join("/"),
        })
    }
}

impl Node {
    fn walk(&self, segments: &[&str], plain: &[String], taken: &mut Vec<(String, String)>) -> Option<&Leaf> {
        let (Some((segment, rest)), Some((name, plain_rest))) = (segments.split_first(), plain.split_first())
        else {
            return self.leaf.as_ref();
        };
        if let Some(node) = self.literals.get(name)
            && let Some(leaf) = node.walk(rest, plain_rest, taken)
        {
            return Some(leaf);
        }
        if let Some((variable, node)) = &self.variable
            && !segment.is_empty()
        {
            taken.push((variable.clone(), (*segment).to_owned()));
            if let Some(leaf) = node.walk(rest, plain_rest, taken) {
                return Some(leaf);
            }
            taken.pop();
        }
        let (variable, leaf) = self.greedy.as_ref()?;
        taken.push((variable.clone(), segments.join("/")));
        Some(leaf)
    }
}

/// A segment with every percent-encoding undone that hides no slash and no percent sign, so that one resource has one
/// name: `%72efresh` is `refresh`, for routes and for policies.
fn normal(segment: &str) -> String {
    let decoded = percent_decode_str(segment).decode_utf8();
    match decoded {
        Ok(text) if !text.contains(['/', '%']) && !text.chars().any(char::is_control) => text.into_owned(),
        _ => segment.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(resources: &[(&str, &str)]) -> Routes {
        let mut definition = Definition::default();
        for (path, verbs) in resources {
            let methods = verbs.split_whitespace().map(|verb| (verb.to_owned(), Method::default()));
            let resource = Resource {
                id: (*path).to_owned(),
                path: (*path).to_owned(),
                methods: methods.collect(),
                ..Resource::default()
            };
            definition.resources.insert((*path).to_owned(), resource);
        }
        Routes::of(&definition)
    }

    #[test]
    fn the_most_definite_resource_answers() {
        let routes = routes(&[
            ("/", "GET"),
            ("/refreshurl", "POST"),
            ("/pets", ""),
            ("/pets/{id}", "ANY GET"),
            ("/pets/{id}/toys", "GET"),
            ("/pets/special", "GET"),
            ("/files/{proxy+}", "ANY"),
            ("/{proxy+}", "DELETE"),
        ]);
        let cases = [
            ("GET", "/", Some(("/", ""))),
            ("POST", "/refreshurl", Some(("/refreshurl", ""))),
            ("POST", "/refreshurl/", Some(("/refreshurl", ""))),
            ("POST", "/refresh%75rl", Some(("/refreshurl", ""))),
            ("POST", "/refreshurl//", None),
            ("GET", "/refreshurl", None),
            ("POST", "/REFRESHURL", None),
            ("GET", "/pets/special", Some(("/pets/special", ""))),
            ("GET", "/pets/a%2Fb", Some(("/pets/{id}", "id=a%2Fb"))),
            ("PUT", "/pets/7", Some(("/pets/{id}", "id=7"))),
            ("GET", "/pets/special/toys", Some(("/pets/{id}/toys", "id=special"))),
            // /pets has no method and is therefore no resource; the greedy one takes it.
            ("DELETE", "/pets", Some(("/{proxy+}", "proxy=pets"))),
            ("DELETE", "/pets/7/bones/1", Some(("/{proxy+}", "proxy=pets/7/bones/1"))),
            ("GET", "/files/a/b+c", Some(("/files/{proxy+}", "proxy=a/b+c"))),
            ("DELETE", "/files", Some(("/{proxy+}", "proxy=files"))),
        ];
        for (verb, path, expected) in cases {
            let found = routes.find(verb, path);
            let found = found.map(|route| {
                let parameters: Vec<String> =
                    route.parameters.iter().map(|(k, v)| format!("{k}={v}")).collect();
                (route.resource_path, parameters.join(","))
            });
            assert_eq!(found.as_ref().map(|(p, q)| (p.as_str(), q.as_str())), expected, "{verb} {path}");
        }
    }

    #[test]
    fn policies_see_one_name_for_one_resource() {
        let routes = routes(&[("/a/{id}", "GET")]);
        for (path, expected) in
            [("/a/b", "a/b"), ("/a/b/", "a/b"), ("/%61/%62", "a/b"), ("/a/b%2Fc", "a/b%2Fc")]
        {
            assert_eq!(routes.find("GET", path).unwrap().policy_path, expected, "{path}");
        }
    }
}
