//! The resource policy of an API, as a document extension.

use super::{ANY_METHOD, Editor, POLICY};
use crate::sam::node::{Dict, Node, Text, list, ordered};

const ALLOW: &str = "Allow";
const DENY: &str = "Deny";

impl Editor {
    /// Adds to the policy what `wanted` says about the methods of `path`.
    pub(crate) fn add_resource_policy(&mut self, wanted: &Dict, path: &str, stage: &Node) {
        if wanted.is_empty() {
            return;
        }
        let resources = self.method_resources(path, stage);
        let lists = |name: &str| wanted.given(name).cloned();
        if let Some(accounts) = lists("AwsAccountWhitelist") {
            self.add_accounts(accounts, ALLOW, &resources);
        }
        if let Some(accounts) = lists("AwsAccountBlacklist") {
            self.add_accounts(accounts, DENY, &resources);
        }
        if let Some(ranges) = lists("IpRangeWhitelist") {
            self.add_ip_ranges(&ranges, "NotIpAddress", &resources);
        }
        if let Some(ranges) = lists("IpRangeBlacklist") {
            self.add_ip_ranges(&ranges, "IpAddress", &resources);
        }
        let vpcs = |intrinsic: &str, literal: &str| (lists(intrinsic), lists(literal));
        for (from_vpc, from_endpoint, literal, test) in [
            ("IntrinsicVpcBlacklist", "IntrinsicVpceBlacklist", "SourceVpcBlacklist", "StringEquals"),
            ("IntrinsicVpcWhitelist", "IntrinsicVpceWhitelist", "SourceVpcWhitelist", "StringNotEquals"),
        ] {
            let (vpc, names) = vpcs(from_vpc, literal);
            self.add_vpcs(vpc, lists(from_endpoint), names, test, &resources);
        }
        self.finish_policy();
    }

    pub(crate) fn add_custom_statements(&mut self, statements: &Node) {
        if self.resource_policy.contains("Statement") {
            for statement in one_or_many(statements) {
                self.add_statement(statement);
            }
        } else {
            self.resource_policy.entry("Version", || "2012-10-17".into());
            self.resource_policy.insert("Statement", statements.clone());
        }
        self.finish_policy();
    }

    fn finish_policy(&mut self) {
        if !self.resource_policy.is_empty() {
            self.doc.insert(POLICY, self.resource_policy.clone());
        }
    }

    /// `execute-api:/stage/METHOD/path` for each method of the path.
    fn method_resources(&self, path: &str, stage: &Node) -> Vec<Node> {
        let mut methods: Vec<String> = Vec::new();
        for item in self.path_items(path) {
            // Everything under the path counts, as on AWS: shared parameters too, and each branch of a condition.
            for name in item.keys() {
                let method = if name.as_str() == ANY_METHOD { "*".to_owned() } else { name.to_uppercase() };
                methods.push(method);
            }
        }
        methods
            .into_iter()
            .map(|method| {
                let path = with_stars(path);
                let text = Text::marked(format!("execute-api:/${{__Stage__}}/{method}{path}"));
                ordered! { "Fn::Sub" => Node::List(vec![text.into(), ordered! { "__Stage__" => stage.clone() }.into()]) }
                    .into()
            })
            .collect()
    }

    /// Accounts named both by the API and an event are listed twice, as on AWS.
    fn add_accounts(&mut self, accounts: Node, effect: &str, resources: &[Node]) {
        self.push_statement(
            ordered! {
                "Effect" => effect,
                "Action" => "execute-api:Invoke",
                "Resource" => resources.to_vec(),
                "Principal" => ordered! { "AWS" => accounts },
            }
            .into(),
        );
    }

    fn add_ip_ranges(&mut self, ranges: &Node, test: &str, resources: &[Node]) {
        self.add_allow_all(resources);
        let condition = ordered! { test => ordered! { "aws:SourceIp" => ranges.clone() } };
        self.add_deny(resources, condition);
    }

    fn add_vpcs(
        &mut self,
        vpcs: Option<Node>,
        endpoints: Option<Node>,
        literal: Option<Node>,
        test: &str,
        resources: &[Node],
    ) {
        let mut sources = Dict::py27();
        let (mut of_vpcs, mut of_endpoints) = (Vec::new(), Vec::new());
        for name in literal.map(one_or_many_owned).unwrap_or_default() {
            match name.as_str() {
                Some(text) if text.starts_with("vpce-") => of_endpoints.push(name),
                Some(text) if text.starts_with("vpc-") => of_vpcs.push(name),
                _ => {}
            }
        }
        of_vpcs.extend(vpcs.map(one_or_many_owned).unwrap_or_default());
        of_endpoints.extend(endpoints.map(one_or_many_owned).unwrap_or_default());
        if !of_vpcs.is_empty() {
            sources.insert("aws:SourceVpc", of_vpcs);
        }
        if !of_endpoints.is_empty() {
            sources.insert("aws:SourceVpce", of_endpoints);
        }
        if sources.is_empty() {
            return;
        }
        self.add_allow_all(resources);
        self.add_deny(resources, ordered! { test => sources });
    }

    fn add_allow_all(&mut self, resources: &[Node]) {
        self.add_statement(
            ordered! {
                "Effect" => ALLOW,
                "Action" => "execute-api:Invoke",
                "Resource" => resources.to_vec(),
                "Principal" => "*",
            }
            .into(),
        );
    }

    fn add_deny(&mut self, resources: &[Node], condition: Dict) {
        self.add_statement(
            ordered! {
                "Effect" => DENY,
                "Action" => "execute-api:Invoke",
                "Resource" => resources.to_vec(),
                "Principal" => "*",
                "Condition" => condition,
            }
            .into(),
        );
    }

    /// Adds a statement unless it is there already.
    fn add_statement(&mut self, statement: Node) {
        let known = match self.resource_policy.get("Statement") {
            Some(Node::List(statements)) => statements.contains(&statement),
            Some(one) => *one == statement,
            None => false,
        };
        if !known {
            self.push_statement(statement);
        }
    }

    /// Adds a statement; one alone is not put in a list.
    fn push_statement(&mut self, statement: Node) {
        self.resource_policy.entry("Version", || "2012-10-17".into());
        match self.resource_policy.get_mut("Statement") {
            None => self.resource_policy.insert("Statement", statement),
            Some(Node::List(statements)) => statements.push(statement),
            Some(one) => {
                let first = std::mem::replace(one, Node::Null);
                *one = list![first, statement];
            }
        }
    }
}

/// The path with `*` for each `{parameter}`.
fn with_stars(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, inner)) = rest.split_once('{') {
        let Some((_, after)) = inner.split_once('}') else { break };
        out.push_str(before);
        out.push('*');
        rest = after;
    }
    out + rest
}

fn one_or_many(node: &Node) -> Vec<Node> {
    one_or_many_owned(node.clone())
}

fn one_or_many_owned(node: Node) -> Vec<Node> {
    match node {
        Node::List(items) => items,
        other => vec![other],
    }
}
