//! Untrusted texts in Markdown: on a hosting site they cause no notifications, references, or links.

/// A word joiner: it has no width and is not part of any name.
const WORD_JOINER: char = '\u{2060}';

/// Returns a text without any effect on a page: no mentions, references, links, images, or HTML. It looks the same. Entities or
/// backslashes would not suffice: a hosting site searches the rendered page for mentions and references.
pub(crate) fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        let next = rest.peek().map_or(' ', |(_, next)| *next);
        // Control characters may move the cursor or end a line.
        inert.push(if character.is_control() { ' ' } else { character });
        let acts = match character {
            '@' => next.is_alphanumeric() || next == '_',
            '#' | '!' if next.is_ascii_digit() => true,
            '-' => next.is_ascii_digit() && text[..at].to_ascii_uppercase().ends_with("GH"),
            '<' => true,
            ']' => matches!(next, '(' | '[' | ':'),
            '!' => next == '[',
            ':' => next == '/',
            '.' => text[..at].to_ascii_lowercase().ends_with("www"),
            _ => false,
        };
        if acts {
            inert.push(WORD_JOINER);
        }
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn a_text_reads_as_before_and_does_nothing() {
        for text in [
            "@octocat",
            "a @org/team",
            "closes a/b#12",
            "group/project!12",
            "GH-12",
            "<!-- x",
            "<b>",
            "[a](x)",
            "[a]: x",
            "[a][b]",
            "![a](x)",
            "https://a.example",
            "www.a.example",
        ] {
            let made = inert(text);
            assert_eq!(made.replace('\u{2060}', ""), text, "it reads as before");
            for sign in ["@o", "#1", "!1", "GH-1", "<!", "<b", "](", "]:", "][", "![", "://", "www.a"] {
                assert!(!made.contains(sign), "{sign} in {made:?}");
            }
        }
        assert_eq!(inert("3 # and a: b, c - 1!"), "3 # and a: b, c - 1!");
        assert_eq!(inert("a\r\n\u{1b}[2J"), "a   [2J");
    }
}
