//! Bounds: constraints on the values of a type, and whether they became narrower or wider.

use std::cmp::Ordering;

use serde_json::Value;

use super::comparison::Comparison;
use super::flat_schema::FlatSchema;
use super::node::Node;
use super::rules::Direction;
use super::schema::SchemaPair;

/// Minimum counts: a greater one is narrower.
const MINIMUM_COUNTS: [&str; 3] = ["minLength", "minItems", "minProperties"];
/// Maximum counts: a greater one is wider.
const MAXIMUM_COUNTS: [&str; 3] = ["maxLength", "maxItems", "maxProperties"];
/// Constraints without an order: their presence is narrower.
const RESTRICTIONS: [&str; 16] = [
    "pattern",
    "not",
    "contains",
    "minContains",
    "maxContains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "propertyNames",
    "patternProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];
/// Keywords that have a meaning only together.
const KEYWORD_GROUPS: [&[&str]; 2] = [&["if", "then", "else"], &["contains", "minContains", "maxContains"]];

pub(super) fn compare(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>) {
    limit(cx, schemas, ["minimum", "exclusiveMinimum"], 1.0);
    limit(cx, schemas, ["maximum", "exclusiveMaximum"], -1.0);
    for key in MINIMUM_COUNTS {
        count(cx, schemas, key, 1.0);
    }
    for key in MAXIMUM_COUNTS {
        count(cx, schemas, key, -1.0);
    }
    let (before, after) = (schemas.old.flag("uniqueItems"), schemas.new.flag("uniqueItems"));
    if before.is_some() != after.is_some() {
        change(cx, schemas, "uniqueItems", [before.as_ref(), after.as_ref()], after.is_some());
    }
    multiple(cx, schemas);
    for key in RESTRICTIONS {
        restriction(cx, schemas, key);
    }
    for keys in KEYWORD_GROUPS {
        keyword_group(cx, schemas, keys);
    }
}

/// The limit of one part: the greater `inner` is, the narrower it is.
struct Limit<'a> {
    inner: f64,
    is_open: bool,
    bound: Node<'a>,
    exclusive: Option<Node<'a>>,
}

/// Compares the limit of a number, which may be exclusive; a step `inwards` is narrower. For integers, more than 0 is at
/// least 1.
fn limit(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>, [bound, exclusive]: [&str; 2], inwards: f64) {
    let is_there = |schema: &FlatSchema<'_>| schema.all(bound).next().is_some();
    if !is_there(schemas.old) && !is_there(schemas.new) {
        return;
    }
    let is_whole = [schemas.old, schemas.new].into_iter().all(|schema| schema.kind() == Some("integer"));
    let (before, after) =
        (narrowest(schemas.old, [bound, exclusive], inwards), narrowest(schemas.new, [bound, exclusive], inwards));
    let left = |limit: &Option<Limit<'_>>| {
        let limit = limit.as_ref()?;
        let is_step = is_whole && limit.inner.fract() == 0.0;
        Some(if limit.is_open && is_step { (limit.inner + 1.0, false) } else { (limit.inner, limit.is_open) })
    };
    let is_narrower = match (left(&before), left(&after)) {
        (before, after) if before == after => return,
        (before, after) => after > before,
    };
    let (was, is) = (before.as_ref().map(|limit| &limit.bound), after.as_ref().map(|limit| &limit.bound));
    if was.map(|node| node.value) == is.map(|node| node.value) {
        let flags = [&before, &after].map(|limit| limit.as_ref().and_then(|limit| limit.exclusive.as_ref()));
        change(cx, schemas, exclusive, flags, is_narrower);
    } else {
        change(cx, schemas, bound, [was, is], is_narrower);
    }
}

