//! One reading of a schema: values for every schema of the corpus are judged by the check and the mock, sent and received by the
//! generated client, and must come out as they went in. Values that break one constraint are refused before they are sent, where
//! a Rust type can tell.

mod documents;
mod harness;
#[path = "../support/mod.rs"]
mod support;
mod values;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use keyfit_openapi::diff;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{
    Api, BodyFormat, Dispatch, GenerateOptions, Generated, Operation, Source, Text, example, generate_with,
};
use serde_json::{Map, Value, json};
use support::corpus::{self, Document};
use values::{Case, Verdict, WITH_EXPONENT};

/// Constraints that Rust types do not hold: the server alone refuses what breaks them.
const UNTYPED: [&str; 4] = ["items", "multiple", "range", "unique"];

/// What differs, by construct, and why that is right or not mended yet. An entry that no longer differs fails the test.
const KNOWN: &str = include_str!("known.txt");

/// A construct with calls for each of its schemas.
struct Construct {
    document: Document,
    api: Api,
    client: Generated,
}

/// One value on its way.
struct Trip<'a> {
    construct: &'a Construct,
    operation: &'a Operation,
    direction: Direction,
    schema: &'a Value,
    case: Case,
    call: Value,
}

#[test]
fn values_of_every_schema_pass_the_client_unchanged_and_what_breaks_a_constraint_is_refused() {
    let constructs: Vec<Construct> = corpus::documents().into_iter().filter_map(Construct::of).collect();
    let mut tally = Tally::default();
    let trips: Vec<Trip<'_>> = constructs.iter().flat_map(|construct| construct.trips(&mut tally)).collect();
    let lines: Vec<String> = trips.iter().map(|trip| trip.call.to_string()).collect();
    tally.judge_all(&trips, &run("corpus-round-trip", &constructs, &lines));
    println!("{}", tally.report());
    println!("constructs that differ: {} (tests/round_trip/known.txt)", tally.found.len());
    tally.compare_with_known();
}

#[test]
fn a_reference_that_is_wrapped_is_no_change() {
    let mut changed = Vec::new();
    let documents = corpus::documents().into_iter().filter(|document| !CIRCLES.contains(&document.name.as_str()));
    for document in documents {
        let Some(mut value) = support::yaml::read(&document.text) else { continue };
        let read = |text: String| diff::Document::read(&Text::new("corpus.yaml", text));
        let Ok(old) = read(value.to_string()) else { continue };
        wrap(&mut value, false);
        let new = read(value.to_string()).unwrap_or_else(|failure| panic!("{}: {failure}", document.name));
        let findings = diff::diff(&old, &new);
        changed.extend(
            findings.iter().map(|finding| format!("{}: {}: {}", document.name, finding.rule.id, finding.detail)),
        );
    }
    assert!(changed.is_empty(), "{changed:#?}");
}

/// Documents whose references lead in a circle, which is named as what cannot be compared.
const CIRCLES: [&str; 2] = ["recursive-all-of", "reference-circle"];

