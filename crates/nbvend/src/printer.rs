//! Everything the CLI writes: results to stdout, progress and failures to stderr.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::failure::Failure;

/// Where words go.
pub struct Printer {
    json: bool,
}

impl Printer {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether `--json` was asked for.
    pub fn json(&self) -> bool {
        self.json
    }

    /// A line of the result, left out under `--json`.
    pub fn line(&self, text: &str) {
        if !self.json {
            self.raw(text);
        }
    }

    /// The result as one JSON document, under `--json` only.
    pub fn document(&self, value: &Value) {
        if self.json {
            self.raw(&format!("{value:#}"));
        }
    }

    /// A line that is printed either way.
    pub fn raw(&self, text: &str) {
        let mut out = anstream::stdout();
        // A reader that went away (`| head`) ends the output, not the work.
        let _ = writeln!(out, "{text}");
        let _ = out.flush();
    }

    /// What happened beside the result.
    pub fn note(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    pub fn failed(&self, failure: &Failure) {
        if self.json {
            let document = serde_json::json!({"error": failure.message});
            let _ = writeln!(anstream::stderr(), "{document}");
        } else {
            let _ = writeln!(anstream::stderr(), "nbvend: {failure}");
        }
    }

    /// Work that takes a while: a spinner on a terminal, a line when it begins elsewhere.
    pub fn work(&self, what: &str) -> Work {
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
            Work { bar: Some(bar), said: std::cell::RefCell::new(String::new()) }
        } else {
            self.note(what);
            Work { bar: None, said: std::cell::RefCell::new(what.to_owned()) }
        }
    }
}

/// A piece of work under way.
pub struct Work {
    bar: Option<ProgressBar>,
    said: std::cell::RefCell<String>,
}

impl Work {
    /// How far it is.
    pub fn at(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => {
                if *self.said.borrow() != text {
                    let _ = writeln!(anstream::stderr(), "{text}");
                    text.clone_into(&mut self.said.borrow_mut());
                }
            }
        }
    }

    /// It is done, and `text` says so in one line.
    pub fn done(self, text: &str) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}
