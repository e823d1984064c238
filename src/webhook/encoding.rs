//! The encodings of signatures and keys.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::scheme::{SecretEncoding, SignatureEncoding};
use crate::error::hex::hex;

impl SignatureEncoding {
    pub(super) fn read(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => of_hex(text),
            Self::Base64 => of_base64(text),
        }
    }

    pub(super) fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Hex => "hexadecimal",
            Self::Base64 => "Base64",
        }
    }
}

impl SecretEncoding {
    /// The encoding in which the text is bytes; `None` where it is the key as it stands.
    pub(super) fn of_bytes(self) -> Option<SignatureEncoding> {
        match self {
            Self::Text => None,
            Self::Base64 => Some(SignatureEncoding::Base64),
            Self::Hex => Some(SignatureEncoding::Hex),
        }
    }
}

fn of_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    if is_hex { (0..text.len()).step_by(2).map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_in_both_cases_and_nothing_else_is() {
        assert_eq!(SignatureEncoding::Hex.read("00fFa0"), Some(vec![0, 255, 160]));
        assert_eq!(SignatureEncoding::Hex.write(&[0, 255, 160]), "00ffa0");
        for text in ["0g", "abc", "+1", "é0"] {
            assert_eq!(SignatureEncoding::Hex.read(text), None, "{text}");
        }
    }

    #[test]
    fn base64_is_read_with_its_padding_and_without() {
        assert_eq!(SignatureEncoding::Base64.read("YQ=="), Some(b"a".to_vec()));
        assert_eq!(SignatureEncoding::Base64.read("YQ"), Some(b"a".to_vec()));
        assert_eq!(SignatureEncoding::Base64.read("*"), None);
    }
}
