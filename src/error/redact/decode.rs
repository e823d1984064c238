//! The decodings of a text.

use super::escape::{self, Escape, Escapes};
use super::layer::{Ends, Layer, Origin, Piece, Unit};

/// A way to write a text.
#[derive(Clone, Copy)]
pub(super) enum Decoding {
    /// With escapes of one kind.
    Escaped(Escapes),
    /// In Base64 of either alphabet, whose first group may begin at any of four places of a run.
    Base64 { skip: usize },
    /// In hexadecimal digits, whose first pair may begin at either of two places.
    Hex { skip: usize },
    /// From the end to the beginning.
    Reversed,
    /// With line breaks in between, or as UTF-16, which has a zero at every other byte.
    Broken,
}

/// The marks of encodings that a text shows, found in one pass: most texts show none.
pub(super) struct Marks {
    has: [bool; 256],
    longest_base64: usize,
    longest_hex: usize,
}

impl Marks {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut marks = Self { has: [false; 256], longest_base64: 0, longest_hex: 0 };
        let (mut base64, mut hex) = (0, 0);
        for &byte in text {
            marks.has[usize::from(byte)] = true;
            base64 = if sextet(byte).is_some() { base64 + 1 } else { 0 };
            hex = if nibble(byte).is_some() { hex + 1 } else { 0 };
            marks.longest_base64 = marks.longest_base64.max(base64);
            marks.longest_hex = marks.longest_hex.max(hex);
        }
        marks
    }

    /// The ways in which a text of so many bytes, with or without a space, may stand in it.
    pub(super) fn decodings(&self, shortest: usize, has_space: bool) -> impl Iterator<Item = Decoding> {
        let has = |byte: u8| self.has[usize::from(byte)];
        let base64 = self.longest_base64 >= base64_of(shortest);
        let hex = self.longest_hex >= hex_of(shortest);
        let ways = [
            (has(b'%'), Decoding::Escaped(Escapes::Percent)),
            // Without a space it is found with `Percent`.
            (has_space && has(b'+'), Decoding::Escaped(Escapes::Form)),
            (has(b'\\'), Decoding::Escaped(Escapes::Backslash)),
            (has(b'&'), Decoding::Escaped(Escapes::Html)),
            (base64, Decoding::Base64 { skip: 0 }),
            (base64, Decoding::Base64 { skip: 1 }),
            (base64, Decoding::Base64 { skip: 2 }),
            (base64, Decoding::Base64 { skip: 3 }),
            (hex, Decoding::Hex { skip: 0 }),
            (hex, Decoding::Hex { skip: 1 }),
            (true, Decoding::Reversed),
            (has(0) || has(b'\r') || has(b'\n'), Decoding::Broken),
        ];
        ways.into_iter().filter_map(|(may_be, way)| may_be.then_some(way))
    }
}

/// Returns the least number of Base64 digits for this number of bytes, at any position.
fn base64_of(bytes: usize) -> usize {
    (4 * bytes).div_ceil(3)
}

fn hex_of(bytes: usize) -> usize {
    2 * bytes
}

impl Decoding {
    /// The text decoded; `None` where nothing in it is so encoded. Runs of Base64 and digits that decode to fewer bytes than
    /// the shortest secret are left out.
    pub(super) fn decode(self, text: &[u8], ends: Ends, shortest: usize) -> Option<Layer> {
        match self {
            Self::Escaped(escapes) => unescaped(text, ends, escapes),
            // The library takes neither both alphabets at once nor a run that begins or ends within a group.
            Self::Base64 { skip } => {
                let digits = Digits { value: sextet, bits: 6, unit: Unit::Base64, skip };
                digits.decode(text, ends, base64_of(shortest))
            }
            Self::Hex { skip } => {
                let digits = Digits { value: nibble, bits: 4, unit: Unit::Hex, skip };
                digits.decode(text, ends, hex_of(shortest))
            }
            Self::Reversed => Some(reversed(text, ends)),
            Self::Broken => unbroken(text, ends),
        }
    }
}

/// Bytes and the pieces that they come in.
#[derive(Default)]
struct Decoded {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Decoded {
    fn begin(&mut self, source: usize, unit: Unit) {
        self.pieces.push(Piece { at: self.bytes.len(), source, unit });
    }

