//! Idempotency keys: texts by which a server recognizes a call that is sent again.

use http::header::{HeaderName, HeaderValue};

use crate::error::{Error, Operation};
use crate::http_client::Request;

/// A new idempotency key: a random UUID (RFC 9562, version 4). Clients make one for each call that takes it; make one yourself to
/// store it before the call, so that the same call can be sent again by another process.
///
/// # Errors
/// Returns an error if the system gives no random numbers.
pub fn new_idempotency_key() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::configuration(format!("the system gives no random numbers: {error}")))?;
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let digits = format!("{bits:032x}");
    Ok([&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"))
}

/// Gives a request the key of its operation, unless it has one or takes none.
///
/// # Errors
/// Returns an error if the table names a header that HTTP does not allow, or the system gives no random numbers.
pub(super) fn add_key(request: &mut Request, operation: &Operation) -> Result<(), Error> {
    let Some(header) = operation.idempotency_key else { return Ok(()) };
    if request.headers().contains_key(header) {
        return Ok(());
    }
    let unfit = |_| Error::invalid_request(format!("the table names a header that HTTP does not allow: `{header}`"));
    let name = HeaderName::try_from(header).map_err(unfit)?;
    let key =
        HeaderValue::try_from(new_idempotency_key()?).map_err(|error| Error::invalid_request(error.to_string()))?;
    request.headers_mut().insert(name, key);
    Ok(())
}

/// Returns whether a request has the key of its operation. An empty text is not a key.
pub(super) fn has_key(request: &Request, operation: &Operation) -> bool {
    let key = operation.idempotency_key.and_then(|header| request.headers().get(header));
    key.is_some_and(|key| !key.as_bytes().trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_uuid_of_version_4_and_another_one_each_time() {
        let (one, other) = (new_idempotency_key().expect("chance"), new_idempotency_key().expect("chance"));
        assert_ne!(one, other);
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(one.as_bytes()[14] == b'4' && b"89ab".contains(&one.as_bytes()[19]), "{one}");
    }
}
