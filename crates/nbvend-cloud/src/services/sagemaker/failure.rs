//! `FailureReason`: what a person reads of a start that failed.

use nbvend_wire::arn::Arn;

use super::state::Notebook;
use crate::ports::{ScriptLog, StartFailure, Started};

/// AWS's limit of a reason.
const LONGEST: usize = 1024;

/// Cuts a reason to what AWS allows.
pub fn cut(reason: &str) -> String {
    reason.chars().take(LONGEST).collect()
}

/// The reason of a start that failed; `None` if it did not.
pub fn of_start(started: &Started, notebook: &Notebook, region: &str, account: &str) -> Option<String> {
    let config = || {
        let name = notebook.lifecycle_config.as_deref().unwrap_or_default().to_ascii_lowercase();
        Arn::new("sagemaker", region, account, format!("notebook-instance-lifecycle-config/{name}"))
            .to_string()
    };
    let (hook, text) = match started.failure.as_ref()? {
        StartFailure::Other(reason) => return Some(cut(reason)),
        StartFailure::ScriptTooSlow { hook } => (
            hook,
            // AWS's sentence, as users of the service have reported it.
            format!(
                "Notebook Instance Lifecycle Config '{}' for Notebook Instance '{}' took longer than 5 minutes. Please check your CloudWatch logs for more details if your Notebook Instance has Internet access.",
                config(),
                notebook.arn
            ),
        ),
        StartFailure::ScriptFailed { hook, status } => (
            hook,
            format!(
                "Notebook Instance Lifecycle Config '{}' for Notebook Instance '{}' failed: its {hook} script ended with {status}.",
                config(),
                notebook.arn
            ),
        ),
    };
    let log = started.logs.iter().find(|log| log.hook == *hook);
    Some(with_tail(&text, log))
}

/// The reason with as much of the log's end as there is room for, whole lines.
fn with_tail(text: &str, log: Option<&ScriptLog>) -> String {
    let lead = " Its log ends: ";
    let lines = log.map(|log| log.lines.as_slice()).unwrap_or_default();
    let mut room = LONGEST.saturating_sub(text.chars().count() + lead.len());
    let mut tail = Vec::new();
    for line in lines.iter().rev().filter(|line| !line.trim().is_empty()).take(10) {
        let size = line.chars().count() + 1;
        if size > room {
            break;
        }
        room -= size;
        tail.insert(0, line.as_str());
    }
    if tail.is_empty() {
        return cut(text);
    }
    cut(&format!("{text}{lead}{}", tail.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_log_is_kept_and_the_limit_too() {
        let lines: Vec<String> = (0..100).map(|at| format!("line {at} {}", "x".repeat(200))).collect();
        let log = ScriptLog { hook: "OnStart", lines };
        let reason = with_tail("It failed.", Some(&log));
        assert!(reason.chars().count() <= LONGEST);
        assert!(reason.starts_with("It failed. Its log ends: line 96 "), "{reason}");
        assert!(reason.contains("line 99 "));
        assert_eq!(with_tail("It failed.", None), "It failed.");
        assert_eq!(cut(&"ä".repeat(2000)).chars().count(), LONGEST);
    }
}
