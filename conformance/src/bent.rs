//! Requests that are valid but for one thing each: every way to break what a document says of an operation's parameters and body once,
//! and what no document speaks of. What is not sent, though it could be: where a call changes something, optional parameters and those of
//! the path, which could widen what it changes; values that a query commonly reads leniently, such as booleans.

use keyfit_openapi::breach::{self, Breach, Constraint, Written};
use keyfit_openapi::example::Request;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Operation, Parameter, Place, Retry, Writing, example};
use serde_json::{Value, json};

use crate::catalogue::required_field;
use crate::contract::{Carrier, Contract, Flaw};
use crate::pointer::join;
use crate::segment;

/// How many requests are sent for one case.
pub(crate) const MOST: usize = 12;
/// The name of a parameter that no document has.
pub(crate) const UNKNOWN: &str = "keyfit-unknown";
/// How many members of a body are null, one at a time.
const MOST_NULLS: usize = 3;
/// How long a body is made: more than forms of people are, and less than proxies refuse unasked.
const LONG: usize = 64 * 1024;
/// How deep lists are put into lists: more than some parsers take, and less than ends a process.
pub(crate) const DEEP: usize = 256;

/// One thing that is wrong with a request.
#[derive(Clone, Debug)]
pub(crate) struct Bent {
    pub(crate) flaw: Flaw,
    /// The place and what is wrong there: ``the query's `limit` is -5, below 1``.
    pub(crate) told: String,
    pub(crate) change: Change,
}

/// What is changed in a valid request.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A parameter, by its place among those of the operation, has this value; none where it is left out.
    Parameter(usize, Option<Value>),
    /// A parameter of the query stands twice.
    Twice(usize),
    /// The query has a parameter that the document does not know.
    Unknown,
    /// What a JSON pointer leads to in the body is this; nothing where it is left out. What is not there is not sent, so that a body
    /// that may be sent to a live server gets no more than that.
    Body(String, Option<Value>),
    /// A member is added to the body, at a JSON pointer.
    Added(String, Value),
    /// The bytes of the body.
    Bytes(Bytes),
}

/// What is changed in the bytes of a body of JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bytes {
    /// The first member stands twice.
    Twice,
    /// It is written, and said to be written, in UTF-16.
    Utf16,
    /// A text holds bytes that are no UTF-8.
    NotUtf8,
    /// A member more holds lists in lists.
    Deep,
}

impl Bent {
    /// Whether it is about a parameter of the path: what no resource can be called is not there.
    pub(crate) fn is_in_path(&self, operation: &Operation) -> bool {
        matches!(&self.change, Change::Parameter(place, _) if operation.parameters[*place].place == Place::Path)
    }
}

/// Such requests of an operation, in the order of its parts, of each flaw as many as are asked for. By a contract: where a batch has an
/// outcome for each item, a bad item is no bad request.
pub(crate) fn of(
    (api, contract): (&Api, &Contract),
    operation: &Operation,
    request: &Request,
    most: &dyn Fn(Flaw) -> usize,
) -> Vec<Bent> {
    let mut found = Found { most, bent: Vec::new() };
    for (place, parameter) in operation.parameters.iter().enumerate() {
        if let Some(value) = request.arguments.get(&parameter.name)
            && may_be_bent(contract, operation, parameter)
        {
            of_parameter(api, (place, parameter), value, &mut found);
        }
    }
    if let (Some(body), None, None) = (request.arguments.get("body"), &request.gap, contract.batch_of(operation)) {
        of_body(api, operation, body, &mut found);
    }
    if operation.retry == Retry::Safe {
        let told = format!("the query has `{UNKNOWN}`, which the document does not know");
        found.add(Flaw::Odd, told, Change::Unknown);
    }
    found.bent
}

/// What was found, and how many of each flaw are asked for.
struct Found<'a> {
    most: &'a dyn Fn(Flaw) -> usize,
    bent: Vec<Bent>,
}

