//! Texts with limits, one type for all of them: a generated client has an alias for each.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use regress::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::argument::{ArgumentType, rule};
use super::conversion::{ConversionError, parsed};

/// A text of `MIN` to `MAX` characters in which the pattern of `P` is found. It is made by `try_from` or `parse`, and is a
/// `str` to whoever reads it.
pub struct Text<P = AnyText, const MIN: usize = 0, const MAX: usize = { usize::MAX }>(String, PhantomData<fn() -> P>);

/// A pattern, in the dialect of documents: ECMA-262.
pub trait Pattern {
    /// The pattern.
    const PATTERN: &'static str;
    /// The message for a text that does not match; empty if the pattern itself is the message.
    const REFUSAL: &'static str = "";
}

/// The pattern that every text matches.
#[derive(Debug)]
pub enum AnyText {}

impl Pattern for AnyText {
    const PATTERN: &'static str = "";
}

impl<P: Pattern, const MIN: usize, const MAX: usize> FromStr for Text<P, MIN, MAX> {
    type Err = ConversionError;

    fn from_str(text: &str) -> Result<Self, ConversionError> {
        let count = if MIN > 0 || MAX < usize::MAX { text.chars().count() } else { 0 };
        if count > MAX {
            return Err(format!("longer than {MAX} characters").into());
        }
        if count < MIN {
            return Err(format!("shorter than {MIN} characters").into());
        }
        if P::PATTERN.is_empty() || matches(P::PATTERN, text) {
            return Ok(Self(text.to_owned(), PhantomData));
        }
        Err(match P::REFUSAL {
            "" => format!("doesn't match pattern \"{}\"", P::PATTERN).into(),
            said => said.into(),
        })
    }
}

/// Returns whether a pattern matches in a text. The generator lets no invalid pattern through.
fn matches(pattern: &'static str, text: &str) -> bool {
    /// Reading a pattern costs more than all that it is matched with. There are as many as the code names.
    static KNOWN: RwLock<BTreeMap<&str, &Regex>> = RwLock::new(BTreeMap::new());
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(pattern).copied();
    let known = known.or_else(|| {
        let read: &'static Regex = Box::leak(Box::new(Regex::new(pattern).ok()?));
        Some(*KNOWN.write().unwrap_or_else(PoisonError::into_inner).entry(pattern).or_insert(read))
    });
    known.is_none_or(|pattern| pattern.find(text).is_some())
}

impl<P: Pattern, const MIN: usize, const MAX: usize> TryFrom<&str> for Text<P, MIN, MAX> {
    type Error = ConversionError;

    fn try_from(text: &str) -> Result<Self, ConversionError> {
        text.parse()
    }
}

impl<P: Pattern, const MIN: usize, const MAX: usize> TryFrom<String> for Text<P, MIN, MAX> {
    type Error = ConversionError;

    fn try_from(text: String) -> Result<Self, ConversionError> {
        text.parse()
    }
}

impl<P: Pattern, const MIN: usize, const MAX: usize> ArgumentType for Text<P, MIN, MAX> {
    type Rule = rule::Parsed;
}

impl<'de, P: Pattern, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<P, MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl<P, const MIN: usize, const MAX: usize> Serialize for Text<P, MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<P, const MIN: usize, const MAX: usize> From<Text<P, MIN, MAX>> for String {
    fn from(text: Text<P, MIN, MAX>) -> Self {
        text.0
    }
}

impl<P, const MIN: usize, const MAX: usize> Deref for Text<P, MIN, MAX> {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl<P, const MIN: usize, const MAX: usize> fmt::Display for Text<P, MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<P, const MIN: usize, const MAX: usize> fmt::Debug for Text<P, MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

// Derived, they would ask the same of the pattern.

impl<P, const MIN: usize, const MAX: usize> Clone for Text<P, MIN, MAX> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<P, const MIN: usize, const MAX: usize> PartialEq for Text<P, MIN, MAX> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<P, const MIN: usize, const MAX: usize> Eq for Text<P, MIN, MAX> {}

impl<P, const MIN: usize, const MAX: usize> PartialOrd for Text<P, MIN, MAX> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<P, const MIN: usize, const MAX: usize> Ord for Text<P, MIN, MAX> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<P, const MIN: usize, const MAX: usize> std::hash::Hash for Text<P, MIN, MAX> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Capitals {}

    impl Pattern for Capitals {
        const PATTERN: &'static str = "^[A-Z]+$";
    }

    enum Segment {}

    impl Pattern for Segment {
        const PATTERN: &'static str = "^[^/]+$";
        const REFUSAL: &'static str = "it is no segment";
    }

    #[test]
    fn a_text_is_held_to_length_and_pattern() {
        type Code = Text<Capitals, 2, 3>;
        let refused = |text: &str| text.parse::<Code>().expect_err("it is refused").to_string();
        assert_eq!(Code::try_from("AB").expect("a code").as_str(), "AB");
        assert_eq!(refused("A"), "shorter than 2 characters");
        assert_eq!(refused("ABCD"), "longer than 3 characters");
        assert_eq!(refused("ab"), "doesn't match pattern \"^[A-Z]+$\"");
        assert_eq!(Text::<Segment>::try_from("a/b").expect_err("two").to_string(), "it is no segment");
        assert_eq!(Text::<AnyText, 0, 2>::try_from("ÄÖ").expect("characters are counted, not bytes").len(), 4);
    }

    #[test]
    fn a_text_with_limits_is_a_text_in_json() {
        type Code = Text<Capitals>;
        let code: Code = serde_json::from_str("\"AB\"").expect("a code");
        assert_eq!(
            (serde_json::to_string(&code).expect("JSON"), format!("{code:?}")),
            ("\"AB\"".into(), "\"AB\"".into())
        );
        let refused = serde_json::from_str::<Code>("\"ab\"").expect_err("it is refused").to_string();
        assert!(refused.starts_with("doesn't match pattern"), "{refused}");
        assert!(serde_json::from_str::<Code>("1").expect_err("no text").to_string().contains("expected a string"));
    }
}
