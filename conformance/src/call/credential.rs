//! The choice of credentials for a call: the kinds that the operation accepts, and the variables that contain them.

use std::cmp::Reverse;

use keyfit::auth::Carrier;
use keyfit_openapi::{AcceptedToken, Operation, SecurityRequirement, did_you_mean};

use super::{Callee, body, near};
use crate::UserError;
use crate::carrier::of_client;
use crate::secret::shown;

/// A kind of token for a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chosen {
    /// The name of the kind.
    pub kind: String,
    /// The variable that contains a token; `None` if the token is given or comes from a profile.
    pub variable: Option<String>,
    /// True if it comes from a profile.
    pub is_of_profile: bool,
    /// The place in a request.
    pub carrier: Carrier,
}

/// The caller's wishes for the credentials of a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The kind of token, if the caller names one.
    pub kind: Option<&'a str>,
    /// True if a token is given: it is of that kind, or of the first kind that the operation accepts.
    pub has_token: bool,
    /// True if a client certificate is given.
    pub has_certificate: bool,
    /// The kinds of token in a profile.
    pub profile: &'a [&'a str],
}

/// An alternative of an operation.
struct Alternative<'a> {
    openers: Vec<&'a AcceptedToken>,
    needs_certificate: bool,
}

impl Chosen {
    /// Chooses the kinds of token for an operation as clients do: of the alternatives that are available completely, the one with the most
    /// schemes, and of equal ones the first. Empty if a call needs no token, or a client certificate alone.
    ///
    /// # Errors
    /// Returns an error if the operation does not accept the wanted kind, or none that a client can send, or if no alternative has all of its
    /// variables set.
    pub fn of(
        callee: &Callee,
        operation: &Operation,
        wanted: Wanted<'_>,
        is_set: impl Fn(&str) -> bool,
    ) -> Result<Vec<Self>, UserError> {
        let (sets, is_optional) = alternatives(callee, operation);
        let known: Vec<Result<Alternative<'_>, String>> = sets.iter().map(|set| sendable(callee, set)).collect();
        let mut fitting: Vec<&Alternative<'_>> = known.iter().flatten().collect();
        let is_sendable = !fitting.is_empty();
        // A given token is always sent.
        fitting.retain(|set| !wanted.has_token || !set.openers.is_empty());
        if let Some(kind) = wanted.kind {
            let names: Vec<&str> =
                fitting.iter().flat_map(|set| &set.openers).map(|opener| opener.name.as_str()).collect();
            fitting.retain(|set| set.openers.iter().any(|opener| opener.name == kind));
            if fitting.is_empty() {
                let otherwise = match names[..] {
                    [] => "it takes none that keyfit can send: leave --as out".to_owned(),
                    _ => format!("it takes {}", names.join(", ")),
                };
                let all = || callee.openers.iter().map(|opener| opener.name.as_str());
                let repeated = near::repeated(kind, all());
                return Err(UserError::new(format!(
                    "the operation `{}` takes no token of the kind `{repeated}`",
                    operation.id
                ))
                .help(did_you_mean(kind, names, &otherwise)));
            }
        }
        // The given token is of one kind; the others of a set come from their variables.
        let is_given = |set: &Alternative<'_>, opener: &AcceptedToken| {
            let first = || set.openers.first().is_some_and(|first| first.name == opener.name);
            wanted.has_token && wanted.kind.map_or_else(first, |kind| opener.name == kind)
        };
        // The environment takes precedence over the profile.
        let has_variable = |opener: &AcceptedToken| opener.variable.as_deref().is_some_and(&is_set);
        let is_of_profile =
            |opener: &AcceptedToken| !has_variable(opener) && wanted.profile.contains(&opener.name.as_str());
        let missing = |set: &Alternative<'_>| -> Vec<String> {
            let is_missing =
                |opener: &&&AcceptedToken| !is_given(set, opener) && !has_variable(opener) && !is_of_profile(opener);
            let certificate = set.needs_certificate && !wanted.has_certificate;
            let openers = set.openers.iter().filter(is_missing).map(|opener| named(opener));
            openers.chain(certificate.then(|| "--client-cert FILE".to_owned())).collect()
        };
        let whole = fitting.iter().filter(|set| missing(set).is_empty());
        if let Some(set) = whole.min_by_key(|set| Reverse(set.schemes())) {
            let chosen = |opener: &&AcceptedToken| {
                let is_given = is_given(set, opener);
                Self::new(opener, is_given, !is_given && is_of_profile(opener))
            };
            return Ok(set.openers.iter().filter_map(chosen).collect());
        }
        match fitting[..] {
            [] if is_optional && !wanted.has_token => Ok(Vec::new()),
            [] if known.is_empty() || is_sendable => {
                Err(UserError::new(format!("the operation `{}` takes no token", operation.id))
                    .help("leave --token out"))
            }
            [] => Err(unsendable(operation, &known)),
            _ if is_optional && wanted.kind.is_none() && !wanted.has_token => Ok(Vec::new()),
            _ => Err(unset(operation, &fitting.iter().map(|set| missing(set)).collect::<Vec<_>>())),
        }
    }

    fn new(opener: &AcceptedToken, is_given: bool, is_of_profile: bool) -> Option<Self> {
        let variable = opener.variable.clone().filter(|_| !is_given && !is_of_profile);
        Some(Self { kind: opener.name.clone(), variable, is_of_profile, carrier: of_client(&opener.carrier)? })
    }

    /// Returns the header with the token, and the text before the token in it.
    pub fn header(&self) -> (String, String) {
        match self.carrier {
            Carrier::Scheme(scheme) => ("authorization".to_owned(), format!("{scheme} ")),
            Carrier::Header(name) => (name.to_ascii_lowercase(), String::new()),
            Carrier::Basic => ("authorization".to_owned(), "Basic ".to_owned()),
            Carrier::Cookie(name) => ("cookie".to_owned(), format!("{name}=")),
            _ => ("authorization".to_owned(), "Bearer ".to_owned()),
        }
    }
}

