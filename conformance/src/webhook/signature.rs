//! Signatures of deliveries: the mock makes them, the check judges them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chrono::DateTime;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use keyfit_openapi::plain;
use reqwest::header::HeaderMap;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::contract::{SecretEncoding, Signature, SignatureAlgorithm, SignatureEncoding, Signed};
use crate::secret::Secret;

/// From which value on a time is in milliseconds: the year 5138 in seconds.
const LEAST_MILLISECONDS: i64 = 100_000_000_000;

impl Signature {
    /// The key that a secret is.
    ///
    /// # Errors
    /// Returns an error, without the secret, if it is none.
    pub(crate) fn key(&self, secret: &Secret) -> Result<Vec<u8>, String> {
        let text = secret.reveal();
        let text = text.strip_prefix(&self.secret_prefix).unwrap_or(text);
        match self.secret_encoding {
            SecretEncoding::Text => Ok(text.as_bytes().to_vec()),
            SecretEncoding::Base64 => of_base64(text).ok_or_else(|| "the secret is not Base64".to_owned()),
            SecretEncoding::Hex => of_hex(text).ok_or_else(|| "the secret is not hexadecimal".to_owned()),
        }
    }

    /// The value of the header with the signature.
    pub(crate) fn written(&self, key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
        let bytes = self.algorithm.of(key, &self.input(id, timestamp, body));
        let text = match self.encoding {
            SignatureEncoding::Hex => hex(&bytes),
            SignatureEncoding::Base64 => STANDARD.encode(bytes),
        };
        format!("{}{text}", self.prefix)
    }

    /// What is wrong with the signature of a delivery.
    pub(crate) fn finding(&self, key: &[u8], headers: &HeaderMap, body: &[u8]) -> Option<String> {
        let found = match text(headers, &self.header) {
            Ok(found) => found,
            Err(problem) => return Some(problem),
        };
        let needs = |name: Option<&String>| match name {
            Some(name) => text(headers, name).map(str::to_owned),
            None => Ok(String::new()),
        };
        let id = needs(self.id_header.as_ref().filter(|_| self.signs == Signed::IdTimestampBody));
        let timestamp = if self.signs == Signed::Body { Ok(String::new()) } else { self.timestamp(headers) };
        let (id, timestamp) = match (id, timestamp) {
            (Ok(id), Ok(timestamp)) => (id, timestamp),
            (Err(problem), _) | (_, Err(problem)) => return Some(problem),
        };
        let signatures: Vec<&str> = parts(found).filter_map(|part| part.strip_prefix(self.prefix.trim())).collect();
        if signatures.is_empty() {
            let prefix = self.prefix.trim();
            return Some(format!("no signature in `{}` begins with `{prefix}`", self.header));
        }
        let right = self.algorithm.of(key, &self.input(&id, &timestamp, body));
        let is_right = |written: &&str| self.encoding.read(written).is_some_and(|bytes| is_same(&bytes, &right));
        let is_signed = signatures.iter().any(is_right);
        (!is_signed).then(|| format!("the signature in `{}` is not the one of what came", self.header))
    }

    /// What is wrong with the time of a delivery that arrived at this second.
    pub(crate) fn late(&self, headers: &HeaderMap, arrived: u64) -> Option<String> {
        // Where it is missing, the signature cannot be right.
        let text = self.timestamp(headers).ok()?;
        let Some(time) = seconds(&text) else {
            return Some(format!("the time of the delivery is `{}`, which is none", plain(&text)));
        };
        let off = i64::try_from(arrived).unwrap_or(i64::MAX).abs_diff(time);
        let tolerance = self.tolerance_seconds;
        (off > tolerance).then(|| format!("the time of the delivery is {off} s off, more than {tolerance} s"))
    }

    /// The time of a delivery, as it stands there.
    fn timestamp(&self, headers: &HeaderMap) -> Result<String, String> {
        let name = self.timestamp_header.as_deref().unwrap_or_default();
        let found = text(headers, name)?;
        if self.timestamp_prefix.is_empty() {
            return Ok(found.to_owned());
        }
        let mut stamped = parts(found).filter_map(|part| part.strip_prefix(self.timestamp_prefix.as_str()));
        let stamped = stamped.next().map(str::to_owned);
        stamped.ok_or_else(|| format!("no part of `{name}` begins with `{}`", self.timestamp_prefix))
    }

    fn input(&self, id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
        let before: &[&str] = match self.signs {
            Signed::Body => &[],
            Signed::TimestampBody => &[timestamp],
            Signed::IdTimestampBody => &[id, timestamp],
        };
        let before: String = before.iter().flat_map(|part| [part, self.separator.as_str()]).collect();
        [before.as_bytes(), body].concat()
    }
}

impl SignatureAlgorithm {
    fn of(self, key: &[u8], input: &[u8]) -> Vec<u8> {
        match self {
            Self::HmacSha1 => mac::<Hmac<Sha1>>(key, input),
            Self::HmacSha256 => mac::<Hmac<Sha256>>(key, input),
            Self::HmacSha512 => mac::<Hmac<Sha512>>(key, input),
        }
    }
}

impl SignatureEncoding {
    fn read(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => of_hex(text),
            Self::Base64 => of_base64(text),
        }
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], input: &[u8]) -> Vec<u8> {
    let mut mac = <M as Mac>::new_from_slice(key).expect("HMAC takes keys of any length (RFC 2104, section 2)");
    mac.update(input);
    mac.finalize().into_bytes().to_vec()
}

