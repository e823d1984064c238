//! Where a queue is, as a URL.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use crate::error::Error;

const LONGEST_NAME: usize = 64;

/// Where a queue is: `nats://HOST:PORT/STREAM`, for workers `nats://HOST:PORT/STREAM/CONSUMER`; `tls://` for TLS. A login stands
/// before the host, as `USER:PASSWORD@` or `TOKEN@`, or in a file of [credentials](Self::credentials).
#[derive(Clone)]
pub struct Address {
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: Login,
    pub(super) credentials: Option<PathBuf>,
    pub(super) authority: Option<PathBuf>,
    pub(super) stream: String,
    pub(super) consumer: Option<String>,
}

#[derive(Clone)]
pub(super) enum Login {
    None,
    Token(SecretString),
    User(String, SecretString),
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// Returns an error if it is no such URL, or a name has other characters than letters, digits, `-` and `_`, or more than 64.
    /// The error does not hold the URL.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let refused = |why: &str| {
            Error::configuration(format!(
                "the URL of the queue is refused: {why}; it is `nats://HOST:PORT/STREAM`, for workers with `/CONSUMER` behind it, or `tls://…`"
            ))
        };
        let url = Url::parse(url).map_err(|error| refused(&error.to_string()))?;
        let is_tls = match url.scheme() {
            "nats" => false,
            "tls" => true,
            _ => return Err(refused("its scheme is neither `nats` nor `tls`")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| refused("it names no host"))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("it has a query or a fragment"));
        }
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login = match (url.username(), url.password()) {
            ("", None) => Login::None,
            (token, None) => Login::Token(plain(token).into()),
            (user, Some(password)) => Login::User(plain(user), plain(password).into()),
        };
        let mut names = url.path().trim_start_matches('/').trim_end_matches('/').split('/');
        let stream = names.next().filter(|name| !name.is_empty()).ok_or_else(|| refused("it names no stream"))?;
        let consumer = names.next();
        if names.next().is_some() {
            return Err(refused("its path has more than a stream and a consumer"));
        }
        if [Some(stream), consumer].into_iter().flatten().any(|name| !is_name(name)) {
            return Err(refused(
                "a name in its path has other characters than letters, digits, `-` and `_`, or more than 64",
            ));
        }
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port: url.port().unwrap_or(4222),
            login,
            credentials: None,
            authority: None,
            stream: stream.to_owned(),
            consumer: consumer.map(str::to_owned),
        })
    }

    /// Logs in by a file of credentials (a JWT and its seed), as `nsc` writes them, in place of what the URL holds.
    #[must_use]
    pub fn credentials(mut self, file: impl Into<PathBuf>) -> Self {
        self.credentials = Some(file.into());
        self
    }

    /// Trusts the certificates of a PEM file in place of those of the system.
    #[must_use]
    pub fn certificates(mut self, file: impl Into<PathBuf>) -> Self {
        self.authority = Some(file.into());
        self
    }

    /// The name of the stream.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The name of the consumer, if there is one.
    pub fn consumer(&self) -> Option<&str> {
        self.consumer.as_deref()
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Without the login.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "tls" } else { "nats" };
        write!(f, "{scheme}://{}:{}/{}", self.host, self.port, self.stream)?;
        self.consumer.iter().try_for_each(|consumer| write!(f, "/{consumer}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_server_a_stream_and_a_consumer() {
        let address = Address::parse("nats://queue.example:4223/contacts/import").expect("an address");
        assert_eq!(address.to_string(), "nats://queue.example:4223/contacts/import");
        assert_eq!((address.stream(), address.consumer()), ("contacts", Some("import")));
        let address = Address::parse("tls://[::1]/contacts").expect("an address");
        assert_eq!((address.port, address.consumer()), (4222, None));
    }

    #[test]
    fn a_login_is_shown_nowhere() {
        for url in
            ["nats://ann:hunter2@h/s", "nats://hunter2@h/s", "http://ann:hunter2@h/s", "nats://ann:hunter2@h:x/s"]
        {
            let shown = match Address::parse(url) {
                Ok(address) => format!("{address} {address:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_such_url_is_refused_with_the_way_out() {
        for url in [
            "",
            "contacts",
            "nats://h",
            "nats://h/",
            "nats://h/a.b",
            "nats://h/a/b/c",
            "redis://h/s",
            "nats://h/s?x=1",
            "nats:///s",
        ] {
            let error = Address::parse(url).expect_err(url).to_string();
            assert!(error.contains("nats://HOST:PORT/STREAM"), "{error}");
        }
    }
}
