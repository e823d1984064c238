//! Validation of texts against the `format` of a schema.
//!
//! Formats are known by their names in the OpenAPI format registry; other formats are not validated. Where standards and
//! common usage differ, both are accepted: a `time` may lack its offset, a `duration` may have a sign and a fraction (ISO
//! 8601, where RFC 3339 has neither), and `byte` may use either alphabet of RFC 4648, padded or not, with line breaks.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, NaiveDate, NaiveTime};
use url::Url;

/// The maximum length of a host name (RFC 1035), and of one of its labels.
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;

/// The formats that are validated.
const KNOWN: [&str; 11] =
    ["byte", "date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"];

/// Returns whether a format is validated.
pub(crate) fn is_known(format: &str) -> bool {
    KNOWN.contains(&format)
}

/// Returns whether a text has a format; `true` if the format is not known.
pub(crate) fn fits(format: &str, text: &str) -> bool {
    match format {
        "date-time" => DateTime::parse_from_rfc3339(text).is_ok() && text.as_bytes()[10].eq_ignore_ascii_case(&b'T'),
        "date" => is_date(text),
        "time" => is_time(text),
        "duration" => is_duration(text),
        "uuid" => is_uuid(text),
        "email" => is_email(text),
        "uri" => !text.contains(char::is_whitespace) && Url::parse(text).is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "hostname" => is_host(text),
        "byte" => is_base64(text),
        _ => true,
    }
}

/// Returns whether a text is a date such as `2026-01-22`. The parser alone accepts a year of any length, and days without a
/// leading zero.
fn is_date(text: &str) -> bool {
    text.len() == 10 && text.is_ascii() && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// Returns whether a text is a time such as `10:00:00Z`, with or without the fraction and the offset.
fn is_time(text: &str) -> bool {
    let is_whole = DateTime::parse_from_rfc3339(&format!("2026-01-22T{text}")).is_ok();
    is_whole || NaiveTime::parse_from_str(text, "%H:%M:%S%.f").is_ok()
}

/// Returns whether a text is a duration such as `P1DT2H`: numbers with units in descending order, of which the last may have
/// a fraction.
fn is_duration(text: &str) -> bool {
    let Some(text) = text.trim_start_matches(['-', '+']).strip_prefix('P') else { return false };
    let (days, time) = text.split_once('T').map_or((text, None), |(days, time)| (days, Some(time)));
    let parts = |text: &str, units: &str| -> bool {
        let (mut rest, mut units) = (text, units);
        while !rest.is_empty() {
            let number = rest.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '.' | ','));
            let Some((number, unit)) = number.map(|end| rest.split_at(end)) else { return false };
            let place = unit.chars().next().and_then(|unit| units.find(unit));
            let (Some(place), true) = (place, number.starts_with(|digit: char| digit.is_ascii_digit())) else {
                return false;
            };
            (rest, units) = (&unit[1..], &units[place + 1..]);
            let is_fraction = number.contains(['.', ',']);
            let is_number = number.ends_with(|digit: char| digit.is_ascii_digit());
            if !is_number || number.matches(['.', ',']).count() > 1 || (is_fraction && !rest.is_empty()) {
                return false;
            }
        }
        true
    };
    let is_any = !text.is_empty() && time != Some("");
    is_any && parts(days, "YMWD") && time.is_none_or(|time| parts(time, "HMS"))
}

/// Returns whether a text is a UUID: 32 hexadecimal digits in five groups.
fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Returns whether a text has a local part before the last `@` and a domain after it. Mail servers do not agree on the
/// further rules of RFC 5321.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let has_space = |text: &str| text.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    let is_local = !local.is_empty() && (is_quoted || !has_space(local) && !local.contains('@'));
    is_local && !domain.is_empty() && !has_space(domain) && !domain.starts_with('.') && !domain.contains("..")
}

/// Returns whether a text consists of labels of letters, digits and hyphens (RFC 1123).
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= MAX_HOST && text.split('.').all(is_label)
}

fn is_base64(text: &str) -> bool {
    let text: String = text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    // The unused bits of the last letter may be set.
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabets = [STANDARD, URL_SAFE];
    alphabets.iter().any(|alphabet| GeneralPurpose::new(alphabet, config).decode(&text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{fits, is_known};

    #[test]
    fn a_text_is_of_a_format_or_not() {
        let long = "a".repeat(64);
        for (format, right, wrong) in [
            (
                "date-time",
                &["2026-01-22T10:00:00Z", "2026-01-22t10:00:00.123456789+05:30", "2016-12-31T23:59:60Z"][..],
                &["", "yesterday", "2026-01-22", "2026-01-22T10:00:00", "2026-01-22 10:00:00Z", "2026-02-30T10:00:00Z"]
                    [..],
            ),
            (
                "date",
                &["2026-01-22", "2024-02-29"],
                &["", "2026-1-2", "2026-02-29", "22.01.2026", "2026-01-22T10:00:00Z"],
            ),
            ("time", &["10:00:00Z", "10:00:00.5+01:00", "23:59:59"], &["", "10", "24:00:00", "10:00:00 AM", "soon"]),
            (
                "duration",
                &["P1Y2M3DT4H5M6S", "P2W", "PT0.5S", "-P1D", "PT36H", "P0D"],
                &["", "P", "PT", "P1DT", "1D", "P1", "PT5M1H", "PT0.5M3S", "PT.5S", "P1DT2", "P1é", "00:10:00"],
            ),
            (
                "uuid",
                &["00000000-0000-4000-8000-000000000000", "ABCDEFab-0000-4000-8000-000000000000"],
                &["", "7", "00000000000040008000000000000000", "0000000g-0000-4000-8000-000000000000"],
            ),
            (
                "email",
                &["ada@example.com", "a+b@localhost", "\"a b\"@example.com", "ädä@exämple.com"],
                &["", "ada", "@example.com", "ada@", "a b@example.com", "ada@example..com", "a@b@example.com"],
            ),
            (
                "uri",
                &["https://example.com/a?b#c", "urn:isbn:0", "mailto:ada@example.com"],
                &["", "/a", "example.com", "https://", "https://example.com/a b"],
            ),
            ("ipv4", &["192.0.2.1"], &["", "192.0.2", "192.0.2.256", "2001:db8::1", "192.0.2.1/24"]),
            ("ipv6", &["2001:db8::1", "::ffff:192.0.2.1"], &["", "192.0.2.1", "2001:db8::1::", "[2001:db8::1]"]),
            (
                "hostname",
                &["localhost", "a-1.example.com", "example.com.", "192.0.2.1"],
                &["", ".", "-a.example", "a_b.example", "a.example:80", "https://a.example", &long],
            ),
            ("byte", &["", "dGV4dA==", "dGV4dA", "-_-_", "+/+/", "dGV4\r\ndA==\n"], &["text!", "a", "{}", "dGV4dA==="]),
            ("of-our-own", &["", "anything"], &[]),
        ] {
            assert_eq!(is_known(format), !wrong.is_empty(), "{format}");
            for text in right {
                assert!(fits(format, text), "{format}: `{text}` is one");
            }
            for text in wrong {
                assert!(!fits(format, text), "{format}: `{text}` is none");
            }
        }
    }
}
