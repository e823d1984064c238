//! A document's prose in a form that rustdoc only displays: without tests, HTML, and links that only rustdoc would resolve.
//! Descriptions are untrusted Markdown, and `cargo test` runs the code blocks of documentation.

use std::ops::Range;

use pulldown_cmark::{BrokenLink, CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

/// The maximum number of rounds of changes; each change may reveal another problem.
const MAX_ROUNDS: usize = 12;
/// The maximum length of a text whose Markdown is parsed, in bytes.
const MAX_LENGTH: usize = 64 << 10;
/// The info string of a block that rustdoc shows and does not run.
const TEXT: &str = "text";
/// A marker at the end of a text, which shows the constructs that the text leaves open.
const END_MARKER: &str = "\n\nthe-end-of-the-text";

/// Returns the text, changed where rustdoc would do more than display it. A text that cannot be repaired becomes one block of
/// plain text.
pub(crate) fn sanitized(text: &str) -> String {
    let mut text = plain_lines(text);
    if is_prose(&text) {
        return text;
    }
    let rounds = if text.len() <= MAX_LENGTH { MAX_ROUNDS } else { 0 };
    for _ in 0..rounds {
        match edits(&text) {
            Some(edits) if edits.is_empty() => return text,
            Some(edits) => text = dedented(&with_edits(&text, edits)),
            None => break,
        }
    }
    block(&text)
}

/// Returns whether the text has no Markdown to check.
fn is_prose(text: &str) -> bool {
    !text.contains(['`', '~', '<', '[', '\t']) && !text.contains("    ") && !text.contains("://")
}

/// Returns the lines without control characters, bidirectional marks and the shared indentation, which rustdoc removes.
fn plain_lines(text: &str) -> String {
    let is_seen = |letter: char| match letter {
        '\n' | '\t' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        _ => !letter.is_control(),
    };
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let text = if text.chars().all(is_seen) {
        text
    } else {
        text.chars().map(|letter| if is_seen(letter) { letter } else { char::REPLACEMENT_CHARACTER }).collect()
    };
    dedented(&text)
}

fn dedented(text: &str) -> String {
    let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let written = text.lines().filter(|line| !line.trim().is_empty());
    let shared = written.map(indentation).min().unwrap_or_default();
    if shared == 0 {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.split('\n').map(|line| line.get(shared..).unwrap_or_default()).collect();
    lines.join("\n")
}

/// Returns a text in a code block that it cannot end.
fn block(text: &str) -> String {
    let fence = fence(text);
    format!("{fence}{TEXT}\n{text}\n{fence}")
}

/// Returns a fence that is longer than any in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

/// The replacement for a part of the text.
struct Edit(Range<usize>, String);

fn with_edits(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|Edit(range, _)| (range.start, range.end));
    let mut result = String::with_capacity(text.len() + edits.len());
    let mut done = 0;
    for Edit(range, new) in edits {
        // Changes within a changed part are found in the next round.
        if range.start >= done {
            result.push_str(&text[done..range.start]);
            result.push_str(&new);
            done = range.end;
        }
    }
    result.push_str(&text[done..]);
    result
}

/// Returns the required changes; `None` if they cannot be made part by part.
fn edits(text: &str) -> Option<Vec<Edit>> {
    let source = format!("{text}{END_MARKER}");
    let mut scanner =
        Scanner { source: &source, edits: Vec::new(), containers: 0, links: 0, open: None, at_end: false };
    let mut broken = Vec::new();
    let mut keep = |link: BrokenLink<'_>| -> Option<(CowStr<'_>, CowStr<'_>)> {
        broken.push(link.span.start);
        None
    };
    let parser = Parser::new_with_broken_link_callback(&source, options(), Some(&mut keep));
    // Rustdoc resolves link definitions even if nothing refers to them.
    let definitions = parser.reference_definitions().iter();
    let elsewhere = definitions.filter(|(_, known)| !is_address(&known.dest)).map(|(_, known)| known.span.start);
    scanner.edits.extend(elsewhere.map(|start| Edit(start..start, "\\".to_owned())));
    for (event, range) in parser.into_offset_iter() {
        scanner.scan(event, range)?;
    }
    let Scanner { mut edits, .. } = scanner;
    edits.extend(broken.into_iter().map(|start| Edit(start..start, "\\".to_owned())));
    // A block that is open at the end includes the marker, which is not part of the text.
    edits.retain(|Edit(range, _)| range.start <= text.len());
    for Edit(range, _) in &mut edits {
        range.end = range.end.min(text.len());
    }
    Some(edits)
}

