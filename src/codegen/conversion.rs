//! Values of generated types that are made from texts: why one is none, and how answers hold them.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Visitor};

/// The reason why a value does not convert to a type.
#[derive(Clone, Eq, PartialEq)]
pub struct ConversionError(Cow<'static, str>);

impl std::error::Error for ConversionError {}

impl Display for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<Cow<'static, str>> for ConversionError {
    fn from(value: Cow<'static, str>) -> Self {
        Self(value)
    }
}

impl From<&'static str> for ConversionError {
    fn from(value: &'static str) -> Self {
        Self(value.into())
    }
}

impl From<String> for ConversionError {
    fn from(value: String) -> Self {
        Self(value.into())
    }
}

/// The refusal of what is none of the named values.
pub fn no_such_value<T: Display>(values: &[T]) -> ConversionError {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("it is none of: {}", values.join(", ")).into()
}

/// Deserializes a text and parses it.
///
/// # Errors
/// Returns an error if the value is not a text, or the type refuses it.
pub fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    struct Parsed<T>(PhantomData<T>);

    impl<T: FromStr<Err: Display>> Visitor<'_> for Parsed<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Parsed(PhantomData))
}
