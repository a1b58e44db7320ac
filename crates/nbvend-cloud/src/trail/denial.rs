//! Why a call was denied, kept in its trail record under CloudTrail's `additionalEventData`.
//!
//! The answer to a caller is AWS's one sentence. Whoever may read the trail gets more: which statements nearly allowed the
//! call, what their conditions wanted and what the request had, and the smallest statement that would allow it. It is
//! worked out when the call is denied, because only then is everything there that the decision hung on.

use nbvend_policy::{Decision, Request, explain, smallest_statement_for};
use serde_json::{Value, json};

/// Longer explanations are cut: a policy with hundreds of resources need not be told whole.
const LONGEST: usize = 4000;

/// A denial's explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Denial {
    pub action: String,
    pub resource: String,
    /// In plain words, several lines.
    pub explanation: String,
    /// A policy statement; none where a statement denies, which no allow undoes.
    pub would_allow: Option<Value>,
    /// The kind of policy that has to hold it.
    pub layer: Option<&'static str>,
}

impl Denial {
    pub fn of(decision: &Decision, request: &Request<'_>) -> Self {
        let mut explanation = explain(decision, request);
        if explanation.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| explanation.is_char_boundary(*at)).unwrap_or(0);
            explanation.truncate(end);
            explanation.push_str(" ...");
        }
        Self {
            action: request.action.to_owned(),
            resource: request.resource.to_owned(),
            explanation,
            would_allow: smallest_statement_for(decision, request),
            layer: decision.because.lacking().map(nbvend_policy::Layer::name),
        }
    }

    /// As it stands in the record.
    pub fn document(&self) -> Value {
        json!({
            "deniedAction": self.action,
            "deniedResource": self.resource,
            "explanation": self.explanation,
            "layer": self.layer,
            "wouldAllow": self.would_allow,
        })
    }
}
