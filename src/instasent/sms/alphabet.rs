//! The default alphabet of GSM 03.38 (3GPP TS 23.038, section 6.2.1) and its extension table.

/// Every character of the basic table but the escape, which is no character of a text.
const BASIC: &str = concat!(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);

/// The characters of the extension table: an escape and one more septet each.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Returns the number of septets of a character; `None` if the alphabet does not have it.
pub(super) fn septets(character: char) -> Option<u8> {
    // Most texts are plain ASCII: the few characters of it that the basic table lacks are the exception.
    match character {
        ' '..='Z' | 'a'..='z' | '\n' | '\r' if character != '`' => Some(1),
        _ if BASIC.contains(character) => Some(1),
        _ if EXTENSION.contains(character) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_have_the_sizes_of_the_standard() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn each_character_costs_what_its_table_says() {
        assert!(BASIC.chars().all(|character| septets(character) == Some(1)));
        assert!(EXTENSION.chars().all(|character| septets(character) == Some(2)));
    }

    #[test]
    fn what_is_close_to_the_alphabet_is_not_in_it() {
        for character in ['`', 'ç', 'á', 'í', '\t', '\u{1b}', '\u{a0}', '’', '…', '–', 'Ś', '😀'] {
            assert_eq!(septets(character), None, "{character:?}");
        }
    }

    #[test]
    fn the_short_way_for_ascii_agrees_with_the_table() {
        for character in (0..128_u8).map(char::from) {
            let table = match () {
                () if BASIC.contains(character) => Some(1),
                () if EXTENSION.contains(character) => Some(2),
                () => None,
            };
            assert_eq!(septets(character), table, "{character:?}");
        }
    }
}
