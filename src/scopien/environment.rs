//! Which environment a client is for, so that a key of another one is found before anything is sent.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{ApiKey, Mode};
use crate::auth::{AccessToken, Fingerprint, TokenCheck};
use crate::error::Error;

/// The environment that a program runs in. Give it to [`Config::token_check`](crate::Config::token_check): test keys are
/// refused in [`Live`](Self::Live), live keys in [`Sandbox`](Self::Sandbox), and a key that this process uses in another
/// environment in any. [`warn_only`](Self::warn_only) lets them through.
///
/// The key alone selects sandbox or production where both share one host, so a key in the wrong place is not noticed by
/// the server.
///
/// ```
/// use keyfit::scopien::Environment;
///
/// assert!(Environment::Sandbox.check("sk_test_x").is_ok());
/// assert!(Environment::Sandbox.check("sk_live_x").is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Environment {
    /// Production: real data, real money.
    Live,
    /// Development and tests.
    Sandbox,
    /// One of your own, such as staging. No prefix is refused in it.
    Custom(String),
}

static CLAIMS: Mutex<Claims> = Mutex::new(Claims(VecDeque::new()));

impl Environment {
    /// Checks that a key is for this environment, by its prefix. Restricted keys (`rk_`), which do not name one, and
    /// tokens that are no API keys pass.
    ///
    /// # Errors
    /// Returns an error if a live key is used in the sandbox, or a test key in production. The message does not show the key.
    pub fn check(&self, secret: &str) -> Result<(), Error> {
        let Some(key) = ApiKey::parse(secret) else { return Ok(()) };
        if key.is_unusual() {
            tracing::warn!(
                target: "keyfit::auth",
                key = %Fingerprint::of(secret),
                "what follows the prefix of the API key is not letters and digits alone: is it a placeholder?"
            );
        }
        match (self, key.mode()) {
            (Self::Sandbox, Some(Mode::Live)) => Err(Error::credential(
                "a live key (sk_live_) is configured for the sandbox environment, where it would change real data: use a \
                 test key (sk_test_)",
            )),
            (Self::Live, Some(Mode::Test)) => Err(Error::credential(
                "a test key (sk_test_) is configured for the live environment, where it reaches test data only: use a \
                 live key (sk_live_)",
            )),
            _ => Ok(()),
        }
    }

    /// The same environment, which lets a key of another one through, with a warning in the log for each that is checked. For
    /// the rare look at production from a developer's machine.
    pub fn warn_only(self) -> WarnOnly {
        WarnOnly(self)
    }

    /// Notes that this process uses a key in this environment. The last 1000 keys are remembered.
    ///
    /// # Errors
    /// Returns an error if the process uses the key in another environment already. The message names the key by its fingerprint.
    pub fn claim(&self, key: Fingerprint) -> Result<(), Error> {
        let first = CLAIMS.lock().unwrap_or_else(PoisonError::into_inner).first(key, self);
        if first == *self {
            return Ok(());
        }
        Err(Error::credential(format!(
            "the key {key} is configured for the {first} environment and for the {self} environment: make a key for each"
        )))
    }
}

impl TokenCheck for Environment {
    fn check_token(&self, token: &AccessToken) -> Result<(), Error> {
        self.check(token.expose())?;
        self.claim(token.fingerprint())
    }
}

/// An [`Environment`] that only warns of a key of another one.
#[derive(Clone, Debug)]
pub struct WarnOnly(Environment);

impl TokenCheck for WarnOnly {
    fn check_token(&self, token: &AccessToken) -> Result<(), Error> {
        if let Err(error) = self.0.check_token(token) {
            let (key, environment) = (token.fingerprint(), &self.0);
            tracing::warn!(target: "keyfit::auth", %key, %environment, "allowed against the rule: {error}");
        }
        Ok(())
    }
}

/// Which environment each key was first used in; the key that was used last comes last.
struct Claims(VecDeque<(Fingerprint, Environment)>);

impl Claims {
    /// Keys are few, but access tokens are claimed too, and those come without end.
    const MOST: usize = 1000;

