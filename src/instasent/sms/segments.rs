//! The number of parts in which a text is sent.

use std::collections::HashSet;
use std::fmt;

use super::alphabet::septets;

/// The encoding of a text, and the number of its parts.
///
/// Lengths are in units: septets of the GSM alphabet, or 16-bit units of UTF-16. One part holds 160 septets or 70 units;
/// of a text that needs more than one, each part holds 153 or 67, the rest being the header that joins them.
///
/// ```
/// use keyfit::instasent::sms::{Encoding, Segments};
///
/// let segments = Segments::of("Only 5 € ’til Sunday");
/// assert_eq!((segments.encoding, segments.parts), (Encoding::Utf16, 1));
/// assert_eq!(segments.forcing, ['’']); // Write ' instead, and it is GSM again.
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Segments {
    /// The smallest encoding that holds the text.
    pub encoding: Encoding,
    /// The length: 2 for a character of the extension table, and for one beyond U+FFFF in UTF-16.
    pub units: usize,
    /// The parts it takes, where no pair of units that makes one character is split between two. 0 for an empty text.
    pub parts: usize,
    /// The parts by length alone, `units` over the units of a part, which is how the vendor's own counter counts. At
    /// most [`parts`](Self::parts), which is more where pairs fall on the ends of parts.
    pub parts_by_length: usize,
    /// The characters that the GSM alphabet lacks, each once, in the order of the text: what it is UTF-16 for.
    pub forcing: Vec<char>,
}

/// The encoding of a text, in the words of the API.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Encoding {
    /// The basic table of the GSM alphabet.
    Gsm7Bit,
    /// The GSM alphabet with characters of the extension table, such as the euro sign.
    Gsm7BitEx,
    /// UTF-16, which the standard calls UCS-2. The API sends it where `allowUnicode` is set.
    Utf16,
}

impl Encoding {
    /// The name on the wire: `GSM_7BIT`, `GSM_7BIT_EX`, `UTF16`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7Bit => "GSM_7BIT",
            Self::Gsm7BitEx => "GSM_7BIT_EX",
            Self::Utf16 => "UTF16",
        }
    }

    /// The units that a text of one part may have, and those of each part of a longer one.
    fn capacity(self) -> (usize, usize) {
        match self {
            Self::Gsm7Bit | Self::Gsm7BitEx => (160, 153),
            Self::Utf16 => (70, 67),
        }
    }

    fn units(self, character: char) -> usize {
        match self {
            Self::Gsm7Bit | Self::Gsm7BitEx => septets(character).map_or(1, usize::from),
            Self::Utf16 => character.len_utf16(),
        }
    }
}

impl Segments {
    /// Counts a text.
    pub fn of(text: &str) -> Self {
        let (mut forcing, mut seen) = (Vec::new(), HashSet::new());
        let mut is_extended = false;
        for character in text.chars() {
            match septets(character) {
                Some(1) => {}
                Some(_) => is_extended = true,
                None if seen.insert(character) => forcing.push(character),
                None => {}
            }
        }
        let encoding = match (forcing.is_empty(), is_extended) {
            (false, _) => Encoding::Utf16,
            (true, true) => Encoding::Gsm7BitEx,
            (true, false) => Encoding::Gsm7Bit,
        };
        let units = text.chars().map(|character| encoding.units(character)).sum();
        let (single, each) = encoding.capacity();
        let (parts, parts_by_length) = match units {
            0 => (0, 0),
            units if units <= single => (1, 1),
            units => (parts_of_whole_characters(text, encoding, each), units.div_ceil(each)),
        };
        Self { encoding, units, parts, parts_by_length, forcing }
    }

    /// Returns whether the text is sent unchanged only if `allowUnicode` is set.
    pub fn needs_unicode(&self) -> bool {
        self.encoding == Encoding::Utf16
    }
}

/// Fills parts from the front; a character that does not fit whole begins the next.
fn parts_of_whole_characters(text: &str, encoding: Encoding, each: usize) -> usize {
    let (mut parts, mut filled) = (1, 0);
    for character in text.chars() {
        let units = encoding.units(character);
        if filled + units > each {
            parts += 1;
            filled = 0;
        }
        filled += units;
    }
    parts
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sms_splitter::SplitSms;

    use super::*;

    proptest! {
        #[test]
        fn an_independent_splitter_counts_the_same_parts(gsm in "[aB1 €^é\n]{1,400}", any in "[aá😀€ç中]{1,300}", odd in ".{1,80}") {
            for text in [gsm, any, odd] {
                let split = SplitSms::default().split(text.clone());
                prop_assert_eq!(Segments::of(&text).parts, split.parts.len(), "{:?}", text);
            }
        }
    }

    fn counts(text: &str) -> (Encoding, usize, usize, usize) {
        let segments = Segments::of(text);
        (segments.encoding, segments.units, segments.parts, segments.parts_by_length)
    }

    #[test]
    fn an_empty_text_takes_no_part() {
        assert_eq!(counts(""), (Encoding::Gsm7Bit, 0, 0, 0));
    }

    #[test]
    fn gsm_takes_160_in_one_part_and_153_in_each_of_many() {
        for (length, parts) in [(1, 1), (160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4)] {
            assert_eq!(counts(&"a".repeat(length)), (Encoding::Gsm7Bit, length, parts, parts), "{length}");
        }
    }

    #[test]
    fn utf16_takes_70_in_one_part_and_67_in_each_of_many() {
        for (length, parts) in [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3)] {
            assert_eq!(counts(&"á".repeat(length)), (Encoding::Utf16, length, parts, parts), "{length}");
        }
    }

    #[test]
    fn extension_characters_and_those_beyond_the_first_plane_cost_two() {
        assert_eq!(counts("5 €"), (Encoding::Gsm7BitEx, 4, 1, 1));
        assert_eq!(counts(&"€".repeat(80)), (Encoding::Gsm7BitEx, 160, 1, 1));
        assert_eq!(counts("😀"), (Encoding::Utf16, 2, 1, 1));
        // The euro sign is one unit of UTF-16.
        assert_eq!(counts("€á"), (Encoding::Utf16, 2, 1, 1));
    }

    #[test]
    fn a_pair_is_not_split_between_parts() {
        // 152 septets, then a pair that would stand on both sides of the border of 153: 306 by length, 307 with the gap.
        let text = format!("{}€{}", "a".repeat(152), "a".repeat(152));
        assert_eq!(counts(&text), (Encoding::Gsm7BitEx, 306, 3, 2));
        let text = format!("{}😀{}", "á".repeat(66), "á".repeat(66));
        assert_eq!(counts(&text), (Encoding::Utf16, 134, 3, 2));
    }

    #[test]
    fn what_forces_utf16_is_named_once_and_in_order() {
        assert_eq!(Segments::of("“Olá” “você”").forcing, ['“', 'á', '”', 'ê']);
        assert!(Segments::of("Olé").forcing.is_empty());
    }

    #[test]
    fn whole_characters_never_take_fewer_parts_than_length_alone() {
        for text in ["a€", "€€a", "😀á", "á😀😀", "a"] {
            for count in 0..200 {
                let segments = Segments::of(&text.repeat(count));
                assert!(segments.parts >= segments.parts_by_length, "{text:?} {count}");
                assert!(
                    segments.parts <= segments.parts_by_length + 1 + segments.parts_by_length / 60,
                    "{text:?} {count}"
                );
            }
        }
    }
}
