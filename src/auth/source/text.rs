//! Turns the bytes that a source read into a secret.

use secrecy::SecretString;
use secrecy::zeroize::Zeroize as _;

use crate::error::Error;

/// The largest secret that is read from a file or a command, in bytes.
pub(super) const LIMIT: usize = 64 * 1024;

/// Takes bytes as a secret, without the one line break that editors and `echo` put at the end.
///
/// # Errors
/// Returns an error if there are too many bytes, they are not valid UTF-8, or the text is blank. The message names `place` and never
/// shows the bytes.
pub(super) fn secret(bytes: Vec<u8>, place: &str) -> Result<SecretString, Error> {
    let refuse = |mut bytes: Vec<u8>, flaw: &str| {
        bytes.zeroize();
        Error::credential(format!("{place} {flaw}"))
    };
    if bytes.len() > LIMIT {
        return Err(refuse(bytes, "holds more than 64 KiB, which is no secret"));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| refuse(error.into_bytes(), "holds no valid text"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.trim().is_empty() {
        return Err(refuse(text.into_bytes(), "is empty"));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        secret(bytes.to_vec(), "the file x")
            .map(|secret| secret.expose_secret().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn one_line_break_at_the_end_is_trimmed_and_nothing_else() {
        for (bytes, text) in
            [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("a\r", "a\r")]
        {
            assert_eq!(read(bytes.as_bytes()).as_deref(), Ok(text), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_by_name() {
        assert_eq!(read(b"").unwrap_err(), "the file x is empty");
        assert_eq!(read(b" \n").unwrap_err(), "the file x is empty");
        assert_eq!(read(b"hunter2\xff").unwrap_err(), "the file x holds no valid text");
        assert!(read(&vec![b'x'; LIMIT]).is_ok());
        assert_eq!(read(&vec![b'x'; LIMIT + 1]).unwrap_err(), "the file x holds more than 64 KiB, which is no secret");
    }
}
