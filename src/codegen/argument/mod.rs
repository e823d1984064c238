//! The arguments of the setters of generated builders: a text as `&str` or `String`, a number as any integer, a list as an array,
//! an object by value or by its builder.

mod collection;
mod number;
mod text;

use std::fmt::Display;

use serde_json::Value;

use crate::auth::Secret;
use crate::client::FilePart;
use crate::http_client::Body;

/// A value that a setter for a `T` takes. Setters of optional arguments take the value itself, and have a twin,
/// `maybe_<name>`, which takes an `Option` of it.
///
/// | `T` | values |
/// |---|---|
/// | a text, an enum of texts, a text with limits | `&str`, `String`, `&String`, `Cow<str>`, `Box<str>`, and the type itself |
/// | a path argument | the same, and integers |
/// | an integer, a `NonZero` one | every integer; one that is out of range is an error when the request is sent |
/// | a number | integers of 32 bits, `f32`, `f64` |
/// | a date, an instant, an IP address | values of `chrono` and `std::net`, a [`Timestamp`](crate::Timestamp), a text |
/// | a list | `[U; N]`, `&[U]`, `Vec<U>`, `&Vec<U>` of values that its items take |
/// | a map, an object without a type | maps, arrays of pairs, a JSON object |
/// | a file in a form | a [`FilePart`](crate::FilePart), `Vec<u8>`, `Bytes` |
/// | a type of the API | the type, its builder, and what converts into it by [`TryInto`] |
///
/// It is implemented by rules: see [`IntoArgumentBy`].
#[diagnostic::on_unimplemented(
    message = "this argument is a `{T}`, and takes no `{Self}`",
    label = "not a value for a `{T}`",
    note = "a text is given as `&str` or `String`, a number as an integer or float, a list as an array, slice or `Vec`, \
            an object as the type or its builder",
    note = "a value that is an `Option` is given to the setter `maybe_<name>`"
)]
pub trait IntoArgument<T> {
    /// The argument.
    ///
    /// # Errors
    /// Returns an error if the value does not convert; it gives the reason.
    fn into_argument(self) -> Result<T, String>;
}

/// A type of arguments, with the rule by which values become one.
pub trait ArgumentType: Sized {
    /// One of the types in [`rule`].
    type Rule;
}

/// [`IntoArgument`] by a rule. A rule is a type, so that the conversions of one do not meet those of another.
pub trait IntoArgumentBy<T, Rule> {
    /// The argument.
    ///
    /// # Errors
    /// Returns an error if the value does not convert; it gives the reason.
    fn into_argument_by(self) -> Result<T, String>;
}

#[diagnostic::do_not_recommend]
impl<T: ArgumentType, U: IntoArgumentBy<T, T::Rule>> IntoArgument<T> for U {
    fn into_argument(self) -> Result<T, String> {
        self.into_argument_by()
    }
}

/// The rules.
pub mod rule {
    use std::marker::PhantomData;

    /// A text as it is.
    #[derive(Debug)]
    pub enum Text {}
    /// A text that is parsed, or the type itself.
    #[derive(Debug)]
    pub enum Parsed {}
    /// A segment of a path.
    #[derive(Debug)]
    pub enum Segment {}
    /// A number in range.
    #[derive(Debug)]
    pub enum Number {}
    /// Values of the items.
    #[derive(Debug)]
    pub enum List {}
    /// Pairs of names and values.
    #[derive(Debug)]
    pub enum Map {}
    /// An `Option` of a value.
    #[derive(Debug)]
    pub enum Optional {}
    /// Arguments that convert by [`TryInto`](std::convert::TryInto).
    #[derive(Debug)]
    pub enum Converted {}
    /// Arguments that are put into a box.
    #[derive(Debug)]
    pub enum Boxed {}
    /// Arguments of an `Inner`, which the type is made from.
    #[derive(Debug)]
    pub struct Wrapped<Inner>(PhantomData<Inner>);
}

/// The value of an argument, for the field of a builder.
///
/// # Errors
/// Returns an error if the value is not one, with the argument's name.
pub fn accept<T>(name: &str, value: impl IntoArgument<T>) -> Result<T, String> {
    value.into_argument().map_err(|reason| refused(name, &reason))
}