impl Found<'_> {
    fn add(&mut self, flaw: Flaw, told: String, change: Change) {
        if self.left(flaw) > 0 {
            self.bent.push(Bent { flaw, told, change });
        }
    }

    /// How many more are asked for.
    fn left(&self, flaw: Flaw) -> usize {
        (self.most)(flaw).saturating_sub(self.bent.iter().filter(|bent| bent.flaw == flaw).count())
    }

    /// The ways to break what a schema says, where any more are asked for. As many as `spare` of one kind may turn out not to be sent.
    fn breaches(&self, api: &Api, (schema, value): (&Value, &Value), written: Written, spare: usize) -> Vec<Breach> {
        let most = |constraint: Option<Constraint>| match self.left(constraint.into()) {
            0 => 0,
            left => left.saturating_add(spare),
        };
        breach::breaches(api, schema, value, written, &most)
    }
}

/// Whether another value may be sent: not where a call that changes something could change more by it, and a credential belongs to
/// the rules about credentials.
fn may_be_bent(contract: &Contract, operation: &Operation, parameter: &Parameter) -> bool {
    let is_it = |carrier: &Carrier| match carrier {
        Carrier::NamedHeader(name) => parameter.place == Place::Header && name.eq_ignore_ascii_case(&parameter.name),
        Carrier::Query(name) => parameter.place == Place::Query && *name == parameter.name,
        _ => false,
    };
    let is_harmless = operation.retry == Retry::Safe || (parameter.required && parameter.place != Place::Path);
    is_harmless && !contract.credentials.iter().flat_map(|kind| &kind.carriers).any(is_it)
}

fn of_parameter(api: &Api, (place, parameter): (usize, &Parameter), value: &Value, found: &mut Found<'_>) {
    let name = match parameter.place {
        Place::Path => format!("the path's `{}`", parameter.name),
        Place::Query => format!("the query's `{}`", parameter.name),
        Place::Header => format!("the header `{}`", parameter.name),
    };
    // The members of an object are written in several ways, and one without members not at all.
    if matches!(value, Value::Object(_)) {
        return;
    }
    let breaches = found.breaches(api, (&parameter.schema, value), Written::Text, MOST);
    let mut add = |flaw, told: String, change| found.add(flaw, format!("{name} {told}"), change);
    if parameter.required && parameter.place != Place::Path {
        add(Flaw::Required, "is missing".to_owned(), Change::Parameter(place, None));
    }
    for breach in breaches {
        let bent = breach.applied(value);
        if can_be_written(parameter, &bent) {
            let told = if breach.at.is_empty() { breach.told } else { format!("has {}", breach.told) };
            let told = if told.starts_with("has ") { told } else { format!("is {told}") };
            add(breach.constraint.into(), told, Change::Parameter(place, Some(bent)));
        }
    }
    if parameter.place == Place::Query && !value.is_array() {
        add(Flaw::Odd, "stands twice".to_owned(), Change::Twice(place));
    }
}

