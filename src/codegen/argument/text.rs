//! Texts, and what is parsed from them.

use std::borrow::Cow;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use super::{ArgumentType, IntoArgumentBy, rule};
use crate::client::PathArgument;
use crate::error::Timestamp;

impl ArgumentType for String {
    type Rule = rule::Text;
}

impl ArgumentType for PathArgument {
    type Rule = rule::Segment;
}

/// A type that parses texts is also given as itself.
impl<T: ArgumentType<Rule = rule::Parsed>> IntoArgumentBy<T, rule::Parsed> for T {
    fn into_argument_by(self) -> Result<T, String> {
        Ok(self)
    }
}

/// The types of texts.
macro_rules! texts {
    ($($kind:ty),*) => {
        $(impl IntoArgumentBy<String, rule::Text> for $kind {
            fn into_argument_by(self) -> Result<String, String> {
                Ok(self.into())
            }
        }

        impl<T: FromStr<Err: Display>> IntoArgumentBy<T, rule::Parsed> for $kind {
            fn into_argument_by(self) -> Result<T, String> {
                let text: &str = self.as_ref();
                text.parse().map_err(|reason: T::Err| reason.to_string())
            }
        }

        impl IntoArgumentBy<PathArgument, rule::Segment> for $kind {
            fn into_argument_by(self) -> Result<PathArgument, String> {
                PathArgument::try_from(String::from(self)).map_err(|reason| reason.to_string())
            }
        })*
    };
}
texts!(&str, String, &String, Cow<'_, str>, Box<str>);

/// The item of an iterator over a slice of texts.
impl IntoArgumentBy<String, rule::Text> for &&str {
    fn into_argument_by(self) -> Result<String, String> {
        Ok((*self).to_owned())
    }
}

impl IntoArgumentBy<String, rule::Text> for Timestamp {
    fn into_argument_by(self) -> Result<String, String> {
        Ok(self.to_string())
    }
}

impl IntoArgumentBy<PathArgument, rule::Segment> for PathArgument {
    fn into_argument_by(self) -> Result<PathArgument, String> {
        Ok(self)
    }
}

impl IntoArgumentBy<PathArgument, rule::Segment> for &PathArgument {
    fn into_argument_by(self) -> Result<PathArgument, String> {
        Ok(self.clone())
    }
}

macro_rules! parsed {
    ($($kind:ty),*) => {
        $(impl ArgumentType for $kind {
            type Rule = rule::Parsed;
        })*
    };
}
parsed!(DateTime<Utc>, NaiveDate, IpAddr, Ipv4Addr, Ipv6Addr);

impl IntoArgumentBy<DateTime<Utc>, rule::Parsed> for DateTime<FixedOffset> {
    fn into_argument_by(self) -> Result<DateTime<Utc>, String> {
        Ok(self.to_utc())
    }
}

impl IntoArgumentBy<DateTime<Utc>, rule::Parsed> for DateTime<chrono::Local> {
    fn into_argument_by(self) -> Result<DateTime<Utc>, String> {
        Ok(self.to_utc())
    }
}

impl IntoArgumentBy<DateTime<Utc>, rule::Parsed> for Timestamp {
    fn into_argument_by(self) -> Result<DateTime<Utc>, String> {
        self.to_utc().ok_or_else(|| "the timestamp is not an instant".to_owned())
    }
}

impl IntoArgumentBy<DateTime<Utc>, rule::Parsed> for std::time::SystemTime {
    fn into_argument_by(self) -> Result<DateTime<Utc>, String> {
        Ok(self.into())
    }
}