/// Returns the narrowest limit: a value has to satisfy all of them.
fn narrowest<'a>(schema: &FlatSchema<'a>, [bound, exclusive]: [&str; 2], inwards: f64) -> Option<Limit<'a>> {
    let limits = schema.parts().iter().filter_map(|part| {
        let bound = part.get(bound)?;
        // The sign makes a greater number narrower for both ends.
        let inner = bound.value.as_f64()? * inwards;
        let exclusive = part.get(exclusive).filter(|flag| *flag.value == Value::Bool(true));
        Some(Limit { inner, is_open: exclusive.is_some(), bound, exclusive })
    });
    limits.max_by(|one, other| one.inner.total_cmp(&other.inner).then(one.is_open.cmp(&other.is_open)))
}

/// Compares a count; a step `inwards` is narrower.
fn count<'a>(cx: &mut Comparison<'_>, schemas: &SchemaPair<'a, '_>, key: &str, inwards: f64) {
    let read = |schema: &FlatSchema<'a>| {
        let counts = schema.all(key).filter_map(|node| Some((node.value.as_f64()? * inwards, node)));
        counts.max_by(|(one, _), (other, _)| one.total_cmp(other))
    };
    let (before, after) = (read(schemas.old), read(schemas.new));
    // Lengths and counts are at least 0.
    let free = if inwards > 0.0 { 0.0 } else { f64::NEG_INFINITY };
    let left = |count: Option<&(f64, Node<'_>)>| count.map_or(free, |(inner, _)| *inner);
    let order = left(after.as_ref()).total_cmp(&left(before.as_ref()));
    if order != Ordering::Equal {
        let nodes = [before.as_ref().map(|(_, node)| node), after.as_ref().map(|(_, node)| node)];
        change(cx, schemas, key, nodes, order == Ordering::Greater);
    }
}

/// Compares the steps of which a value has to be a multiple.
fn multiple(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>) {
    let key = "multipleOf";
    let steps =
        |schema: &FlatSchema<'_>| -> Vec<f64> { schema.all(key).filter_map(|node| node.value.as_f64()).collect() };
    let (before, after) = (steps(schemas.old), steps(schemas.new));
    // A step is not narrower if each multiple of the other steps is a multiple of it as well.
    let is_free = |steps: &[f64], of: &[f64]| of.iter().all(|step| steps.iter().any(|own| is_multiple(*own, *step)));
    let joined = |steps: &[f64]| common(steps).map_or_else(|| steps.to_vec(), |step| vec![step]);
    let is_narrower = !is_free(&joined(&before), &after);
    if is_narrower || !is_free(&joined(&after), &before) {
        let nodes = [schemas.old.get(key), schemas.new.get(key)];
        change(cx, schemas, key, [nodes[0].as_ref(), nodes[1].as_ref()], is_narrower);
    }
}

/// Returns whether a number is a multiple of a step, within the precision of floats.
fn is_multiple(number: f64, step: f64) -> bool {
    let times = number / step;
    number.to_bits() == step.to_bits() || times.is_finite() && (times - times.round()).abs() <= times.abs() * 1e-12
}

/// Returns the least common multiple of integer steps.
fn common(steps: &[f64]) -> Option<f64> {
    const MAX_MULTIPLE: f64 = 1e12;
    steps.iter().copied().try_fold(1.0, |common: f64, step| {
        let is_whole = (1.0..MAX_MULTIPLE).contains(&step) && step.fract() == 0.0;
        let (mut divisor, mut rest) = (common, step);
        while is_whole && rest > 0.0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        let multiple = common / divisor * step;
        (is_whole && multiple < MAX_MULTIPLE).then_some(multiple)
    })
}

