//! A call as a curl command, to try it before writing code. It holds no values: credentials are `…`, and arguments are shown
//! by name.

use super::kinds::Kinds;
use crate::contract::Carrier;
use crate::operation::ParameterLocation;
use crate::{Api, Body, BodyFormat, FormMember, Operation, SecurityRequirement, walk};

/// The placeholder of a credential.
const CREDENTIAL: &str = "…";

/// Returns the command; `None` if the document's names cannot be shown in one.
pub(crate) fn command(api: &Api, operation: &Operation, kinds: &Kinds) -> Option<String> {
    let mut words = vec!["curl".to_owned()];
    if operation.method != "GET" {
        words.push(format!("-X {}", operation.method));
    }
    let required = operation.parameters.iter().filter(|parameter| parameter.required);
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    query.extend(operation.query.iter().map(|(name, value)| format!("{name}={value}")));
    for parameter in required {
        match parameter.location {
            ParameterLocation::Query => query.push(format!("{0}={{{0}}}", parameter.name)),
            ParameterLocation::Header => headers.push(format!("{0}: {{{0}}}", parameter.name)),
            ParameterLocation::Path => {}
        }
    }
    let mut options = Vec::new();
    for carrier in credentials(operation, kinds) {
        match carrier {
            Carrier::Header => headers.push(format!("Authorization: Bearer {CREDENTIAL}")),
            Carrier::Scheme(scheme) => headers.push(format!("Authorization: {scheme} {CREDENTIAL}")),
            Carrier::NamedHeader(name) => headers.push(format!("{name}: {CREDENTIAL}")),
            Carrier::Basic => options.push(format!("-u {}", quoted(&format!("{CREDENTIAL}:{CREDENTIAL}")))),
            Carrier::Cookie(name) => options.push(format!("-b {}", quoted(&format!("{name}={CREDENTIAL}")))),
            Carrier::Query(name) => query.push(format!("{name}={CREDENTIAL}")),
            Carrier::ClientCertificate => options.push(format!("--cert {CREDENTIAL}")),
        }
    }
    if let Some(body) = operation.body.as_ref().filter(|body| body.format(api) == BodyFormat::Multipart) {
        options.extend(fields(api, body));
    } else if let Some(body) = &operation.body {
        headers.push(format!("Content-Type: {}", body.default_media_type()));
        options.push("--data-binary @body".to_owned());
    }
    let server = operation.server.as_ref().unwrap_or(&api.base_url);
    let question = if query.is_empty() { "" } else { "?" };
    words.push(quoted(&format!("{server}{}{question}{}", operation.path, query.join("&"))));
    words.extend(headers.iter().map(|header| format!("-H {}", quoted(header))));
    words.extend(options);
    let line = words.join(" ");
    (!line.contains(|letter: char| letter == '`' || letter.is_control())).then_some(line)
}

/// Returns the fields of a multipart form, for which curl chooses the boundary: the files and the required fields, or all
/// fields if there are none of these.
fn fields(api: &Api, body: &Body) -> Vec<String> {
    let required = &walk::resolve(&api.document, &body.schema)["required"];
    let is_needed = |member: &&FormMember| {
        member.is_file || required.as_array().is_some_and(|names| names.iter().any(|name| *name == *member.name))
    };
    let members = body.form_members(api);
    let needed: Vec<&FormMember> = members.iter().filter(is_needed).collect();
    let shown = if needed.is_empty() { members.iter().collect() } else { needed };
    let field = |member: &FormMember| {
        let name = &member.name;
        let value = if member.is_file { format!("@{name}") } else { format!("{{{name}}}") };
        format!("-F {}", quoted(&format!("{name}={value}")))
    };
    shown.into_iter().map(field).collect()
}

/// Returns the carriers of the credentials that a client would choose.
fn credentials<'a>(operation: &Operation, kinds: &'a Kinds) -> Vec<&'a Carrier> {
    let SecurityRequirement::OneOf { sets, .. } = &*operation.security else { return Vec::new() };
    let carried = |set: &Vec<String>| set.iter().map(|name| kinds.carrier(name)).collect::<Option<Vec<_>>>();
    let mut carried: Vec<Vec<&Carrier>> = sets.iter().filter_map(carried).collect();
    carried.sort_by_key(|set| std::cmp::Reverse(set.len()));
    carried.into_iter().next().unwrap_or_default()
}

/// Quotes a word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
