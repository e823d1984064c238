//! The facts that the prefix of an API key reveals.

/// The facts that an API key's prefix reveals: where it works and how far it reaches. These are two facts: a restricted
/// key does not say where it works.
///
/// | Prefix | [`Mode`] | [`Reach`] | Works in |
/// |---|---|---|---|
/// | `sk_test_` | `Test` | `Full` | the sandbox, with test data; Scopien: 100 requests an hour |
/// | `sk_live_` | `Live` | `Full` | production; Scopien: 1000 requests an hour or more |
/// | `rk_` | none | `Restricted` | either; never holds `admin` |
///
/// The key itself is not kept. Nothing after the prefix has a meaning: `readonly` in a key gives no right and takes none.
/// Neither is its length checked.
///
/// ```
/// use keyfit::scopien::{ApiKey, Mode, Reach};
///
/// let key = ApiKey::parse("sk_test_x").ok_or("not an API key")?;
/// assert_eq!((key.mode(), key.reach()), (Some(Mode::Test), Reach::Full));
/// assert_eq!(ApiKey::parse("a token of another kind"), None);
/// # Ok::<(), &str>(())
/// ```
///
/// # A key in its environment
/// Sandbox and production share one host, and the key alone selects between them. A client that is told its
/// [`Environment`](super::Environment) refuses a key of the other one before anything is sent; without it nothing is
/// checked.
///
/// ```no_run
/// use keyfit::Config;
/// use keyfit::scopien::{Client, Environment, Key};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), keyfit::Error> {
/// // `SCOPIEN_API_KEY` must hold a test key here.
/// let config = Config::default().token_check(Environment::Sandbox);
/// let client = Client::with_config(Key::from_env()?, config)?;
/// println!("{:?}", client.auth_test().send().await?.scopes);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Returns an error if a key is missing, malformed or misplaced: of kind [`Credential`](crate::ErrorKind::Credential), before
/// anything is sent. `from_env` and `with_config` return it, or the first call if the key comes from a
/// [`source`](crate::auth::source). An unknown, expired or revoked one is the server's 401, a missing right its 403. Sources:
/// Scopien's pages on API keys, and the generic authentication guide.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ApiKey {
    mode: Option<Mode>,
    reach: Reach,
    is_unusual: bool,
}

/// Where a key works.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Mode {
    /// `sk_test_`: the sandbox only.
    Test,
    /// `sk_live_`: production only.
    Live,
}

/// The reach of a key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reach {
    /// `sk_`: whatever was ticked when it was made, `admin` included.
    Full,
    /// `rk_`: some permissions, never `admin`.
    Restricted,
}

const PREFIXES: [(&str, Option<Mode>, Reach); 3] = [
    ("sk_test_", Some(Mode::Test), Reach::Full),
    ("sk_live_", Some(Mode::Live), Reach::Full),
    ("rk_", None, Reach::Restricted),
];

impl ApiKey {
    /// Reads the prefix. `None` for a text with none of the three: a JWT, an access token, a key of another provider.
    /// Neither the length nor the characters after the prefix decide anything.
    pub fn parse(text: &str) -> Option<Self> {
        PREFIXES.iter().find_map(|(prefix, mode, reach)| {
            let rest = text.strip_prefix(prefix)?;
            let is_usual = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
            Some(Self { mode: *mode, reach: *reach, is_unusual: !is_usual })
        })
    }

    /// Where the key works; `None` where the prefix does not say it.
    pub fn mode(self) -> Option<Mode> {
        self.mode
    }

    /// Returns the reach of the key.
    pub fn reach(self) -> Reach {
        self.reach
    }

    /// Returns whether the text after the prefix is not letters and digits alone: a placeholder or a key cut short, most likely.
    /// Worth a warning and no more, because nobody promised the alphabet.
    pub fn is_unusual(self) -> bool {
        self.is_unusual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_and_reach_are_two_facts() {
        let read = |text| ApiKey::parse(text).map(|key| (key.mode(), key.reach()));
        assert_eq!(read("sk_test_1"), Some((Some(Mode::Test), Reach::Full)));
        assert_eq!(read("sk_live_1"), Some((Some(Mode::Live), Reach::Full)));
        assert_eq!(read("rk_1"), Some((None, Reach::Restricted)));
        // A mode after `rk_` is described nowhere, so it says nothing.
        assert_eq!(read("rk_live_1"), Some((None, Reach::Restricted)));
    }

    #[test]
    fn other_texts_are_no_api_keys() {
        for text in ["", "sk_", "sk_other_1", "SK_LIVE_1", " sk_live_1", "xsk_live_1", "isoa_1", "issw_1", "eyJ"] {
            assert_eq!(ApiKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_rest_of_the_key_is_worth_a_warning_at_most() {
        let is_unusual = |text: &str| ApiKey::parse(text).expect("an API key").is_unusual();
        for rest in ["a", "0", "Ab9"] {
            assert!(!is_unusual(&format!("sk_live_{rest}")), "{rest}");
        }
        assert!(!is_unusual(&format!("rk_{}", "z".repeat(10_000))));
        for rest in ["", "...", "a-b", "a b", "é", "test_1"] {
            assert!(is_unusual(&format!("rk_{rest}")), "{rest}");
        }
    }

    #[test]
    fn the_key_does_not_print() {
        assert!(!format!("{:?}", ApiKey::parse("sk_live_hunt")).contains("hunt"));
    }
}
