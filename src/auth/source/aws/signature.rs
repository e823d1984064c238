//! AWS's Signature Version 4, for requests without a query to normalise.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha256};

use super::credentials::AccessKey;
use crate::error::Error;
use crate::error::hex::hex;

/// The request to sign. Header names are in lower case and in order; the path and the query are encoded already.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// Where and when a signature counts.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    /// As [`amz_date`] writes it.
    pub(super) date: &'a str,
}

/// The time as `X-Amz-Date` has it: `20150830T123600Z`.
pub(super) fn amz_date(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%Y%m%dT%H%M%SZ").to_string()
}

/// The value of `Authorization`.
pub(super) fn authorization(key: &AccessKey, scope: &Scope<'_>, request: &Unsigned<'_>) -> Result<String, Error> {
    let Scope { region, service, date } = scope;
    let day = date.get(..8).unwrap_or_default();
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let credential_scope = format!("{day}/{region}/{service}/aws4_request");
    let canonical = hex(&Sha256::digest(canonical(request, &names).as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{credential_scope}\n{canonical}");

    // Each part of the scope narrows the key, so that a stolen derived key is good for one day and service.
    let mut secret = Zeroizing::new(format!("AWS4{}", key.secret.expose_secret()).into_bytes());
    for part in [day, region, service, "aws4_request"] {
        secret = Zeroizing::new(hmac(&secret, part)?);
    }
    let signature = hex(&hmac(&secret, &to_sign)?);
    let id = &key.id;
    Ok(format!("AWS4-HMAC-SHA256 Credential={id}/{credential_scope}, SignedHeaders={names}, Signature={signature}"))
}

fn canonical(request: &Unsigned<'_>, names: &str) -> Zeroizing<String> {
    let Unsigned { method, path, query, headers, body } = request;
    let mut text = Zeroizing::new(format!("{method}\n{path}\n{query}\n"));
    for (name, value) in *headers {
        text.push_str(name);
        text.push(':');
        text.push_str(value.trim());
        text.push('\n');
    }
    text.push('\n');
    text.push_str(names);
    text.push('\n');
    text.push_str(&hex(&Sha256::digest(body)));
    text
}

fn hmac(key: &[u8], text: &str) -> Result<Vec<u8>, Error> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| Error::credential("the AWS secret access key cannot be used as a key"))?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const DATE: &str = "20150830T123600Z";
    const SESSION: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

    fn signature(service: &str, request: &Unsigned<'_>) -> String {
        let key = AccessKey {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        };
        authorization(&key, &Scope { region: "us-east-1", service, date: DATE }, request).expect("a signature")
    }

    #[test]
    fn the_date_has_awss_form() {
        assert_eq!(amz_date(UNIX_EPOCH + Duration::from_secs(1_440_938_160)), DATE);
    }

    /// Method, headers, and the signature.
    type Case<'a> = (&'static str, &'a [(&'static str, &'static str)], &'static str);

    /// `get-vanilla`, `post-vanilla` and `post-sts-header-before` of AWS's Signature Version 4 test suite.
    #[test]
    fn the_vectors_of_awss_test_suite_are_met() {
        let plain = [("host", "example.amazonaws.com"), ("x-amz-date", DATE)];
        let with_session = [("host", "example.amazonaws.com"), ("x-amz-date", DATE), ("x-amz-security-token", SESSION)];
        let cases: [Case<'_>; 3] = [
            ("GET", &plain, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", &plain, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            ("POST", &with_session, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
        ];
        for (method, headers, expected) in cases {
            let request = Unsigned { method, path: "/", query: "", headers, body: b"" };
            let signed = signature("service", &request);
            assert!(signed.ends_with(&format!(", Signature={expected}")), "{method}: {signed}");
        }
    }

    /// The worked example of AWS's General Reference: IAM's `ListUsers`.
    #[test]
    fn the_worked_example_of_awss_reference_is_met() {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", DATE),
        ];
        let query = "Action=ListUsers&Version=2010-05-08";
        let request = Unsigned { method: "GET", path: "/", query, headers: &headers, body: b"" };
        assert_eq!(
            signature("iam", &request),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }
}