    fn copy(&mut self, text: &[u8], from: usize, to: usize) {
        if from < to {
            self.begin(from, Unit::Plain);
            self.bytes.extend_from_slice(&text[from..to]);
        }
    }

    /// `None` where nothing was decoded.
    fn layer(self, ends: Ends) -> Option<Layer> {
        let Self { bytes, pieces } = self;
        (!bytes.is_empty()).then_some(Layer { bytes, origin: Origin::Pieces(pieces), ends })
    }
}

fn unescaped(text: &[u8], ends: Ends, escapes: Escapes) -> Option<Layer> {
    let mut decoded = Decoded::default();
    let (mut copied, mut at, mut is_escaped) = (0, 0, false);
    while let Some(next) = text[at..].iter().position(|byte| escapes.begin_with(*byte)) {
        at += next;
        match escapes.read(&text[at..], ends.is_end_open) {
            Some(Escape { length, meaning }) => {
                decoded.copy(text, copied, at);
                decoded.begin(at, Unit::Escape(length));
                meaning.write(&mut decoded.bytes);
                at += length;
                (copied, is_escaped) = (at, true);
            }
            // The rest of it was cut off.
            None if ends.is_end_open && escape::may_go_on(&text[at..]) => {
                decoded.copy(text, copied, at);
                return decoded.layer(ends);
            }
            None => at += 1,
        }
    }
    decoded.copy(text, copied, text.len());
    if is_escaped { decoded.layer(ends) } else { None }
}

/// Digits that write bytes.
#[derive(Clone, Copy)]
struct Digits {
    value: fn(u8) -> Option<u8>,
    bits: u32,
    unit: Unit,
    /// The number of digits of a run to skip, since they end a group that began before.
    skip: usize,
}

impl Digits {
    /// Decodes each run of so many digits or more. A zero stands between what two runs decode to.
    fn decode(self, text: &[u8], ends: Ends, shortest: usize) -> Option<Layer> {
        let mut decoded = Decoded::default();
        let (mut is_first, mut is_last) = (false, false);
        let mut at = 0;
        while at < text.len() {
            let length = text[at..].iter().position(|byte| (self.value)(*byte).is_none()).unwrap_or(text.len() - at);
            let end = at + length;
            if length >= self.skip + shortest {
                is_first |= at == 0;
                is_last = end == text.len();
                if !decoded.bytes.is_empty() {
                    decoded.begin(at, Unit::Escape(0));
                    decoded.bytes.push(0);
                }
                decoded.begin(at + self.skip, self.unit);
                self.decode_run(&text[at + self.skip..end], &mut decoded.bytes);
            }
            at = end + 1;
        }
        let Ends { is_start_open, is_end_open } = ends;
        decoded.layer(Ends { is_start_open: is_start_open && is_first, is_end_open: is_end_open && is_last })
    }

    fn decode_run(self, run: &[u8], bytes: &mut Vec<u8>) {
        let (mut buffer, mut filled) = (0_u32, 0);
        for value in run.iter().filter_map(|byte| (self.value)(*byte)) {
            buffer = (buffer << self.bits) | u32::from(value);
            filled += self.bits;
            if filled >= 8 {
                filled -= 8;
                let [.., byte] = (buffer >> filled).to_be_bytes();
                bytes.push(byte);
            }
        }
    }
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// By characters where it has some: bytes of one character stay in order.
fn reversed(text: &[u8], ends: Ends) -> Layer {
    let bytes = match std::str::from_utf8(text) {
        Ok(text) if !text.is_ascii() => text.chars().rev().collect::<String>().into_bytes(),
        _ => text.iter().rev().copied().collect(),
    };
    let ends = Ends { is_start_open: ends.is_end_open, is_end_open: ends.is_start_open };
    Layer { bytes, origin: Origin::Reversed, ends }
}

fn unbroken(text: &[u8], ends: Ends) -> Option<Layer> {
    let breaks = |byte: &u8| matches!(byte, 0 | b'\r' | b'\n');
    let mut decoded = Decoded::default();
    let mut at = 0;
    for line in text.split(breaks) {
        decoded.copy(text, at, at + line.len());
        at += line.len() + 1;
    }
    decoded.layer(ends)
}
