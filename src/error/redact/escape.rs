//! One escape sequence: `%2B`, `\u002B`, `&#43;`.

/// A kind of escapes.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Escapes {
    /// `%2B`, and `%u002B` as old browsers write it.
    Percent,
    /// The same, and a plus sign for a space.
    Form,
    /// Those of JSON and the languages near to it: `\n`, `\/`, `\x2b`, `\u002B`, `\u{2b}`.
    Backslash,
    /// `&#43;`, `&#x2b;`, `&amp;`.
    Html,
}

/// The meaning of an escape.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    Byte(u8),
    Character(char),
}

/// An escape at the beginning of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Escape {
    pub(super) length: usize,
    pub(super) meaning: Meaning,
}

/// An escape that is longer is none: `&#x0000002b;`, `&VerticalLine;`.
const LONGEST: usize = 14;

impl Escapes {
    /// Returns whether an escape may begin with this byte.
    pub(super) fn begin_with(self, byte: u8) -> bool {
        match self {
            Self::Percent => byte == b'%',
            Self::Form => byte == b'%' || byte == b'+',
            Self::Backslash => byte == b'\\',
            Self::Html => byte == b'&',
        }
    }

    /// The escape that the text begins with. Where the text may be cut off, one that may be longer is none.
    pub(super) fn read(self, text: &[u8], is_end_open: bool) -> Option<Escape> {
        match self {
            Self::Form if text.first() == Some(&b'+') => Some(Escape { length: 1, meaning: Meaning::Byte(b' ') }),
            Self::Percent | Self::Form => percent(text),
            Self::Backslash => backslash(text),
            Self::Html => {
                html(text).filter(|escape| !is_end_open || escape.length < text.len() || text.ends_with(b";"))
            }
        }
    }
}

/// Returns whether the text, which is not an escape, may be the beginning of one.
pub(super) fn may_go_on(text: &[u8]) -> bool {
    let rest = text.get(1..).unwrap_or_default();
    text.len() < LONGEST && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'{' | b'\\'))
}