/// Refuses a token in the arguments: process lists and shell histories would show it.
///
/// # Errors
/// Returns an error if an argument is a header or parameter that carries a credential of this API.
pub fn refuse_in_clear(callee: &Callee, operation: &Operation, typed: &[String]) -> Result<(), UserError> {
    let schemes = callee.api.document["components"]["securitySchemes"].as_object();
    let keys = schemes.into_iter().flat_map(|schemes| schemes.values()).filter_map(|scheme| scheme["name"].as_str());
    let carriers: Vec<String> =
        callee.openers.iter().map(header).chain(keys.map(str::to_owned)).chain(["authorization".to_owned()]).collect();
    for name in typed.iter().filter_map(|argument| argument.split_once('=')).map(|(name, _)| name) {
        let (place, plain) = name.split_once(':').unwrap_or(("", name));
        let members = operation.body.iter().flat_map(|body| body::members(&callee.api, body));
        let is_argument = place == "body"
            || operation.parameters.iter().any(|parameter| parameter.name == plain)
            || members.into_iter().any(|member| member.name == plain);
        if !is_argument && carriers.iter().any(|carrier| carrier.eq_ignore_ascii_case(plain)) {
            return Err(in_clear(callee, &format!("`{}` is a credential", shown(plain))));
        }
    }
    Ok(())
}

/// Returns the error for a token on the command line.
pub fn in_clear(callee: &Callee, what: &str) -> UserError {
    let variables: Vec<&str> = callee.openers.iter().filter_map(|opener| opener.variable.as_deref()).collect();
    let set = match variables[..] {
        [] => String::new(),
        [one] => format!("set {one}, or "),
        _ => format!("set {}, or ", variables.join(" or ")),
    };
    UserError::new(format!(
        "{what}, and the command line is no place for one: every process of the machine and the history of the shell see it"
    ))
    .help(format!("{set}name a file that holds the token: --token @FILE, or - for the standard input"))
}

