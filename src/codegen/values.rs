//! Enums of generated code, each written as its variants with their values on the wire:
//!
//! ```text
//! texts! { pub enum Color { Red = "red", Green = "green" } }
//! ```
//!
//! All that an enum can do follows from that, so that a generated client has a line for each value.

/// Implements a type that is written and read as a text: by `as_str` and `FromStr`.
#[doc(hidden)]
#[macro_export]
macro_rules! __keyfit_as_text {
    ($name:ident) => {
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl $crate::codegen::Serialize for $name {
            fn serialize<S: $crate::codegen::serde::Serializer>(
                &self,
                to: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }
        impl<'de> $crate::codegen::Deserialize<'de> for $name {
            fn deserialize<D: $crate::codegen::serde::Deserializer<'de>>(
                from: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::codegen::parsed(from)
            }
        }
    };
}

/// An enum of texts that requests send: no other value can be made. Text of one by `Display` and `as_str`, one of a text by
/// `FromStr` and `TryFrom`.
#[doc(hidden)]
#[macro_export]
macro_rules! __keyfit_texts {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$said:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name { $($(#[$said])* $variant),* }
        impl $name {
            /// The value on the wire.
            pub const fn as_str(&self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
        impl ::std::str::FromStr for $name {
            type Err = $crate::codegen::ConversionError;
            fn from_str(value: &str) -> ::std::result::Result<Self, $crate::codegen::ConversionError> {
                match value {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::codegen::no_such_value(&[$($text),*])),
                }
            }
        }
        impl ::std::convert::TryFrom<&str> for $name {
            type Error = $crate::codegen::ConversionError;
            fn try_from(value: &str) -> ::std::result::Result<Self, $crate::codegen::ConversionError> { value.parse() }
        }
        impl ::std::convert::TryFrom<::std::string::String> for $name {
            type Error = $crate::codegen::ConversionError;
            fn try_from(value: ::std::string::String) -> ::std::result::Result<Self, $crate::codegen::ConversionError> { value.parse() }
        }
        impl ::std::convert::From<$name> for ::std::string::String {
            fn from(value: $name) -> Self { value.as_str().to_owned() }
        }
        $crate::__keyfit_as_text! { $name }
        impl $crate::codegen::ArgumentType for $name {
            type Rule = $crate::codegen::rule::Parsed;
        }
    };
}

/// An enum of texts that answers hold: another value is kept as it came.
#[doc(hidden)]
#[macro_export]
macro_rules! __keyfit_open_texts {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$said:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$said])* $variant,)*
            /// A value that the document does not name.
            Other(::std::string::String),
        }
        impl $name {
            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self { $(Self::$variant => $text,)* Self::Other(value) => value }
            }
        }
        impl ::std::convert::From<&str> for $name {
            fn from(value: &str) -> Self {
                match value { $($text => Self::$variant,)* _ => Self::Other(value.to_owned()) }
            }
        }
        impl ::std::convert::From<::std::string::String> for $name {
            fn from(value: ::std::string::String) -> Self { Self::from(value.as_str()) }
        }
        impl ::std::convert::From<$name> for ::std::string::String {
            fn from(value: $name) -> Self {
                match value { $name::Other(value) => value, known => known.as_str().to_owned() }
            }
        }
        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;
            fn from_str(value: &str) -> ::std::result::Result<Self, ::std::convert::Infallible> { Ok(value.into()) }
        }
        $crate::__keyfit_as_text! { $name }
    };
}

/// An enum of integers that requests send.
#[doc(hidden)]
#[macro_export]
macro_rules! __keyfit_numbers {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$said:meta])* $variant:ident = $number:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name { $($(#[$said])* $variant),* }
        impl $name {
            /// The value on the wire.
            pub const fn as_i64(&self) -> i64 {
                match self { $(Self::$variant => $number),* }
            }
        }
        impl ::std::convert::TryFrom<i64> for $name {
            type Error = $crate::codegen::ConversionError;
            fn try_from(value: i64) -> ::std::result::Result<Self, $crate::codegen::ConversionError> {
                match value {
                    $($number => Ok(Self::$variant),)*
                    _ => Err($crate::codegen::no_such_value::<i64>(&[$($number),*])),
                }
            }
        }
        impl ::std::convert::From<$name> for i64 {
            fn from(value: $name) -> Self { value.as_i64() }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { self.as_i64().fmt(f) }
        }
        impl $crate::codegen::Serialize for $name {
            fn serialize<S: $crate::codegen::serde::Serializer>(&self, to: S) -> ::std::result::Result<S::Ok, S::Error> {
                to.serialize_i64(self.as_i64())
            }
        }
        impl<'de> $crate::codegen::Deserialize<'de> for $name {
            fn deserialize<D: $crate::codegen::serde::Deserializer<'de>>(
                from: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let value = <i64 as $crate::codegen::Deserialize>::deserialize(from)?;
                Self::try_from(value).map_err(<D::Error as $crate::codegen::serde::de::Error>::custom)
            }
        }
        impl $crate::codegen::ArgumentType for $name {
            type Rule = $crate::codegen::rule::Wrapped<i64>;
        }
        impl $crate::codegen::IntoArgumentBy<i64, $crate::codegen::rule::Number> for $name {
            fn into_argument_by(self) -> ::std::result::Result<i64, ::std::string::String> { Ok(self.as_i64()) }
        }
    };
}

/// An enum of integers that answers hold: another number, or what is none, is kept as it came.
#[doc(hidden)]
#[macro_export]
macro_rules! __keyfit_open_numbers {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$said:meta])* $variant:ident = $number:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$said])* $variant,)*
            /// A value that the document does not name, as it came.
            Other($crate::codegen::serde_json::Value),
        }
        impl $name {
            /// The value on the wire; `None` where it is no integer.
            pub fn as_i64(&self) -> ::std::option::Option<i64> {
                match self { $(Self::$variant => Some($number),)* Self::Other(value) => value.as_i64() }
            }
        }
        impl ::std::convert::From<$crate::codegen::serde_json::Value> for $name {
            fn from(value: $crate::codegen::serde_json::Value) -> Self {
                match $crate::codegen::integer(&value) { $(Some($number) => Self::$variant,)* _ => Self::Other(value) }
            }
        }
        impl ::std::convert::From<$name> for $crate::codegen::serde_json::Value {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => i64::into($number),)* $name::Other(value) => value }
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self { $(Self::$variant => i64::fmt(&$number, f),)* Self::Other(value) => value.fmt(f) }
            }
        }
        impl $crate::codegen::Serialize for $name {
            fn serialize<S: $crate::codegen::serde::Serializer>(&self, to: S) -> ::std::result::Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant => to.serialize_i64($number),)*
                    Self::Other(value) => $crate::codegen::Serialize::serialize(value, to),
                }
            }
        }
        impl<'de> $crate::codegen::Deserialize<'de> for $name {
            fn deserialize<D: $crate::codegen::serde::Deserializer<'de>>(
                from: D,
            ) -> ::std::result::Result<Self, D::Error> {
                <$crate::codegen::serde_json::Value as $crate::codegen::Deserialize>::deserialize(from).map(Self::from)
            }
        }
    };
}