    /// The environment that a key was first used in, which is this one for a new key.
    fn first(&mut self, key: Fingerprint, environment: &Environment) -> Environment {
        let known = self.0.iter().position(|(claimed, _)| *claimed == key).and_then(|index| self.0.remove(index));
        let first = known.map_or_else(|| environment.clone(), |(_, first)| first);
        self.0.push_back((key, first.clone()));
        if self.0.len() > Self::MOST {
            self.0.pop_front();
        }
        first
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::Sandbox => f.write_str("sandbox"),
            Self::Custom(name) => write!(f, "{name:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::error::test_logs::logs_of;

    fn staging() -> Environment {
        Environment::Custom("staging".to_owned())
    }

    #[test]
    fn a_key_of_the_other_environment_is_refused_without_being_shown() {
        for (environment, key, says) in [
            (Environment::Sandbox, "sk_live_xyz", ["live key", "sandbox environment", "use a test key"]),
            (Environment::Live, "sk_test_xyz", ["test key", "live environment", "use a live key"]),
        ] {
            let error = environment.check(key).expect_err(key);
            assert_eq!(error.kind(), ErrorKind::Credential);
            let message = error.to_string();
            assert!(says.iter().all(|part| message.contains(part)) && !message.contains("xyz"), "{message}");
        }
    }

    #[test]
    fn keys_of_the_environment_and_of_none_pass() {
        for (environment, key) in [
            (Environment::Sandbox, "sk_test_a"),
            (Environment::Live, "sk_live_a"),
            (Environment::Sandbox, "rk_a"),
            (Environment::Live, "rk_a"),
            (Environment::Live, "a-token-of-another-kind"),
            (staging(), "sk_test_a"),
            (staging(), "sk_live_a"),
            // Odd, and worth a warning only.
            (Environment::Live, "sk_live_..."),
        ] {
            assert!(environment.check(key).is_ok(), "{environment} {key}");
        }
    }

    #[test]
    fn a_placeholder_is_warned_of_without_being_shown() {
        let logs = logs_of(|| assert!(Environment::Live.check("sk_live_<hunter2>").is_ok()));
        assert!(logs.contains("WARN") && logs.contains("placeholder") && !logs.contains("hunter2"), "{logs}");
        assert_eq!(logs_of(|| assert!(Environment::Live.check("sk_live_abc").is_ok())), "");
    }

    #[test]
    fn one_key_is_for_one_environment() {
        let key = Fingerprint::of("rk_of_one_environment");
        assert!(staging().claim(key).is_ok());
        assert!(staging().claim(key).is_ok());
        assert!(Environment::Live.claim(Fingerprint::of("rk_of_another")).is_ok());
        let error = Environment::Sandbox.claim(key).expect_err("it is claimed");
        assert_eq!(error.kind(), ErrorKind::Credential);
        let message = error.to_string();
        assert!(
            message.contains(&key.to_string()) && message.contains("\"staging\"") && message.contains("sandbox"),
            "{message}"
        );
        assert!(staging().claim(key).is_ok(), "the first claim stands");
    }

    #[test]
    fn a_token_is_checked_for_its_text_and_for_where_it_is_used_already() {
        let checked = |environment: Environment, key: &str| environment.check_token(&AccessToken::new(key)).is_ok();
        assert!(!checked(Environment::Sandbox, "sk_live_a"));
        assert!(checked(Environment::Sandbox, "sk_test_a"));
        assert!(checked(Environment::Sandbox, "rk_of_two_configs"));
        assert!(!checked(Environment::Live, "rk_of_two_configs"));
    }

    #[test]
    fn a_key_of_another_environment_is_let_through_when_told() {
        let check = Environment::Sandbox.warn_only();
        for _ in 0..2 {
            let key = AccessToken::new("sk_live_let-through"); // not-a-secret
            let logs = logs_of(|| assert!(check.check_token(&key).is_ok()));
            let warning = logs.lines().find(|line| line.contains("allowed against the rule")).expect("a warning");
            assert!(warning.contains("WARN") && warning.contains("use a test key"), "{warning}");
            assert!(!logs.contains("let-through"), "{logs}");
        }
        assert_eq!(logs_of(|| assert!(check.check_token(&AccessToken::new("sk_test_b")).is_ok())), "");
    }

    #[test]
    fn the_memory_of_claims_is_bounded_and_keeps_what_is_in_use() {
        let mut claims = Claims(VecDeque::new());
        let (used, unused) = (Fingerprint::of("used"), Fingerprint::of("unused"));
        for key in [used, unused] {
            assert_eq!(claims.first(key, &staging()), staging());
        }
        for index in 0..Claims::MOST {
            claims.first(Fingerprint::of(&format!("fetched {index}")), &Environment::Live);
            assert_eq!(claims.first(used, &Environment::Live), staging());
        }
        assert_eq!(claims.0.len(), Claims::MOST);
        assert_eq!(claims.first(unused, &Environment::Live), Environment::Live);
    }
}