/// Writes each reference to a schema as the one part of an `allOf`, which says the same.
fn wrap(node: &mut Value, keys_are_names: bool) {
    match node {
        Value::Object(object) => {
            for (key, inner) in object {
                let is_schema = keys_are_names || matches!(key.as_str(), "items" | "additionalProperties" | "schema");
                let is_plain = inner.as_object().is_some_and(|inner| inner.len() == 1);
                if is_schema
                    && is_plain
                    && inner["$ref"].as_str().is_some_and(|to| to.starts_with("#/components/schemas/"))
                {
                    *inner = json!({ "allOf": [inner.take()] });
                } else if !matches!(key.as_str(), "example" | "examples" | "default" | "enum" | "const")
                    || keys_are_names
                {
                    wrap(inner, key == "properties" && !keys_are_names);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| wrap(item, false)),
        _ => {}
    }
}

impl Construct {
    fn of(document: Document) -> Option<Self> {
        let api = Api::read(&document.source()).ok()?;
        let schemas = api.document["components"]["schemas"].as_object();
        let names: Vec<&String> = schemas.into_iter().flatten().map(|(name, _)| name).collect();
        // An overlay is of the version that the document is in. What is hostile is there to end, not to be multiplied.
        let is_echoed = !names.is_empty() && !document.text.contains("swagger:") && !document.name.starts_with("bomb-");
        let overlay = is_echoed.then(|| echoes(&names));
        let mut options = GenerateOptions { dispatch: Dispatch::Always, ..GenerateOptions::default() };
        let mut source = Source { overlay, ..document.source() };
        let read = |source: &Source, options: &GenerateOptions| {
            Some((Api::read(source).ok()?, generate_with(source, options).ok()?))
        };
        let (api, client) = read(&source, &options).or_else(|| {
            source.overlay = None;
            options.all_types = true;
            read(&source, &options)
        })?;
        Some(Self { document, api, client })
    }

    /// The calls of all values of all schemas.
    fn trips<'a>(&'a self, tally: &mut Tally) -> Vec<Trip<'a>> {
        let mut trips = Vec::new();
        let has_method = |operation: &&Operation| {
            !self.client.unsupported.iter().any(|gone| gone.id.as_deref() == Some(operation.id.as_str()))
        };
        for operation in self.api.operations.iter().filter(has_method) {
            let arguments = example::minimal_arguments(&self.api, operation);
            let body = operation.body.as_ref().filter(|body| body.format(&self.api) == BodyFormat::Json);
            let success = operation.success_statuses().into_iter().find_map(|status| {
                let shape = &operation.responses.get(&status.to_string())?;
                Some((status, shape.media_type.clone()?, shape.schema.as_ref().filter(|_| shape.is_json())?))
            });
            let told = (Direction::Answer, success.as_ref().map(|(_, _, schema)| *schema));
            for (direction, schema) in [(Direction::Request, body.map(|body| &body.schema)), told] {
                let Some(schema) = schema else { continue };
                let Some(arguments) = &arguments else {
                    tally.uncovered(self, operation, direction, "no request can be made");
                    continue;
                };
                let cases = values::cases(&self.api, schema, direction);
                if cases.is_empty() {
                    tally.uncovered(self, operation, direction, "no value is known that fits");
                    continue;
                }
                tally.covered += 1;
                for case in cases {
                    let mut arguments = arguments.clone();
                    let mut call = json!({ "client": self.document.module(), "operation": operation.id });
                    if direction == Direction::Request {
                        arguments.insert("body".to_owned(), case.value.clone());
                    } else if let Some((status, media_type, _)) = &success {
                        call["status"] = json!(status);
                        call["media_type"] = json!(media_type);
                        call["answer"] = json!(with_exponents(&case.value));
                    }
                    call["arguments"] = Value::Object(arguments);
                    trips.push(Trip { construct: self, operation, direction, schema, case, call });
                }
            }
        }
        trips
    }
}

impl Trip<'_> {
    /// Why the check and the mock refuse a value.
    fn mismatch(&self, value: &Value) -> Option<schema::Mismatch> {
        schema::mismatch(&self.construct.api, self.direction, self.schema, value)
    }

    fn fits(&self, value: &Value) -> bool {
        self.mismatch(value).is_none()
    }
}

/// A call for each component, which sends it and is answered with it.
fn echoes(names: &[&String]) -> Text {
    let mut paths = Map::new();
    for (number, name) in names.iter().enumerate() {
        let name = name.replace('~', "~0").replace('/', "~1").replace('%', "%25");
        let content = json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } });
        let call = json!({
            "operationId": format!("round-trip-{number}"),
            "security": [],
            "requestBody": { "required": true, "content": content },
            "responses": { "200": { "description": "the same", "content": content } },
        });
        paths.insert(format!("/round-trip/{number}"), json!({ "put": call }));
    }
    let overlay = json!({
        "overlay": "1.0.0",
        "info": { "title": "A call for each schema", "version": "1" },
        "actions": [{ "target": "$", "update": { "paths": paths } }],
    });
    Text::new("overlay.yaml", overlay.to_string())
}

/// JSON in which one number is written with an exponent.
fn with_exponents(value: &Value) -> String {
    value.to_string().replace(&format!("{WITH_EXPONENT:?}"), "1.2E+3")
}

