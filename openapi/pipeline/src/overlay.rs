//! OpenAPI Overlay 1.0: information that the pipeline needs and a published document lacks, each action with its reason.

use roas_overlay::common::apply::{compile_path, locate, remove_at};
use roas_overlay::v1_0::{Action, Overlay};
use serde_json::Value;

use crate::error::SourceLocation;
use crate::parse::ParsedText;
use crate::plain::short;
use crate::repair::{Repair, Repairs};
use crate::yaml::MAX_DEPTH;
use crate::{Error, Text, overlay_target, pointer};

/// An overlay that was applied.
#[derive(Clone, Debug)]
pub(crate) struct AppliedOverlay {
    overlay: Overlay,
    text: ParsedText,
}

impl AppliedOverlay {
    /// Returns the published document, and its state after each action.
    pub(crate) fn states(&self, published: &Value) -> Vec<Value> {
        let mut states = vec![published.clone()];
        self.replay(published, |state| states.push(state.clone()));
        states
    }

    /// Returns the location of an action, by its number.
    pub(crate) fn action(&self, index: usize) -> SourceLocation {
        self.text.location(&format!("/actions/{index}"))
    }

    /// Returns the location of the last action that added the node.
    pub(crate) fn location(&self, published: &Value, node: &str) -> Option<SourceLocation> {
        let mut before = published.pointer(node).cloned();
        let (mut action, mut found) = (0, None);
        self.replay(published, |state| {
            let after = state.pointer(node);
            if is_replaced(before.as_ref(), after) {
                found = Some(action);
            }
            if before.as_ref() != after {
                before = after.cloned();
            }
            action += 1;
        });
        Some(self.action(found?))
    }

    /// Returns the same location as [`location`](Self::location), from states that are computed already.
    pub(crate) fn location_in(&self, states: &[Value], node: &str) -> Option<SourceLocation> {
        let action = states.windows(2).rposition(|pair| is_replaced(pair[0].pointer(node), pair[1].pointer(node)))?;
        Some(self.action(action))
    }

    /// Applies the actions again, and passes the state after each of them to `seen`.
    fn replay(&self, published: &Value, mut seen: impl FnMut(&Value)) {
        let mut state = published.clone();
        let mut budget = NodeBudget::of(&state);
        for action in &self.overlay.actions {
            // All actions were applied before, so none can fail.
            let _ = budget.apply_action(&mut state, action);
            seen(&state);
        }
    }
}

