//! Preflight requests: an `options` method for every path that has none.

use super::{ANY_METHOD, Editor, INTEGRATION};
use crate::sam::node::{Dict, Node, list, ordered};

/// The headers to answer with.
pub(crate) struct Cors<'a> {
    pub(crate) origin: Option<&'a Node>,
    pub(crate) headers: Option<&'a Node>,
    pub(crate) methods: Option<&'a Node>,
    pub(crate) max_age: Option<&'a Node>,
    pub(crate) credentials: bool,
}

const HEADER: &str = "Access-Control-";
const ALL: [&str; 7] = ["delete", "get", "head", "options", "patch", "post", "put"];

impl Editor {
    pub(crate) fn add_cors(&mut self, path: &str, cors: &Cors<'_>) {
        // Of a conditional path, the methods of the first branch speak for all.
        let mut methods = cors.methods.cloned();
        for item in self.path_items_mut(path) {
            if item.contains("options") {
                continue;
            }
            let methods = methods.get_or_insert_with(|| Node::from(own_methods(item)));
            let options = options_method(cors, methods);
            item.insert("options", options);
        }
    }
}

/// `'GET,OPTIONS'`: what is under the path, quoted as API Gateway wants static values. Members that are no methods
/// are listed too, as AWS does.
fn own_methods(item: &Dict) -> String {
    let methods: Vec<String> = if item.contains(ANY_METHOD) {
        ALL.iter().map(|method| method.to_uppercase()).collect()
    } else {
        let names = item.keys().map(|name| name.to_uppercase());
        let mut methods: Vec<String> = names.chain(["OPTIONS".to_owned()]).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    };
    format!("'{}'", methods.join(","))
}

fn options_method(cors: &Cors<'_>, methods: &Node) -> Dict {
    let mut parameters = Dict::py27();
    let mut headers = Dict::py27();
    let mut add = |name: &str, value: &Node, kind: &str| {
        parameters.insert(format!("method.response.header.{HEADER}{name}"), value.clone());
        headers.insert(format!("{HEADER}{name}"), ordered! { "type" => kind });
    };
    for (name, value, kind) in [
        ("Allow-Origin", cors.origin, "string"),
        ("Allow-Headers", cors.headers, "string"),
        ("Allow-Methods", Some(methods).filter(|methods| methods.truthy()), "string"),
        ("Max-Age", cors.max_age, "integer"),
    ] {
        if let Some(value) = value {
            add(name, value, kind);
        }
    }
    if cors.credentials {
        add("Allow-Credentials", &Node::from("'true'"), "string");
    }
    let default = ordered! {
        "statusCode" => "200",
        "responseParameters" => parameters,
        "responseTemplates" => ordered! { "application/json" => "{}\n" },
    };
    ordered! {
        "summary" => "CORS support",
        "consumes" => list!["application/json"],
        "produces" => list!["application/json"],
        INTEGRATION => ordered! {
            "type" => "mock",
            "requestTemplates" => ordered! { "application/json" => "{\n  \"statusCode\" : 200\n}\n" },
            "responses" => ordered! { "default" => default },
        },
        "responses" => ordered! {
            "200" => ordered! { "description" => "Default response for CORS method", "headers" => headers },
        },
    }
}

/// `Cors` in its short form says only the origin.
pub(crate) fn origin_only(origin: &Node) -> Cors<'_> {
    Cors { origin: Some(origin), headers: None, methods: None, max_age: None, credentials: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sam::node::Text;

    #[test]
    fn the_methods_of_a_path_are_listed() {
        let item =
            |names: &[&str]| names.iter().map(|name| (Text::from(*name), Node::Null)).collect::<Dict>();
        assert_eq!(own_methods(&item(&["post", "get"])), "'GET,OPTIONS,POST'");
        assert_eq!(own_methods(&item(&[ANY_METHOD, "get"])), "'DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT'");
    }
}
