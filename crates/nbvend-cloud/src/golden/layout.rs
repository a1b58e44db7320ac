//! A body in lines that a diff can be read of, and back again without loss.
//!
//! JSON and XML are broken between their parts where they are wider than a line, and indented. Spaces at the beginning of
//! a line are layout; `␠` is such a space of the body's own, `⏎` is a line feed of its own.

const WIDTH: usize = 110;
const FEED: char = '⏎';
const SPACE: char = '␠';

/// The body's lines.
pub fn lay_out(body: &str) -> Vec<String> {
    let text = body.replace('\n', "⏎");
    let mut lines = Vec::new();
    if text.starts_with(['{', '[']) {
        json(&text, 0, "", "", &mut lines);
    } else if text.starts_with('<') {
        for part in elements(&text) {
            xml(part, 0, &mut lines);
        }
    } else if text.len() > WIDTH && !text.contains(FEED) && text.contains('&') {
        let mut parts = text.split('&');
        lines.extend(parts.next().map(str::to_owned));
        lines.extend(parts.map(|part| format!("&{part}")));
    } else {
        lines.push(own(&text));
    }
    let lines: Vec<String> = lines.iter().flat_map(|line| feeds(line)).collect();
    assert_eq!(gather(lines.iter().map(String::as_str)), body, "a layout that loses something");
    lines
}

/// The body that was laid out so.
pub fn gather<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let text: String = lines.map(|line| line.trim_start_matches(' ')).collect();
    text.replace(SPACE, " ").replace(FEED, "\n")
}

/// A long line is broken at its own line feeds too.
fn feeds(line: &str) -> Vec<String> {
    if line.len() <= WIDTH || !line.contains(FEED) {
        return vec![line.to_owned()];
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let mut parts = line[indent..].split_inclusive(FEED);
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(own);
    std::iter::once(first.to_owned())
        .chain(rest)
        .map(|part| format!("{}{part}", " ".repeat(indent)))
        .collect()
}

/// A part that shall begin a line: its first space, if it begins with one, is no layout.
fn own(part: &str) -> String {
    match part.strip_prefix(' ') {
        Some(rest) => format!("{SPACE}{rest}"),
        None => part.to_owned(),
    }
}

fn push(indent: usize, parts: &[&str], lines: &mut Vec<String>) {
    lines.push(format!("{}{}", " ".repeat(indent), parts.concat()));
}

/// A JSON value with what stands before and after it.
fn json(text: &str, indent: usize, before: &str, after: &str, lines: &mut Vec<String>) {
    let fits = indent + before.len() + text.len() + after.len() <= WIDTH;
    if fits || text.len() < 2 || !text.starts_with(['{', '[']) {
        return push(indent, &[before, text, after], lines);
    }
    let object = text.starts_with('{');
    push(indent, &[before, &text[..1]], lines);
    let inner = &text[1..text.len() - 1];
    let parts = commas(inner);
    for (at, part) in parts.iter().enumerate() {
        let after = if at + 1 < parts.len() { "," } else { "" };
        let key = if object { key(part) } else { 0 };
        json(&part[key..], indent + 1, &part[..key], after, lines);
    }
    push(indent, &[&text[text.len() - 1..], after], lines);
}

/// The length of `"key":`.
fn key(part: &str) -> usize {
    let mut depth = Depth::default();
    part.bytes().position(|byte| depth.outside(byte) && byte == b':').map_or(0, |at| at + 1)
}

fn commas(inner: &str) -> Vec<&str> {
    let (mut depth, mut begun, mut parts) = (Depth::default(), 0, Vec::new());
    for (at, byte) in inner.bytes().enumerate() {
        if depth.outside(byte) && byte == b',' {
            parts.push(&inner[begun..at]);
            begun = at + 1;
        }
    }
    parts.push(&inner[begun..]);
    parts
}

/// Where in a JSON text one is.
#[derive(Default)]
struct Depth {
    brackets: usize,
    quoted: bool,
    escaped: bool,
}

impl Depth {
    /// Takes a byte; whether it stands outside of strings and brackets.
    fn outside(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.quoted => self.escaped = true,
            b'"' => self.quoted = !self.quoted,
            b'{' | b'[' if !self.quoted => self.brackets += 1,
            b'}' | b']' if !self.quoted => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        !self.quoted && self.brackets == 0
    }
}

/// The elements that follow one another; the whole text as one if it is anything else.
fn elements(text: &str) -> Vec<&str> {
    let (mut depth, mut begun, mut at, mut parts) = (0_usize, 0, 0, Vec::new());
    while let Some(tag) = text[at..].strip_prefix('<') {
        let Some(end) = tag.find('>').map(|end| at + end + 2) else { break };
        let tag = &text[at..end];
        let feed = text[end..].starts_with(FEED) && depth == 0;
        let end = if feed { end + FEED.len_utf8() } else { end };
        match tag {
            _ if tag.starts_with("</") => depth = depth.saturating_sub(1),
            _ if tag.starts_with("<?") || tag.ends_with("/>") => {}
            _ => depth += 1,
        }
        at = end;
        if depth == 0 {
            parts.push(&text[begun..at]);
            begun = at;
        } else {
            at += text[at..].find('<').unwrap_or(text.len() - at);
        }
    }
    if begun == text.len() && !parts.is_empty() { parts } else { vec![text] }
}

fn xml(element: &str, indent: usize, lines: &mut Vec<String>) {
    let inner = element.find('>').zip(element.rfind("</")).filter(|(open, close)| open + 1 < *close);
    match inner {
        Some((open, close))
            if indent + element.len() > WIDTH
                && !element.starts_with("<?")
                && element[open + 1..].starts_with('<') =>
        {
            push(indent, &[&element[..=open]], lines);
            for part in elements(&element[open + 1..close]) {
                xml(part, indent + 1, lines);
            }
            push(indent, &[&element[close..]], lines);
        }
        _ => push(indent, &[element], lines),
    }
}

#[test]
fn bodies_come_back() {
    let long = "x".repeat(105);
    let bodies = [
        String::new(),
        "{}".to_owned(),
        format!(r#"{{"a":"{long}, \"b\": [","c":[1,{{"d":"{long}"}}],"e":{{}}}}"#),
        format!("<?xml version=\"1.0\"?>\n<A xmlns=\"u\"><B>{long}</B><C/><B><D>  two\n  lines</D></B></A>"),
        format!("Action=X&Version=1&A={long}&B="),
        format!("  plain\n {long}\n\n"),
    ];
    for body in bodies {
        let lines = lay_out(&body);
        assert_eq!(lines.len() > 1, body.len() > WIDTH, "{lines:#?}");
    }
}
