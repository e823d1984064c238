//! Requests that are valid except for one flaw: one for each constraint that a document has for the parameters and the body of an
//! operation, and some outside the document. Not sent are optional and path parameters of a changing call, which could widen its effect,
//! and values that servers often parse leniently from a query, such as booleans.

use keyfit_openapi::example::ExampleRequest;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::violation::{self, Constraint, ValueFormat, Violation};
use keyfit_openapi::{Api, BodyFormat, Operation, Parameter, ParameterLocation, Retry, example};
use serde_json::{Value, json};

use crate::catalogue::required_field;
use crate::contract::{Carrier, Contract, Flaw};
use crate::document::segment;
use crate::text::pointer::join;

/// The highest number of requests for one case.
pub(crate) const MAX_REQUESTS: usize = 12;
/// The name of an undocumented parameter.
pub(crate) const UNKNOWN_PARAMETER: &str = "keyfit-unknown";
/// The highest number of members of a body that are set to null, one at a time.
const MAX_NULLS: usize = 3;
/// The length of a long text, in bytes: longer than forms of users, and shorter than the default limits of proxies.
const LONG_TEXT_BYTES: usize = 64 * 1024;
/// The depth of nested lists: deeper than some parsers accept, but not enough to crash a process.
pub(crate) const DEEP_NESTING: usize = 256;

/// A flaw of a request.
#[derive(Clone, Debug)]
pub(crate) struct InvalidRequest {
    pub(crate) flaw: Flaw,
    /// The place and the flaw: ``the query's `limit` is -5, below 1``.
    pub(crate) description: String,
    pub(crate) change: RequestChange,
}

/// A change of a valid request.
#[derive(Clone, Debug)]
pub(crate) enum RequestChange {
    /// A parameter, by its index in the operation, has this value; `None` if it is omitted.
    Parameter(usize, Option<Value>),
    /// A query parameter occurs twice.
    Twice(usize),
    /// The query has an undocumented parameter.
    Unknown,
    /// The value at a JSON pointer in the body is replaced by this one; `None` if it is removed. If the pointer does not exist, the request
    /// is not sent, so that a live server gets no more members than permitted.
    Body(String, Option<Value>),
    /// A member is added to the body at a JSON pointer.
    Added(String, Value),
    /// The bytes of the body change.
    Bytes(ByteChange),
}

/// A change of the bytes of a JSON body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ByteChange {
    /// The first member occurs twice.
    Twice,
    /// The body is encoded in UTF-16, and declared so.
    Utf16,
    /// A text contains bytes that are not valid UTF-8.
    NotUtf8,
    /// An additional member contains nested lists.
    Deep,
}

impl InvalidRequest {
    /// Returns whether the flaw is in a path parameter: an id that no resource can have is answered with 404.
    pub(crate) fn is_in_path(&self, operation: &Operation) -> bool {
        matches!(&self.change, RequestChange::Parameter(place, _) if operation.parameters[*place].location == ParameterLocation::Path)
    }
}

/// Returns such requests of an operation, in the order of its parts, for each flaw as many as `most` returns. If a batch of the contract
/// has an outcome for each item, an invalid item is not an invalid request.
pub(crate) fn of(
    (api, contract): (&Api, &Contract),
    operation: &Operation,
    request: &ExampleRequest,
    most: &dyn Fn(Flaw) -> usize,
) -> Vec<InvalidRequest> {
    let mut found = Collector { most, bent: Vec::new() };
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
        let description = format!("the query has `{UNKNOWN_PARAMETER}`, which the document does not know");
        found.add(Flaw::Odd, description, RequestChange::Unknown);
    }
    found.bent
}

/// The requests that were found, and the requested number for each flaw.
struct Collector<'a> {
    most: &'a dyn Fn(Flaw) -> usize,
    bent: Vec<InvalidRequest>,
}