/// The outcome of each call, by a program in a crate of this name.
fn run(name: &str, constructs: &[Construct], calls: &[String]) -> Vec<Value> {
    let program = include_str!("program.rs").replace("corpus_round_trip", &name.replace('-', "_"));
    let mut files = vec![("src/main.rs".to_owned(), program)];
    let mut list = String::from("//! The clients of the documents.\n");
    let mut arms = String::new();
    for construct in constructs {
        let module = construct.document.module();
        let _ = writeln!(list, "mod {module};");
        let _ = writeln!(arms, "        \"{module}\" => {module}::connect(config, access),");
        files.push((format!("src/{module}.rs"), construct.client.code.clone()));
    }
    let _ = write!(
        list,
        "\n/// A client by its name.\n///\n/// # Errors\n/// Returns an error if it cannot be made.\npub fn connect(\n    \
         name: &str,\n    config: keyfit::Config,\n    access: keyfit::dispatch::Access,\n) -> \
         Result<Box<dyn keyfit::dispatch::Dispatch>, keyfit::Error> {{\n    match name {{\n{arms}        \
         _ => unreachable!(\"it is one of the corpus\"),\n    }}\n}}\n"
    );
    files.push(("src/lib.rs".to_owned(), list));
    harness::run(name, &files, calls.join("\n"))
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .collect()
}

/// What came of all of them.
#[derive(Default)]
struct Tally {
    covered: usize,
    fitting: usize,
    refused: usize,
    /// Constraints that were broken, and what was sent all the same.
    untold: BTreeMap<&'static str, usize>,
    uncovered: BTreeMap<String, BTreeSet<String>>,
    /// By construct and direction: what differs.
    found: BTreeMap<String, BTreeSet<String>>,
    details: String,
}

impl Tally {
    fn uncovered(&mut self, construct: &Construct, operation: &Operation, direction: Direction, why: &str) {
        let what = format!("{} {} {direction:?}", construct.document.name, operation.id);
        self.uncovered.entry(why.to_owned()).or_default().insert(what);
    }

    fn judge_all(&mut self, trips: &[Trip<'_>], outcomes: &[Value]) {
        assert_eq!(outcomes.len(), trips.len(), "each call has an outcome");
        for (trip, outcome) in trips.iter().zip(outcomes) {
            self.judge(trip, outcome);
        }
    }

    fn judge(&mut self, trip: &Trip<'_>, outcome: &Value) {
        let Trip { case, direction, .. } = trip;
        let mismatch = trip.mismatch(&case.value);
        match (case.verdict, &mismatch) {
            (Verdict::Fits, Some(why)) => return self.differs(trip, "check refuses", &why.to_string()),
            (Verdict::Breaks(constraint), None) => self.differs(trip, &format!("check takes: {constraint}"), ""),
            _ => {}
        }
        let error = outcome["error"].as_str().unwrap_or_default();
        let received = outcome["received"].as_str();
        match (direction, mismatch.is_none()) {
            (Direction::Request, true) => match received {
                None => self.differs(trip, "client refuses", error),
                Some(body) => {
                    let sent: Value = serde_json::from_str(body).unwrap_or_default();
                    match difference(trip, &sent) {
                        None => self.fitting += 1,
                        Some(what) => self.differs(trip, "sent otherwise", &format!("{what}: {body}")),
                    }
                }
            },
            (Direction::Answer, true) => match outcome.get("value").filter(|_| error.is_empty()) {
                None => self.differs(trip, "client cannot read", error),
                Some(value) => match difference(trip, value) {
                    None => self.fitting += 1,
                    Some(what) => self.differs(trip, "read otherwise", &format!("{what}: {value}")),
                },
            },
            (Direction::Request, false) => match (received, case.verdict) {
                (None, _) => self.refused += 1,
                // A null that means nothing is not sent.
                (Some(body), _) if trip.fits(&serde_json::from_str(body).unwrap_or_default()) => self.refused += 1,
                (Some(_), Verdict::Breaks(constraint)) if UNTYPED.contains(&constraint) => {
                    *self.untold.entry(constraint).or_default() += 1;
                }
                (Some(_), Verdict::Breaks(constraint)) => {
                    self.differs(trip, &format!("client sends: {constraint}"), "");
                }
                (Some(_), _) => *self.untold.entry("in a union").or_default() += 1,
            },
            // Answers are read leniently.
            (Direction::Answer, false) => {}
        }
    }

    fn differs(&mut self, trip: &Trip<'_>, how: &str, detail: &str) {
        let Trip { construct, operation, direction, case, .. } = trip;
        let key = format!("{} {direction:?}", construct.document.name).to_lowercase();
        self.found.entry(key.clone()).or_default().insert(how.to_owned());
        let _ = writeln!(self.details, "{key}: {how}: {} `{}` {}: {detail}", operation.id, case.what, case.value);
    }

    fn report(&self) -> String {
        let uncovered: usize = self.uncovered.values().map(BTreeSet::len).sum();
        let mut report = format!("schemas: {} of {} covered", self.covered, self.covered + uncovered);
        for (why, what) in &self.uncovered {
            let _ = write!(report, "\n    {}: {why}", what.len());
        }
        let _ = write!(report, "\nvalues that fit and came out equal: {}", self.fitting);
        let _ = write!(report, "\nvalues that do not fit and were refused before they were sent: {}", self.refused);
        for (constraint, count) in &self.untold {
            let _ = write!(report, "\n    sent, since types do not tell it: {count}: {constraint}");
        }
        report
    }

    /// Holds what differs against the list.
    fn compare_with_known(&self) {
        let found: BTreeSet<String> =
            self.found.iter().flat_map(|(key, hows)| hows.iter().map(move |how| format!("{key}: {how}"))).collect();
        let known: BTreeSet<String> = KNOWN
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| {
                let (what, reason) =
                    line.split_once(" # ").unwrap_or_else(|| panic!("{line}: the reason stands behind ` # `"));
                assert!(!reason.is_empty(), "{line}");
                what.to_owned()
            })
            .collect();
        let new: Vec<&String> = found.difference(&known).collect();
        let stale: Vec<&String> = known.difference(&found).collect();
        let of = |what: &str| {
            self.details.lines().filter(|line| line.starts_with(what)).take(3).collect::<Vec<_>>().join("\n    ")
        };
        let new: Vec<String> = new.into_iter().map(|what| format!("{what}\n    {}", of(what))).collect();
        assert!(new.is_empty(), "differs, and is not in known.txt:\n{}", new.join("\n"));
        assert!(stale.is_empty(), "no longer differs, take it out of known.txt: {stale:#?}");
    }
}