/// Returns whether a node was added or replaced, and not only changed inside.
fn is_replaced(before: Option<&Value>, after: Option<&Value>) -> bool {
    let is_inside = |before: &Value, after: &Value| {
        before.is_object() && after.is_object() || before.is_array() && after.is_array()
    };
    match (before, after) {
        (Some(before), Some(after)) => before != after && !is_inside(before, after),
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

/// Applies every action, or none, and returns the document and the applied overlay. A target that matches nothing is an error,
/// so that an overlay cannot outlive the part of the document that it was written for.
pub(crate) fn apply(
    published: &Value,
    overlay: &Text,
    repairs: &mut Repairs,
) -> Result<(Value, AppliedOverlay), Error> {
    let mut document = published.clone();
    let text = ParsedText::read(overlay)?;
    let parsed: Overlay = serde_json::from_value(text.value.clone()).map_err(|error| {
        text.error_at(
            "",
            format!("this is no overlay: {error}"),
            "an overlay has `overlay: 1.0.0`, `info` with title and version, and `actions` with a `target` each",
        )
    })?;
    let mut budget = NodeBudget::of(&document);
    for (index, action) in parsed.actions.iter().enumerate() {
        let replaced = budget.apply_action(&mut document, action).map_err(|(problem, help)| {
            let target = short(&action.target);
            text.error_at(&format!("/actions/{index}/target"), format!("the target `{target}` {problem}"), help)
        })?;
        repairs.push(Repair {
            rule: "overlay",
            pointer: action.target.clone(),
            note: action.description.clone().unwrap_or_else(|| "no reason given".to_owned()),
            narrowed: false,
        });
        let by = text.location(&format!("/actions/{index}/update"));
        for at in replaced {
            let note = format!("{by} replaces a list by an object, or an object by a list: the two cannot be merged");
            repairs.note("overlay-replaced", &at, note);
        }
    }
    Ok((document, AppliedOverlay { overlay: parsed, text }))
}

/// The maximum number of nodes of a document after an action: each action may match thousands of nodes and multiply their
/// content.
const MAX_NODES: usize = 800_000;

/// The remaining budget of an overlay's actions.
struct NodeBudget {
    /// An upper bound of the number of nodes.
    nodes: usize,
}

impl NodeBudget {
    fn of(document: &Value) -> Self {
        Self { nodes: extent(document).0 }
    }

    /// Applies an action as Overlay 1.0 defines it; an error holds the problem and its remedy. Returns the places where a
    /// list replaced an object, or an object a list.
    fn apply_action(&mut self, document: &mut Value, action: &Action) -> Result<Vec<String>, (String, &'static str)> {
        let write = "write an RFC 9535 query such as $.paths['/sms'].post";
        overlay_target::check(&action.target).map_err(|problem| (problem, "split the action, or name the nodes"))?;
        let path = compile_path(&action.target)
            .map_err(|reason| (format!("is no JSONPath: {}", first_line(&reason)), write))?;
        let found = locate(document, &path);
        if found.is_empty() {
            let help = "the document has changed, or the path is misspelt: correct the target or remove the action";
            return Err(("matches nothing in the document".to_owned(), help));
        }
        let is_plain = |at: &String| document.pointer(at).is_none_or(|node| !node.is_object() && !node.is_array());
        if found.iter().any(is_plain) {
            return Err(("is no object or array, and only these can be changed".to_owned(), "target one of them"));
        }
        let mut replaced = Vec::new();
        if action.is_remove() {
            // In reverse order, so that the indexes of earlier items stay valid.
            for at in found.iter().rev() {
                remove_at(document, at);
            }
        } else if let Some(update) = &action.update {
            check_kinds(document, &found, update)?;
            self.spend(document, &found, update)?;
            for at in &found {
                match (document.pointer_mut(at), update) {
                    (Some(Value::Array(items)), entry) if !entry.is_array() => items.push(entry.clone()),
                    (Some(node), update) => merge(node, update, at, &mut replaced),
                    (None, _) => {}
                }
            }
        }
        Ok(replaced)
    }

    fn spend(&mut self, document: &Value, found: &[String], update: &Value) -> Result<(), (String, &'static str)> {
        let help = "target fewer nodes, or change less of them";
        let (nodes, depth) = extent(update);
        let more = nodes.saturating_mul(found.len());
        let deepest = found.iter().map(|at| at.matches('/').count() + depth).max().unwrap_or_default();
        if self.nodes.saturating_add(more) > MAX_NODES {
            // The running count may be higher than the actual number.
            *self = Self::of(document);
        }
        if self.nodes.saturating_add(more) > MAX_NODES {
            return Err((format!("makes a document of more than {MAX_NODES} nodes"), help));
        }
        if deepest > MAX_DEPTH {
            return Err((format!("makes a document that may nest deeper than {MAX_DEPTH} levels"), help));
        }
        self.nodes += more;
        Ok(())
    }
}

/// Returns an error if an update does not suit the nodes that the target matches: an object is merged into objects and
/// appended to lists, so that a target that matches both would add it in places that its author did not consider.
fn check_kinds(document: &Value, found: &[String], update: &Value) -> Result<(), (String, &'static str)> {
    let is_list = |at: &&String| document.pointer(at).is_some_and(Value::is_array);
    let (lists, objects): (Vec<&String>, Vec<&String>) = found.iter().partition(is_list);
    match (lists.first(), objects.first()) {
        (_, Some(object)) if !update.is_object() => {
            let problem = format!("matches an object, #{object}, and the update is not one");
            Err((problem, "write an object with the members to merge, or target a list"))
        }
        (Some(list), Some(object)) => {
            let problem = format!(
                "matches objects, such as #{object}, and lists, such as #{list}: the update would be merged into the former \
                 and be an entry of the latter"
            );
            Err((
                problem,
                "target only one of them: $.paths.*['get','post'] matches operations and no list beside them",
            ))
        }
        _ => Ok(()),
    }
}

/// Merges an update into a node: objects member by member, lists by appending, and anything else by replacing. `replaced`
/// receives the places where a list replaced an object, or an object a list.
fn merge(node: &mut Value, update: &Value, at: &str, replaced: &mut Vec<String>) {
    match (node, update) {
        (Value::Object(node), Value::Object(update)) => {
            for (key, update) in update {
                match node.get_mut(key) {
                    Some(member) => merge(member, update, &pointer::join(at, key), replaced),
                    None => drop(node.insert(key.clone(), update.clone())),
                }
            }
        }
        (Value::Array(node), Value::Array(update)) => node.extend(update.iter().cloned()),
        (node, update) => {
            let are_both =
                matches!((&*node, update), (Value::Object(_), Value::Array(_)) | (Value::Array(_), Value::Object(_)));
            if are_both {
                replaced.push(at.to_owned());
            }
            *node = update.clone();
        }
    }
}

/// Returns the number of nodes of a value, and their maximum depth.
fn extent(value: &Value) -> (usize, usize) {
    let below = |nodes: &mut dyn Iterator<Item = &Value>| {
        nodes.map(extent).fold((1, 1), |(count, deepest), (nodes, depth)| (count + nodes, deepest.max(depth + 1)))
    };
    match value {
        Value::Object(members) => below(&mut members.values()),
        Value::Array(items) => below(&mut items.iter()),
        _ => (1, 0),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