impl Collector<'_> {
    fn add(&mut self, flaw: Flaw, description: String, change: RequestChange) {
        if self.left(flaw) > 0 {
            self.bent.push(InvalidRequest { flaw, description, change });
        }
    }

    /// Returns the number of further requests for a flaw.
    fn left(&self, flaw: Flaw) -> usize {
        (self.most)(flaw).saturating_sub(self.bent.iter().filter(|bent| bent.flaw == flaw).count())
    }

    /// Returns the ways to violate a schema, if more are requested. Returns `spare` more of each kind, since some may not be sendable.
    fn breaches(
        &self,
        api: &Api,
        (schema, value): (&Value, &Value),
        written: ValueFormat,
        spare: usize,
    ) -> Vec<Violation> {
        let most = |constraint: Option<Constraint>| match self.left(constraint.into()) {
            0 => 0,
            left => left.saturating_add(spare),
        };
        violation::violations(api, schema, value, written, &most)
    }
}

/// Returns whether a parameter may have another value: not if a changing call could have a wider effect, and not if it is a credential,
/// which has rules of its own.
fn may_be_bent(contract: &Contract, operation: &Operation, parameter: &Parameter) -> bool {
    let is_it = |carrier: &Carrier| match carrier {
        Carrier::NamedHeader(name) => {
            parameter.location == ParameterLocation::Header && name.eq_ignore_ascii_case(&parameter.name)
        }
        Carrier::Query(name) => parameter.location == ParameterLocation::Query && *name == parameter.name,
        _ => false,
    };
    let is_harmless =
        operation.retry == Retry::Safe || (parameter.required && parameter.location != ParameterLocation::Path);
    is_harmless && !contract.credentials.iter().flat_map(|kind| &kind.carriers).any(is_it)
}

fn of_parameter(api: &Api, (place, parameter): (usize, &Parameter), value: &Value, found: &mut Collector<'_>) {
    let name = match parameter.location {
        ParameterLocation::Path => format!("the path's `{}`", parameter.name),
        ParameterLocation::Query => format!("the query's `{}`", parameter.name),
        ParameterLocation::Header => format!("the header `{}`", parameter.name),
    };
    // An object has several notations, and an empty one has none.
    if matches!(value, Value::Object(_)) {
        return;
    }
    let breaches = found.breaches(api, (&parameter.schema, value), ValueFormat::Text, MAX_REQUESTS);
    let mut add = |flaw, description: String, change| found.add(flaw, format!("{name} {description}"), change);
    if parameter.required && parameter.location != ParameterLocation::Path {
        add(Flaw::Required, "is missing".to_owned(), RequestChange::Parameter(place, None));
    }
    for breach in breaches {
        let bent = breach.applied(value);
        if can_be_written(parameter, &bent) {
            let description =
                if breach.at.is_empty() { breach.description } else { format!("has {}", breach.description) };
            let description = if description.starts_with("has ") { description } else { format!("is {description}") };
            add(breach.constraint.into(), description, RequestChange::Parameter(place, Some(bent)));
        }
    }
    if parameter.location == ParameterLocation::Query && !value.is_array() {
        add(Flaw::Odd, "stands twice".to_owned(), RequestChange::Twice(place));
    }
}

