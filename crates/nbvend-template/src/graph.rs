//! What has to exist before what: the order of creation, and its reverse for deletion.
//!
//! An edge is a Ref, Fn::GetAtt, Fn::Sub or DependsOn to another resource of the template, in whatever
//! member of the resource it stands. Only resources whose condition holds are nodes, and only the taken
//! branch of an Fn::If counts.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use serde_json::Value;

use crate::document::Template;
use crate::error::TemplateError;
use crate::path::Path;
use crate::references::{Branches, Reference, visit};

/// The dependencies between the resources of one template.
#[derive(Debug, Clone)]
pub struct Graph {
    /// Template order.
    ids: Vec<String>,
    index: HashMap<String, usize>,
    /// By node, in template order, each once.
    dependencies: Vec<Vec<String>>,
    dependents: Vec<Vec<String>>,
    conditions: BTreeMap<String, bool>,
}

impl Graph {
    /// The graph of the resources that are to exist, given the evaluated conditions.
    ///
    /// # Errors
    /// A reference to a resource whose condition is false (AWS: unresolved resource dependencies), and
    /// cycles.
    pub fn of(template: &Template, conditions: &BTreeMap<String, bool>) -> Result<Graph, TemplateError> {
        let active = |condition: Option<&str>| condition.is_none_or(|c| conditions.get(c) != Some(&false));
        let ids: Vec<&str> = template
            .resources()
            .iter()
            .filter(|resource| active(resource.condition()))
            .map(|resource| resource.logical_id)
            .collect();
        let (graph, dangling) = Graph::build(template, &ids, Branches::Taken(conditions), conditions.clone());
        if let Some((_, resource)) = dangling.first() {
            let mut names: Vec<&str> = dangling.iter().map(|(name, _)| name.as_str()).collect();
            let mut seen = BTreeSet::new();
            names.retain(|name| seen.insert(*name));
            let message = format!(
                "Template format error: Unresolved resource dependencies [{}] in the Resources block of the template",
                names.join(", ")
            );
            return Err(template.fault_at_key(&Path::ROOT.key("Resources").key(resource), message));
        }
        graph.cycle_error(template)?;
        Ok(graph)
    }

    /// All resources, and the edges that hold whatever the conditions say.
    pub(crate) fn without_conditionals(template: &Template) -> Graph {
        let resources = template.resources();
        let ids: Vec<&str> = resources.iter().map(|resource| resource.logical_id).collect();
        Graph::build(template, &ids, Branches::None, BTreeMap::new()).0
    }

