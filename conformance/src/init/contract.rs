//! The part of a new contract before its rules.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use keyfit::LimitFields;
use keyfit_openapi::{BatchGuess, plain};

use super::document::{Facts, Limits};
use super::login::Scheme;
use super::{quoted, sets, webhook};
use crate::contract::{Batch, Carrier, Citation};

/// Returns the sections for sources, kinds of token, errors, and limits.
pub(super) fn head(name: &str, document: &str, facts: &Facts) -> String {
    let mut text = format!(
        "# The auth and error contract of {title}, begun from its document. Levels: `must` fails a run, `should` warns, `observe`\n\
         # is only reported. Correct what does not hold, and cite pages of your documentation in place of the document.\n\n\
         name = {name}\n\
         # The rules that came with this set hold wherever the document gives them something to say, also where it is corrected later.\n\
         # One that does not hold here is switched off or lowered: [[level]] with `rules`, `level` and `reason`.\n\
         requirements = \"{set}\"\n\n\
         [sources]\n",
        title = plain(&facts.title),
        name = quoted(name),
        set = sets::newest(),
    );
    for (page, title, url) in sources(document, facts) {
        let _ = writeln!(text, "{page} = {{ title = {}, url = {} }}", quoted(&title), quoted(&url));
    }
    for scheme in &facts.schemes {
        text.push_str(&credential(scheme, facts));
    }
    if let Some(authorization) = &facts.authorization {
        text.push_str(&authorization.section());
    }
    errors(&mut text, facts);
    text.push_str(&rate_limit(facts));
    facts.batches.iter().for_each(|(operation, guess)| batch(&mut text, &batch_of(operation, guess)));
    text
}

/// Returns the scopes that include others, or a question if the document does not show them.
fn includes(facts: &Facts) -> String {
    let several: BTreeSet<&String> = facts.operations.iter().flat_map(|access| &access.scopes).collect();
    if facts.includes.is_empty() {
        let question = "# Does a scope include others? None is taken to, unless it is said here: includes = { \"admin\" = [\"read\"] }\n";
        return if several.len() > 1 { question.to_owned() } else { String::new() };
    }
    let entry = |(scope, included): (&String, &BTreeSet<String>)| {
        let included: Vec<String> = included.iter().map(|one| quoted(one)).collect();
        format!("{} = [{}]", quoted(scope), included.join(", "))
    };
    let entries: Vec<String> = facts.includes.iter().map(entry).collect();
    format!("# Scopes that include others.\nincludes = {{ {} }}\n", entries.join(", "))
}

/// Returns the pages that rules cite, with their titles and addresses.
pub(super) fn sources(document: &str, facts: &Facts) -> Vec<(&'static str, String, String)> {
    let page = ("document", format!("{}: OpenAPI document", facts.title), document.to_owned());
    let others = if facts.authorization.is_some() { AUTHORIZATION_SOURCES } else { &[] };
    let delivered = if facts.delivered.is_empty() { &[] } else { webhook::SOURCES };
    let cited = SOURCES.iter().chain(others).chain(delivered);
    [page].into_iter().chain(cited.map(|(page, title, url)| (*page, (*title).to_owned(), (*url).to_owned()))).collect()
}

/// Returns the section for a kind of token.
pub(super) fn credential(scheme: &Scheme, facts: &Facts) -> String {
    let tenants: Vec<String> = facts.tenants.iter().map(|tenant| quoted(tenant)).collect();
    let carrier = match &scheme.carrier {
        Carrier::Query(parameter) => format!("{{ query = {} }}", quoted(parameter)),
        Carrier::NamedHeader(name) => format!("{{ named-header = {} }}", quoted(name)),
        Carrier::Scheme(scheme) => format!("{{ scheme = {} }}", quoted(scheme)),
        Carrier::Cookie(name) => format!("{{ cookie = {} }}", quoted(name)),
        Carrier::Header => "\"header\"".to_owned(),
        Carrier::Basic => "\"basic\"".to_owned(),
        Carrier::ClientCertificate => "\"client-certificate\"".to_owned(),
    };
    format!(
        "\n[[credential]]\nkind = {}\n# How such a token begins: tokens that were never issued are made to look alike.\nprefix = \"\"\ncarriers = [{carrier}]\n{jwt}\
         # Path parameters whose ids belong to who holds the token.\nbinds = [{tenants}]\n{scoped}source = {{ page = \"document\", section = \"securitySchemes\" }}\n",
        quoted(&scheme.kind),
        jwt =
            if scheme.is_jwt { "# Tokens that were tampered with are made of a valid one.\njwt = true\n" } else { "" },
        scoped = if facts.scoped.contains(&scheme.kind) {
            format!("scoped = true\n{}", includes(facts))
        } else {
            String::new()
        },
        tenants = tenants.join(", "),
    )
}

/// The sources for all APIs.
const SOURCES: &[(&str, &str, &str)] = &[
    ("rfc6750", "RFC 6750: OAuth 2.0 bearer tokens", "https://www.rfc-editor.org/rfc/rfc6750"),
    ("rfc7617", "RFC 7617: the Basic HTTP authentication scheme", "https://www.rfc-editor.org/rfc/rfc7617"),
    ("rfc8725", "RFC 8725: JSON Web Token best current practices", "https://www.rfc-editor.org/rfc/rfc8725"),
    ("rfc9110", "RFC 9110: HTTP semantics", "https://www.rfc-editor.org/rfc/rfc9110"),
    ("rfc9457", "RFC 9457: Problem details", "https://www.rfc-editor.org/rfc/rfc9457"),
    ("rfc9111", "RFC 9111: HTTP caching", "https://www.rfc-editor.org/rfc/rfc9111"),
    ("rfc5789", "RFC 5789: PATCH method for HTTP", "https://www.rfc-editor.org/rfc/rfc5789"),
    ("rfc6585", "RFC 6585: Additional HTTP status codes", "https://www.rfc-editor.org/rfc/rfc6585"),
    (
        "ratelimit",
        "RateLimit header fields for HTTP (draft)",
        "https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/",
    ),
    ("fetch", "Fetch", "https://fetch.spec.whatwg.org/"),
    ("owasp", "OWASP API Security Top 10, 2023", "https://owasp.org/API-Security/editions/2023/en/0x11-t10/"),
];