/// Returns the alternatives of an operation, and whether it can be called without any.
pub(super) fn alternatives(callee: &Callee, operation: &Operation) -> (Vec<Vec<String>>, bool) {
    let all = || callee.openers.iter().map(|opener| vec![opener.name.clone()]).collect::<Vec<_>>();
    let schemes = &callee.api.document["components"]["securitySchemes"];
    match &*operation.security {
        SecurityRequirement::Any => (all(), callee.openers.is_empty()),
        // The kinds of a contract may have other names than those of the document, which alone describes this operation.
        SecurityRequirement::OneOf { sets, is_optional }
            if operation.credentials.is_empty()
                && !sets.is_empty()
                && !callee.openers.is_empty()
                && callee.openers.iter().all(|opener| schemes.get(&opener.name).is_none()) =>
        {
            (all(), *is_optional)
        }
        SecurityRequirement::OneOf { sets, is_optional } => (sets.clone(), *is_optional),
    }
}

impl Alternative<'_> {
    fn schemes(&self) -> usize {
        self.openers.len() + usize::from(self.needs_certificate)
    }
}

/// Returns the kinds of an alternative, or the reason why it cannot be sent.
fn sendable<'a>(callee: &'a Callee, set: &[String]) -> Result<Alternative<'a>, String> {
    let (certificates, tokens): (Vec<&String>, Vec<&String>) =
        set.iter().partition(|name| callee.certificates.contains(name));
    let mut found: Vec<&AcceptedToken> = Vec::new();
    for name in tokens {
        let opener = callee.openers.iter().find(|opener| opener.name == *name);
        let opener = opener.ok_or_else(|| format!("`{name}` {}", why_unsendable(callee, name)))?;
        if let Some(other) = found.iter().find(|other| header(other).eq_ignore_ascii_case(&header(opener))) {
            return Err(format!("`{}` and `{name}` at once, which are one header, `{}`", other.name, header(opener)));
        }
        found.push(opener);
    }
    Ok(Alternative { openers: found, needs_certificate: !certificates.is_empty() })
}

fn why_unsendable(callee: &Callee, name: &str) -> String {
    let scheme = callee.api.resolve(&callee.api.document["components"]["securitySchemes"][name]);
    let text = |key: &str| scheme[key].as_str().unwrap_or_default().to_ascii_lowercase();
    match (text("type").as_str(), text("in").as_str()) {
        ("apikey", "query") => "is a key in the query, where logs show it".to_owned(),
        ("apikey", place @ ("cookie" | "header")) => format!("is a key in a {place} that cannot be sent"),
        ("http", _) => format!("is the HTTP scheme `{}`", text("scheme")),
        _ => "is not a kind of token that the contract or the document describes".to_owned(),
    }
}

