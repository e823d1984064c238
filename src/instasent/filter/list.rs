//! The filter of the index calls, such as the list of campaigns: conditions on fields, paging and sorting.

use serde_json::{Value, json};

use super::invalid::{InvalidFilter, key, some};
use super::{Limit, Scalar, Sort};
use crate::codegen::{IntoArgumentBy, rule};

/// The filter of the index calls: conditions on fields, all of which must hold, a page, and an order.
///
/// It converts into the JSON text that the calls take as `q` (`_q` on the wire), which says everything a filter can say.
/// [`to_url_pairs`](Self::to_url_pairs) is the other form, one URL parameter for each condition.
///
/// Alternatives (OR) are documented to exist in the JSON form, without their grammar, and cannot be said here; nor can
/// the grouping of statistics.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListFilter {
    conditions: Vec<Condition>,
    sort: Vec<Sort>,
    page: Option<(u64, Limit)>,
}

/// The comparison of a field.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Operator {
    /// `eq`: it is the value.
    Eq,
    /// `gte`: it is the value or greater.
    Gte,
    /// `in`: it is one of the values.
    In,
    /// One that is not known here, sent as it is.
    Other(String),
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Condition {
    field: String,
    operator: Operator,
    value: Value,
}

impl ListFilter {
    /// A filter that lets everything through.
    pub fn new() -> Self {
        Self::default()
    }

    /// The field is this value. A nested field has its path joined by `*`: `attributes*drink`.
    ///
    /// # Errors
    /// Returns an error if the field is empty.
    pub fn eq(self, field: &str, value: impl Into<Scalar>) -> Result<Self, InvalidFilter> {
        self.unchecked(field, Operator::Eq, value.into().into())
    }

    /// The field is this value or greater. Values are compared as the field's type: dates as dates.
    ///
    /// # Errors
    /// Returns an error if the field is empty.
    pub fn gte(self, field: &str, value: impl Into<Scalar>) -> Result<Self, InvalidFilter> {
        self.unchecked(field, Operator::Gte, value.into().into())
    }

    /// The field is one of these values.
    ///
    /// # Errors
    /// Returns an error if the field is empty, or there are no values.
    pub fn is_in(
        self,
        field: &str,
        values: impl IntoIterator<Item = impl Into<Scalar>>,
    ) -> Result<Self, InvalidFilter> {
        let values = some::<Scalar>(&format!("values of field {field:?}"), values)?;
        self.unchecked(field, Operator::In, values.into_iter().map(Value::from).collect())
    }

    /// A condition whose operator or value is not known here: neither is checked.
    ///
    /// # Errors
    /// Returns an error if the field or the operator is empty.
    pub fn unchecked(mut self, field: &str, operator: Operator, value: Value) -> Result<Self, InvalidFilter> {
        let field = key("field", field)?;
        key("operator", operator.as_str())?;
        self.conditions.push(Condition { field, operator, value });
        Ok(self)
    }

    /// Sorts by a key, after those that were given before.
    #[must_use]
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort.push(sort);
        self
    }

    /// The page that begins after `start` entries. Start and limit go together: one alone is refused by the servers.
    #[must_use]
    pub fn page(self, start: u64, limit: Limit) -> Self {
        Self { page: Some((start, limit)), ..self }
    }

    /// The JSON form, for `_q`.
    pub fn to_json(&self) -> Value {
        let mut json = json!({});
        if !self.conditions.is_empty() {
            json["filter"] = self.conditions.iter().map(Condition::to_json).collect();
        }
        if let Some((start, limit)) = self.page {
            json["paging"] = json!({"start": start, "limit": limit.get()});
        }
        if !self.sort.is_empty() {
            json["sort"] = self.sort.iter().map(|sort| json!([sort.key(), sort.direction()])).collect();
        }
        json
    }

    /// The URL form: names and values, not encoded yet, as [`RawRequest::query`](crate::RawRequest::query) takes them.
    ///
    /// # Errors
    /// Returns an error if the URL form would be ambiguous: for a field or operator with `_`, which separates the two; for a list
    /// of values, whose form in a URL is not documented; a sort key with `,` or `:`. All of these go in the JSON form.
    pub fn to_url_pairs(&self) -> Result<Vec<(String, String)>, InvalidFilter> {
        let mut pairs = self.conditions.iter().map(Condition::to_url_pair).collect::<Result<Vec<_>, _>>()?;
        if !self.sort.is_empty() {
            let keys = self.sort.iter().map(sort_in_url).collect::<Result<Vec<_>, _>>()?;
            pairs.push(("_sort".to_owned(), keys.join(",")));
        }
        if let Some((start, limit)) = self.page {
            pairs.push(("_start".to_owned(), start.to_string()));
            pairs.push(("_limit".to_owned(), limit.get().to_string()));
        }
        Ok(pairs)
    }
}