/// Compares a constraint without an order: a value has to satisfy each occurrence.
fn restriction(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>, key: &str) {
    let read = |schema: &FlatSchema<'_>| schema.all(key).filter(|node| *node.value != Value::Bool(true)).count();
    if read(schemas.old) + read(schemas.new) == 0 {
        return;
    }
    let other = |schema: &FlatSchema<'_>, node: &Node<'_>| schema.all(key).all(|known| known.value != node.value);
    let is_said = |node: &Node<'_>| *node.value != Value::Bool(true);
    let gone: Vec<Node<'_>> = schemas.old.all(key).filter(|node| is_said(node) && other(schemas.new, node)).collect();
    let came: Vec<Node<'_>> = schemas.new.all(key).filter(|node| is_said(node) && other(schemas.old, node)).collect();
    match (&gone[..], &came[..]) {
        ([was, ..], [is, ..]) => {
            let detail = describe(key, [Some(was), Some(is)]);
            cx.report(schemas.rules.restriction_changed, is, detail, effect(schemas, key));
        }
        (gone, came) => {
            for node in gone {
                change(cx, schemas, key, [Some(node), None], false);
            }
            for node in came {
                change(cx, schemas, key, [None, Some(node)], true);
            }
        }
    }
}

/// Compares keywords that belong together and occur in more than one part: each keyword may be unchanged, but beside another
/// one.
fn keyword_group(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>, keys: &[&str]) {
    let read = |schema: &FlatSchema<'_>| -> Vec<String> {
        let said =
            |part: &Node<'_>| keys.iter().filter_map(|key| Some((*key, part.get(key)?.value.to_string()))).collect();
        let mut all: Vec<Vec<(&str, String)>> =
            schema.parts().iter().map(said).filter(|said: &Vec<_>| !said.is_empty()).collect();
        all.sort();
        all.dedup();
        all.into_iter().map(|said| format!("{said:?}")).collect()
    };
    if schemas.old.parts().len() < 2 && schemas.new.parts().len() < 2 {
        return;
    }
    let (before, after) = (read(schemas.old), read(schemas.new));
    let is_same = |key: &&str| {
        let texts = |schema: &FlatSchema<'_>| -> Vec<String> {
            let mut texts: Vec<String> = schema.all(key).map(|node| node.value.to_string()).collect();
            texts.sort();
            texts.dedup();
            texts
        };
        texts(schemas.old) == texts(schemas.new)
    };
    if before != after && keys.iter().all(is_same) {
        let detail = format!("`{}` stand together in another way", keys.join("`, `"));
        cx.report(schemas.rules.restriction_changed, schemas.here, detail, effect(schemas, keys[0]));
    }
}

fn change(
    cx: &mut Comparison<'_>,
    schemas: &SchemaPair<'_, '_>,
    key: &str,
    nodes: [Option<&Node<'_>>; 2],
    is_narrower: bool,
) {
    let rules = schemas.rules;
    let rule = if is_narrower { rules.constraint_narrowed } else { rules.constraint_widened };
    cx.report(rule, nodes[1].unwrap_or(schemas.here), describe(key, nodes), effect(schemas, key));
}

fn describe(key: &str, nodes: [Option<&Node<'_>>; 2]) -> String {
    let text = |node: Option<&Node<'_>>| match node.map(|node| node.value) {
        Some(Value::String(text)) => format!("`{text}`"),
        Some(Value::Object(_)) => "a schema".to_owned(),
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    };
    match nodes.map(text) {
        [before, after] if before == after => format!("`{key}` has changed"),
        [before, after] => format!("`{key}`: {before} becomes {after}"),
    }
}

/// Returns the effect on the client. In requests, texts with bounds have types of their own, which check them, and integers
/// have a type that is wide enough; other bounds are not checked.
fn effect(schemas: &SchemaPair<'_, '_>, key: &str) -> String {
    let rust_item = schemas.rust_item;
    rust_item.effect(|| match (schemas.rules.direction, schemas.new.kind()) {
        (Direction::Response | Direction::Error, _) => "no change: an answer is not held to it".to_owned(),
        (Direction::Request, Some("string")) if matches!(key, "minLength" | "maxLength" | "pattern") => {
            format!("{} is checked against another bound", rust_item.holder())
        }
        (Direction::Request, Some("integer")) if key != "multipleOf" => {
            format!("{} may have another type", rust_item.holder())
        }
        _ => "no change: the client does not check it".to_owned(),
    })
}
