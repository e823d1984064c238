//! Id and secret of an OAuth client in HTTP Basic: both form-encoded before, so that a colon in the id does not move the border
//! (RFC 6749, section 2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The header.
pub(crate) fn header(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

/// Id and secret of a header with the scheme `Basic`. A space may be `+` or `%20`.
pub(crate) fn pair(header: &str) -> Option<(String, String)> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    Some((decoded(id)?, decoded(secret)?))
}

/// A text as a form holds it.
pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
