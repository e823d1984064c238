//! The kinds of token that a contract names.

use serde::Deserialize;
use toml::Spanned;

use super::error_at_offset;
use crate::{Error, Text};

/// A kind of token.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Credential {
    /// The name of the kind, as the overlay uses it in `credentials`.
    pub(crate) kind: Spanned<String>,
    /// The prefix of such a token.
    #[serde(default)]
    pub(crate) prefix: String,
    /// The prefix of a token for a test environment.
    pub(crate) test_prefix: Option<String>,
    /// Other prefixes of such a token.
    #[serde(default)]
    pub(crate) other_prefixes: Vec<String>,
    /// The places where it may be sent, the preferred one first. The default is the `Authorization` header.
    #[serde(default)]
    pub(crate) carriers: Vec<Spanned<Carrier>>,
    /// The environment variable that holds one.
    pub(crate) variable: Option<Spanned<String>>,
    /// The name of the API that defines the kind, if it is another one.
    pub(crate) of: Option<String>,
}

/// The place in a request where a token may be sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// In the `Authorization` header, with the scheme `Bearer`.
    Header,
    /// In the `Authorization` header, as user and password (RFC 7617).
    Basic,
    /// In the `Authorization` header, with a scheme of the API's own.
    Scheme(String),
    /// In a header of this name, alone.
    NamedHeader(String),
    /// In a cookie of this name.
    Cookie(String),
    /// In this query parameter. URLs are logged: clients use it only where nothing else is left, and when they are told to.
    Query(String),
    /// By the connection: a certificate of TLS with its private key, which no request carries.
    ClientCertificate,
}

impl Carrier {
    /// Returns the HTTP authentication scheme in front of it in the `Authorization` header.
    pub fn scheme(&self) -> Option<&str> {
        match self {
            Self::Header => Some("Bearer"),
            Self::Basic => Some("Basic"),
            Self::Scheme(scheme) => Some(scheme),
            Self::NamedHeader(_) | Self::Cookie(_) | Self::Query(_) | Self::ClientCertificate => None,
        }
    }

    /// Returns its name if requests cannot have it: an empty name, or one that is not a token of RFC 9110.
    pub fn invalid_name(&self) -> Option<&str> {
        match self {
            Self::NamedHeader(name) | Self::Scheme(name) | Self::Cookie(name) => {
                (!is_header(name)).then_some(name.as_str())
            }
            Self::Query(name) => name.is_empty().then_some(name.as_str()),
            Self::Header | Self::Basic | Self::ClientCertificate => None,
        }
    }

    /// Returns whether credentials of these two carriers use the same place, so that no request can have both.
    pub fn clashes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NamedHeader(name), Self::NamedHeader(other)) => name.eq_ignore_ascii_case(other),
            (carrier, other) => (carrier.scheme().is_some() && other.scheme().is_some()) || carrier == other,
        }
    }
}

impl Credential {
    /// Returns the prefixes of new tokens of this kind.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &String> {
        [Some(&self.prefix), self.test_prefix.as_ref()].into_iter().flatten().filter(|prefix| !prefix.is_empty())
    }

    /// Returns the carrier that clients use: the query only if there is no other.
    pub(crate) fn carrier(&self) -> &Carrier {
        let mut carriers = self.carriers.iter().map(Spanned::get_ref);
        let first = carriers.next().unwrap_or(&Carrier::Header);
        let is_query = |carrier: &Carrier| matches!(carrier, Carrier::Query(_));
        if is_query(first) { carriers.find(|carrier| !is_query(carrier)).unwrap_or(first) } else { first }
    }
}

