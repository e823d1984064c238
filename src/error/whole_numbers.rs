//! Whole numbers as JSON Schema has them: `3.0` and `1.2E+3` are integers, and Rust's integers are read from `3` and `1200` alone.

/// The most digits that an integer is written out with; no integer of Rust's has more.
const DIGITS: usize = 40;

/// The text with each whole number written as an integer, exactly; `None` where that changes nothing. What is no JSON stays as
/// far from it as it was.
pub(crate) fn as_integers(text: &[u8]) -> Option<Vec<u8>> {
    let mut written: Option<Vec<u8>> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => at = after_string(text, at),
            b'-' | b'0'..=b'9' => {
                let end = at + text[at..].iter().take_while(|&&byte| is_of_number(byte)).count();
                if let Some(integer) = integer(&text[at..end]) {
                    let written = written.get_or_insert_default();
                    written.extend_from_slice(&text[copied..at]);
                    written.extend_from_slice(&integer);
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    let mut written = written?;
    written.extend_from_slice(&text[copied..]);
    Some(written)
}

/// The place behind the string that begins at `start`.
fn after_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// A number with a fraction or an exponent as an integer; `None` if it is none, or too long to be one of Rust's.
fn integer(number: &[u8]) -> Option<Vec<u8>> {
    let (mantissa, exponent) = match number.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&number[..at], std::str::from_utf8(&number[at + 1..]).ok()?.parse::<i32>().ok()?),
        None if number.contains(&b'.') => (number, 0),
        None => return None,
    };
    let (sign, mantissa) = mantissa.strip_prefix(b"-").map_or((false, mantissa), |rest| (true, rest));
    let mut halves = mantissa.splitn(2, |byte| *byte == b'.');
    let (whole, fraction) = (halves.next()?, halves.next());
    let is_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !is_digits(whole) || (whole.len() > 1 && whole[0] == b'0') || !fraction.is_none_or(is_digits) {
        return None;
    }
    let mut digits = [whole, fraction.unwrap_or_default()].concat();
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    match usize::try_from(point) {
        Ok(point) if point <= DIGITS => {
            if digits.iter().skip(point).any(|digit| *digit != b'0') {
                return None;
            }
            digits.resize(point, b'0');
        }
        _ if digits.iter().all(|digit| *digit == b'0') => digits.clear(),
        _ => return None,
    }
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..leading);
    if digits.is_empty() {
        return Some(b"0".to_vec());
    }
    if sign {
        digits.insert(0, b'-');
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::as_integers;

    fn written(text: &str) -> Option<String> {
        as_integers(text.as_bytes()).map(|text| String::from_utf8(text).expect("UTF-8"))
    }

    #[test]
    fn whole_numbers_are_written_as_integers() {
        for (number, integer) in [
            ("3.0", "3"),
            ("-3.00", "-3"),
            ("1.2E+3", "1200"),
            ("9e15", "9000000000000000"),
            ("1234567890123456789.0", "1234567890123456789"),
            ("1200e-2", "12"),
            ("0.0", "0"),
            ("-0.0", "0"),
            ("0e400", "0"),
            ("0.5e1", "5"),
            ("1.8446744073709551615e19", "18446744073709551615"),
        ] {
            assert_eq!(written(number).as_deref(), Some(integer), "{number}");
            let within = format!(r#"{{"a":[1,{number}],"3.0":"3.0 \" 3.0","b":{number}}}"#);
            let expected = format!(r#"{{"a":[1,{integer}],"3.0":"3.0 \" 3.0","b":{integer}}}"#);
            assert_eq!(written(&within), Some(expected));
        }
    }

    #[test]
    fn other_numbers_and_what_is_no_number_stay() {
        for text in [
            "3",
            "-3",
            "3.5",
            "1e-1",
            "1e400",
            "1e99999999999",
            "\"3.0",
            "\"\\",
            "3.",
            ".5",
            "01.0",
            "1.0.0",
            "--1.0",
            "1e",
            "null",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
    }
}
