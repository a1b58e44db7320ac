//! The log of one request: the sandbox's own lines and the function's output cut into lines.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::macros::format_description;

/// One event of the function's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Milliseconds since 1970.
    pub timestamp_ms: u64,
    /// Without its newline.
    pub text: String,
}

/// Longer lines are cut, the size of one event in CloudWatch Logs.
pub(super) const LINE_LIMIT: usize = 256 * 1024;
/// What a line takes besides its text, as CloudWatch Logs counts events: empty lines are not for nothing.
const EVENT: usize = 26;
/// What an outcome holds of a request's log. The listener still gets every line.
const KEPT_LIMIT: usize = 8 * 1024 * 1024;

/// Hears every line as it comes.
pub(super) type Listener<'a> = &'a (dyn Fn(&LogLine) + Send + Sync);

/// Collects a request's lines.
pub(super) struct Journal<'a> {
    listener: Listener<'a>,
    lines: Vec<LogLine>,
    kept: usize,
    dropped: u64,
}

impl<'a> Journal<'a> {
    pub(super) fn new(listener: Listener<'a>) -> Self {
        Self { listener, lines: Vec::new(), kept: 0, dropped: 0 }
    }

    /// A line of the sandbox's own; kept however much the function printed.
    pub(super) fn say(&mut self, text: String) {
        let line = LogLine { timestamp_ms: now_ms(), text };
        (self.listener)(&line);
        self.lines.push(line);
    }

    /// A line the function printed.
    pub(super) fn printed(&mut self, text: String) {
        let line = LogLine { timestamp_ms: now_ms(), text };
        (self.listener)(&line);
        let size = line.text.len() + EVENT;
        if self.kept + size > KEPT_LIMIT {
            self.dropped += 1;
            return;
        }
        self.kept += size;
        self.lines.push(line);
    }

    /// Says how many lines are missing, once, before the request's last lines.
    pub(super) fn own_up(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            self.say(format!("[{dropped} more lines are not kept here]"));
        }
    }

    pub(super) fn into_lines(self) -> Vec<LogLine> {
        self.lines
    }
}

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    partial: Vec<u8>,
    /// The rest of a line that was too long is being skipped.
    skipping: bool,
}

impl Splitter {
    pub(super) fn push(&mut self, mut bytes: &[u8], journal: &mut Journal<'_>) {
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(&bytes[..at], journal);
            if !self.skipping {
                self.emit(journal);
            }
            self.skipping = false;
            bytes = &bytes[at + 1..];
        }
        self.extend(bytes, journal);
    }

    /// Ends a line that has no newline yet.
    pub(super) fn flush(&mut self, journal: &mut Journal<'_>) {
        if !self.partial.is_empty() {
            self.emit(journal);
        }
    }

    fn extend(&mut self, bytes: &[u8], journal: &mut Journal<'_>) {
        if self.skipping {
            return;
        }
        let room = LINE_LIMIT - self.partial.len();
        if bytes.len() > room {
            self.partial.extend_from_slice(&bytes[..room]);
            self.emit(journal);
            self.skipping = true;
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn emit(&mut self, journal: &mut Journal<'_>) {
        let line = std::mem::take(&mut self.partial);
        journal.printed(String::from_utf8_lossy(&line).into_owned());
    }
}

pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `2026-01-31T12:00:00.123Z`
pub(super) fn now_text() -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::now_utc().format(&format).unwrap_or_default()
}

/// `2026/01/31/[$LATEST]<32 hex digits>`
pub(super) fn stream_name(version: &str) -> String {
    let format = format_description!("[year]/[month]/[day]");
    let day = OffsetDateTime::now_utc().format(&format).unwrap_or_default();
    format!("{day}/[{version}]{}", super::rundir::random_hex(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Vec<String> {
        let quiet = |_: &LogLine| {};
        let mut journal = Journal::new(&quiet);
        let mut splitter = Splitter::default();
        for piece in pieces {
            splitter.push(piece, &mut journal);
        }
        splitter.flush(&mut journal);
        journal.into_lines().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_come_out_whole_however_the_bytes_arrive() {
        let cases: [(&[&[u8]], &[&str]); 6] = [
            (&[b"one\ntwo\n"], &["one", "two"]),
            (&[b"o", b"ne\nt", b"wo"], &["one", "two"]),
            (&[b"\n\nx\n"], &["", "", "x"]),
            (&[b"tail"], &["tail"]),
            (&[b"\xff\n"], &["\u{fffd}"]),
            (&[b""], &[]),
        ];
        for (pieces, wanted) in cases {
            assert_eq!(split(pieces), wanted);
        }
    }

    #[test]
    fn a_line_too_long_is_cut_and_the_next_is_whole() {
        let long = vec![b'x'; LINE_LIMIT + 10];
        let lines = split(&[&long, &long, b"\nnext\n"]);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LINE_LIMIT, 4]);
        let exact = vec![b'x'; LINE_LIMIT];
        assert_eq!(split(&[&exact, b"\n"]).len(), 1);
    }

    #[test]
    fn what_is_not_kept_is_counted_and_still_heard() {
        let heard = std::sync::atomic::AtomicUsize::new(0);
        let listener = |_: &LogLine| {
            heard.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        };
        let mut journal = Journal::new(&listener);
        for _ in 0..KEPT_LIMIT / LINE_LIMIT + 3 {
            journal.printed("x".repeat(LINE_LIMIT));
        }
        journal.own_up();
        let lines = journal.into_lines();
        assert_eq!(lines.last().unwrap().text, "[4 more lines are not kept here]");
        assert_eq!(heard.into_inner(), KEPT_LIMIT / LINE_LIMIT + 4);
    }
}