/// Returns an error if the name of a kind, variable or header cannot be used.
pub(super) fn check(text: &Text, credentials: &[Credential]) -> Result<(), Error> {
    for (index, credential) in credentials.iter().enumerate() {
        let kind = &credential.kind;
        let refuse = |offset: usize, problem: String, help: &str| Err(error_at_offset(text, offset, problem, help));
        if !kind.get_ref().chars().any(char::is_alphanumeric) {
            return refuse(
                kind.span().start,
                format!("`{}` is not a valid name of a kind", kind.get_ref()),
                "use a word such as `key`",
            );
        }
        if credentials[..index].iter().any(|earlier| earlier.kind.get_ref() == kind.get_ref()) {
            let problem = format!("the kind `{}` is listed twice", kind.get_ref());
            return refuse(kind.span().start, problem, "remove one of the two, or give it another name");
        }
        if let Some(variable) = credential.variable.as_ref().filter(|variable| !is_variable(variable.get_ref())) {
            let problem = format!("`{}` is not a valid name of an environment variable", variable.get_ref());
            return refuse(variable.span().start, problem, "use letters, digits and underscores, such as PARCELS_KEY");
        }
        let is_of = |variable: &str| {
            let same = |earlier: &&Credential| earlier.variable.as_ref().is_some_and(|of| of.get_ref() == variable);
            credentials[..index].iter().find(same)
        };
        if let Some(variable) = &credential.variable
            && let Some(earlier) = is_of(variable.get_ref())
        {
            let problem =
                format!("the variable `{}` is that of the kind `{}`", variable.get_ref(), earlier.kind.get_ref());
            return refuse(variable.span().start, problem, "give each kind a variable of its own");
        }
        for carrier in &credential.carriers {
            if let Some(name) = carrier.get_ref().invalid_name() {
                let problem = format!("`{name}` is not a valid name of a header, a scheme or a cookie");
                return refuse(carrier.span().start, problem, "use letters, digits and hyphens, such as X-Api-Key");
            }
        }
    }
    Ok(())
}

fn is_variable(name: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphabetic() || letter == b'_';
    name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|letter| is_letter(letter) || letter.is_ascii_digit())
}

/// Returns whether a name is a token of RFC 9110, section 5.6.2.
pub(crate) fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::super::Contract;
    use super::*;

    fn refusal(text: &str) -> String {
        Contract::read(&Text::new("contract.toml", text)).expect_err(text).to_string()
    }

    #[test]
    fn names_that_cannot_be_used_are_refused_at_their_line() {
        for (text, place, problem) in [
            ("[[credential]]\nkind = \"--\"\n", "2:8", "`--` is not a valid name of a kind"),
            ("[[credential]]\nkind = \"a\"\n[[credential]]\nkind = \"a\"\n", "4:8", "the kind `a` is listed twice"),
            (
                "[[credential]]\nkind = \"a\"\nvariable = \"A B\"\n",
                "3:12",
                "`A B` is not a valid name of an environment variable",
            ),
            (
                "[[credential]]\nkind = \"a\"\nvariable = \"A\"\n[[credential]]\nkind = \"b\"\nvariable = \"A\"\n",
                "6:12",
                "the variable `A` is that of the kind `a`",
            ),
            (
                "[[credential]]\nkind = \"a\"\ncarriers = [{ named-header = \"X Key\" }]\n",
                "3:13",
                "`X Key` is not a valid name of a header, a scheme or a cookie",
            ),
            ("[[credential]]\nprefix = \"a\"\n", "1:1", "missing field `kind`"),
            ("[[credential]]\nkind = \"a\"\ncarriers = [\"body\"]\n", "3:13", "unknown variant `body`"),
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains(&format!("contract.toml:{place}\n")) && refusal.contains(problem), "{refusal}");
        }
    }

    #[test]
    fn clients_use_the_query_only_where_there_is_no_other_carrier() {
        let of = |carriers: &str| {
            let text = format!("[[credential]]\nkind = \"a\"\n{carriers}");
            let contract = Contract::read(&Text::new("contract.toml", text)).expect("a contract");
            contract.credentials.expect("credentials")[0].carrier().clone()
        };
        assert_eq!(of(""), Carrier::Header);
        assert_eq!(of("carriers = [{ query = \"key\" }, \"header\"]"), Carrier::Header);
        let named = Carrier::NamedHeader("X-Key".to_owned());
        assert_eq!(of("carriers = [{ named-header = \"X-Key\" }, \"header\"]"), named);
        assert_eq!(of("carriers = [{ query = \"key\" }]"), Carrier::Query("key".to_owned()));
    }
}