impl Meaning {
    pub(super) fn write(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Byte(byte) => bytes.push(byte),
            Self::Character(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

fn character(length: usize, code: u32) -> Option<Escape> {
    Some(Escape { length, meaning: Meaning::Character(char::from_u32(code)?) })
}

fn percent(text: &[u8]) -> Option<Escape> {
    if let Some(b'u' | b'U') = text.get(1) {
        return character(6, number(text.get(2..6)?, 16)?);
    }
    byte(text)
}

/// A mark or a backslash with a letter, and two digits.
fn byte(text: &[u8]) -> Option<Escape> {
    let start = if text.first() == Some(&b'%') { 1 } else { 2 };
    let code = number(text.get(start..start + 2)?, 16)?;
    Some(Escape { length: start + 2, meaning: Meaning::Byte(u8::try_from(code).ok()?) })
}

fn backslash(text: &[u8]) -> Option<Escape> {
    let short = |byte| Some(Escape { length: 2, meaning: Meaning::Byte(byte) });
    match text.get(1)?.to_ascii_lowercase() {
        b'n' => short(b'\n'),
        b'r' => short(b'\r'),
        b't' => short(b'\t'),
        b'b' => short(8),
        b'f' => short(12),
        b'0' => short(0),
        b'x' => byte(text),
        b'u' if text.get(2) == Some(&b'{') => {
            let digits = text.get(3..)?.iter().take(7).position(|byte| *byte == b'}')?;
            character(4 + digits, number(&text[3..3 + digits], 16)?)
        }
        b'u' => {
            let high = number(text.get(2..6)?, 16)?;
            let low =
                || text.get(6..8).filter(|next| next.eq_ignore_ascii_case(b"\\u")).and(number(text.get(8..12)?, 16));
            match high {
                0xD800..0xDC00 => {
                    let low = low().filter(|low| (0xDC00..0xE000).contains(low))?;
                    character(12, 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
                }
                _ => character(6, high),
            }
        }
        // The end of the word before it has to be seen as it is.
        other if other.is_ascii_alphanumeric() => None,
        other => short(other),
    }
}

fn html(text: &[u8]) -> Option<Escape> {
    let head = &text[..text.len().min(LONGEST)];
    if head.get(1) == Some(&b'#') {
        let is_hex = matches!(head.get(2), Some(b'x' | b'X'));
        let (start, radix) = if is_hex { (3, 16) } else { (2, 10) };
        let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
        let digits = head[start.min(head.len())..].iter().take_while(|byte| is_digit(byte)).count();
        let end = start + digits;
        // Browsers read it without its semicolon too.
        let length = end + usize::from(head.get(end) == Some(&b';'));
        return character(length, number(head.get(start..end)?, radix)?);
    }
    let end = head.iter().position(|byte| *byte == b';')?;
    let name = &head[1..end];
    let (_, byte) = NAMES.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))?;
    Some(Escape { length: end + 1, meaning: Meaning::Byte(*byte) })
}

/// The characters of ASCII that HTML has names for. Their case does not count here, though it does in HTML.
const NAMES: &[(&str, u8)] = &[
    ("amp", b'&'),
    ("apos", b'\''),
    ("ast", b'*'),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("gt", b'>'),
    ("Hat", b'^'),
    ("lbrack", b'['),
    ("lcub", b'{'),
    ("lowbar", b'_'),
    ("lpar", b'('),
    ("lsqb", b'['),
    ("lt", b'<'),
    ("NewLine", b'\n'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("quot", b'"'),
    ("rbrack", b']'),
    ("rcub", b'}'),
    ("rpar", b')'),
    ("rsqb", b']'),
    ("semi", b';'),
    ("sol", b'/'),
    ("Tab", b'\t'),
    ("UnderBar", b'_'),
    ("verbar", b'|'),
    ("vert", b'|'),
    ("VerticalLine", b'|'),
];

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.chars().all(|digit| digit.is_digit(radix)))?;
    u32::from_str_radix(text, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(escapes: Escapes, text: &str) -> Option<(usize, String)> {
        let Escape { length, meaning } = escapes.read(text.as_bytes(), false)?;
        let mut bytes = Vec::new();
        meaning.write(&mut bytes);
        Some((length, String::from_utf8_lossy(&bytes).into_owned()))
    }

    #[test]
    fn an_escape_is_read_with_its_length() {
        for (escapes, text, meaning) in [
            (Escapes::Percent, "%2b", "+"),
            (Escapes::Percent, "%u20AC", "€"),
            (Escapes::Form, "+", " "),
            (Escapes::Backslash, r"\u002B", "+"),
            (Escapes::Backslash, r"\u{2b}", "+"),
            (Escapes::Backslash, r"\x2B", "+"),
            (Escapes::Backslash, r"\/", "/"),
            (Escapes::Backslash, r"\uD83D\uDE00", "😀"),
            (Escapes::Html, "&#43;", "+"),
            (Escapes::Html, "&#x2b;", "+"),
            (Escapes::Html, "&#X2B", "+"),
            (Escapes::Html, "&AMP;", "&"),
            (Escapes::Html, "&VerticalLine;", "|"),
        ] {
            assert_eq!(read(escapes, text), Some((text.len(), meaning.to_owned())), "{text}");
            assert_eq!(read(escapes, &format!("{text} x")), Some((text.len(), meaning.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_is_none_and_its_beginning_may_go_on() {
        for (escapes, text) in [
            (Escapes::Percent, "%"),
            (Escapes::Percent, "%2"),
            (Escapes::Backslash, "\\"),
            (Escapes::Backslash, r"\u00"),
            (Escapes::Backslash, r"\uD83D\uDE"),
            (Escapes::Html, "&"),
            (Escapes::Html, "&am"),
        ] {
            assert_eq!(read(escapes, text), None, "{text}");
            assert!(may_go_on(text.as_bytes()), "{text}");
        }
        for (escapes, text) in [(Escapes::Percent, "% x"), (Escapes::Backslash, r"\w x"), (Escapes::Html, "&nope;")] {
            assert_eq!(read(escapes, text), None, "{text}");
            assert!(!may_go_on(text.as_bytes()), "{text}");
        }
        assert!(Escapes::Html.read(b"&#4", true).is_none() && Escapes::Html.read(b"&#4", false).is_some());
        assert_eq!(read(Escapes::Percent, "%+1"), None);
        assert_eq!(read(Escapes::Backslash, r"\u{110000}"), None);
    }
}