fn unsendable(operation: &Operation, known: &[Result<Alternative<'_>, String>]) -> UserError {
    let reasons: Vec<&str> = known.iter().filter_map(|set| set.as_ref().err()).map(String::as_str).collect();
    UserError::new(format!(
        "the operation `{}` takes credentials that keyfit cannot send: {}",
        operation.id,
        reasons.join("; or ")
    ))
    .help("tokens are sent in headers, as bearer tokens or keys; a contract.toml in the folder of the API may say how")
}

fn unset(operation: &Operation, missing: &[Vec<String>]) -> UserError {
    let each: Vec<String> = missing.iter().map(|set| set.join(" and ")).collect();
    let takes_token = missing.iter().flatten().any(|one| !one.starts_with("--"));
    let file = if takes_token { ", or name a file that holds the token: --token @FILE" } else { "" };
    UserError::new(format!("there is no credential for the operation `{}`", operation.id))
        .help(format!("set {}{file}", each.join(", or ")))
}

/// Returns the input that a kind requires.
fn named(opener: &AcceptedToken) -> String {
    opener.variable.clone().unwrap_or_else(|| format!("a token of the kind `{}`", opener.name))
}

/// Returns the header of a kind.
fn header(opener: &AcceptedToken) -> String {
    match &opener.carrier {
        keyfit_openapi::Carrier::NamedHeader(name) => name.clone(),
        keyfit_openapi::Carrier::Cookie(_) => "Cookie".to_owned(),
        _ => "Authorization".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};

    use super::*;

    const DOCUMENT: &str = r#"{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "servers": [{"url": "https://a.example"}],
        "paths": {
            "/plain": {"get": {"operationId": "plain", "responses": {}, "security": [{"bearer": []}]}},
            "/either": {"get": {"operationId": "either", "responses": {}, "security": [{"query": []}, {"key": []}, {"bearer": []}]}},
            "/both": {"get": {"operationId": "both", "responses": {}, "security": [{"bearer": [], "key": []}]}},
            "/one-header": {"get": {"operationId": "one-header", "responses": {}, "security": [{"bearer": [], "other": []}]}},
            "/half": {"get": {"operationId": "half", "responses": {}, "security": [{"key": [], "digest": []}, {"query": []}]}},
            "/optional": {"get": {"operationId": "optional", "responses": {}, "security": [{}, {"key": []}]}},
            "/open": {"get": {"operationId": "open", "responses": {}, "security": []}},
            "/larger": {"get": {"operationId": "larger", "responses": {}, "security": [{"key": []}, {"key": [], "bearer": []}]}},
            "/machine": {"get": {"operationId": "machine", "responses": {}, "security": [{"machine": []}]}},
            "/machines": {"get": {"operationId": "machines", "responses": {}, "security": [{"bearer": []}, {"machine": [], "key": []}]}}
        },
        "components": {"securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"}, "other": {"type": "oauth2", "flows": {}},
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "query": {"type": "apiKey", "in": "query", "name": "key"}, "digest": {"type": "http", "scheme": "digest"},
            "machine": {"type": "mutualTLS"}
        }}}"#;

    fn callee() -> Callee {
        let document = Text::new("a.json", DOCUMENT);
        Callee::read(&Source { name: "a".to_owned(), document, overlay: None, contract: None }).expect("an API")
    }

    fn chosen(operation: &str, wanted: Wanted<'_>, set: &[&str]) -> Result<Vec<String>, String> {
        let callee = callee();
        let operation = callee.operation(operation).expect("it is there");
        let chosen = Chosen::of(&callee, operation, wanted, |variable| set.contains(&variable));
        let told = |one: &Chosen| {
            let otherwise = if one.is_of_profile { "profile" } else { "given" };
            format!("{} {}", one.kind, one.variable.as_deref().unwrap_or(otherwise))
        };
        chosen.map(|all| all.iter().map(told).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_largest_alternative_that_is_set_whole_is_sent() {
        let any = Wanted::default();
        assert_eq!(chosen("plain", any, &["A_BEARER"]), Ok(vec!["bearer A_BEARER".to_owned()]));
        assert_eq!(chosen("either", any, &["A_BEARER"]), Ok(vec!["bearer A_BEARER".to_owned()]));
        assert_eq!(chosen("either", any, &["A_BEARER", "A_KEY"]), Ok(vec!["key A_KEY".to_owned()]));
        let both = Ok(vec!["bearer A_BEARER".to_owned(), "key A_KEY".to_owned()]);
        assert_eq!(chosen("both", any, &["A_BEARER", "A_KEY"]), both);
        assert_eq!(chosen("larger", any, &["A_KEY"]), Ok(vec!["key A_KEY".to_owned()]));
        let both = Ok(vec!["key A_KEY".to_owned(), "bearer A_BEARER".to_owned()]);
        assert_eq!(chosen("larger", any, &["A_BEARER", "A_KEY"]), both);
        assert_eq!(chosen("optional", any, &[]), Ok(Vec::new()));
        assert_eq!(chosen("optional", any, &["A_KEY"]), Ok(vec!["key A_KEY".to_owned()]));
        assert_eq!(chosen("open", any, &["A_KEY"]), Ok(Vec::new()));
    }

    #[test]
    fn a_token_that_is_given_is_of_the_kind_that_is_named() {
        let given = |kind| Wanted { kind, has_token: true, ..Wanted::default() };
        assert_eq!(chosen("either", given(None), &[]), Ok(vec!["key given".to_owned()]));
        assert_eq!(chosen("either", given(Some("bearer")), &[]), Ok(vec!["bearer given".to_owned()]));
        let both = Ok(vec!["bearer A_BEARER".to_owned(), "key given".to_owned()]);
        assert_eq!(chosen("both", given(Some("key")), &["A_BEARER"]), both);
        let error = chosen("both", given(Some("key")), &[]).expect_err("half of it is missing");
        assert!(error.contains("help: set A_BEARER, or name a file"), "{error}");
        let error = chosen("either", given(Some("baerer")), &[]).expect_err("no such kind");
        assert!(error.contains("did you mean `bearer`? it takes key, bearer"), "{error}");
        assert!(chosen("open", given(None), &[]).expect_err("none is taken").contains("takes no token"));
        let machine = Wanted { has_token: true, has_certificate: true, ..Wanted::default() };
        assert!(chosen("machine", machine, &[]).expect_err("none is taken").contains("takes no token"));
    }

    #[test]
    fn a_kind_that_a_profile_names_is_held_and_the_environment_stands_over_it() {
        let named = Wanted { profile: &["bearer"], ..Wanted::default() };
        assert_eq!(chosen("plain", named, &[]), Ok(vec!["bearer profile".to_owned()]));
        assert_eq!(chosen("plain", named, &["A_BEARER"]), Ok(vec!["bearer A_BEARER".to_owned()]));
        let both = Ok(vec!["bearer profile".to_owned(), "key A_KEY".to_owned()]);
        assert_eq!(chosen("both", named, &["A_KEY"]), both);
        let given = Wanted { kind: Some("bearer"), has_token: true, ..named };
        assert_eq!(chosen("plain", given, &[]), Ok(vec!["bearer given".to_owned()]));
    }

    #[test]
    fn a_client_certificate_is_a_credential_that_is_given() {
        let with = Wanted { has_certificate: true, ..Wanted::default() };
        assert_eq!(chosen("machine", with, &[]), Ok(Vec::new()));
        assert_eq!(chosen("machines", with, &["A_KEY", "A_BEARER"]), Ok(vec!["key A_KEY".to_owned()]));
        assert_eq!(chosen("machines", with, &["A_BEARER"]), Ok(vec!["bearer A_BEARER".to_owned()]));
        let error = chosen("machine", Wanted::default(), &[]).expect_err("nothing is given");
        assert!(error.ends_with("help: set --client-cert FILE"), "{error}");
        let error = chosen("machines", Wanted::default(), &["A_KEY"]).expect_err("half of it is missing");
        assert!(error.contains("help: set A_BEARER, or --client-cert FILE, or name a file"), "{error}");
    }

    #[test]
    fn what_is_missing_or_cannot_be_sent_is_said() {
        for (operation, told) in [
            ("plain", "help: set A_BEARER, or name a file that holds the token: --token @FILE"),
            ("either", "help: set A_KEY, or A_BEARER, or name a file"),
            ("both", "help: set A_BEARER and A_KEY, or name a file"),
            ("one-header", "`bearer` and `other` at once, which are one header, `Authorization`"),
            ("half", "`digest` is the HTTP scheme `digest`; or `query` is a key in the query, where logs show it"),
        ] {
            let error = chosen(operation, Wanted::default(), &[]).expect_err("nothing is set");
            assert!(error.contains(told), "{operation}: {error}");
        }
        let error = chosen("both", Wanted::default(), &["A_KEY"]).expect_err("half of it is missing");
        assert!(error.contains("help: set A_BEARER, or name a file"), "{error}");
    }

    #[test]
    fn a_credential_among_the_arguments_is_refused() {
        let callee = callee();
        let operation = callee.operation("plain").expect("it is there");
        for typed in ["X-Key=abcdefgh", "authorization=Bearer abcdefgh", "header:x-key=abcdefgh", "key=abcdefgh"] {
            let error = refuse_in_clear(&callee, operation, &[typed.to_owned()]).expect_err(typed).to_string();
            assert!(error.contains("A_BEARER") && error.contains("--token @FILE"), "{error}");
            assert!(!error.contains("abcdefgh"), "{error}");
        }
        assert!(refuse_in_clear(&callee, operation, &["name=abcdefgh".to_owned()]).is_ok());
    }
}
