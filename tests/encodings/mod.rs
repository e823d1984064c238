//! The ways in which servers write a secret down, for tests that look for it afterwards.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// A way to write a secret down.
#[derive(Clone, Copy)]
pub(crate) struct Encoding {
    pub(crate) name: &'static str,
    pub(crate) encode: fn(&str) -> String,
}

/// Every way that a server may take.
pub(crate) const ENCODINGS: [Encoding; 29] = [
    of("plain", str::to_owned),
    of("upper case", str::to_ascii_uppercase),
    of("lower case", str::to_ascii_lowercase),
    of("reversed", |text| text.chars().rev().collect()),
    of("in a header", |text| format!("Bearer {text}")),
    of("in a query", |text| format!("?token={text}&page=2")),
    of("in an array of bytes' text", |text| format!("b'{text}'")),
    of("percent", |text| percent(text, |_| true, |byte| format!("%{byte:02X}"))),
    of("percent in small letters", |text| percent(text, special, |byte| format!("%{byte:02x}"))),
    of("percent as a component", |text| {
        percent(text, |byte| special(byte) && !b"-_.!~*'()".contains(&byte), |byte| format!("%{byte:02X}"))
    }),
    of("form", |text| {
        percent(text, special, |byte| if byte == b' ' { "+".to_owned() } else { format!("%{byte:02X}") })
    }),
    of("JSON", |text| serde_json::to_string(text).expect("a text")),
    of("JSON, slashes escaped", |text| serde_json::to_string(text).expect("a text").replace('/', "\\/")),
    of("JSON, all escaped", |text| units(text, |unit| format!("\\u{unit:04X}"))),
    of("JSON, marks escaped", |text| {
        each(text, |character| {
            if character.is_ascii_alphanumeric() {
                character.to_string()
            } else {
                units(&character.to_string(), |unit| format!("\\u{unit:04x}"))
            }
        })
    }),
    of("Debug", |text| format!("{text:?}")),
    of("hexadecimal escapes", |text| percent(text, special, |byte| format!("\\x{byte:02x}"))),
    of("HTML, decimal", |text| each(text, |character| format!("&#{};", u32::from(character)))),
    of("HTML, hexadecimal", |text| each(text, |character| format!("&#x{:x};", u32::from(character)))),
    of("HTML, by names", |text| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&apos;")
            .replace('+', "&plus;")
    }),
    of("Base64", |text| STANDARD.encode(text)),
    of("Base64, second place", |text| STANDARD.encode(format!("u{text}"))),
    of("Base64, third place", |text| STANDARD.encode(format!("u:{text}"))),
    of("Basic", |text| format!("Basic {}", STANDARD.encode(format!("my-client:{text}")))),
    of("Base64 of a header", |text| STANDARD.encode(format!("Bearer {text}\n"))),
    of("Base64 for URLs", |text| URL_SAFE_NO_PAD.encode(text)),
    of("Base64 for URLs, inside", |text| URL_SAFE_NO_PAD.encode(format!("{{\"t\":\"{text}\"}}"))),
    of("hexadecimal", |text| percent(text, |_| true, |byte| format!("{byte:02x}"))),
    of("hexadecimal in capitals", |text| percent(text, |_| true, |byte| format!("{byte:02X}"))),
];

const fn of(name: &'static str, encode: fn(&str) -> String) -> Encoding {
    Encoding { name, encode }
}

/// A secret as it was written down, and the part of that which is its own.
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) core: String,
    pub(crate) name: String,
    /// The characters of the secret.
    length: usize,
}

/// The secret in every encoding, and in every encoding of every encoding.
pub(crate) fn written(secret: &str) -> Vec<Written> {
    let mut all: Vec<Written> = ENCODINGS.iter().map(|outer| write(secret, &[*outer])).collect();
    for inner in ENCODINGS {
        // What changes the case of Base64 destroys it.
        let outers = ENCODINGS.iter().filter(|outer| !(outer.name.ends_with("case") && inner.name.starts_with("Bas")));
        all.extend(outers.map(|outer| write(secret, &[inner, *outer])));
    }
    all
}

/// What is the same for another secret is not the secret's own: `Basic `, the beginning of what its Base64 shares.
fn write(secret: &str, encodings: &[Encoding]) -> Written {
    let encoded = |text: &str| encodings.iter().fold(text.to_owned(), |text, encoding| (encoding.encode)(&text));
    let (text, other) = (encoded(secret), encoded(&secret.chars().map(another).collect::<String>()));
    let start =
        text.chars().zip(other.chars()).take_while(|(one, two)| one == two).map(|(one, _)| one.len_utf8()).sum();
    let rest = text[start..].chars().rev().zip(other.chars().rev());
    let end: usize = rest.take_while(|(one, two)| one == two).map(|(one, _)| one.len_utf8()).sum();
    let name = encodings.iter().map(|encoding| encoding.name).collect::<Vec<_>>().join(", then ");
    Written { core: text[start..text.len() - end].to_owned(), text, name, length: secret.chars().count() }
}

/// Another character.
fn another(character: char) -> char {
    match character {
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(u32::from(character) + 1).expect("the next one"),
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        '!' => '~',
        'é' => 'ñ',
        mark if mark.is_ascii() => '!',
        _ => 'é',
    }
}

/// The part of the secret that a text shows: as much of it as it was written as four of its characters take, and these
/// characters more.
pub(crate) fn leak<'w>(shown: &str, written: &'w Written, more: usize) -> Option<&'w str> {
    let starts: Vec<usize> = written.core.char_indices().map(|(at, _)| at).chain([written.core.len()]).collect();
    let length = (4 * (starts.len() - 1)).div_ceil(written.length).max(8) + more;
    let windows = starts.windows(length + 1).map(|window| &written.core[window[0]..window[length]]);
    windows.into_iter().find(|window| shown.contains(window))
}

fn special(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric()
}

fn percent(text: &str, is_escaped: impl Fn(u8) -> bool, escape: impl Fn(u8) -> String) -> String {
    text.bytes().map(|byte| if is_escaped(byte) { escape(byte) } else { char::from(byte).to_string() }).collect()
}

fn each(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

fn units(text: &str, write: impl Fn(u16) -> String) -> String {
    text.encode_utf16().fold(String::new(), |mut written, unit| {
        let _ = written.write_str(&write(unit));
        written
    })
}