    /// The graph, and the references that lead to no node, each with the resource that has it.
    fn build(
        template: &Template,
        ids: &[&str],
        branches: Branches<'_>,
        conditions: BTreeMap<String, bool>,
    ) -> (Graph, Vec<(String, String)>) {
        let index: HashMap<String, usize> =
            ids.iter().enumerate().map(|(at, id)| ((*id).to_owned(), at)).collect();
        let mut edges: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); ids.len()];
        let mut dangling = Vec::new();
        for (node, id) in ids.iter().enumerate() {
            let Some(resource) = template.resource(id) else { continue };
            let mut target = |name: &str| match index.get(name) {
                Some(to) => {
                    edges[node].insert(*to);
                }
                None if template.resource(name).is_some() => {
                    dangling.push((name.to_owned(), (*id).to_owned()));
                }
                None => {}
            };
            for (key, value) in resource.body {
                if matches!(key.as_str(), "Type" | "Condition" | "DependsOn") {
                    continue;
                }
                visit(value, &Path::ROOT, branches, &mut |reference, _| match reference {
                    Reference::Name(name)
                    | Reference::Attribute(name, _)
                    | Reference::SubAttribute(name, _) => target(name),
                    _ => {}
                });
            }
            // DependsOn on a resource whose condition is false counts for nothing.
            resource.depends_on().into_iter().filter(|to| index.contains_key(*to)).for_each(target);
        }
        let mut dependents: Vec<Vec<String>> = vec![Vec::new(); ids.len()];
        for (from, targets) in edges.iter().enumerate() {
            for to in targets {
                dependents[*to].push(ids[from].to_owned());
            }
        }
        let dependencies =
            edges.iter().map(|targets| targets.iter().map(|to| ids[*to].to_owned()).collect()).collect();
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        (Graph { ids, index, dependencies, dependents, conditions }, dangling)
    }

    /// The resources that are to exist, in template order.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Whether `id` is to exist.
    pub fn contains(&self, id: &str) -> bool {
        self.index.contains_key(id)
    }

    /// What has to exist before `id`, in template order.
    pub fn dependencies(&self, id: &str) -> &[String] {
        self.index.get(id).map_or(&[], |at| &self.dependencies[*at])
    }

    /// What has to be gone before `id` may go.
    pub fn dependents(&self, id: &str) -> &[String] {
        self.index.get(id).map_or(&[], |at| &self.dependents[*at])
    }

    /// What can be made now, in template order: not in `done`, with all dependencies in `done`. What is
    /// in the making is the caller's to leave out.
    pub fn ready(&self, done: &BTreeSet<String>) -> Vec<&str> {
        let ready = |id: &&String| {
            !done.contains(*id) && self.dependencies(id).iter().all(|dependency| done.contains(dependency))
        };
        self.ids.iter().filter(ready).map(String::as_str).collect()
    }

    /// What can be deleted now, the last of the template first: not in `gone`, all dependents in `gone`.
    pub fn ready_to_delete(&self, gone: &BTreeSet<String>) -> Vec<&str> {
        let ready = |id: &&String| {
            !gone.contains(*id) && self.dependents(id).iter().all(|dependent| gone.contains(dependent))
        };
        self.ids.iter().rev().filter(ready).map(String::as_str).collect()
    }

    /// One at a time: dependencies first, template order among equals.
    pub fn creation_order(&self) -> Vec<&str> {
        self.order().into_iter().map(|at| self.ids[at].as_str()).collect()
    }

    /// The export names that the template imports, unresolved: resources, then outputs. What an untaken
    /// branch or a resource without its condition imports is left out.
    pub fn imports<'t>(&self, template: &'t Template) -> Vec<&'t Value> {
        let branches = Branches::Taken(&self.conditions);
        let mut found = Vec::new();
        let mut add = |reference: Reference<'t>, _: &Path<'_>| {
            if let Reference::Import(name) = reference {
                found.push(name);
            }
        };
        for id in &self.ids {
            for value in template.resource(id).into_iter().flat_map(|resource| resource.body.values()) {
                visit(value, &Path::ROOT, branches, &mut add);
            }
        }
        for output in template.outputs() {
            if output.condition.is_none_or(|c| self.conditions.get(c) != Some(&false)) {
                visit(output.value, &Path::ROOT, branches, &mut add);
            }
        }
        found
    }

    /// Node numbers with dependencies first; nodes on or behind a cycle are missing.
    fn order(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.dependencies.iter().map(Vec::len).collect();
        let free = waiting.iter().enumerate().filter(|(_, count)| **count == 0);
        let mut ready: BinaryHeap<std::cmp::Reverse<usize>> =
            free.map(|(at, _)| std::cmp::Reverse(at)).collect();
        let mut order = Vec::with_capacity(self.ids.len());
        while let Some(std::cmp::Reverse(at)) = ready.pop() {
            order.push(at);
            for dependent in &self.dependents[at] {
                let to = self.index[dependent];
                waiting[to] -= 1;
                if waiting[to] == 0 {
                    ready.push(std::cmp::Reverse(to));
                }
            }
        }
        order
    }

    /// # Errors
    /// `Circular dependency between resources: [..]`, the resources in template order.
    pub(crate) fn cycle_error(&self, template: &Template) -> Result<(), TemplateError> {
        let mut stuck: BTreeSet<usize> = (0..self.ids.len()).collect();
        for at in self.order() {
            stuck.remove(&at);
        }
        // What only waits for a cycle is not on it: take away, from the other end, what nothing stuck needs.
        loop {
            let idle: Vec<usize> = stuck
                .iter()
                .copied()
                .filter(|at| self.dependents[*at].iter().all(|id| !stuck.contains(&self.index[id])))
                .collect();
            if idle.is_empty() {
                break;
            }
            stuck.retain(|at| !idle.contains(at));
        }
        let Some(first) = stuck.first() else { return Ok(()) };
        let names: Vec<&str> = stuck.iter().map(|at| self.ids[*at].as_str()).collect();
        let message = format!("Circular dependency between resources: [{}]", names.join(", "));
        Err(template.fault_at_key(&Path::ROOT.key("Resources").key(&self.ids[*first]), message))
    }
}

#[cfg(test)]
mod tests;
