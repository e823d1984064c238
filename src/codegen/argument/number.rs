//! Numbers: any integer for an integer, and any that is exact for a float.

use std::fmt::Display;
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64,
    NonZeroUsize,
};

use super::{ArgumentType, IntoArgumentBy, rule};
use crate::client::PathArgument;

/// An integer of any type.
pub trait Integer {
    /// Its value.
    fn value(self) -> i128;
}

impl<I: Integer + Copy> Integer for &I {
    fn value(self) -> i128 {
        (*self).value()
    }
}

/// Integers that arguments can be, and their twins without a zero.
macro_rules! integers {
    ($($kind:ident, $non_zero:ident);*) => {
        $(impl Integer for $kind {
            fn value(self) -> i128 {
                // `usize` has no `From`, and its values fit.
                i128::try_from(self).unwrap_or(i128::MAX)
            }
        }

        impl Integer for $non_zero {
            fn value(self) -> i128 {
                self.get().value()
            }
        }

        impl ArgumentType for $kind {
            type Rule = rule::Number;
        }

        impl ArgumentType for $non_zero {
            type Rule = rule::Number;
        }

        /// Ids are often numbers.
        impl IntoArgumentBy<PathArgument, rule::Segment> for $kind {
            fn into_argument_by(self) -> Result<PathArgument, String> {
                PathArgument::try_from(self.to_string()).map_err(|reason| reason.to_string())
            }
        }

        impl<U: Integer> IntoArgumentBy<$kind, rule::Number> for U {
            fn into_argument_by(self) -> Result<$kind, String> {
                let value = self.value();
                value.try_into().map_err(|_| out_of_range(value, $kind::MIN, $kind::MAX))
            }
        }

        impl<U: Integer> IntoArgumentBy<$non_zero, rule::Number> for U {
            fn into_argument_by(self) -> Result<$non_zero, String> {
                let value = self.value();
                let number = $kind::try_from(value).ok().and_then($non_zero::new);
                // Documents that ask for these have a minimum of 1.
                number.ok_or_else(|| out_of_range(value, $non_zero::MIN, $non_zero::MAX))
            }
        })*
    };
}
integers!(
    u8, NonZeroU8; u16, NonZeroU16; u32, NonZeroU32; u64, NonZeroU64; usize, NonZeroUsize;
    i8, NonZeroI8; i16, NonZeroI16; i32, NonZeroI32; i64, NonZeroI64; isize, NonZeroIsize
);

fn out_of_range(value: i128, least: impl Display, most: impl Display) -> String {
    format!("{value} is not between {least} and {most}")
}

/// Floats, which JSON has no infinite ones of.
macro_rules! floats {
    ($($kind:ident),*) => {
        $(impl ArgumentType for $kind {
            type Rule = rule::Number;
        }

        impl IntoArgumentBy<$kind, rule::Number> for f32 {
            fn into_argument_by(self) -> Result<$kind, String> {
                finite(f64::from(self))?;
                Ok(self.into())
            }
        }

        impl<U: Integer> IntoArgumentBy<$kind, rule::Number> for U {
            #[expect(
                clippy::cast_possible_truncation, clippy::cast_precision_loss,
                reason = "it is compared with what it was"
            )]
            fn into_argument_by(self) -> Result<$kind, String> {
                let value = self.value();
                let float = value as $kind;
                if float as i128 == value { Ok(float) } else { Err(format!("{value} has more digits than a float")) }
            }
        })*
    };
}
floats!(f32, f64);

impl IntoArgumentBy<f64, rule::Number> for f64 {
    fn into_argument_by(self) -> Result<f64, String> {
        finite(self)
    }
}

/// A literal is an `f64`, and means the nearest `f32`.
impl IntoArgumentBy<f32, rule::Number> for f64 {
    #[expect(clippy::cast_possible_truncation, reason = "the nearest one is meant")]
    fn into_argument_by(self) -> Result<f32, String> {
        let nearest = finite(self)? as f32;
        if nearest.is_finite() { Ok(nearest) } else { Err(format!("{self} is out of range")) }
    }
}

fn finite(value: f64) -> Result<f64, String> {
    if value.is_finite() { Ok(value) } else { Err(format!("{value} is not a number in JSON")) }
}
