//! Lists of the operations of an API and of the arguments of an operation, for humans.

use keyfit::redact::plain;
use keyfit_openapi::{AcceptedToken, Operation};

use super::arguments::placed;
use super::{Callee, body, credential, value};

/// The highest length of a summary in a list, in characters.
const LONGEST: usize = 72;

/// Returns a line for each operation: its id, method, path, and summary.
pub fn listed(callee: &Callee) -> Vec<String> {
    let operations = &callee.api.operations;
    let width =
        |of: fn(&Operation) -> &str| operations.iter().map(|one| plain(of(one)).len()).max().unwrap_or_default();
    let (ids, methods, paths) = (width(|one| &one.id), width(|one| &one.method), width(|one| &one.key).min(48));
    let line = |operation: &Operation| {
        let (id, method, path) = (plain(&operation.id), &operation.method, plain(&operation.key));
        format!("{id:<ids$}  {method:<methods$}  {path:<paths$}  {}", short(&operation.summary)).trim_end().to_owned()
    };
    operations.iter().map(line).collect()
}

/// Returns the description of an operation's arguments.
pub fn taken(callee: &Callee, operation: &Operation) -> Vec<String> {
    let api = &callee.api;
    let mut lines = vec![format!("{}: {} {}", plain(&operation.id), operation.method, plain(&operation.key))];
    if !operation.summary.is_empty() {
        lines.push(short(&operation.summary));
    }
    if let Some(server) = &operation.server {
        lines.push(format!("It has a server of its own: {}", plain(server)));
    }
    let mut rows: Vec<[String; 3]> = Vec::new();
    for parameter in &operation.parameters {
        let is_made = operation.is_generated_key(&parameter.name, parameter.location);
        let kind = value::taken(api, parameter) + if is_made { "; one is made where it is left out" } else { "" };
        let is_required = parameter.required && !is_made;
        rows.push([plain(&parameter.name), required(placed(parameter.location), is_required), plain(&kind)]);
    }
    if let Some(documented) = &operation.body {
        for member in body::members(api, documented) {
            let is_required = member.is_required && documented.required;
            rows.push([plain(&member.name), required("body", is_required), plain(&member.taken(api))]);
        }
        rows.push(["--body".to_owned(), required("whole body", false), plain(&documented.media_type)]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let (names, places) = (width(0), width(1));
    lines.push(String::new());
    lines.extend(rows.iter().map(|[name, place, kind]| format!("  {name:<names$}  {place:<places$}  {kind}")));
    if rows.is_empty() {
        lines.push("  It takes no arguments.".to_owned());
    }
    lines.push(String::new());
    lines.push(credentials(callee, operation));
    if operation.spends {
        lines.push("A call costs money.".to_owned());
    }
    lines
}

fn credentials(callee: &Callee, operation: &Operation) -> String {
    let (sets, is_optional) = credential::alternatives(callee, operation);
    let of = |name: &String| match callee.openers.iter().find(|opener| opener.name == *name) {
        Some(AcceptedToken { variable: Some(variable), .. }) => format!("{name} from {variable}"),
        Some(_) => name.clone(),
        None if callee.certificates.contains(name) => format!("{name} by --client-cert"),
        None => format!("{name}, which keyfit cannot send"),
    };
    let each = sets.iter().map(|set| set.iter().map(of).collect::<Vec<_>>().join(" and "));
    let told: Vec<String> = is_optional.then(|| "none".to_owned()).into_iter().chain(each).collect();
    let scopes =
        if operation.scopes.is_empty() { String::new() } else { format!("; scopes: {}", operation.scopes.join(", ")) };
    plain(&format!("Credential: {}{scopes}", told.join(", or ")))
}

fn required(place: &str, is_required: bool) -> String {
    if is_required { format!("{place}, required") } else { place.to_owned() }
}

/// Returns the first line of a text, shortened for a list.
fn short(text: &str) -> String {
    let line = plain(text.lines().next().unwrap_or_default().trim());
    if line.chars().count() <= LONGEST { line } else { line.chars().take(LONGEST - 1).chain(['…']).collect() }
}
