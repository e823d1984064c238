//! A single value of a condition.

use serde_json::{Number, Value};

use super::InvalidFilter;

/// A single value: a text, a number or a boolean. There is none for a float that is no number (NaN, infinity), which JSON
/// cannot say: [`Scalar::try_from`] refuses it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Scalar(Inner);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Inner {
    Text(String),
    Number(Number),
    Bool(bool),
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar.0 {
            Inner::Text(text) => Self::String(text),
            Inner::Number(number) => Self::Number(number),
            Inner::Bool(value) => Self::Bool(value),
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self(Inner::Text(text.to_owned()))
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self(Inner::Text(text))
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self(Inner::Bool(value))
    }
}

impl From<Number> for Scalar {
    fn from(number: Number) -> Self {
        Self(Inner::Number(number))
    }
}

macro_rules! whole {
    ($($number:ty),+) => {
        $(impl From<$number> for Scalar {
            fn from(number: $number) -> Self {
                Self(Inner::Number(number.into()))
            }
        })+
    };
}

whole!(i32, i64, u32, u64);

impl TryFrom<f64> for Scalar {
    type Error = InvalidFilter;

    fn try_from(number: f64) -> Result<Self, InvalidFilter> {
        let refused = || InvalidFilter::new("value", format!("{number} is no number in JSON"), "give a finite number");
        Number::from_f64(number).map(Into::into).ok_or_else(refused)
    }
}
