//! The selection of a part of a document: some of its operations, with the components that they need.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use crate::load::LocatedDocument;
use crate::normalize::Unsupported;
use crate::repair::Repairs;
use crate::suggestions::did_you_mean;
use crate::{Error, name, pointer, walk};

/// The forms of selectors, for the error message of a selector that matches nothing.
const FORMS: &str = "a selector is `tag:name`, `GET /path`, the id of an operation, or a path: `/lists` alone, `/lists/*` for \
                     one segment more, `/lists/**` for everything below";

/// An operation, with everything that can select it.
struct Candidate {
    at: String,
    /// `GET /lists`
    label: String,
    id: String,
    tags: Vec<String>,
}

/// Keeps the operations that one of the selectors matches, with the nodes that they refer to. Without selectors, keeps
/// everything.
pub(crate) fn select(
    located: &LocatedDocument,
    document: &mut Value,
    selectors: &[String],
    unsupported: &mut Vec<Unsupported>,
    repairs: &mut Repairs,
) -> Result<(), Error> {
    if selectors.is_empty() {
        return Ok(());
    }
    let candidates: Vec<Candidate> =
        walk::operations(document).into_iter().map(|(at, operation)| candidate(at, operation)).collect();
    let mut kept: HashSet<String> = HashSet::new();
    for selector in selectors {
        let found: Vec<&Candidate> = candidates.iter().filter(|candidate| fits(selector, candidate)).collect();
        let gone = unsupported.iter().find(|gone| fits_label(selector, &gone.operation));
        match (found.is_empty(), gone) {
            (true, Some(gone)) => {
                let problem =
                    format!("the selector `{selector}` matches an operation without a method: {}", gone.reason);
                return Err(located.error_at(
                    "",
                    problem,
                    "leave the selector out, or correct the operation by overlay",
                ));
            }
            (true, None) => {
                let problem = format!("the selector `{selector}` matches no operation");
                return Err(located.error_at("", problem, help(selector, &candidates)));
            }
            (false, _) => kept.extend(found.iter().map(|candidate| candidate.at.clone())),
        }
    }
    unsupported.retain(|gone| selectors.iter().any(|selector| fits_label(selector, &gone.operation)));
    let mut gone: HashSet<String> = remove_operations(document, &kept).into_iter().collect();
    gone.extend(remove_components(document));
    repairs.retain(|repair| !is_within(&repair.pointer, &gone));
    Ok(())
}

fn candidate(at: String, operation: &Value) -> Candidate {
    let (method, path) = walk::method_and_path(&at);
    let tags =
        operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    Candidate { label: format!("{} {path}", method.to_uppercase()), id, tags, at }
}

fn fits(selector: &str, candidate: &Candidate) -> bool {
    if let Some(tag) = selector.strip_prefix("tag:") {
        return candidate.tags.iter().any(|known| known == tag.trim());
    }
    fits_label(selector, &candidate.label)
        || *selector == candidate.id
        || !candidate.id.is_empty() && *selector == name::of_argument(&candidate.id)
}

/// Returns whether a selector by path, or by method and path, matches a label such as `GET /lists`.
fn fits_label(selector: &str, label: &str) -> bool {
    let Some((method, path)) = label.split_once(' ') else { return false };
    if selector.starts_with('/') {
        return fits_path(selector, path);
    }
    let Some((wanted, pattern)) = selector.split_once(char::is_whitespace) else { return false };
    wanted.eq_ignore_ascii_case(method) && fits_path(pattern.trim_start(), path)
}

/// Returns whether a path matches a pattern, segment by segment: `**` matches any number of segments, also zero.
fn fits_path(pattern: &str, path: &str) -> bool {
    let segments: Vec<&str> = path.split('/').collect();
    // `fits[n]` is true if the pattern so far matches the first `n` segments.
    let mut fits = vec![false; segments.len() + 1];
    fits[0] = true;
    for part in pattern.split('/') {
        if part == "**" {
            let first = fits.iter().position(|fits| *fits).unwrap_or(fits.len());
            fits[first..].fill(true);
        } else {
            for end in (0..segments.len()).rev() {
                fits[end + 1] = fits[end] && fits_segment(part, segments[end]);
            }
            fits[0] = false;
        }
    }
    fits[segments.len()]
}

/// Returns whether a segment matches a pattern in which `*` matches any text.
fn fits_segment(pattern: &str, segment: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, between @ .., last] = parts.as_slice() else { return pattern == segment };
    let Some(mut rest) = segment.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// Returns the help for a selector that matches nothing: similar selectors.
fn help(selector: &str, candidates: &[Candidate]) -> String {
    let known: BTreeSet<String> = candidates
        .iter()
        .flat_map(|candidate| {
            let path = candidate.label.split_once(' ').map(|(_, path)| path.to_owned());
            let tags = candidate.tags.iter().map(|tag| format!("tag:{tag}"));
            tags.chain([candidate.label.clone(), candidate.id.clone()]).chain(path).collect::<Vec<_>>()
        })
        .collect();
    did_you_mean(selector, known.iter().map(String::as_str).filter(|known| !known.is_empty()), FORMS)
}

