//! A predicate of a condition: an operator, and values in the shape that the operator takes.

use serde_json::{Map, Number, Value, json};

use super::invalid::{InvalidFilter, key, some};
use super::{RelativeDates, Scalar};

/// A predicate on the value under a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Predicate {
    operator: String,
    values: Value,
}

/// The combinator that `matches-string` takes in the place of its first value.
const ALL_OF: &str = "&&";

impl Predicate {
    /// `contains`: it is, or holds, one of these.
    ///
    /// # Errors
    /// Returns an error if there are no values.
    pub fn contains(values: impl IntoIterator<Item = impl Into<Scalar>>) -> Result<Self, InvalidFilter> {
        let values = some::<Scalar>("values of contains", values)?;
        Ok(Self::new("contains", values.into_iter().map(Value::from).collect()))
    }

    /// `exists`: there is a value.
    pub fn exists() -> Self {
        Self::new("exists", json!([]))
    }

    /// `matches-string`: the text matches one of these.
    ///
    /// # Errors
    /// Returns an error if there are no values, or the first one is `&&`, which would be read as a combinator.
    pub fn matches_any(values: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidFilter> {
        let values = some::<String>("values of matches-string", values)?;
        if values[0] == ALL_OF {
            let problem = "the first is `&&`, which the server would read as: all of the others";
            return Err(InvalidFilter::new("values of matches-string", problem, "use `matches_all`, or reorder them"));
        }
        Ok(Self::new("matches-string", json!(values)))
    }

    /// `matches-string`: the text matches every one of these.
    ///
    /// # Errors
    /// Returns an error if there are no values.
    pub fn matches_all(values: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidFilter> {
        let mut values = some::<String>("values of matches-string", values)?;
        values.insert(0, ALL_OF.to_owned());
        Ok(Self::new("matches-string", json!(values)))
    }

    /// `range-number`: the number lies between these, or is one of them.
    ///
    /// # Errors
    /// Returns an error if an end is not a number, or the lower end is above the upper one.
    pub fn between(lower: impl TryInto<Scalar>, upper: impl TryInto<Scalar>) -> Result<Self, InvalidFilter> {
        Self::range(Some(&number(lower)?), Some(&number(upper)?))
    }

    /// `range-number`, open upwards.
    ///
    /// # Errors
    /// Returns an error if the end is not a number.
    pub fn at_least(lower: impl TryInto<Scalar>) -> Result<Self, InvalidFilter> {
        Self::range(Some(&number(lower)?), None)
    }

    /// `range-number`, open downwards.
    ///
    /// # Errors
    /// Returns an error if the end is not a number.
    pub fn at_most(upper: impl TryInto<Scalar>) -> Result<Self, InvalidFilter> {
        Self::range(None, Some(&number(upper)?))
    }

    /// `range-date-relative`: the date lies in a range around now.
    pub fn relative(dates: &RelativeDates) -> Self {
        Self::new("range-date-relative", dates.to_json())
    }

    /// An operator that is not known here, with its values as they are. Known operators take lists or objects.
    ///
    /// # Errors
    /// Returns an error if the operator is empty, or the values are neither a list nor an object.
    pub fn unchecked(operator: &str, values: Value) -> Result<Self, InvalidFilter> {
        let operator = key("operator", operator)?;
        if !values.is_array() && !values.is_object() {
            let place = format!("values of {operator}");
            return Err(InvalidFilter::new(
                place,
                "they are neither a list nor an object",
                "put a single value in a list",
            ));
        }
        Ok(Self { operator, values })
    }

    /// The members of a condition of this kind.
    pub(super) fn condition(self, kind: &str, key: &str) -> Map<String, Value> {
        let members =
            [("type", json!(kind)), ("key", json!(key)), ("operator", json!(self.operator)), ("values", self.values)];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn new(operator: &str, values: Value) -> Self {
        Self { operator: operator.to_owned(), values }
    }

    fn range(lower: Option<&Number>, upper: Option<&Number>) -> Result<Self, InvalidFilter> {
        let ends = (lower.and_then(Number::as_f64), upper.and_then(Number::as_f64));
        if let (Some(low), Some(high)) = ends
            && low > high
        {
            let problem = format!("the lower number {low} is above the upper one {high}");
            return Err(InvalidFilter::new("values of range-number", problem, "swap them"));
        }
        Ok(Self::new("range-number", json!({"lowerNumber": lower, "upperNumber": upper})))
    }
}

fn number(end: impl TryInto<Scalar>) -> Result<Number, InvalidFilter> {
    match end.try_into().map(Value::from) {
        Ok(Value::Number(number)) => Ok(number),
        _ => Err(InvalidFilter::new("values of range-number", "an end is no number", "give finite numbers")),
    }
}