/// As [`accept`], for an optional argument.
///
/// # Errors
/// Returns an error if [`accept`] would.
pub fn accept_some<T>(name: &str, value: impl IntoArgument<T>) -> Result<Option<T>, String> {
    accept(name, value).map(Some)
}

/// As [`accept`], for an optional argument whose value may be absent.
///
/// # Errors
/// Returns an error if [`accept`] would.
pub fn accept_maybe<T>(name: &str, value: Option<impl IntoArgument<T>>) -> Result<Option<T>, String> {
    value.map(|value| accept(name, value)).transpose()
}

/// As [`accept`], for types without a rule: tuples, arrays of a fixed length.
///
/// # Errors
/// Returns an error if [`accept`] would.
pub fn accept_converted<T>(name: &str, value: impl TryInto<T, Error: Display>) -> Result<T, String> {
    value.try_into().map_err(|reason| refused(name, &format!("{reason}")))
}

fn refused(name: &str, reason: &str) -> String {
    format!("the argument `{name}` is refused: {reason}")
}

impl<T, U: TryInto<T, Error: Display>> IntoArgumentBy<T, rule::Converted> for U {
    fn into_argument_by(self) -> Result<T, String> {
        self.try_into().map_err(|reason| reason.to_string())
    }
}

impl<I: ArgumentType, T: TryFrom<I, Error: Display>, U: IntoArgument<I>> IntoArgumentBy<T, rule::Wrapped<I>> for U {
    fn into_argument_by(self) -> Result<T, String> {
        self.into_argument()?.try_into().map_err(|reason: T::Error| reason.to_string())
    }
}

impl<T: ArgumentType> ArgumentType for Option<T> {
    type Rule = rule::Optional;
}

impl<T, U: IntoArgument<T>> IntoArgumentBy<Option<T>, rule::Optional> for Option<U> {
    fn into_argument_by(self) -> Result<Option<T>, String> {
        self.map(U::into_argument).transpose()
    }
}

impl<T: ArgumentType> ArgumentType for Box<T> {
    type Rule = rule::Boxed;
}

impl<T, U: IntoArgument<T>> IntoArgumentBy<Box<T>, rule::Boxed> for U {
    fn into_argument_by(self) -> Result<Box<T>, String> {
        self.into_argument().map(Box::new)
    }
}

impl<T, const N: usize> ArgumentType for [T; N] {
    type Rule = rule::Converted;
}

macro_rules! tuples {
    ($(($($item:ident)*))*) => {
        $(impl<$($item),*> ArgumentType for ($($item,)*) {
            type Rule = rule::Converted;
        })*
    };
}
tuples!((A)(A B)(A B C)(A B C D)(A B C D E)(A B C D E F));