/// Whether a value stands in a request as it is: no header holds every character, and no path an empty segment or one of dots.
fn can_be_written(parameter: &Parameter, value: &Value) -> bool {
    let is_plain =
        |value: &Value| value.as_str().is_none_or(|text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    match (parameter.place, value) {
        (Place::Header, Value::Array(items)) => items.iter().all(is_plain),
        (Place::Header, value) => is_plain(value),
        (Place::Path, Value::String(text)) => segment::is_one(text),
        _ => true,
    }
}

fn of_body(api: &Api, operation: &Operation, value: &Value, found: &mut Found<'_>) {
    let Some(body) = operation.body.as_ref().filter(|body| body.writing(api) == Writing::Json) else { return };
    // That one has a rule of its own.
    let first = required_field(api, &body.schema).map(|name| format!("/{name}"));
    for Breach { constraint, at, value, told } in found.breaches(api, (&body.schema, value), Written::Json, 1) {
        let flaw = Flaw::from(constraint);
        if flaw == Flaw::Required && first.as_ref() == Some(&at) {
            continue;
        }
        // A payment of an odd amount is one all the same.
        if flaw == Flaw::Extreme && operation.spends {
            continue;
        }
        let told = format!("the body's `{at}` is {told}");
        match value {
            Some(value) if flaw == Flaw::Additional => found.add(flaw, told, Change::Added(at, value)),
            value => found.add(flaw, told, Change::Body(at, value)),
        }
    }
    if found.left(Flaw::Odd) == 0 {
        return;
    }
    for name in unsent(api, &body.schema, value).into_iter().take(1) {
        let schema = api.member(&body.schema, &format!("/{name}")).cloned().unwrap_or_default();
        let own = example::value(api, Direction::Answer, &schema);
        found.add(
            Flaw::Odd,
            format!("the body has `{name}`, which is read-only"),
            Change::Added(format!("/{name}"), own),
        );
    }
    for name in not_null(value).take(MOST_NULLS) {
        found.add(
            Flaw::Odd,
            format!("the body's `/{name}` is null"),
            Change::Body(format!("/{name}"), Some(Value::Null)),
        );
    }
    if let Some(at) = first_text(value, "") {
        let bent = breach::Breach { constraint: None, at, value: Some(json!("k".repeat(LONG))), told: String::new() };
        let fits = schema::mismatch(api, Direction::Request, &body.schema, &bent.applied(value)).is_none();
        if fits {
            found.add(Flaw::Odd, format!("the body is {LONG} bytes long"), Change::Body(bent.at, bent.value));
        }
        found.add(Flaw::Odd, "the body holds bytes that are no UTF-8".to_owned(), Change::Bytes(Bytes::NotUtf8));
    }
    if value.as_object().is_some_and(|members| !members.is_empty()) {
        found.add(Flaw::Odd, "a member of the body stands twice".to_owned(), Change::Bytes(Bytes::Twice));
        found.add(Flaw::Odd, format!("the body has {DEEP} lists in each other"), Change::Bytes(Bytes::Deep));
    }
    found.add(Flaw::Odd, "the body is UTF-16".to_owned(), Change::Bytes(Bytes::Utf16));
}

/// The members at the top of a body that only answers have.
pub(crate) fn unsent(api: &Api, schema: &Value, value: &Value) -> Vec<String> {
    let schema = api.resolve(schema);
    let members = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
    let unsent =
        members.filter(|name| value.get(name).is_none() && !schema::is_sent(api, Direction::Request, schema, name));
    unsent.filter(|name| !name.contains(['/', '~'])).cloned().collect()
}

/// The members at the top of a body that have a value.
fn not_null(value: &Value) -> impl Iterator<Item = &String> {
    let members = value.as_object().into_iter().flatten();
    members.filter(|(name, member)| !member.is_null() && !name.contains(['/', '~'])).map(|(name, _)| name)
}

/// The place of the first text in a body.
fn first_text(value: &Value, at: &str) -> Option<String> {
    match value {
        Value::String(_) => Some(at.to_owned()),
        Value::Object(members) => members.iter().find_map(|(name, member)| first_text(member, &join(at, name))),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(place, item)| first_text(item, &format!("{at}/{place}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};

    use super::*;

    const DOCUMENT: &str = "openapi: 3.0.3
info: {title: A, version: '1'}
servers: [{url: 'https://a.example'}]
paths:
  /things/{thing}:
    parameters: [{name: thing, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: read
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1}}
        - {name: deep, in: query, schema: {type: boolean}}
        - {name: X-Shard, in: header, required: true, schema: {type: string, maxLength: 3}}
      responses: {'200': {description: d}}
    put:
      operationId: change
      parameters:
        - {name: force, in: query, schema: {type: integer}}
        - {name: version, in: query, required: true, schema: {type: integer, minimum: 1}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [name, kind], properties: {id: {type: string, readOnly: true}, name: {type: string, maxLength: 5}, kind: {enum: [a]}, on: {type: boolean}}}
      responses: {'200': {description: d}}
";

    #[test]
    fn a_call_that_changes_something_is_bent_less_than_one_that_reads() {
        let source =
            Source { name: "a".to_owned(), document: Text::new("a.yaml", DOCUMENT), overlay: None, contract: None };
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let contract: Contract =
            toml::from_str("name = \"a\"\nsources = {}\ncredential = []\nerrors = {}\nrule = []").expect("a contract");
        let mut told = String::new();
        for operation in &api.operations {
            let request = example::request(&api, operation);
            assert_eq!(request.gap, None);
            for flaw in Flaw::ALL {
                let found = |most| {
                    of((&api, &contract), operation, &request, &|kind| if kind == flaw { most } else { 0 }).len()
                };
                assert_eq!(found(1), found(MOST).min(1), "{flaw:?} of {}", operation.id);
            }
            for bent in of((&api, &contract), operation, &request, &|_| MOST) {
                told.extend([&operation.id, " ", &format!("{:?}", bent.flaw), ": ", &bent.told, "\n"]);
            }
        }
        assert!(!told.contains("`force`") && !told.contains("change Type: the path's"), "{told}");
        insta::assert_snapshot!(told);
    }
}