/// Removes the other operations, and path items without operations. Returns the pointers of the removed nodes.
fn remove_operations(document: &mut Value, kept: &HashSet<String>) -> Vec<String> {
    let gone: Vec<String> = walk::operation_pointers(document).into_iter().filter(|at| !kept.contains(at)).collect();
    for at in &gone {
        let (item, method) = at.rsplit_once('/').unwrap_or_default();
        if let Some(item) = document.pointer_mut(item).and_then(Value::as_object_mut) {
            item.shift_remove(method);
        }
    }
    let has_operation =
        |item: &Value| walk::METHODS.iter().any(|method| item.get(method).is_some_and(Value::is_object));
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        paths.retain(|path, item| path.starts_with("x-") || has_operation(item));
    }
    // Webhooks are calls of the server, not of a client.
    for root in ["webhooks", "x-webhooks"] {
        if let Some(document) = document.as_object_mut() {
            document.shift_remove(root);
        }
    }
    gone
}

/// Removes the components that nothing refers to any more. Returns their pointers.
fn remove_components(document: &mut Value) -> Vec<String> {
    let mut targets: HashMap<String, Vec<String>> = HashMap::new();
    let mut open: Vec<String> = Vec::new();
    walk::references(document, &mut |at, target| match (
        pointer::of_reference(target).and_then(component),
        component(at),
    ) {
        (Some(to), Some(from)) => targets.entry(from).or_default().push(to),
        (Some(to), None) => open.push(to),
        (None, _) => {}
    });
    // A discriminator names schemas by reference or by name.
    let mut named = Vec::new();
    mappings(&document["paths"], &mut named);
    open.append(&mut named);
    for section in
        ["/components/schemas", "/components/responses", "/components/requestBodies", "/components/parameters"]
    {
        for (at, part) in walk::members(document, section) {
            mappings(part, &mut named);
            targets.entry(at).or_default().append(&mut named);
        }
    }
    let mut reached: HashSet<String> = HashSet::new();
    while let Some(next) = open.pop() {
        if reached.insert(next.clone()) {
            open.extend(targets.get(&next).into_iter().flatten().cloned());
        }
    }
    let mut gone = Vec::new();
    let Some(sections) = document.get_mut("components").and_then(Value::as_object_mut) else { return gone };
    for (section, components) in sections.iter_mut().filter(|(section, _)| *section != "securitySchemes") {
        let Some(components) = components.as_object_mut() else { continue };
        let root = pointer::join("/components", section);
        components.retain(|name, _| {
            let at = pointer::join(&root, name);
            let is_reached = reached.contains(&at);
            if !is_reached {
                gone.push(at);
            }
            is_reached
        });
    }
    gone
}

/// Returns the component that a pointer is in: `/components/schemas/Pet`.
fn component(at: &str) -> Option<String> {
    let mut steps = at.strip_prefix("/components/")?.splitn(3, '/');
    let (section, name) = (steps.next()?, steps.next()?);
    Some(format!("/components/{section}/{name}"))
}

/// Collects the components that discriminators name in a part of the document.
fn mappings(node: &Value, found: &mut Vec<String>) {
    match node {
        Value::Object(members) => {
            let mapping = members.get("discriminator").and_then(|discriminator| discriminator.get("mapping"));
            for target in
                mapping.and_then(Value::as_object).into_iter().flatten().filter_map(|(_, target)| target.as_str())
            {
                found.extend(match pointer::of_reference(target) {
                    Some(target) => component(target),
                    None => Some(pointer::join("/components/schemas", target)),
                });
            }
            members.values().for_each(|member| mappings(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| mappings(item, found)),
        _ => {}
    }
}

/// Returns whether a pointer is within one of these nodes.
fn is_within(mut at: &str, roots: &HashSet<String>) -> bool {
    loop {
        if roots.contains(at) {
            return true;
        }
        match at.rsplit_once('/') {
            Some((parent, _)) => at = parent,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_path_and_two_stars_are_everything_below() {
        for (pattern, path, fits) in [
            ("/lists", "/lists", true),
            ("/lists", "/lists/{id}", false),
            ("/lists/*", "/lists/{id}", true),
            ("/lists/*", "/lists/{id}/rows", false),
            ("/lists/**", "/lists", true),
            ("/lists/**", "/lists/{id}/rows", true),
            ("/lists/**", "/listings", false),
            ("/**/rows", "/lists/{id}/rows", true),
            ("/**/rows", "/rows", true),
            ("/**/rows", "/rows/{id}", false),
            ("/v*/l*s", "/v3/lists", true),
            ("/v*/l*s", "/v3/list", false),
            ("/**", "/", true),
            ("/a*a", "/a", false),
        ] {
            assert_eq!(fits_path(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let path = format!("/{}", "a/".repeat(200));
        assert!(!fits_path(&"/**/a*a*a*a".repeat(100), &path));
    }
}
