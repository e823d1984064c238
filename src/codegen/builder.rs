//! Builders of generated code, each written as its members:
//!
//! ```text
//! builder! {
//!     Parcel {
//!         required id: String,
//!         optional weight maybe_weight: f64,
//!         patch note maybe_note null_note: String,
//!     }
//! }
//! ```
//!
//! | member | field | where no setter was called |
//! |---|---|---|
//! | `required` | `T` | there is no value |
//! | `optional` | `Option<T>` | `None` |
//! | `nullable` | `Option<T>`, sent as null where it is `None` | there is no value |
//! | `default` | `T` | its `Default` |
//! | `patch` | `Patch<T>` | absent |
//! | `built` | the builder of `T` | an empty builder |
//!
//! Names behind a member's are those of its other setters.

use std::borrow::Cow;
use std::fmt::Display;

use crate::client::transport::Unsent;

/// A type that has a builder.
pub trait Built: TryFrom<Self::Builder, Error: Display> {
    /// The builder.
    type Builder: Default + From<Self>;
}

/// The value of a builder.
///
/// # Errors
/// Returns an error if a setter refused its value, or a required setter was not called.
pub fn built<T: Built>(builder: Result<T::Builder, impl Into<Refusal>>) -> Result<T, Unsent> {
    let builder = builder.map_err(Into::into)?;
    Ok(T::try_from(builder).map_err(|reason| reason.to_string())?)
}

/// Why a builder has no value for a member. Every call begins with members that have none, so that nothing is made for these.
pub type Refusal = Cow<'static, str>;

/// The builder of a type, which stands in the module above and is called as the builder is.
#[doc(hidden)]
#[macro_export]
macro_rules! __keyfit_builder {
    ($name:ident { $($kind:ident $field:ident $($other:ident)* : $type:ty),* $(,)? }) => {
        #[doc = concat!("Builder of [`", stringify!($name), "`](super::", stringify!($name), ").")]
        #[derive(Clone, Debug)]
        pub struct $name {
            $($field: ::std::result::Result<$crate::__keyfit_member!(@field $kind $type), $crate::codegen::Refusal>,)*
        }
        impl ::std::default::Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::__keyfit_member!(@empty $kind $field),)* }
            }
        }
        impl $name {
            $($crate::__keyfit_member! {
                @setters $kind
                [#[doc = concat!(
                    "Sets [`", stringify!($field), "`](super::", stringify!($name), "::", stringify!($field), ")."
                )]]
                $field $($other)*: $type
            })*
        }
        impl ::std::convert::TryFrom<$name> for super::$name {
            type Error = $crate::codegen::ConversionError;
            fn try_from(value: $name) -> ::std::result::Result<Self, Self::Error> {
                Ok(Self { $($field: value.$field?,)* })
            }
        }
        impl ::std::convert::From<super::$name> for $name {
            fn from(value: super::$name) -> Self {
                Self { $($field: Ok(value.$field),)* }
            }
        }
        impl $crate::codegen::Built for super::$name {
            type Builder = $name;
        }
        impl super::$name {
            /// A builder in which nothing is set.
            pub fn builder() -> $name {
                ::std::default::Default::default()
            }
        }
        impl $crate::codegen::ArgumentType for super::$name {
            type Rule = $crate::codegen::rule::Converted;
        }
    };
}

