//! Values for a schema: ones that fit it, and ones that break one constraint of it. What is said of each here is read off the
//! schema once more, apart from the pipeline, so that the two readings are held against each other.

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, example};
use serde_json::{Map, Value, json};

/// What is known of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Fits,
    /// It breaks this constraint, and no other.
    Breaks(&'static str),
    /// Inside a union, what breaks one alternative may fit another.
    Open,
}

/// A value for a schema.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) value: Value,
    /// What is left of it in a Rust type, where that is less: a member that the schema does not name.
    pub(crate) kept: Option<Value>,
    pub(crate) verdict: Verdict,
}

/// The number that is written with an exponent on the wire.
pub(crate) const WITH_EXPONENT: f64 = 1_200.0;

/// How many places of a value are varied, and how many values there are for one schema.
const PLACES: usize = 40;
const CASES: usize = 300;

/// How deep values and compositions are followed.
const DEEPEST: usize = 5;

/// The length of the largest example that is varied.
const LARGEST: usize = 4_000;

/// Values for a schema, the first as its example. None where no example can be made.
pub(crate) fn cases(api: &Api, schema: &Value, direction: Direction) -> Vec<Case> {
    let base = example::value(api, direction, schema);
    if schema::mismatch(api, direction, schema, &base).is_some() {
        return Vec::new();
    }
    let mut maker = Maker { api, direction, base: &base, left: PLACES, cases: Vec::new() };
    maker.cases.push(Case { what: "as made".to_owned(), value: base.clone(), kept: None, verdict: Verdict::Fits });
    if base.to_string().len() <= LARGEST {
        maker.place("", &base, &[schema], false, 0);
    }
    let mut cases = maker.cases;
    cases.truncate(CASES);
    cases
}

/// The members that a direction does not send.
fn hidden(direction: Direction) -> &'static str {
    match direction {
        Direction::Request => "readOnly",
        Direction::Answer => "writeOnly",
    }
}

struct Maker<'a> {
    api: &'a Api,
    direction: Direction,
    base: &'a Value,
    left: usize,
    cases: Vec<Case>,
}