/// Returns the options of rustdoc's parser.
fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_SMART_PUNCTUATION
}

/// The state of a scan of a text, one event at a time.
struct Scanner<'a> {
    source: &'a str,
    edits: Vec<Edit>,
    /// The number of open lists, quotes and footnotes.
    containers: usize,
    links: usize,
    /// The fence of the open block.
    open: Option<String>,
    at_end: bool,
}

impl Scanner<'_> {
    fn scan(&mut self, event: Event<'_>, range: Range<usize>) -> Option<()> {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => self.fenced(&info, range),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => return self.indented(range),
            Event::End(TagEnd::CodeBlock) => self.open = None,
            Event::Html(_) | Event::InlineHtml(_) => self.escape(range),
            Event::Start(Tag::Image { .. }) => self.edits.push(Edit(range.start..range.start + 1, String::new())),
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                self.links += 1;
                if link_type != LinkType::Email && !is_address(&dest_url) {
                    self.edits.push(Edit(range.start..range.start, "\\".to_owned()));
                }
            }
            Event::End(TagEnd::Link) => self.links -= 1,
            Event::Start(Tag::Item | Tag::BlockQuote(_) | Tag::FootnoteDefinition(_)) => self.containers += 1,
            Event::End(TagEnd::Item | TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition) => self.containers -= 1,
            Event::Text(_) if self.open.is_some() => self.close(&range),
            Event::Text(_) if self.links == 0 => self.addresses(range),
            _ => {}
        }
        Some(())
    }

    /// Makes a fenced block one of plain text that ends at the end of the text.
    fn fenced(&mut self, info: &str, range: Range<usize>) {
        let line = self.source[range.clone()].lines().next().unwrap_or_default();
        let marks = line.trim_start();
        let fence = marks.chars().next().unwrap_or('`');
        let length = marks.len() - marks.trim_start_matches(fence).len();
        if info != TEXT {
            let end = range.start + line.len();
            self.edits.push(Edit(end - marks.len() + length..end, TEXT.to_owned()));
        }
        self.open = Some(fence.to_string().repeat(length));
    }

    /// Closes the block that is open at the end of the text.
    fn close(&mut self, range: &Range<usize>) {
        let end = self.source.len() - END_MARKER.len();
        if range.end > end && !std::mem::replace(&mut self.at_end, true) {
            let fence = self.open.clone().unwrap_or_default();
            self.edits.push(Edit(end..end, format!("\n{fence}")));
        }
    }

    /// Converts an indented block to a fenced one. Returns `None` in a list or a quote, where each line would need the marks
    /// of its containers.
    fn indented(&mut self, range: Range<usize>) -> Option<()> {
        if self.containers > 0 {
            return None;
        }
        let start = self.source[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let end = range.end.min(self.source.len() - END_MARKER.len());
        let code = dedented(self.source.get(start..end)?.trim_end());
        self.edits.push(Edit(start..end, format!("{}\n", block(&code))));
        self.open = Some(String::new());
        self.at_end = true;
        Some(())
    }

    fn escape(&mut self, range: Range<usize>) {
        let places = self.source[range.clone()].match_indices('<').map(|(at, _)| range.start + at);
        self.edits.extend(places.map(|at| Edit(at..at + 1, "&lt;".to_owned())));
    }

    /// Turns bare URLs in a text into links.
    fn addresses(&mut self, range: Range<usize>) {
        let text = &self.source[range.clone()];
        let mut from = 0;
        while let Some(found) = text[from..].find("://") {
            let at = from + found;
            from = at + 3;
            let Some(scheme) = ["https", "http"].into_iter().find(|scheme| text[..at].ends_with(scheme)) else {
                continue;
            };
            let start = range.start + at - scheme.len();
            let rest = &self.source[start..];
            let ends =
                |letter: char| letter.is_whitespace() || letter.is_control() || "<>\"`\\|[](){}*".contains(letter);
            let length = rest.find(ends).unwrap_or(rest.len());
            let address = rest[..length].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '_', '~']);
            if address.len() > scheme.len() + 3 {
                self.edits.push(Edit(start..start + address.len(), format!("<{address}>")));
            }
        }
    }
}

