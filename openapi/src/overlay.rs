//! OpenAPI Overlay 1.0: what the pipeline needs and a published document lacks, each action with its reason.

use enumset::EnumSet;
use roas_overlay::apply::{Apply as _, ApplyErrorKind, ApplyOptions};
use roas_overlay::v1_0::Overlay;
use serde_json::Value;

use crate::load::Located;
use crate::repair::{Repair, Repairs};
use crate::{Failure, Text};

/// Applies every action, or none: a target that matches nothing stops the build, so that an overlay cannot outlive
/// the part of the document that it was written for.
pub(crate) fn apply(document: &mut Value, overlay: &Text, repairs: &mut Repairs) -> Result<(), Failure> {
    let located = Located::read(overlay)?;
    let parsed: Overlay = serde_json::from_value(located.value.clone()).map_err(|error| {
        located.failure(
            "",
            format!("this is no overlay: {error}"),
            "an overlay has `overlay: 1.0.0`, `info` with title and version, and `actions` with a `target` each",
        )
    })?;
    parsed.apply(document, EnumSet::only(ApplyOptions::ErrorOnZeroMatch)).map_err(|error| {
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
        });
    }
    Ok(())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
