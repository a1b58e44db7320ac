//! Mapping templates, as far as they are served: fixed text with `$context.…` and `$stageVariables.…` in it. That is
//! what CORS preflights and gateway responses are made of. Anything else of Velocity is refused by name when the
//! template is stored, never printed as it stands.

use super::error::Error;

/// Refuses what [`render`] would not do.
pub fn check(text: &str) -> Result<(), Error> {
    let directives = [
        "#set",
        "#if",
        "#foreach",
        "#else",
        "#end",
        "#macro",
        "#include",
        "#parse",
        "#stop",
        "#define",
        "#evaluate",
    ];
    if let Some(directive) = directives.iter().find(|directive| text.contains(**directive)) {
        return Err(Error::unsupported(format!("The directive {directive} in a mapping template")));
    }
    for piece in pieces(text) {
        if let Piece::Reference(name) = piece
            && !name.starts_with("context.")
            && !name.starts_with("stageVariables.")
        {
            return Err(Error::unsupported(format!("${name} in a mapping template")));
        }
    }
    Ok(())
}

/// The text with its references replaced; one without a value is empty, as in Velocity's quiet form.
pub fn render(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    pieces(text).fold(String::with_capacity(text.len()), |mut out, piece| {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Reference(name) => out.push_str(&lookup(name).unwrap_or_default()),
        }
        out
    })
}

/// A value of `responseParameters`: `'fixed text'`, or `context.…` and `stageVariables.…`.
pub enum Mapped<'a> {
    Fixed(&'a str),
    Reference(&'a str),
}

/// Reads such a value; AWS's words for one that is neither are recorded.
pub fn mapped(text: &str) -> Result<Mapped<'_>, Error> {
    if let Some(fixed) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Ok(Mapped::Fixed(fixed));
    }
    if text.starts_with("context.") || text.starts_with("stageVariables.") {
        return Ok(Mapped::Reference(text));
    }
    if text.starts_with("integration.response.") || text.starts_with("method.request.") {
        return Err(Error::unsupported(format!("The mapping expression {text}")));
    }
    Err(Error::bad(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: {text}]"
    )))
}

enum Piece<'a> {
    Text(&'a str),
    /// Without the dollar sign and braces: `context.requestId`.
    Reference(&'a str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, length)) = reference(rest) {
            rest = &rest[length..];
            return Some(Piece::Reference(name));
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '$').map_or(rest.len(), |(at, _)| at);
        let (head, tail) = rest.split_at(end);
        rest = tail;
        Some(Piece::Text(head))
    })
}

/// The reference at the beginning of the text and how many bytes it takes. A dollar sign before anything but a name
/// is just a dollar sign.
fn reference(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix('$')?;
    let quiet = rest.strip_prefix('!').unwrap_or(rest);
    let (braced, named) = quiet.strip_prefix('{').map_or((false, quiet), |inner| (true, inner));
    let first = named.chars().next().filter(char::is_ascii_alphabetic)?;
    let end = named
        .char_indices()
        .skip(1)
        .find(|(at, c)| {
            let dot = *c == '.' && named[at + 1..].starts_with(|next: char| next.is_ascii_alphanumeric());
            !(c.is_ascii_alphanumeric() || *c == '_' || *c == '-' || dot)
        })
        .map_or(named.len(), |(at, _)| at);
    debug_assert!(end >= first.len_utf8());
    let start = text.len() - named.len();
    if braced && !named[end..].starts_with('}') {
        // More than a name between the braces: shown with them, which no name that is served begins with.
        return Some((&text[1..start + end], start + end));
    }
    Some((&named[..end], start + end + usize::from(braced)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_and_the_rest_refused() {
        let lookup = |name: &str| match name {
            "context.error.messageString" => Some("\"no\"".to_owned()),
            "stageVariables.v" => Some("1".to_owned()),
            _ => None,
        };
        let cases = [
            ("{}\n", "{}\n"),
            (r#"{"m":$context.error.messageString}"#, r#"{"m":"no"}"#),
            ("v${stageVariables.v}.", "v1."),
            ("$stageVariables.v.", "1."),
            ("[$context.nothing]", "[]"),
            ("5 $ and $5", "5 $ and $5"),
            ("é$stageVariables.v", "é1"),
            ("$", "$"),
        ];
        for (text, expected) in cases {
            assert!(check(text).is_ok(), "{text}");
            assert_eq!(render(text, &lookup), expected);
        }
        for text in ["$input.json('$')", "#set($a = 1)", "${util.urlEncode('x')}", "$!input.body"] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
