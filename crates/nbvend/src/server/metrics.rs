//! `/_nbvend/metrics`: the engine's figures as text for Prometheus.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use nbvend_cloud::metrics::Figures;

/// Requests the listener answered to AWS's APIs, by the first digit of the status.
#[derive(Default)]
pub struct Answered([AtomicU64; 4]);

const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

impl Answered {
    pub fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).checked_sub(2);
        if let Some(cell) = class.and_then(|class| self.0.get(class)) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The whole page. `servers` is how many notebook servers run on this machine.
pub fn page(figures: &Figures, answered: &Answered, servers: usize) -> String {
    let mut page = Page(String::new());
    page.family("nbvend_requests_total", "counter", "Requests answered, by class of the status.");
    for (class, cell) in CLASSES.iter().zip(&answered.0) {
        page.line("nbvend_requests_total", &[("status", class)], cell.load(Ordering::Relaxed));
    }
    page.family(
        "nbvend_calls_total",
        "counter",
        "Calls of operations from outside and inside, without the data plane's.",
    );
    for ((service, operation, outcome), count) in &figures.calls {
        let labels = [("service", *service), ("operation", operation.as_str()), ("outcome", outcome.name())];
        page.line("nbvend_calls_total", &labels, count);
    }
    page.family("nbvend_vends", "gauge", "Launches from the catalog, by their record's status.");
    for (status, count) in &figures.vends {
        page.line("nbvend_vends", &[("status", status)], count);
    }
    page.family("nbvend_notebooks", "gauge", "Notebook instances, by status.");
    for (status, count) in &figures.notebooks {
        page.line("nbvend_notebooks", &[("status", status)], count);
    }
    page.family("nbvend_notebook_servers", "gauge", "Notebook servers that run on this machine.");
    page.line("nbvend_notebook_servers", &[], servers);
    page.family("nbvend_blocked_targets", "gauge", "Targets of rules that fail and are tried again.");
    page.line("nbvend_blocked_targets", &[], figures.blocked_targets);
    let commits = &figures.commits;
    page.family("nbvend_commit_seconds", "histogram", "How long commits to the store took.");
    for (bound, count) in &commits.at_most {
        page.line("nbvend_commit_seconds_bucket", &[("le", &bound.to_string())], count);
    }
    page.line("nbvend_commit_seconds_bucket", &[("le", "+Inf")], commits.count);
    page.line("nbvend_commit_seconds_sum", &[], commits.sum_seconds);
    page.line("nbvend_commit_seconds_count", &[], commits.count);
    page.0
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        // Values are AWS's names of operations and states: nothing in them needs escaping.
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}