impl<'a> Maker<'a> {
    /// Varies what stands at a place, and what is below it.
    fn place(&mut self, at: &str, value: &Value, schemas: &[&'a Value], in_union: bool, depth: usize) {
        if self.left == 0 || depth > DEEPEST {
            return;
        }
        self.left -= 1;
        let mut parts = Vec::new();
        for schema in schemas {
            self.parts(schema, &mut parts);
        }
        let mut in_union = in_union;
        self.null(at, schemas, in_union);
        let unions: Vec<&'a Value> = parts.iter().copied().filter(|part| variants(part).is_some()).collect();
        for union in unions {
            in_union = true;
            self.alternatives(at, union);
            let fitting: Vec<&Value> = variants(union)
                .into_iter()
                .flatten()
                .filter(|variant| schema::mismatch(self.api, self.direction, variant, value).is_none())
                .collect();
            if let [only] = fitting.as_slice() {
                self.parts(only, &mut parts);
            }
        }
        let is_listed = self.listed(at, &parts, in_union);
        match value {
            // What is listed as a whole is not varied.
            Value::Object(_) | Value::Array(_) if is_listed => {}
            Value::Object(members) => self.object(at, members, &parts, in_union, depth),
            Value::Array(items) => self.array(at, items, &parts, in_union, depth),
            Value::String(_) if !is_listed => self.text(at, &parts, in_union),
            Value::Number(_) if !is_listed => self.number(at, &parts, in_union),
            Value::Bool(told) if !is_listed => self.fits(at, "the other boolean", json!(!told), in_union),
            _ => {}
        }
        self.of_another_type(at, &parts, in_union);
    }

    /// A schema, what it refers to, and the parts of its `allOf`.
    fn parts(&self, schema: &'a Value, found: &mut Vec<&'a Value>) {
        let target = self.api.resolve(schema);
        // What stands beside a reference counts from 3.1 on.
        let is_31 = self.api.document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1"));
        let own = [schema].into_iter().filter(|_| is_31 && !std::ptr::eq(schema, target));
        for part in own.chain([target]) {
            if found.len() == 64 || found.iter().any(|known| std::ptr::eq(*known, part)) {
                continue;
            }
            found.push(part);
            for inner in part["allOf"].as_array().into_iter().flatten() {
                self.parts(inner, found);
            }
        }
    }

    fn add(&mut self, at: &str, what: &str, value: Option<Value>, verdict: Verdict) {
        let mut whole = self.base.clone();
        if let Some(value) = value {
            if let Some(place) = whole.pointer_mut(at) {
                *place = value;
            } else if !put(&mut whole, at, value) {
                return;
            }
        } else {
            let Some((parent, key)) = at.rsplit_once('/') else { return };
            let parent = whole.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.and_then(|parent| parent.remove(&unescaped(key)));
        }
        self.push(at, what, whole, verdict);
    }

    fn push(&mut self, at: &str, what: &str, value: Value, verdict: Verdict) {
        let what = if at.is_empty() { what.to_owned() } else { format!("{at}: {what}") };
        self.cases.push(Case { what, value, kept: None, verdict });
    }

    fn fits(&mut self, at: &str, what: &str, value: Value, in_union: bool) {
        self.add(at, what, Some(value), if in_union { Verdict::Open } else { Verdict::Fits });
    }

    fn breaks(&mut self, at: &str, constraint: &'static str, value: Value, in_union: bool) {
        let verdict = if in_union { Verdict::Open } else { Verdict::Breaks(constraint) };
        self.add(at, constraint, Some(value), verdict);
    }

    fn null(&mut self, at: &str, schemas: &[&'a Value], in_union: bool) {
        if schemas.iter().all(|schema| self.may_be_null(schema, 0)) {
            self.fits(at, "null", Value::Null, in_union);
        } else {
            self.breaks(at, "null", Value::Null, in_union);
        }
    }

    fn may_be_null(&self, schema: &Value, depth: usize) -> bool {
        let target = self.api.resolve(schema);
        if schema["nullable"] == true || target["nullable"] == true || depth > DEEPEST {
            return true;
        }
        let fits = |part: &Value| self.may_be_null(part, depth + 1);
        let allows = |part: &Value| {
            let kinds = kinds(part);
            (kinds.is_empty() || kinds.contains(&"null"))
                && part["enum"].as_array().is_none_or(|values| values.contains(&Value::Null))
                && part.get("const").is_none_or(Value::is_null)
                && part["allOf"].as_array().is_none_or(|parts| parts.iter().all(fits))
                && variants(part).is_none_or(|variants| variants.iter().any(fits))
        };
        // A word that speaks of a type means it, before 3.1 as after.
        let speaks_of_one =
            ["properties", "items", "additionalProperties"].iter().any(|key| target.get(*key).is_some());
        allows(target) && (kinds(target).contains(&"null") || !speaks_of_one)
    }

    fn alternatives(&mut self, at: &str, union: &Value) {
        let key = if union.get("oneOf").is_some() { "oneOf" } else { "anyOf" };
        for (index, variant) in variants(union).into_iter().flatten().enumerate().take(8) {
            let mut only = union.clone();
            only[key] = json!([variant]);
            let value = example::value(self.api, self.direction, &only);
            self.add(at, &format!("alternative {index}"), Some(value), Verdict::Open);
        }
    }

    /// The values that a schema lists; whether it lists any.
    fn listed(&mut self, at: &str, parts: &[&Value], in_union: bool) -> bool {
        let listed = parts.iter().find_map(|part| {
            part.get("const").map(std::slice::from_ref).or(part["enum"].as_array().map(Vec::as_slice))
        });
        let Some(listed) = listed else { return false };
        for (index, value) in
            listed.iter().enumerate().take(6).filter(|(_, value)| value.is_string() || value.is_number())
        {
            self.add(at, &format!("listed value {index}"), Some(value.clone()), Verdict::Open);
        }
        let other = match listed.iter().find(|value| !value.is_null()) {
            Some(Value::String(_)) => json!("none-of-these"),
            Some(Value::Number(_)) => json!(987_654),
            _ => return true,
        };
        self.breaks(at, "enum", other, in_union);
        true
    }

    fn object(&mut self, at: &str, members: &Map<String, Value>, parts: &[&'a Value], in_union: bool, depth: usize) {
        let required: Vec<&str> =
            parts.iter().filter_map(|part| part["required"].as_array()).flatten().filter_map(Value::as_str).collect();
        let of_member = |key: &str| -> Vec<&'a Value> {
            let named: Vec<&Value> = parts.iter().filter_map(|part| part["properties"].get(key)).collect();
            let others =
                parts.iter().filter_map(|part| part.get("additionalProperties").filter(|others| others.is_object()));
            if named.is_empty() { others.collect() } else { named }
        };
        let mut least = members.clone();
        for (key, member) in members {
            let schemas = of_member(key);
            let below = format!("{at}/{}", escaped(key));
            let hidden = hidden(self.direction);
            let is_hidden =
                schemas.iter().any(|schema| schema[hidden] == true || self.api.resolve(schema)[hidden] == true);
            if required.contains(&key.as_str()) && !is_hidden {
                let verdict = if in_union { Verdict::Open } else { Verdict::Breaks("required") };
                self.add(&below, "required", None, verdict);
            } else {
                least.remove(key);
                let verdict = if in_union { Verdict::Open } else { Verdict::Fits };
                self.add(&below, "left out", None, verdict);
            }
            self.place(&below, member, &schemas, in_union, depth + 1);
        }
        let verdict = if in_union { Verdict::Open } else { Verdict::Fits };
        self.add(at, "no optional members", Some(Value::Object(least)), verdict);
        let is_closed = parts.iter().any(|part| part["additionalProperties"] == false);
        let typed: Vec<&Value> = parts
            .iter()
            .filter_map(|part| part.get("additionalProperties"))
            .filter(|others| others.is_object())
            .collect();
        let below = format!("{at}/another-member");
        if is_closed {
            self.breaks(&below, "closed", json!("a"), in_union);
        } else if let [only] = typed.as_slice() {
            let value = example::value(self.api, self.direction, only);
            self.add(&below, "another member", Some(value), verdict);
        } else if typed.is_empty()
            && !parts.iter().any(|part| {
                part.get("propertyNames")
                    .or(part.get("patternProperties"))
                    .or(part.get("unevaluatedProperties"))
                    .is_some()
            })
        {
            self.add(&below, "another member", Some(json!({ "a": [1] })), verdict);
            let is_open = parts
                .iter()
                .any(|part| part["additionalProperties"] == true || part["additionalProperties"].is_object());
            if let Some(case) = self.cases.last_mut().filter(|_| !is_open) {
                case.kept = Some(self.base.clone());
            }
        }
    }

    fn array(&mut self, at: &str, items: &[Value], parts: &[&'a Value], in_union: bool, depth: usize) {
        let bound = |key: &str| parts.iter().find_map(|part| part[key].as_u64());
        let (least, most) = (bound("minItems").unwrap_or_default(), bound("maxItems").unwrap_or(u64::MAX));
        let is_tuple = parts.iter().any(|part| part.get("prefixItems").is_some() || part["items"].is_array());
        if is_tuple {
            return;
        }
        match least {
            0 => self.fits(at, "no items", json!([]), in_union),
            _ if least <= 100 => self.breaks(at, "items", Value::Array(items[1..].to_vec()), in_union),
            _ => {}
        }
        let Some(first) = items.first() else { return };
        let is_unique = parts.iter().any(|part| part["uniqueItems"] == true);
        let twice = Value::Array(vec![first.clone(); 2]);
        if is_unique {
            self.breaks(at, "unique", twice, in_union);
        } else if (least..=most).contains(&2) {
            self.fits(at, "two items", twice, in_union);
        }
        if most < 100 && !is_unique {
            let count = usize::try_from(most).unwrap_or_default() + 1;
            self.breaks(at, "items", Value::Array(vec![first.clone(); count]), in_union);
        }
        let schemas: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
        self.place(&format!("{at}/0"), first, &schemas, in_union, depth + 1);
    }

    fn text(&mut self, at: &str, parts: &[&'a Value], in_union: bool) {
        let says = |key: &str| parts.iter().find_map(|part| part.get(key));
        let bound = |key: &str| says(key).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
        let (format, pattern) = (says("format").and_then(Value::as_str), says("pattern").and_then(Value::as_str));
        let others: &[&str] = match format {
            Some("date-time") => &["2026-01-22T10:00:00.123456Z", "2026-01-22T12:30:00+02:00"],
            Some("date") => &["2024-02-29"],
            Some("uuid") => &["ABCDEF00-0000-4000-8000-00000000000F"],
            Some("uri") => &["urn:isbn:0451450523"],
            Some(_) => &[],
            None => &["\u{e4}\u{1f600}\"\\\n"],
        };
        if bound("minLength").or(bound("maxLength")).is_none() && pattern.is_none() {
            for text in others {
                self.fits(at, "another text", json!(text), in_union);
            }
        }
        if let Some(pattern) = pattern.and_then(|pattern| regress::Regex::with_flags(pattern, "u").ok()) {
            let odd = ["~", "", "!!!", "\n", "0"].into_iter().find(|text| pattern.find(text).is_none());
            if let Some(odd) = odd.filter(|_| bound("minLength").is_none()) {
                self.breaks(at, "pattern", json!(odd), in_union);
            }
        }
        if pattern.is_some() || format.is_some() {
            return;
        }
        if let Some(least) = bound("minLength").filter(|least| (1..=1_000).contains(least)) {
            self.fits(at, "the shortest text", json!("\u{e4}".repeat(least)), in_union);
            self.breaks(at, "length", json!("a".repeat(least - 1)), in_union);
        }
        if let Some(most) = bound("maxLength").filter(|most| *most <= 1_000) {
            self.fits(at, "the longest text", json!("\u{e4}".repeat(most)), in_union);
            self.breaks(at, "length", json!("a".repeat(most + 1)), in_union);
        }
    }

    fn number(&mut self, at: &str, parts: &[&'a Value], in_union: bool) {
        let is_integer =
            parts.iter().map(|part| kinds(part)).any(|kinds| kinds.contains(&"integer") && !kinds.contains(&"number"));
        let open = Verdict::Open;
        let numbers: &[f64] =
            if is_integer { &[0.0, 1.0, -3.0, WITH_EXPONENT, 2_147_483_647.0] } else { &[0.0, -1.5, 0.1, 1e21] };
        for number in numbers {
            // Bounds may forbid any of them.
            self.add(at, &format!("{number:?}"), Some(json!(number)), open);
        }
        if is_integer {
            self.breaks(at, "fraction", json!(1.5), in_union);
        } else {
            self.add(at, "a whole number", Some(json!(3)), open);
        }
        for part in parts {
            let bound = |key: &str| part[key].as_f64().filter(|bound| bound.abs() < 1e15);
            for (least, step) in [("minimum", -1.0), ("maximum", 1.0)] {
                let Some(limit) = bound(least) else { continue };
                self.add(at, "at the bound", Some(whole(limit)), open);
                self.breaks(at, "range", whole(limit + step), in_union);
            }
            for (least, step) in [("exclusiveMinimum", 1.0), ("exclusiveMaximum", -1.0)] {
                let Some(limit) = bound(least) else { continue };
                self.breaks(at, "range", whole(limit), in_union);
                self.add(at, "by the bound", Some(whole(limit + step)), open);
            }
            if let Some(step) = bound("multipleOf").filter(|step| *step > 1.0) {
                self.breaks(at, "multiple", whole(step + 1.0), in_union);
            }
        }
    }

    fn of_another_type(&mut self, at: &str, parts: &[&Value], in_union: bool) {
        let Some(kinds) = parts.iter().map(|part| kinds(part)).find(|kinds| !kinds.is_empty()) else { return };
        let others = [("string", json!("text")), ("boolean", json!(true)), ("array", json!([])), ("object", json!({}))];
        let other = others.into_iter().find(|(kind, _)| !kinds.contains(kind));
        if let Some((_, value)) = other {
            self.breaks(at, "type", value, in_union);
        }
    }
}

/// A whole number without a fraction.
#[expect(clippy::cast_possible_truncation, reason = "below 1e15")]
fn whole(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

fn kinds(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn variants(schema: &Value) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array()).filter(|variants| !variants.is_empty())
}

fn put(whole: &mut Value, at: &str, value: Value) -> bool {
    let Some((parent, key)) = at.rsplit_once('/') else { return false };
    let Some(parent) = whole.pointer_mut(parent).and_then(Value::as_object_mut) else { return false };
    parent.insert(unescaped(key), value);
    true
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}
