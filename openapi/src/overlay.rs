//! OpenAPI Overlay 1.0: what the pipeline needs and a published document lacks, each action with its reason.

use enumset::EnumSet;
use roas_overlay::apply::{Apply as _, ApplyErrorKind, ApplyOptions};
use roas_overlay::v1_0::Overlay;
use serde_json::Value;

use crate::failure::Place;
use crate::load::Located;
use crate::repair::{Repair, Repairs};
use crate::{Failure, Text};

/// An overlay that was applied.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    overlay: Overlay,
    located: Located,
}

impl Applied {
    /// The published document, and what it became with each action.
    pub(crate) fn states(&self, published: &Value) -> Vec<Value> {
        let mut states = vec![published.clone()];
        let mut state = published.clone();
        for action in &self.overlay.actions {
            let alone = Overlay { actions: vec![action.clone()], ..self.overlay.clone() };
            // All of them were applied before: none can fail.
            let _ = alone.apply(&mut state, EnumSet::empty());
            states.push(state.clone());
        }
        states
    }

    /// The place of an action, by its number.
    pub(crate) fn action(&self, index: usize) -> Place {
        self.located.place(&format!("/actions/{index}"))
    }

    /// The place of the last action that put the node in.
    pub(crate) fn place(&self, states: &[Value], node: &str) -> Option<Place> {
        let puts_in = |pair: &[Value]| match (pair[0].pointer(node), pair[1].pointer(node)) {
            (before, Some(after)) if before != Some(after) => {
                // What is only changed inside was put in by someone else.
                !before.is_some_and(|before| {
                    before.is_object() && after.is_object() || before.is_array() && after.is_array()
                })
            }
            _ => false,
        };
        let action = states.windows(2).rposition(puts_in)?;
        Some(self.action(action))
    }
}

/// Applies every action, or none, and returns the document: a target that matches nothing stops the build, so that an
/// overlay cannot outlive the part of the document that it was written for.
pub(crate) fn apply(published: &mut Located, overlay: &Text, repairs: &mut Repairs) -> Result<Value, Failure> {
    let mut document = published.value.clone();
    let located = Located::read(overlay)?;
    let parsed: Overlay = serde_json::from_value(located.value.clone()).map_err(|error| {
        located.failure(
            "",
            format!("this is no overlay: {error}"),
            "an overlay has `overlay: 1.0.0`, `info` with title and version, and `actions` with a `target` each",
        )
    })?;
    parsed.apply(&mut document, EnumSet::only(ApplyOptions::ErrorOnZeroMatch)).map_err(|error| {
        let target = format!("/actions/{}/target", error.action_index);
        let (problem, help) = match &error.kind {
            ApplyErrorKind::ZeroMatch => (
                format!("the target `{}` matches nothing in the document", error.target),
                "the document has changed, or the path is misspelt: correct the target or remove the action",
            ),
            ApplyErrorKind::InvalidJsonPath(reason) => (
                format!("the target `{}` is no JSONPath: {}", error.target, first_line(reason)),
                "write an RFC 9535 query such as $.paths['/sms'].post",
            ),
            _ => (
                format!("the target `{}` cannot be changed: {}", error.target, error.kind),
                "target one object or array",
            ),
        };
        located.failure(&target, problem, help)
    })?;
    for action in &parsed.actions {
        repairs.push(Repair {
            rule: "overlay",
            pointer: action.target.clone(),
            note: action.description.clone().unwrap_or_else(|| "no reason given".to_owned()),
            narrowed: false,
        });
    }
    published.overlay = Some(Box::new(Applied { overlay: parsed, located }));
    Ok(document)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