/// Returns whether the target of a link is absolute. Other links refer to the page that the text was written for, run
/// something, or are read as names of Rust items.
fn is_address(target: &str) -> bool {
    let target = target.to_ascii_lowercase();
    ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// Returns the first thing that rustdoc would do with a text beyond displaying it, in words; for tests.
#[cfg(test)]
pub(crate) fn first_problem(text: &str) -> Option<String> {
    let mut broken = Vec::new();
    let mut keep = |link: BrokenLink<'_>| -> Option<(CowStr<'_>, CowStr<'_>)> {
        broken.push(format!("a link to nowhere: {}", link.reference));
        None
    };
    let parser = Parser::new_with_broken_link_callback(text, options(), Some(&mut keep));
    let definition = parser.reference_definitions().iter().find(|(_, known)| !is_address(&known.dest));
    if let Some((label, _)) = definition {
        return Some(format!("a definition: {label}"));
    }
    let harm = parser.into_iter().find_map(|event| match event {
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if &*info == TEXT => None,
        Event::Start(Tag::CodeBlock(kind)) => Some(format!("a test: {kind:?}")),
        Event::Html(html) | Event::InlineHtml(html) => Some(format!("HTML: {html}")),
        Event::Start(Tag::Image { dest_url, .. }) => Some(format!("an image: {dest_url}")),
        Event::Start(Tag::Link { link_type, dest_url, .. }) => {
            (link_type != LinkType::Email && !is_address(&dest_url)).then(|| format!("a link: {dest_url}"))
        }
        _ => None,
    });
    harm.or_else(|| broken.pop())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_rustdoc_would_run_is_shown() {
        let run = "std::fs::write(\"canary\", \"\").unwrap();";
        let texts = [
            format!("```\n{run}\n```"),
            format!("```rust\n{run}\n```"),
            format!("```text,rust\n{run}\n```"),
            format!("```ignore\n{run}\n```"),
            format!("~~~\n{run}\n~~~"),
            format!("~~~~ should_panic `x`\n{run}\n~~~"),
            format!("`````\n```text\n`````\n{run}\n`````"),
            format!("a\n```\n{run}"),
            format!("a\n~~~ {{.rust}}\n{run}"),
            format!("   ```\n   {run}\n   ```"),
            format!("> ```\n> {run}\n> ```"),
            format!("> > ~~~\n> > {run}"),
            format!("> a\n>\n>     {run}"),
            format!("- a\n  ```\n  {run}\n  ```"),
            format!("-     {run}"),
            format!("1.      {run}"),
            format!("* a\n\n      {run}"),
            format!("- - -     {run}"),
            format!("a\n\n    {run}\n    {run}\n\nb"),
            format!("a\n\n\t{run}"),
            format!("  \t{run}\na"),
            format!("    {run}\n        {run}\nb\n\n    {run}"),
            format!("# a\n    {run}"),
            format!("a\n\n    ```\n    {run}"),
            format!("[^a]: b\n\n        {run}\n\n[^a]"),
            format!("| a |\n|---|\n| b |\n\n    {run}"),
            format!("<div>\n    {run}\n</div>\n    {run}"),
            format!("<!-- a\n\n    {run}\n-->\n\n    {run}"),
            format!("a\r\n\r\n    {run}\r\n"),
            format!("a\r\r    {run}\r"),
            format!("*    {run}\n*    {run}"),
            format!("a\u{2028}\u{2028}    {run}"),
        ];
        for text in texts {
            let shown = sanitized(&text);
            assert_eq!(first_problem(&shown), None, "{text}\n=>\n{shown}");
            assert!(shown.contains("canary"), "{text}\n=>\n{shown}");
            assert_eq!(sanitized(&shown), shown, "it is settled");
        }
    }

    #[test]
    fn html_and_links_of_another_page_are_text() {
        for (text, expected) in [
            ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
            ("a <b onclick=x>b</b>", "a &lt;b onclick=x>b&lt;/b>"),
            ("<!-- a -->", "&lt;!-- a -->"),
            ("the [scope] and [`Vec`]", "the \\[scope] and \\[`Vec`]"),
            ("[a](#section/b) [c](d)", "\\[a](#section/b) \\[c](d)"),
            ("[a](javascript:b)", "\\[a](javascript:b)"),
            ("<javascript:a>", "\\<javascript:a>"),
            ("[a][b]\n\n[b]: data:c", "\\[a]\\[b]\n\n\\[b]: data:c"),
            ("![a](https://example.com/b.png)", "[a](https://example.com/b.png)"),
            ("see https://example.com/a_b_c?d=(e).", "see <https://example.com/a_b_c?d=>(e)."),
            ("see https://example.com.", "see <https://example.com>."),
            ("{@link a} */ #![doc = \"b\"] /* ", "{@link a} */ #\\!\\[doc = \"b\"] /* "),
        ] {
            assert_eq!(sanitized(text), expected);
            assert_eq!(first_problem(expected), None, "{expected}");
        }
    }

    #[test]
    fn plain_prose_stays_what_it_is() {
        for text in [
            "",
            "The *name*: `a < b`, at most 5.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |",
            "[a](https://example.com) <https://example.com/a> <a@example.com>",
            "```text\na <b> [c] https://example.com\n```\nb",
        ] {
            assert_eq!(sanitized(text), text);
        }
    }

    #[test]
    fn what_hides_from_the_reader_or_ends_a_comment_is_replaced() {
        assert_eq!(sanitized("a\u{202e}b\0c\rd"), "a\u{fffd}b\u{fffd}c\nd");
    }

    #[test]
    fn a_long_text_is_one_block() {
        let shown = sanitized(&"a\n\n    b ````\n".repeat(10_000));
        assert!(shown.starts_with("`````text\n"), "{}", &shown[..20]);
        assert_eq!(first_problem(&shown), None);
    }

    proptest! {
        #[test]
        fn no_text_is_run_whatever_it_is_made_of(
            parts in proptest::collection::vec(
                prop::sample::select(vec![
                    "```", "~~~", "````", "`", "\n", "\n\n", "    ", "\t", "  ", " ", "> ", "- ", "1. ", "* ", "# ", "<!--", "-->", "<div>",
                    "</div>", "<script>", "<?", "<![CDATA[", "[a]", "[a]: b", "[^a]: ", "![", "](", ")", "[", "]", "\\", "|", "---", "===",
                    "rust", "text", "a", "ñ", "https://a.bc/d", "<", ">", "&lt;", "*", "_", "\r",
                ]),
                0..24,
            ),
        ) {
            let text = parts.concat();
            let shown = sanitized(&text);
            prop_assert_eq!(first_problem(&shown), None, "{:?} => {:?}", text, shown);
        }
    }
}
