//! Durations and sizes as people write them.

use std::time::Duration;

/// The longest duration that anybody means.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The largest size that anybody means, in bytes.
const LARGEST: u64 = 1 << 40;

pub(super) const DURATION: &str = "write a number with its unit: \"500ms\", \"30s\", \"5m\" or \"1h\"";
pub(super) const SIZE: &str = "write a number with its unit, \"64MiB\", or the bytes as a number";

/// A duration: a number, with a point or without, and `ms`, `s`, `m` or `h`.
///
/// # Errors
/// Returns an error if it is none: why, as the end of a sentence.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    let (number, unit) = halves(text);
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" if !number.is_empty() => return Err("has no unit"),
        _ => return Err("is not a duration"),
    };
    let seconds =
        plain_number(number).ok_or(if number.starts_with('-') { "is negative" } else { "is not a duration" })?;
    let duration = Duration::try_from_secs_f64(seconds * scale).map_err(|_| "is longer than a day")?;
    match duration {
        _ if duration > LONGEST => Err("is longer than a day"),
        _ if duration < Duration::from_millis(1) => Err("is shorter than a millisecond"),
        _ => Ok(duration),
    }
}

/// A size in bytes: a number and `B`, `kB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`.
///
/// # Errors
/// Returns an error if it is none: why, as the end of a sentence.
pub(super) fn size(text: &str) -> Result<usize, &'static str> {
    let (number, unit) = halves(text);
    let scale: u64 = match unit {
        "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "" if !number.is_empty() => return Err("has no unit"),
        _ => return Err("is not a size"),
    };
    let number: u64 =
        number.parse().map_err(|_| if number.starts_with('-') { "is negative" } else { "is not a size" })?;
    bytes(number.saturating_mul(scale))
}

/// A size that is a number of bytes.
///
/// # Errors
/// Returns an error if it is none: why, as the end of a sentence.
pub(super) fn bytes(number: u64) -> Result<usize, &'static str> {
    match number {
        0 => Err("is nothing"),
        LARGEST.. => Err("is more than a machine has"),
        _ => usize::try_from(number).map_err(|_| "is more than this machine has"),
    }
}

/// The number and the unit; a space between them is fine.
fn halves(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '.' | '-')).unwrap_or(text.len());
    (text[..end].trim(), text[end..].trim())
}

/// A number of digits with at most one point: no sign, no exponent, no `inf`.
fn plain_number(text: &str) -> Option<f64> {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_are_what_somebody_can_mean() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("5m", 300_000),
            ("24h", 86_400_000),
            ("1.5s", 1_500),
            ("2 s", 2_000),
            ("0.001s", 1),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for (text, told) in [
            ("30", "has no unit"),
            ("", "is not a duration"),
            ("s", "is not a duration"),
            ("soon", "is not a duration"),
            ("-1s", "is negative"),
            ("0s", "is shorter than a millisecond"),
            ("0.1ms", "is shorter than a millisecond"),
            ("25h", "is longer than a day"),
            ("99999999999999999999999999h", "is longer than a day"),
            ("1.2.3s", "is not a duration"),
            ("1e3s", "is not a duration"),
            ("1m30s", "is not a duration"),
            ("1\u{661}s", "is not a duration"),
        ] {
            assert_eq!(duration(text), Err(told), "{text}");
        }
    }

    #[test]
    fn sizes_have_a_unit_and_are_more_than_nothing() {
        for (text, bytes) in [("64MiB", 64 << 20), ("1 KiB", 1024), ("5kB", 5_000), ("7B", 7)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for (text, told) in [
            ("64", "has no unit"),
            ("64M", "is not a size"),
            ("1.5MiB", "is not a size"),
            ("-1B", "is negative"),
            ("0B", "is nothing"),
            ("99999999GiB", "is more than a machine has"),
        ] {
            assert_eq!(size(text), Err(told), "{text}");
        }
    }
}
