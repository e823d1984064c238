//! Multipart bodies (RFC 7578) as bytes.

use sha2::{Digest as _, Sha256};

use super::Field;
use crate::document::body::essence;

/// Returns a multipart body. Its boundary is a hash of the content, so that a repeated request is identical.
pub(super) fn bytes(fields: &[Field]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update(field.name.as_bytes());
        hash.update(&field.content);
    }
    let boundary = format!("{:x}", hash.finalize());
    let mut text = Vec::new();
    for field in fields {
        let file = field.file_name.as_deref().map(|name| format!("; filename=\"{}\"", quoted(name)));
        let media_type = field.media_type.as_deref().map(|media_type| format!("\r\nContent-Type: {media_type}"));
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"{}{}\r\n\r\n",
            quoted(&field.name),
            file.unwrap_or_default(),
            media_type.unwrap_or_default()
        );
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(&field.content);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    text
}

/// Returns the media type, with its boundary, of a multipart body that [`bytes`] returned.
pub(super) fn media_type(documented: &str, bytes: &[u8]) -> String {
    let first = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    // A body that is not multipart has no boundary; the parameter is still required.
    let boundary = String::from_utf8_lossy(first.strip_prefix(b"--").unwrap_or(b"keyfit")).into_owned();
    format!("{}; boundary={}", essence(documented), boundary.trim_end_matches("--"))
}

/// Quotes a name, as the HTML standard requires of browsers.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn unquoted(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// Parses the parts of a body; returns `None` if it is not a valid multipart body.
pub(super) fn read(media_type: &str, bytes: &[u8]) -> Option<Vec<Field>> {
    let boundary = parameter(media_type, "boundary").filter(|boundary| !boundary.is_empty())?;
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The preamble before the first part is ignored.
    let mut rest = match bytes.strip_prefix(&delimiter[2..]) {
        Some(rest) => rest,
        None => bytes.get(find(bytes, &delimiter)? + delimiter.len()..)?,
    };
    let mut found = Vec::new();
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n")?;
        let end = find(part, &delimiter)?;
        found.push(field(&part[..end])?);
        rest = &part[end + delimiter.len()..];
    }
    Some(found)
}

fn field(bytes: &[u8]) -> Option<Field> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let header = |wanted: &str| {
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let disposition = header("content-disposition")?;
    Some(Field {
        name: unquoted(&parameter(disposition, "name")?),
        content: bytes[end + 4..].to_vec(),
        media_type: header("content-type").map(str::to_owned),
        file_name: parameter(disposition, "filename").map(|name| unquoted(&name)),
    })
}

/// Returns a parameter of a header, quoted or not.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, value) = rest.trim_start().split_once('=')?;
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"')?;
                (value, after.split_once(';').map_or("", |(_, after)| after))
            }
            None => value.split_once(';').map_or((value.trim(), ""), |(value, after)| (value.trim(), after)),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.to_owned());
        }
        rest = after;
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_parts_is_not_read() {
        for (media_type, bytes) in [
            ("multipart/form-data", "--x\r\n\r\n\r\n--x--"),
            ("multipart/form-data; boundary=", "----"),
            ("multipart/form-data; boundary=x", ""),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\na\r\n"),
            ("multipart/form-data; boundary=x", "--xy"),
        ] {
            assert_eq!(read(media_type, bytes.as_bytes()), None, "{bytes:?}");
        }
        let found = read(
            "multipart/form-data; charset=utf-8; boundary=\"x y\"",
            b"before\r\n--x y\r\ncontent-disposition: form-data; filename=\"a;b%22.txt\"; name=n\r\n\r\na\r\n--x y--\r\n",
        );
        let expected = Field { file_name: Some("a;b\".txt".to_owned()), ..Field::text("n", "a") };
        assert_eq!(found, Some(vec![expected]));
    }
}
