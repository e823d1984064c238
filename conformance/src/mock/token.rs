//! A token that the mock issued, and what it may do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::identity::State;
use crate::jws;

/// A token that was issued.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: String,
    pub(super) state: State,
    pub(super) grant: Grant,
    pub(super) tenant: usize,
    /// How many were issued before it.
    pub(super) number: u64,
    /// What it is called where keys are managed.
    pub(super) id: String,
    /// What is said of it there; `None` where it was not minted through the API.
    pub(super) shown: Option<Value>,
    /// Calls a window, where they are fewer than the contract's.
    pub(super) limit: Option<u64>,
    /// Seconds of its windows, where they are shorter than the contract's.
    pub(super) window: Option<u64>,
    /// When it ends, in seconds since the epoch; `None` where it does not.
    pub(super) expires: Option<u64>,
}

/// What a token may do.
#[derive(Clone, Debug)]
pub(super) enum Grant {
    /// Everything.
    All,
    /// What a list of scopes allows.
    Flat(BTreeSet<String>),
    /// What a map from resources to actions allows.
    Resources(BTreeMap<String, BTreeSet<String>>),
}

impl Token {
    /// A token that does not end and has the contract's limit.
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
    /// Reads scopes as a request holds them: a list, or a map from resources to actions. Anything else grants nothing.
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

    /// The scopes as an answer holds them; `every` stands for everything.
    pub(super) fn written(&self, every: &[String]) -> Value {
        match self {
            Self::All => json!(every),
            Self::Flat(scopes) => json!(scopes),
            Self::Resources(map) => json!(map),
        }
    }
}

/// Thirty-two digits and letters that look like chance and are the same in every run (splitmix64). The letters are none of
/// hexadecimal digits, so that their case says something.
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

/// A JWT, which is the same in every run as well.
pub(super) fn signed_token(number: u64, state: State) -> String {
    /// The end of the century: how a token expires is its state.
    const END: u64 = 4_102_444_800;
    let audience = if state == State::OtherAudience { "another" } else { "api" };
    let claims = json!({ "iss": "keyfit", "sub": format!("user-{number}"), "aud": audience, "iat": 0, "exp": END });
    jws::signed(&json!({ "alg": "HS256", "typ": "JWT" }), &claims, token_text(u64::MAX / 4).as_bytes())
}