/// The builder of a call, below the module that has the client.
#[doc(hidden)]
#[macro_export]
macro_rules! __keyfit_call {
    ($(#[$about:meta])* $name:ident {
        $($(#[$said:meta])* $kind:ident $field:ident $($other:ident)* : $type:ty),* $(,)?
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug)]
        pub struct $name<'a> {
            client: &'a super::Client,
            $($field: ::std::result::Result<$crate::__keyfit_member!(@field $kind $type), $crate::codegen::Refusal>,)*
        }
        impl<'a> $name<'a> {
            pub(crate) fn new(client: &'a super::Client) -> Self {
                Self { client, $($field: $crate::__keyfit_member!(@empty $kind $field),)* }
            }
            $($crate::__keyfit_member! { @setters $kind [$(#[$said])*] $field $($other)*: $type })*
        }
    };
}

/// The role of a member in a builder.
#[doc(hidden)]
#[macro_export]
macro_rules! __keyfit_member {
    (@field required $type:ty) => { $type };
    (@field default $type:ty) => { $type };
    (@field optional $type:ty) => { ::std::option::Option<$type> };
    (@field nullable $type:ty) => { ::std::option::Option<$type> };
    (@field patch $type:ty) => { $crate::Patch<$type> };
    (@field built $type:ty) => { <$type as $crate::codegen::Built>::Builder };

    (@empty required $field:ident) => {
        Err(::std::borrow::Cow::Borrowed(concat!("no value supplied for ", stringify!($field))))
    };
    (@empty nullable $field:ident) => {
        Err(::std::borrow::Cow::Borrowed(concat!("no value supplied for ", stringify!($field))))
    };
    (@empty $kind:ident $field:ident) => { Ok(::std::default::Default::default()) };

    (@setters required [$($said:tt)*] $field:ident: $type:ty) => {
        $($said)*
        pub fn $field(mut self, value: impl $crate::codegen::IntoArgument<$type>) -> Self {
            self.$field = $crate::codegen::accept(stringify!($field), value).map_err(Into::into);
            self
        }
    };
    (@setters default [$($said:tt)*] $field:ident $maybe:ident: $type:ty) => {
        $crate::__keyfit_member! { @setters required [$($said)*] $field: $type }
        #[doc = concat!("`", stringify!($field), "` with a value that may be absent: `None` leaves it out.")]
        pub fn $maybe(self, value: ::std::option::Option<impl $crate::codegen::IntoArgument<$type>>) -> Self {
            match value { Some(value) => self.$field(value), None => self }
        }
    };
    (@setters optional [$($said:tt)*] $field:ident: $type:ty) => {
        $($said)*
        pub fn $field(mut self, value: impl $crate::codegen::IntoArgument<$type>) -> Self {
            self.$field = $crate::codegen::accept_some(stringify!($field), value).map_err(Into::into);
            self
        }
    };
    (@setters optional [$($said:tt)*] $field:ident $maybe:ident: $type:ty) => {
        $crate::__keyfit_member! { @setters optional [$($said)*] $field: $type }
        #[doc = concat!("`", stringify!($field), "` with a value that may be absent: `None` leaves it out.")]
        pub fn $maybe(mut self, value: ::std::option::Option<impl $crate::codegen::IntoArgument<$type>>) -> Self {
            self.$field = $crate::codegen::accept_maybe(stringify!($field), value).map_err(Into::into);
            self
        }
    };
    (@setters nullable [$($said:tt)*] $field:ident $maybe:ident: $type:ty) => {
        $crate::__keyfit_member! { @setters optional [$($said)*] $field: $type }
        #[doc = concat!("`", stringify!($field), "` with a value that may be absent: `None` is sent as null.")]
        pub fn $maybe(mut self, value: ::std::option::Option<impl $crate::codegen::IntoArgument<$type>>) -> Self {
            self.$field = $crate::codegen::accept_maybe(stringify!($field), value).map_err(Into::into);
            self
        }
    };
    (@setters patch [$($said:tt)*] $field:ident $maybe:ident $null:ident: $type:ty) => {
        $($said)*
        pub fn $field(mut self, value: impl $crate::codegen::IntoArgument<$type>) -> Self {
            self.$field =
                $crate::codegen::accept(stringify!($field), value).map($crate::Patch::Value).map_err(Into::into);
            self
        }
        #[doc = concat!("`", stringify!($field), "` with a value that may be absent: `None` leaves it out.")]
        pub fn $maybe(self, value: ::std::option::Option<impl $crate::codegen::IntoArgument<$type>>) -> Self {
            match value { Some(value) => self.$field(value), None => Self { $field: Ok($crate::Patch::Absent), ..self } }
        }
        #[doc = concat!("`", stringify!($field), "` as null, which empties it.")]
        pub fn $null(self) -> Self {
            Self { $field: Ok($crate::Patch::Null), ..self }
        }
    };
    (@setters built [$($said:tt)*] $field:ident $map:ident: $type:ty) => {
        $($said)*
        pub fn $field(mut self, value: impl $crate::codegen::IntoArgument<$type>) -> Self {
            self.$field =
                $crate::codegen::accept::<$type>(stringify!($field), value).map(From::from).map_err(Into::into);
            self
        }
        #[doc = concat!("`", stringify!($field), "` by its builder, with what was set before.")]
        pub fn $map(
            mut self,
            change: impl FnOnce(<$type as $crate::codegen::Built>::Builder) -> <$type as $crate::codegen::Built>::Builder,
        ) -> Self {
            self.$field = self.$field.map(change);
            self
        }
    };
}