/// The sources for authorization servers.
const AUTHORIZATION_SOURCES: &[(&str, &str, &str)] = &[
    ("rfc6749", "RFC 6749: the OAuth 2.0 authorization framework", "https://www.rfc-editor.org/rfc/rfc6749"),
    (
        "rfc7636",
        "RFC 7636: proof key for code exchange by OAuth public clients",
        "https://www.rfc-editor.org/rfc/rfc7636",
    ),
    ("rfc7009", "RFC 7009: OAuth 2.0 token revocation", "https://www.rfc-editor.org/rfc/rfc7009"),
    ("rfc8628", "RFC 8628: OAuth 2.0 device authorization grant", "https://www.rfc-editor.org/rfc/rfc8628"),
    ("rfc9700", "RFC 9700: best current practice for OAuth 2.0 security", "https://www.rfc-editor.org/rfc/rfc9700"),
    ("discovery", "OpenID Connect Discovery 1.0", "https://openid.net/specs/openid-connect-discovery-1_0.html"),
];

fn errors(text: &mut String, facts: &Facts) {
    text.push_str("\n[errors.api.default]\n");
    match &facts.error {
        None => text.push_str("optional = true\n"),
        Some(error) => {
            let mut fields: Vec<String> =
                error.texts.iter().map(|name| format!("{{ at = {}, type = \"string\" }}", quoted(name))).collect();
            if error.has_status {
                fields.push("{ at = \"/status\", type = \"status\" }".to_owned());
            }
            let _ = writeln!(text, "media-type = {}\nfields = [{}]", quoted(&error.media_type), fields.join(", "));
        }
    }
    text.push_str("source = { page = \"document\", section = \"responses\" }\n");
}

/// Returns the batch of a contract for an operation that appears to take many items.
pub(super) fn batch_of(operation: &str, guess: &BatchGuess) -> Batch {
    Batch {
        operations: vec![operation.to_owned()],
        maximum: guess.maximum.and_then(|maximum| maximum.try_into().ok()),
        maximum_bytes: None,
        items_at: guess.items_at.clone(),
        id_field: guess.id_field.clone(),
        spoil: guess.required_member.clone(),
        unverified: !guess.is_certain,
        source: Citation { page: "document".to_owned(), section: Some("responses".to_owned()) },
    }
}

fn batch(text: &mut String, batch: &Batch) {
    let Batch { operations, items_at, id_field, spoil, maximum, unverified, source: _, maximum_bytes: _ } = batch;
    let operations: Vec<String> = operations.iter().map(|operation| quoted(operation)).collect();
    let _ = writeln!(text, "\n[[batch]]\noperations = [{}]", operations.join(", "));
    if let Some(maximum) = maximum {
        let _ = writeln!(text, "maximum = {maximum}");
    }
    if !items_at.is_empty() {
        let _ = writeln!(text, "items-at = {}", quoted(items_at));
    }
    if let Some(id_field) = id_field {
        let _ = writeln!(text, "id-field = {}", quoted(id_field));
    }
    let _ = writeln!(text, "# Without it an item is not a valid one.\nspoil = {}", quoted(spoil));
    if *unverified {
        text.push_str("# A guess: remove the line where it is right.\nunverified = true\n");
    }
    text.push_str("source = { page = \"document\", section = \"responses\" }\n");
}

/// The number of calls per window that the mock allows for each operation: a check sends dozens.
const CALLS: usize = 100;

/// Returns the section for rate limits; empty if the document has none.
pub(super) fn rate_limit(facts: &Facts) -> String {
    let Some(Limits { headers, retry_after }) = &facts.limits else { return String::new() };
    let mut text = "\n[rate-limit]\n".to_owned();
    let unit = match headers {
        None => {
            text.push_str("# No header says what is left; a 429 says how long to wait, in seconds.\n");
            "delta-seconds"
        }
        Some([limit, remaining, reset]) => {
            let is_field = LimitFields::has(remaining);
            let (limit, remaining, end) = (quoted(limit), quoted(remaining), quoted(reset));
            let _ = write!(text, "limit-header = {limit}\nremaining-header = {remaining}\nreset-header = {end}\n");
            // A structured field has seconds from now.
            if !is_field {
                text.push_str(
                    "# Told apart by the values: write `epoch-seconds` or `delta-seconds` to hold the server to one.\n",
                );
            }
            if is_field { "delta-seconds" } else { "by-value" }
        }
    };
    let calls = (CALLS * facts.operations.len()).max(1000);
    let _ = write!(
        text,
        "reset = \"{unit}\"\n\
         # For the mock: calls a window, and its length.\nlimit = {calls}\nwindow-seconds = 60\n# What has a budget of its own: `operation`, `class` or `credential`.\nbucket = \"credential\"\nretry-after = {retry_after}\nsource = {{ page = \"document\", section = \"headers\" }}\n"
    );
    text
}