impl IntoArgumentBy<String, rule::Text> for ListFilter {
    fn into_argument_by(self) -> Result<String, String> {
        Ok(self.into())
    }
}

impl IntoArgumentBy<String, rule::Text> for &ListFilter {
    fn into_argument_by(self) -> Result<String, String> {
        Ok(self.into())
    }
}

impl From<ListFilter> for String {
    fn from(filter: ListFilter) -> Self {
        Self::from(&filter)
    }
}

impl From<&ListFilter> for String {
    fn from(filter: &ListFilter) -> Self {
        filter.to_json().to_string()
    }
}

impl Operator {
    /// The operator on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Eq => "eq",
            Self::Gte => "gte",
            Self::In => "in",
            Self::Other(operator) => operator,
        }
    }
}

const USE_JSON: &str = "use the JSON form, `_q`";

impl Condition {
    fn to_json(&self) -> Value {
        json!({"field": self.field, "operator": self.operator.as_str(), "value": self.value})
    }

    fn to_url_pair(&self) -> Result<(String, String), InvalidFilter> {
        let Self { field, operator, value } = self;
        let operator = operator.as_str();
        let refused = |problem: &str| Err(InvalidFilter::new(format!("field {field:?} in a URL"), problem, USE_JSON));
        if field.contains('_') || operator.contains('_') {
            return refused("the server splits field from operator at `_`, and there is more than one");
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => return refused("how a URL holds such a value is not documented"),
        };
        Ok((format!("{field}_{operator}"), text))
    }
}

fn sort_in_url(sort: &Sort) -> Result<String, InvalidFilter> {
    if sort.key().contains([',', ':']) {
        let place = format!("sort key {:?} in a URL", sort.key());
        return Err(InvalidFilter::new(place, "`,` and `:` separate keys and directions", USE_JSON));
    }
    let suffix = if sort.is_ascending() { "" } else { ":-" };
    Ok(format!("{}{suffix}", sort.key()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter() -> Result<ListFilter, InvalidFilter> {
        Ok(ListFilter::new()
            .eq("status", "sent")?
            .gte("messages", 3)?
            .eq("attributes*is vegan", true)?
            .sort(Sort::ascending("name")?)
            .sort(Sort::descending("createdAt")?)
            .page(20, Limit::DEFAULT))
    }

    #[test]
    fn the_json_form_says_everything() {
        let filter = filter()
            .and_then(|filter| filter.is_in("country_code", ["ES", "PT"]))
            .and_then(|filter| filter.unchecked("deleted_at", Operator::Other("is_null".to_owned()), Value::Null))
            .expect("a filter");
        insta::assert_json_snapshot!(filter.to_json());
        assert_eq!(String::from(&filter), filter.to_json().to_string());
    }

    #[test]
    fn the_url_form_has_a_parameter_for_each_condition() {
        let pairs = filter().and_then(|filter| filter.to_url_pairs()).expect("pairs");
        let lines: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "status_eq=sent",
            "messages_gte=3",
            "attributes*is vegan_eq=true",
            "_sort=name,createdAt:-",
            "_start=20",
            "_limit=50",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_a_url_cannot_say_is_refused_with_the_way_out() {
        let of = |filter: Result<ListFilter, InvalidFilter>| {
            filter.and_then(|filter| filter.to_url_pairs()).expect_err("refused").to_string()
        };
        let table = [
            of(ListFilter::new().eq("_email", "a")),
            of(ListFilter::new().unchecked("name", Operator::Other("not_in".to_owned()), Value::Null)),
            of(ListFilter::new().is_in("status", ["a", "b"])),
            of(Sort::ascending("a,b").map(|sort| ListFilter::new().sort(sort))),
        ];
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn empty_fields_operators_and_lists_are_refused() {
        assert!(ListFilter::new().eq(" ", "a").is_err());
        assert!(ListFilter::new().unchecked("a", Operator::Other(String::new()), Value::Null).is_err());
        let error = ListFilter::new().is_in("status", Vec::<String>::new()).expect_err("refused").to_string();
        assert_eq!(error, "values of field \"status\": there is none: give at least one, or leave the condition out");
    }

    #[test]
    fn a_filter_of_nothing_is_an_empty_object() {
        assert_eq!(String::from(ListFilter::new()), "{}");
        assert_eq!(ListFilter::new().to_url_pairs(), Ok(vec![]));
    }
}
