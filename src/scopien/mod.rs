//! The Scopien API: API keys, opportunities, accounts, contacts and reports.
//!
//! The key alone selects sandbox or production: both share one host.
//!
//! A key is made in the dashboard under *Settings*, *API Keys*.

mod api_key;
mod environment;
mod keys;

use std::time::SystemTime;

use serde::Deserialize as _;
use serde_json::Value;

use crate::auth::{Expiry, KeyFacts, Scopes};
use crate::error::{Error, Timestamp};

include!(concat!(env!("OUT_DIR"), "/keyfit/scopien.rs"));

pub use api_key::{ApiKey, Mode, Reach};
pub use environment::{Environment, WarnOnly};
pub use keys::Keys;

impl Client {
    /// Returns the scopes of this client's token, as the API reports them; `None` where the answer does not say it. Compare it with
    /// [`Needs`](crate::auth::Needs) at the start of a program.
    ///
    /// # Errors
    /// Returns an error if the call fails, like any call.
    pub async fn granted_scopes(&self) -> Result<Option<Scopes>, Error> {
        let answer = self.auth_test().send().await?.into_inner();
        Ok(answer.scopes.map(Scopes::from))
    }
}

impl From<types::GrantedScopes> for Scopes {
    fn from(granted: types::GrantedScopes) -> Self {
        match granted {
            types::GrantedScopes::FlatScopes(scopes) => Self::flat(scopes),
            types::GrantedScopes::ResourceScopes(resources) => Self::by_resource(resources),
        }
    }
}

impl From<&types::ApiKey> for KeyFacts {
    /// `expiresAt` is not among the documented fields of an answer; it counts where a server sends it.
    fn from(key: &types::ApiKey) -> Self {
        let instant = |timestamp: &Timestamp| timestamp.to_utc().map(SystemTime::from);
        let expiry = match key.extra.get("expiresAt") {
            None => Expiry::Unknown,
            Some(Value::Null) => Expiry::Never,
            Some(value) => Timestamp::deserialize(value)
                .ok()
                .and_then(|timestamp| instant(&timestamp))
                .map_or(Expiry::Unknown, Expiry::At),
        };
        Self {
            created_at: key.created_at.as_ref().and_then(instant),
            expiry,
            rate_limit: key.rate_limit.and_then(|limit| limit.try_into().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn facts(rest: &str) -> KeyFacts {
        let key: types::ApiKey = serde_json::from_str(&format!(r#"{{"id":"key_1"{rest}}}"#)).expect("a key");
        KeyFacts::from(&key)
    }

    #[test]
    fn what_an_answer_says_of_a_key_is_kept_apart_from_what_it_leaves_out() {
        assert_eq!(facts(""), KeyFacts { created_at: None, expiry: Expiry::Unknown, rate_limit: None });
        let instant = UNIX_EPOCH + Duration::from_secs(1_769_076_000);
        assert_eq!(
            facts(r#","createdAt":"2026-01-22T10:00:00Z","rateLimit":1000,"expiresAt":null"#),
            KeyFacts { created_at: Some(instant), expiry: Expiry::Never, rate_limit: Some(1000) }
        );
        assert_eq!(facts(r#","expiresAt":"2026-01-22T10:00:00Z""#).expiry, Expiry::At(instant));
        assert_eq!(facts(r#","expiresAt":"soon""#).expiry, Expiry::Unknown);
        // The ends of what can be an instant at all.
        for extreme in [
            "+262142-12-31T23:59:59Z",
            "-262143-01-01T00:00:00Z",
            "9999-12-31T23:59:60+23:59",
            "0000-01-01T00:00:00-23:59",
        ] {
            let facts = facts(&format!(r#","createdAt":"{extreme}","expiresAt":"{extreme}""#));
            assert_eq!(facts.created_at.map_or(Expiry::Unknown, Expiry::At), facts.expiry, "{extreme}");
        }
    }
}