/// Takes the same time for every wrong signature of the right length.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |seen, (one, other)| seen | (one ^ other)) == 0
}

/// A header that there has to be.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, String> {
    let value = headers.get(name).ok_or_else(|| format!("the header `{name}` is missing"))?;
    value.to_str().map_err(|_| format!("the header `{name}` is no text"))
}

/// The parts of a header that holds several, with commas or spaces between them, and what stands between spaces as a whole: a version
/// may stand before a signature with a comma, as in `v1,`.
fn parts(value: &str) -> impl Iterator<Item = &str> {
    let spaced = value.split(' ').filter(|part| !part.is_empty());
    spaced.flat_map(|part| part.split(',').chain(part.contains(',').then_some(part)))
}

/// The seconds since the Unix epoch that a text tells.
fn seconds(text: &str) -> Option<i64> {
    let number = || {
        let number: i64 = text.trim().parse().ok()?;
        Some(if number >= LEAST_MILLISECONDS { number / 1000 } else { number })
    };
    number().or_else(|| DateTime::parse_from_rfc3339(text.trim()).ok().map(|date| date.timestamp()))
}

fn of_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(text: &str) -> Signature {
        toml::from_str(text).expect(text)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    const BODY: &[u8] = b"what do ya want for nothing?";

    #[test]
    fn the_published_codes_are_recognised_in_each_encoding() {
        // RFC 2202, section 3, and RFC 4231, section 4.3: the key is four letters long.
        for (algorithm, hex) in [
            ("hmac-sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            ("hmac-sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                "hmac-sha512",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let base64 = STANDARD.encode(of_hex(hex).expect("it is"));
            for (encoding, written) in [("hex", hex.to_owned()), ("hex", hex.to_uppercase()), ("base64", base64)] {
                let one = signature(&format!(
                    "header = 'x-sig'\nalgorithm = '{algorithm}'\nencoding = '{encoding}'\nsigns = 'body'\nprefix = 'v='"
                ));
                let came = headers(&[("x-sig", &format!("v={written}"))]);
                assert_eq!(one.finding(b"Jefe", &came, BODY), None, "{algorithm} {encoding}");
                assert!(one.finding(b"Jefa", &came, BODY).is_some(), "{algorithm} {encoding}: another key");
                assert!(one.finding(b"Jefe", &came, b"another body").is_some(), "{algorithm} {encoding}: another body");
            }
        }
    }

    #[test]
    fn several_signatures_in_one_header_and_a_time_among_them() {
        let one = signature(
            "header = 'x-sig'\nalgorithm = 'hmac-sha256'\nencoding = 'hex'\nsigns = 'timestamp-body'\nprefix = 'v1='\ntimestamp-header = 'x-sig'\ntimestamp-prefix = 't='",
        );
        let right = one.written(b"k", "", "1000", BODY);
        let came = |time: &str| headers(&[("x-sig", &format!("t={time},v1=00,{right}, v0=00"))]);
        assert_eq!(one.finding(b"k", &came("1000"), BODY), None);
        assert!(one.finding(b"k", &came("1001"), BODY).is_some(), "the time is signed");
        assert_eq!(one.late(&came("1000"), 1300), None);
        assert!(one.late(&came("1000"), 1301).is_some_and(|told| told.contains("301 s off")));
        assert!(one.late(&came("1000"), 699).is_some(), "nor may it be in the future");
        assert!(one.late(&came("soon"), 1000).is_some_and(|told| told.contains("`soon`")));
        let bare = headers(&[("x-sig", &right)]);
        assert!(one.finding(b"k", &bare, BODY).is_some_and(|told| told.contains("begins with `t=`")));
        assert_eq!(one.late(&bare, 1000), None, "that is the signature's to say");
        assert!(one.finding(b"k", &headers(&[]), BODY).is_some_and(|told| told.contains("`x-sig` is missing")));
    }

    #[test]
    fn the_form_of_the_standard_webhooks_specification() {
        let one = signature(
            "header = 'webhook-signature'\nalgorithm = 'hmac-sha256'\nencoding = 'base64'\nsigns = 'id-timestamp-body'\nprefix = 'v1,'\ntimestamp-header = 'webhook-timestamp'\nid-header = 'webhook-id'\nsecret-prefix = 'whsec_'\nsecret-encoding = 'base64'",
        );
        let secret = Secret::new(format!("whsec_{}", STANDARD.encode("fixture-secret")));
        let key = one.key(&secret).expect("a key");
        assert_eq!(key, b"fixture-secret");
        let right = one.written(&key, "msg_1", "1700000000", BODY);
        let came = |id: &str| {
            let value = format!("v1a,AAAA {right}");
            headers(&[("webhook-signature", &value), ("webhook-timestamp", "1700000000"), ("webhook-id", id)])
        };
        assert_eq!(one.finding(&key, &came("msg_1"), BODY), None);
        assert!(one.finding(&key, &came("msg_2"), BODY).is_some(), "the id is signed");
        let problem = one.key(&Secret::new("whsec_***")).expect_err("it is no Base64");
        assert!(!problem.contains("***"), "{problem}");
    }

    #[test]
    fn times_are_read_in_each_way_in_which_they_are_written() {
        for text in ["1700000000", " 1700000000 ", "1700000000123", "2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00"]
        {
            assert_eq!(seconds(text), Some(1_700_000_000), "{text}");
        }
        assert_eq!(seconds("yesterday"), None);
        assert_eq!(of_hex("0g"), None);
        assert_eq!(of_hex("abc"), None);
    }
}
