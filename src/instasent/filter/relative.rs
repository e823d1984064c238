//! Ranges of dates, relative to the day of the search.

use serde_json::{Value, json};

use super::InvalidFilter;

/// A range of dates relative to now: from 30 days ago until today, or open on one side.
///
/// ```
/// use keyfit::instasent::filter::{Bound, RelativeDates};
///
/// # fn main() -> Result<(), keyfit::instasent::filter::InvalidFilter> {
/// let last_month = RelativeDates::between(Bound::days(-30), Bound::days(0))?;
/// let older = RelativeDates::until(Bound::days(-30).exclusive());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RelativeDates {
    lower: Option<Bound>,
    upper: Option<Bound>,
}

/// One end of a range: so many periods from now, negative for the past.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bound {
    offset: i64,
    period: Period,
    is_exclusive: bool,
    rounding: Option<String>,
}

/// The unit of an offset.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Period {
    /// `day`.
    Day,
    /// One that is not known here, sent as it is.
    Other(String),
}

impl RelativeDates {
    /// Both ends.
    ///
    /// # Errors
    /// Returns an error if the lower end is after the upper one and both count in the same period.
    pub fn between(lower: Bound, upper: Bound) -> Result<Self, InvalidFilter> {
        if lower.period == upper.period && lower.offset > upper.offset {
            let problem = format!("it starts at {} and ends before that, at {}", lower.offset, upper.offset);
            return Err(InvalidFilter::new("range of dates", problem, "swap the ends: the past is negative"));
        }
        Ok(Self { lower: Some(lower), upper: Some(upper) })
    }

    /// Everything from here on.
    pub fn from(lower: Bound) -> Self {
        Self { lower: Some(lower), upper: None }
    }

    /// Everything until here.
    pub fn until(upper: Bound) -> Self {
        Self { lower: None, upper: Some(upper) }
    }

    pub(super) fn to_json(&self) -> Value {
        let offset = |bound: &Option<Bound>| bound.as_ref().map(|bound| bound.offset);
        let period = |bound: &Option<Bound>| bound.as_ref().map(|bound| bound.period.as_str().to_owned());
        let excludes = |bound: &Option<Bound>| bound.as_ref().is_some_and(|bound| bound.is_exclusive);
        let rounding = |bound: &Option<Bound>| bound.as_ref().and_then(|bound| bound.rounding.clone());
        json!({
            "lowerOffset": offset(&self.lower),
            "upperOffset": offset(&self.upper),
            "lowerOffsetPeriod": period(&self.lower),
            "upperOffsetPeriod": period(&self.upper),
            "lowerExcludeEquals": excludes(&self.lower),
            "upperExcludeEquals": excludes(&self.upper),
            "lowerRounding": rounding(&self.lower),
            "upperRounding": rounding(&self.upper),
        })
    }
}

impl Bound {
    /// So many days from now.
    pub fn days(offset: i64) -> Self {
        Self::new(offset, Period::Day)
    }

    /// So many periods from now.
    pub fn new(offset: i64, period: Period) -> Self {
        Self { offset, period, is_exclusive: false, rounding: None }
    }

    /// The end itself is outside.
    #[must_use]
    pub fn exclusive(self) -> Self {
        Self { is_exclusive: true, ..self }
    }

    /// Sets the rounding of the end. The names of roundings are not documented: this one is sent unchanged.
    #[must_use]
    pub fn rounding_unchecked(self, rounding: impl Into<String>) -> Self {
        Self { rounding: Some(rounding.into()), ..self }
    }
}

impl Period {
    /// The period on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Day => "day",
            Self::Other(period) => period,
        }
    }
}