/// Returns whether a value can be sent unchanged: headers do not allow all characters, and paths no empty or dot segments.
fn can_be_written(parameter: &Parameter, value: &Value) -> bool {
    let is_plain =
        |value: &Value| value.as_str().is_none_or(|text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    match (parameter.location, value) {
        (ParameterLocation::Header, Value::Array(items)) => items.iter().all(is_plain),
        (ParameterLocation::Header, value) => is_plain(value),
        (ParameterLocation::Path, Value::String(text)) => segment::is_one(text),
        _ => true,
    }
}

fn of_body(api: &Api, operation: &Operation, value: &Value, found: &mut Collector<'_>) {
    let Some(body) = operation.body.as_ref().filter(|body| body.format(api) == BodyFormat::Json) else { return };
    // The first required member has a rule of its own.
    let first = required_field(api, &body.schema).map(|name| format!("/{name}"));
    for Violation { constraint, at, value, description: told } in
        found.breaches(api, (&body.schema, value), ValueFormat::Json, 1)
    {
        let flaw = Flaw::from(constraint);
        if flaw == Flaw::Required && first.as_ref() == Some(&at) {
            continue;
        }
        // A payment of an extreme amount would be executed.
        if flaw == Flaw::Extreme && operation.spends {
            continue;
        }
        let description = format!("the body's `{at}` is {told}");
        match value {
            Some(value) if flaw == Flaw::Additional => found.add(flaw, description, RequestChange::Added(at, value)),
            value => found.add(flaw, description, RequestChange::Body(at, value)),
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
            RequestChange::Added(format!("/{name}"), own),
        );
    }
    for name in not_null(value).take(MAX_NULLS) {
        found.add(
            Flaw::Odd,
            format!("the body's `/{name}` is null"),
            RequestChange::Body(format!("/{name}"), Some(Value::Null)),
        );
    }
    if let Some(at) = first_text(value, "") {
        let bent = violation::Violation {
            constraint: None,
            at,
            value: Some(json!("k".repeat(LONG_TEXT_BYTES))),
            description: String::new(),
        };
        let fits = schema::mismatch(api, Direction::Request, &body.schema, &bent.applied(value)).is_none();
        if fits {
            found.add(
                Flaw::Odd,
                format!("the body is {LONG_TEXT_BYTES} bytes long"),
                RequestChange::Body(bent.at, bent.value),
            );
        }
        found.add(
            Flaw::Odd,
            "the body holds bytes that are no UTF-8".to_owned(),
            RequestChange::Bytes(ByteChange::NotUtf8),
        );
    }
    if value.as_object().is_some_and(|members| !members.is_empty()) {
        found.add(Flaw::Odd, "a member of the body stands twice".to_owned(), RequestChange::Bytes(ByteChange::Twice));
        found.add(
            Flaw::Odd,
            format!("the body has {DEEP_NESTING} lists in each other"),
            RequestChange::Bytes(ByteChange::Deep),
        );
    }
    found.add(Flaw::Odd, "the body is UTF-16".to_owned(), RequestChange::Bytes(ByteChange::Utf16));
}

/// Returns the members at the top of a body that only answers have.
pub(crate) fn unsent(api: &Api, schema: &Value, value: &Value) -> Vec<String> {
    let schema = api.resolve(schema);
    let members = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
    let unsent =
        members.filter(|name| value.get(name).is_none() && !schema::is_sent(api, Direction::Request, schema, name));
    unsent.filter(|name| !name.contains(['/', '~'])).cloned().collect()
}

/// Returns the members at the top of a body that have a value.
fn not_null(value: &Value) -> impl Iterator<Item = &String> {
    let members = value.as_object().into_iter().flatten();
    members.filter(|(name, member)| !member.is_null() && !name.contains(['/', '~'])).map(|(name, _)| name)
}

/// Returns the place of the first text in a body.
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
        let mut text = String::new();
        for operation in &api.operations {
            let request = example::request(&api, operation);
            assert_eq!(request.gap, None);
            for flaw in Flaw::ALL {
                let found = |most| {
                    of((&api, &contract), operation, &request, &|kind| if kind == flaw { most } else { 0 }).len()
                };
                assert_eq!(found(1), found(MAX_REQUESTS).min(1), "{flaw:?} of {}", operation.id);
            }
            for bent in of((&api, &contract), operation, &request, &|_| MAX_REQUESTS) {
                text.extend([&operation.id, " ", &format!("{:?}", bent.flaw), ": ", &bent.description, "\n"]);
            }
        }
        assert!(!text.contains("`force`") && !text.contains("change Type: the path's"), "{text}");
        insta::assert_snapshot!(text);
    }
}
