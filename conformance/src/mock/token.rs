//! The tokens that the mock issues, and their rights.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::credential::identity::State;
use crate::credential::jws;

/// A token that was issued.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: String,
    pub(super) state: State,
    pub(super) grant: Grant,
    pub(super) tenant: usize,
    /// The number of tokens that were issued before it.
    pub(super) number: u64,
    /// The id by which keys are managed.
    pub(super) id: String,
    /// Its representation there; `None` if it was not created through the API.
    pub(super) shown: Option<Value>,
    /// Calls per window, if fewer than the contract's.
    pub(super) limit: Option<u64>,
    /// Seconds per window, if fewer than the contract's.
    pub(super) window: Option<u64>,
    /// Its expiry in seconds since the Unix epoch; `None` if it does not expire.
    pub(super) expires: Option<u64>,
}

/// The rights of a token.
#[derive(Clone, Debug)]
pub(super) enum Grant {
    /// Everything.
    All,
    /// The scopes of a list.
    Flat(BTreeSet<String>),
    /// The actions for each resource of a map.
    Resources(BTreeMap<String, BTreeSet<String>>),
}

impl Token {
    /// Creates a token that does not expire and has the contract's limit.
    pub(super) fn new(kind: &str, grant: Grant) -> Self {
        Self {
            kind: kind.to_owned(),
            state: State::Valid,
            grant,
            tenant: 0,
            number: 0,
            id: String::new(),
            shown: None,
            limit: None,
            window: None,
            expires: None,
        }
    }
}

impl Grant {
    /// Parses scopes from a request: a list, or a map from resources to actions. Any other value grants nothing.
    pub(super) fn read(scopes: &Value) -> Self {
        let texts = |list: &Value| {
            list.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
        };
        match scopes {
            Value::Object(map) => {
                Self::Resources(map.iter().map(|(resource, actions)| (resource.clone(), texts(actions))).collect())
            }
            list => Self::Flat(texts(list)),
        }
    }

    /// Returns the scopes for an answer; `every` is the list for all rights.
    pub(super) fn to_scopes(&self, every: &[String]) -> Value {
        match self {
            Self::All => json!(every),
            Self::Flat(scopes) => json!(scopes),
            Self::Resources(map) => json!(map),
        }
    }
}

/// Returns 32 pseudorandom digits and letters, the same in each run (splitmix64). The letters are not hexadecimal digits, so that their
/// case is significant.
pub(super) fn token_text(number: u64) -> String {
    let mixed = |seed: u64| {
        let mut word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    };
    let digits = format!("{:016x}{:016x}", mixed(number * 2), mixed(number * 2 + 1));
    let letter = |digit: char| if digit.is_ascii_digit() { digit } else { char::from(digit as u8 + (b'u' - b'a')) };
    digits.chars().map(letter).collect()
}

/// Returns a JWT, the same in each run.
pub(super) fn signed_token(number: u64, state: State) -> String {
    /// The end of the century: whether a token is expired depends on its state.
    const END: u64 = 4_102_444_800;
    let audience = if state == State::OtherAudience { "another" } else { "api" };
    let claims = json!({ "iss": "keyfit", "sub": format!("user-{number}"), "aud": audience, "iat": 0, "exp": END });
    jws::signed(&json!({ "alg": "HS256", "typ": "JWT" }), &claims, token_text(u64::MAX / 4).as_bytes())
}