/// Where two values differ. Numbers are compared by value; a member that is null, or an empty list or map that an answer
/// lacked, is the same as one that is not there.
fn difference(trip: &Trip<'_>, got: &Value) -> Option<String> {
    let comparison = Comparison {
        direction: trip.direction,
        is_patch: trip.direction == Direction::Request && trip.operation.method == "PATCH",
    };
    let Case { value, kept, .. } = &trip.case;
    let is_kept = kept.as_ref().is_some_and(|kept| comparison.at("", kept, got).is_none());
    comparison.at("", value, got).filter(|_| !is_kept)
}

struct Comparison {
    direction: Direction,
    is_patch: bool,
}

impl Comparison {
    fn is_absent(&self, value: &Value) -> bool {
        let is_empty = match value {
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        (value.is_null() && !self.is_patch) || (is_empty && self.direction == Direction::Answer)
    }

    fn at(&self, at: &str, given: &Value, got: &Value) -> Option<String> {
        match (given, got) {
            (Value::Number(given), Value::Number(got)) if given.as_f64() == got.as_f64() => None,
            (Value::Array(given), Value::Array(got)) if given.len() == got.len() => given
                .iter()
                .zip(got)
                .enumerate()
                .find_map(|(index, (given, got))| self.at(&format!("{at}/{index}"), given, got)),
            (Value::Object(given), Value::Object(got)) => {
                let keys: HashSet<&String> = given.keys().chain(got.keys()).collect();
                keys.into_iter().find_map(|key| {
                    let below = format!("{at}/{key}");
                    match (given.get(key), got.get(key)) {
                        (Some(given), Some(got)) => self.at(&below, given, got),
                        (Some(one), None) if !self.is_absent(one) => Some(format!("{below} is lost")),
                        (None, Some(one)) if !self.is_absent(one) => Some(format!("{below} is added")),
                        _ => None,
                    }
                })
            }
            // A secret of an answer is not written out again.
            (Value::String(_), Value::String(got)) if self.direction == Direction::Answer && got == "[redacted]" => {
                None
            }
            _ if given == got || (self.is_absent(given) && self.is_absent(got)) => None,
            _ => Some(format!("{at} is {got}, not {given}")),
        }
    }
}