macro_rules! converted {
    ($($kind:ty),*) => {
        $(impl ArgumentType for $kind {
            type Rule = rule::Converted;
        })*
    };
}
converted!(bool, FilePart, Secret, Value, Body);

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::{BTreeMap, HashMap};
    use std::net::IpAddr;
    use std::num::NonZeroU64;

    use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone as _, Utc};
    use serde_json::{Map, json};

    use super::*;
    use crate::client::PathArgument;
    use crate::client::batch::Batch;
    use crate::error::Timestamp;

    fn taken<T>(value: impl IntoArgument<T>) -> T {
        accept("x", value).expect("it is a value")
    }

    fn refusal<T: std::fmt::Debug>(value: impl IntoArgument<T>) -> String {
        accept::<T>("x", value).expect_err("it is no value")
    }

    #[test]
    fn a_text_is_given_in_every_form_of_a_text() {
        let owned = "a".to_owned();
        let texts: [String; 7] = [
            taken("a"),
            taken("a"),
            taken(&owned),
            taken(owned.clone()),
            taken(Cow::Borrowed("a")),
            taken(Box::<str>::from("a")),
            taken("a".parse::<Timestamp>().expect("any text")),
        ];
        assert_eq!(texts, ["a"; 7]);
    }

    #[test]
    fn a_number_is_any_number_in_range() {
        assert_eq!(taken::<u64>(10), 10);
        assert_eq!(taken::<u8>(10_usize), 10);
        assert_eq!(taken::<i64>(NonZeroU64::MIN), 1);
        assert_eq!(taken::<NonZeroU64>(10).get(), 10);
        assert_eq!(taken::<f64>(10).to_string(), "10");
        assert_eq!(taken::<f64>(0.5).to_string(), "0.5");
        assert_eq!(taken::<f32>(0.1).to_string(), "0.1");
        assert_eq!(refusal::<u64>(-1), "the argument `x` is refused: -1 is not between 0 and 18446744073709551615");
        assert_eq!(
            refusal::<NonZeroU64>(0),
            "the argument `x` is refused: 0 is not between 1 and 18446744073709551615"
        );
        assert_eq!(refusal::<i8>(1000), "the argument `x` is refused: 1000 is not between -128 and 127");
        for odd in [f64::NAN, f64::INFINITY] {
            assert!(refusal::<f64>(odd).ends_with("is not a number in JSON"), "{odd}");
        }
        assert!(refusal::<f32>(1e300).ends_with("is out of range"));
    }

    #[test]
    fn a_list_is_given_as_an_array_a_slice_or_a_vec() {
        let owned = vec!["a".to_owned(), "b".to_owned()];
        let lists: [Vec<String>; 6] = [
            taken(["a", "b"]),
            taken(vec!["a", "b"]),
            taken(["a", "b"]),
            taken(owned.as_slice()),
            taken(&owned),
            taken(owned.clone()),
        ];
        assert!(lists.iter().all(|list| *list == owned));
        assert_eq!(taken::<Vec<u64>>([1, 2]), [1, 2]);
        assert_eq!(
            refusal::<Vec<u64>>([1, -2]),
            "the argument `x` is refused: item 1: -2 is not between 0 and 18446744073709551615"
        );
        assert_eq!(taken::<Vec<Option<String>>>([Some("a"), None]), [Some("a".to_owned()), None]);
        assert_eq!(taken::<Batch<String, 2>>(["a", "b"]).len(), 2);
        assert_eq!(
            refusal::<Batch<String, 1>>(["a", "b"]),
            "the argument `x` is refused: a batch takes 1 to 1 items, not 2"
        );
    }

    #[test]
    fn a_map_is_given_as_a_map_as_pairs_or_as_an_object() {
        let wanted = json!({"plan": "pro", "seats": 3});
        let maps: [Map<String, Value>; 3] = [
            taken(wanted.clone()),
            taken([("plan", json!("pro")), ("seats", json!(3))]),
            taken(BTreeMap::from([("plan", json!("pro")), ("seats", json!(3))])),
        ];
        assert!(maps.into_iter().all(|map| Value::Object(map) == wanted));
        assert_eq!(refusal::<Map<String, Value>>(json!([])), "the argument `x` is refused: it is not a JSON object");
        let map: HashMap<String, u64> = taken([("a", 1)]);
        assert_eq!(map["a"], 1);
        assert_eq!(taken::<Value>("a"), json!("a"));
    }

    #[test]
    fn dates_and_addresses_are_given_as_such_or_as_texts() {
        let instant = Utc.with_ymd_and_hms(2026, 1, 22, 10, 0, 0).single().expect("an instant");
        let madrid = FixedOffset::east_opt(3600).expect("an offset");
        let instants: [DateTime<Utc>; 4] = [
            taken(instant),
            taken(instant.with_timezone(&madrid)),
            taken("2026-01-22T11:00:00+01:00"),
            taken(Timestamp::from(instant)),
        ];
        assert_eq!(instants, [instant; 4]);
        assert_eq!(taken::<NaiveDate>("2026-01-22"), taken(instant.date_naive()));
        assert!(refusal::<NaiveDate>("tomorrow").starts_with("the argument `x` is refused: "));
        assert!(
            refusal::<DateTime<Utc>>("yesterday".parse::<Timestamp>().expect("any text"))
                .ends_with("is not an instant")
        );
        assert_eq!(taken::<IpAddr>("::1").to_string(), "::1");
    }

    #[test]
    fn a_path_argument_is_a_text_or_an_integer() {
        let segments: [PathArgument; 3] = [taken("42"), taken(42), taken(PathArgument::try_from("42").expect("an id"))];
        assert!(segments.iter().all(|segment| segment.as_str() == "42"));
        assert!(refusal::<PathArgument>("..").contains("must not be empty"));
    }

    #[test]
    fn an_absent_value_is_left_out() {
        assert_eq!(accept_maybe::<String>("x", None::<&str>), Ok(None));
        assert_eq!(accept_maybe::<String>("x", Some("a")), Ok(Some("a".to_owned())));
    }
}
