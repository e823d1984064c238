//! The auth and error contract of an API, in the form of `contract.toml`.

mod authorization;
mod authorization_drive;
mod balance;
mod batch;
mod chain;
mod check;
mod contradiction;
mod error_shape;
mod flaw;
mod key_management;
mod level;
mod limit_headers;
mod probe;
mod rule;
mod token_probe;
mod webhook;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

pub use keyfit_openapi::Carrier;
use keyfit_openapi::{Error, Operation, SecurityRequirement, SourceLocation, Text};
use schemars::JsonSchema;
use serde::Deserialize;

pub use authorization::{
    AuthorizationServer, Challenge, ClientAuthentication, Endpoint, Grant, GrantType, JwtRules, Rotation, TokenBody,
    WELL_KNOWN,
};
pub use authorization_drive::AuthorizationDrive;
pub use balance::ReadBalance;
pub use batch::Batch;
pub use chain::ChainProbe;
pub use contradiction::{Contradiction, Reading, Sign};
pub use error_shape::{ErrorShape, Field, FieldType};
pub use flaw::Flaw;
pub use key_management::{KeyCheck, KeyManagement, KeyMembers, KeyProbe};
pub(crate) use level::Bearing;
pub use level::{ChangedLevel, LevelChange};
pub use probe::Probe;
pub use rule::{Body, Drive, Expect, Family, Hidden, Level, Promise, Rate, Rule, Standing};
pub use token_probe::{JwtProbe, OauthProbe, Tampering};
pub use webhook::{DeliveryCheck, WebhookTerms};

/// What OpenAPI cannot say about an API's authentication, errors, limits and batches; each line with its source.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contract {
    /// The short name of the API, with which the id of every rule begins: `ingest`.
    pub name: String,
    /// The pages and standards that the contract is drawn from, by the short name under which it cites them.
    pub sources: BTreeMap<String, SourcePage>,
    /// The kinds of token that exist, those of neighbouring APIs included where a rule needs one.
    #[serde(rename = "credential")]
    pub credentials: Vec<Credential>,
    /// Error profile, then status (`401`) or `default`, to the body that such an answer has.
    pub errors: BTreeMap<String, BTreeMap<String, ErrorShape>>,
    /// How the API counts calls and says so.
    pub rate_limit: Option<RateLimit>,
    /// Where its access tokens come from.
    pub authorization_server: Option<AuthorizationServer>,
    /// How keys are managed through the API.
    pub key_management: Option<KeyManagement>,
    /// Where a balance is read from which calls are paid; where left out, it is looked for in the document.
    pub balance: Option<ReadBalance>,
    /// How the API takes many items in one call: one table, or one for each kind of call.
    #[serde(default, rename = "batch", deserialize_with = "keyfit_openapi::one_or_several")]
    #[schemars(with = "Option<batch::Tables>")]
    pub batches: Vec<Batch>,
    /// What the document does not say of the calls that the server makes, by the names that it has for webhooks and callbacks.
    #[serde(default)]
    pub webhooks: BTreeMap<String, WebhookTerms>,
    /// Places where the sources disagree, with the reading that this contract follows.
    #[serde(default, rename = "contradiction")]
    pub contradictions: Vec<Contradiction>,
    /// Whether the document is a transcription by whoever wrote the contract: only then `x-unverified` in it means that rules
    /// about that operation are observed alone. What its maker publishes does not excuse a server.
    #[serde(default)]
    pub transcribed: bool,
    /// The set of requirements that it is held to: all rules of `keyfit init` that came with it or before hold wherever the document
    /// gives them something to say. What came later is told, and fails nothing. Where left out, its own rules are all that it has.
    pub requirements: Option<String>,
    /// Other levels for some rules, with reasons.
    #[serde(default, rename = "level")]
    pub levels: Vec<LevelChange>,
    /// What clients and servers are held to.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
    /// The places of the rules that say what a probe meets: there may be one for each path parameter of a document, and the
    /// mock asks at each request.
    #[serde(skip)]
    rulings: HashMap<Probe, Vec<usize>>,
    /// What its rules about every answer look at: each answer is looked at.
    #[serde(skip)]
    standing: Vec<Standing>,
    /// The places of the changes of levels, by those of the rules.
    #[serde(skip)]
    changes: Vec<Option<usize>>,
    /// The places of the kinds of token.
    #[serde(skip)]
    kinds: HashMap<String, usize>,
}

/// A page or standard that rules cite.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourcePage {
    /// Its title.
    pub title: String,
    /// Its address.
    pub url: String,
}

/// A place in a source.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// The short name of the page, a key of `sources`.
    pub page: String,
    /// The section of the page, where its headings are known.
    pub section: Option<String>,
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.page)?;
        self.section.as_ref().map_or(Ok(()), |section| write!(f, ", {section}"))
    }
}

/// A kind of token.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Credential {
    /// The kind, as the overlay names it in `credentials`.
    pub kind: String,
    /// How such a token begins. Minted tokens begin so too; nothing is derived from it.
    #[serde(default)]
    pub prefix: String,
    /// How the token of a test environment begins. Whether the other environment refuses it is for a rule to say.
    pub test_prefix: Option<String>,
    /// Other ways in which such a token begins: what clients mask when a server repeats it.
    #[serde(default)]
    pub other_prefixes: Vec<String>,
    /// Where it may be sent.
    pub carriers: Vec<Carrier>,
    /// The environment variable from which a generated client reads it; the names of the API and of the kind where left out,
    /// as in `PARCELS_KEY`.
    pub variable: Option<String>,
    /// The API to which the kind belongs, by the name of its folder, where that is another one. A generated client has no type
    /// of its own for it.
    pub of: Option<String>,
    /// The path parameters that it is tied to: with another value there, the server hides what it has.
    #[serde(default)]
    pub binds: Vec<String>,
    /// Whether such a token is a JWT: tokens that were tampered with are made of a valid one.
    #[serde(default)]
    pub jwt: bool,
    /// Whether it carries scopes. A token without scopes reaches everything that it is tied to. Where left out, it carries none, or
    /// with `requirements` what the document says.
    pub scoped: Option<bool>,
    /// Whether `<resource>:<scope>` stands for the scope at one resource.
    #[serde(default)]
    pub resource_scopes: bool,
    /// The scope that includes all others.
    pub superset: Option<String>,
    /// Scopes that include some others, each with those: `admin = ["read", "write"]`. A token with the first lacks none of them, and
    /// what they include in turn it includes too.
    #[serde(default)]
    pub includes: BTreeMap<String, BTreeSet<String>>,
    /// The resources that a grant may list one by one; empty where grants are flat lists.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Where this is said.
    pub source: Citation,
}

/// How calls are counted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateLimit {
    /// The header with the calls that a window allows; empty where the sources name none.
    #[serde(default)]
    pub limit_header: String,
    /// The header with the calls that are left; empty where the sources name none.
    #[serde(default)]
    pub remaining_header: String,
    /// The header with the end of the window; empty where the sources name none.
    #[serde(default)]
    pub reset_header: String,
    /// The unit of that end.
    pub reset: ResetUnit,
    /// Calls a window, for the mock: the real figures depend on the plan.
    pub limit: u64,
    /// The length of a window in seconds.
    pub window_seconds: u64,
    /// What has a budget of its own.
    pub bucket: Bucket,
    /// Whether a 429 carries `Retry-After`.
    #[serde(default)]
    pub retry_after: bool,
    /// Where the body of a 429 holds the seconds to wait, as a JSON pointer.
    pub retry_after_body: Option<String>,
    /// Where this is said.
    pub source: Citation,
    /// Whether it was read off the document alone: no client was made by it.
    #[serde(skip)]
    pub(crate) is_of_document: bool,
}

/// The unit of the reset header.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum ResetUnit {
    /// Seconds since the Unix epoch.
    EpochSeconds,
    /// Seconds from now.
    DeltaSeconds,
    /// One of the two, told apart by the value: no window lasts for decades. Nobody says which.
    ByValue,
}

/// The lowest value that is an absolute time: the year 2001 in seconds since the Unix epoch; as a duration, it would be 30 years.
const LEAST_TIME: u64 = 1_000_000_000;
/// The lowest value that is in milliseconds: the year 5138 in seconds.
const LEAST_MILLISECONDS: u64 = 100_000_000_000;

impl ResetUnit {
    /// Returns the value of a header for an end in this number of seconds.
    pub(crate) fn value(self, now: u64, away: u64) -> u64 {
        match self {
            Self::EpochSeconds => now + away,
            Self::DeltaSeconds | Self::ByValue => away,
        }
    }

    /// Returns the end in a header, in seconds since the Unix epoch.
    pub(crate) fn instant(self, now: u64, value: u64) -> u64 {
        match self {
            Self::ByValue if value >= LEAST_MILLISECONDS => value / 1000,
            Self::ByValue if value >= LEAST_TIME => value,
            Self::EpochSeconds => value,
            Self::DeltaSeconds | Self::ByValue => now.saturating_add(value),
        }
    }
}

/// What has a rate budget of its own.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Bucket {
    /// Each operation, for each tenant.
    Operation,
    /// Each rate-limit class of operations, for each tenant.
    Class,
    /// Each credential, over all operations.
    Credential,
}

impl Credential {
    /// Returns the place of the credential in valid calls: the first one that the contract names.
    pub fn carrier(&self) -> &Carrier {
        self.carriers.first().unwrap_or(&Carrier::Header)
    }

    /// Returns whether it is a client certificate, which belongs to the connection.
    pub fn is_certificate(&self) -> bool {
        *self.carrier() == Carrier::ClientCertificate
    }

    /// Returns whether it has scopes.
    pub fn is_scoped(&self) -> bool {
        self.scoped == Some(true)
    }

    /// Returns the effective scopes of a token with these scopes: themselves, and all scopes that they include.
    pub fn reach(&self, scopes: &BTreeSet<String>) -> BTreeSet<String> {
        let mut reached = scopes.clone();
        let mut left: Vec<&String> = scopes.iter().collect();
        while let Some(scope) = left.pop() {
            let included = self.includes.get(scope).into_iter().flatten();
            left.extend(included.filter(|scope| reached.insert((*scope).clone())));
        }
        reached
    }

    /// Returns whether a token with these scopes has all needed ones: it includes them, or has the scope for everything.
    pub(crate) fn grants(&self, held: &BTreeSet<String>, needed: &[String]) -> bool {
        let is_whole = self.superset.as_ref().is_some_and(|superset| held.contains(superset));
        let reached = self.reach(held);
        is_whole || needed.iter().all(|scope| reached.contains(scope))
    }

    /// Returns a scope that includes all of these scopes and is none of them.
    pub(crate) fn including(&self, scopes: &[String]) -> Option<&String> {
        let includes = |one: &&String| {
            let reached = self.reach(&BTreeSet::from([(*one).clone()]));
            !scopes.contains(one) && scopes.iter().all(|scope| reached.contains(scope))
        };
        self.includes.keys().find(includes)
    }

    /// Returns the prefix of a token, in the test environment or the other one.
    pub fn prefix_in(&self, is_test: bool) -> &str {
        self.test_prefix.as_deref().filter(|_| is_test).unwrap_or(&self.prefix)
    }
}

impl RateLimit {
    /// Returns whether it names all three headers.
    pub fn names_its_headers(&self) -> bool {
        [&self.limit_header, &self.remaining_header, &self.reset_header].iter().all(|name| !name.is_empty())
    }
}

impl Contract {
    /// Returns whether it names the headers in which answers report the remaining calls.
    pub(crate) fn describes_limits(&self) -> bool {
        self.rate_limit.as_ref().is_some_and(RateLimit::names_its_headers)
    }

    /// Parses a contract and checks the constraints that its types cannot express.
    ///
    /// # Errors
    /// Returns an error if the text is not valid TOML, has an unknown key or value or a citation without its source, or repeats an id.
    pub fn read(text: &Text) -> Result<Self, Error> {
        let contract = Self::parse(text)?;
        contract.check(text)?;
        Ok(contract)
    }

    /// Checks the constraints that its types cannot express.
    pub(crate) fn check(&self, text: &Text) -> Result<(), Error> {
        check::check(self, text)
    }

    /// Parses a contract without those checks.
    pub(crate) fn parse(text: &Text) -> Result<Self, Error> {
        let mut contract: Self = toml::from_str(&text.text).map_err(|error| Error {
            location: error.span().map_or_else(|| place(text, None), |span| place(text, Some(span.start))),
            problem: error.message().trim_end().replace('\n', "; "),
            help: "the format is described by openapi/contract.schema.json; editors complete it from the first line"
                .to_owned(),
        })?;
        for (place, credential) in contract.credentials.iter().enumerate() {
            contract.kinds.entry(credential.kind.clone()).or_insert(place);
        }
        contract.find_changes();
        let says = |expect: &Expect| expect.asks_for_status();
        for (place, rule) in contract.rules.iter().enumerate() {
            if let Some(probe) = rule.probe.as_ref().filter(|_| rule.expect.as_ref().is_some_and(says)) {
                contract.rulings.entry(probe.clone()).or_default().push(place);
            }
        }
        let about_all = contract.rules.iter().filter(|rule| rule.probe == Some(Probe::Any));
        for one in about_all.filter_map(|rule| rule.expect.as_ref()).flat_map(Expect::standing) {
            if !contract.standing.contains(&one) {
                contract.standing.push(one);
            }
        }
        Ok(contract)
    }

    /// Returns whether an unchecked rule of this contract is valid.
    pub(crate) fn takes(&self, rule: &Rule, text: &Text) -> bool {
        check::rule(self, rule, text).is_ok()
    }

    /// Returns the line of each rule, found in one pass: a contract may have thousands.
    pub(crate) fn rule_lines(&self, text: &Text) -> Vec<usize> {
        let ids = (1..).zip(text.text.lines()).filter_map(|(line, row)| {
            let id = row.strip_prefix("id = \"")?.split('"').next()?;
            Some((id, line))
        });
        let known: HashMap<&str, usize> = ids.collect();
        let line = |rule: &Rule| {
            let searched = || Self::failure_at(text, &rule.id, "", "").location.line;
            known.get(rule.id.as_str()).copied().unwrap_or_else(searched)
        };
        self.rules.iter().map(line).collect()
    }

    /// Returns a failure at the last line of the contract with a quoted text: of duplicates, the second one is wrong.
    pub(crate) fn failure_at(text: &Text, quoted: &str, problem: impl Into<String>, help: impl Into<String>) -> Error {
        let quoted = format!("\"{quoted}\"");
        // Other rules may presume this one.
        let of_rule = text.text.rfind(&format!("\nid = {quoted}")).map(|line| line + 1);
        let offset = of_rule.or_else(|| text.text.rfind(&quoted));
        Error { location: place(text, offset), problem: problem.into(), help: help.into() }
    }

    /// Returns a failure at a text in the terms of a webhook, or at the line with which they begin.
    pub(crate) fn failure_of_webhook(
        text: &Text,
        name: &str,
        quoted: &str,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> Error {
        let begins = [format!("[webhooks.{name}]"), format!("[webhooks.\"{name}\"]")];
        let start = begins.iter().find_map(|begin| text.text.find(begin));
        let below = start.and_then(|start| text.text[start..].find(&format!("\"{quoted}\"")).map(|at| start + at));
        let offset = below.filter(|_| quoted != name).or(start).or_else(|| text.text.find(quoted));
        Error { location: place(text, offset), problem: problem.into(), help: help.into() }
    }

    /// Returns the kind of token with this name.
    pub fn credential(&self, kind: &str) -> Option<&Credential> {
        self.kinds.get(kind).map(|place| &self.credentials[*place])
    }

    /// Returns the alternatives of an operation that can be sent: the contract describes each kind, and no two have the same place.
    pub(crate) fn alternatives<'a>(
        &'a self,
        operation: &'a Operation,
    ) -> impl Iterator<Item = Vec<&'a Credential>> + use<'a> {
        operation.security.sets().iter().filter_map(|set| {
            let kinds: Vec<&Credential> = set.iter().map(|kind| self.credential(kind)).collect::<Option<_>>()?;
            let clashes = |(place, kind): (usize, &&Credential)| {
                kinds[..place].iter().any(|other| other.carrier().clashes(kind.carrier()))
            };
            (!kinds.iter().enumerate().any(clashes)).then_some(kinds)
        })
    }

    /// Returns the kinds of these alternatives. A kind in several alternatives occurs several times.
    pub(crate) fn kinds_of<'a>(&'a self, operation: &'a Operation) -> impl Iterator<Item = &'a Credential> + use<'a> {
        self.alternatives(operation).flatten()
    }

    /// Returns whether a credential is required: calls without one are refused, and there is one that can be sent.
    pub(crate) fn asks(&self, operation: &Operation) -> bool {
        !operation.security.is_optional() && self.alternatives(operation).next().is_some()
    }

    /// Returns the credentials that clients send with an operation: the kind that they are created with, if it is sufficient alone, or else
    /// the first alternative, if the operation requires a credential. Empty if they send none.
    pub(crate) fn sent_by_clients<'a>(&'a self, operation: &'a Operation) -> Vec<&'a Credential> {
        let needed = &operation.security;
        let opens = |kind: &&Credential| **needed == SecurityRequirement::Any || needed.accepts_alone(&kind.kind);
        match self.client_credential().filter(opens) {
            Some(kind) => vec![kind],
            None if needed.is_optional() => Vec::new(),
            // The scripted servers use plain HTTP, without client certificates.
            None => {
                let is_sent = |set: &Vec<&Credential>| set.iter().all(|kind| !kind.is_certificate());
                self.alternatives(operation).find(is_sent).unwrap_or_default()
            }
        }
    }

    /// Returns the credentials that clients have before they call an operation: those that they send, or the kind that they are created with.
    pub(crate) fn held_by_clients<'a>(&'a self, operation: &'a Operation) -> Vec<&'a Credential> {
        let sent = self.sent_by_clients(operation);
        if sent.is_empty() { self.client_credential().into_iter().collect() } else { sent }
    }

    /// Returns a scope that the authorization server grants and that an operation does not require.
    pub(crate) fn scope_besides<'a>(
        &self,
        server: &'a AuthorizationServer,
        operation: &Operation,
    ) -> Option<&'a String> {
        let is_of_resources = self.credential(&server.issues).is_some_and(|kind| kind.resource_scopes);
        let is_other = |scope: &&String| {
            let is_of_resource = is_of_resources && scope.contains(':');
            !operation.scopes.contains(scope) && Some(*scope) != server.offline_scope.as_ref() && !is_of_resource
        };
        server.scopes.iter().find(is_other)
    }

    /// Returns the kind of token with which clients are created: the first one that is part of a request.
    pub(crate) fn client_credential(&self) -> Option<&Credential> {
        self.credentials.iter().find(|kind| !kind.is_certificate())
    }

    /// Returns the body of an answer with this status, for operations with an error profile.
    pub fn error_shape(&self, profile: &str, status: u16) -> Option<&ErrorShape> {
        let shapes = self.errors.get(profile)?;
        shapes.get(&status.to_string()).or_else(|| shapes.get("default"))
    }

    /// Returns whether a rule requires this challenge for an operation.
    pub fn asks_for(&self, challenge: Challenge, operation: &Operation) -> bool {
        let asks = |rule: &Rule| rule.expect.as_ref().is_some_and(|expect| expect.challenge == Some(challenge));
        self.rules.iter().any(|rule| asks(rule) && rule.covers(&operation.id))
    }

    /// Returns the aspects of its standing rules, each once.
    pub(crate) fn standing(&self) -> &[Standing] {
        &self.standing
    }

    /// Returns the rule for a probe at an operation. The mock follows it.
    pub fn ruling(&self, probe: &Probe, operation: &Operation) -> Option<&Rule> {
        let mut rules = self.rulings.get(probe)?.iter().map(|place| &self.rules[*place]);
        rules.find(|rule| rule.covers(&operation.id))
    }
}

/// Returns the place of an offset in a text, or that of the whole text.
pub(crate) fn place(text: &Text, offset: Option<usize>) -> SourceLocation {
    let Some(before) = offset.and_then(|offset| text.text.get(..offset)) else {
        return SourceLocation { path: text.path.clone(), ..SourceLocation::default() };
    };
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    SourceLocation {
        path: text.path.clone(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        pointer: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_what_each_of_its_scopes_includes() {
        let text = "kind = \"key\"\ncarriers = [\"header\"]\nincludes = { admin = [\"write\"], write = [\"read\"] }\nsource = { page = \"page\" }";
        let credential: Credential = toml::from_str(text).expect("a credential");
        let scopes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        // A scope that includes nothing does not end the search.
        assert_eq!(credential.reach(&scopes(&["admin", "zones"])), scopes(&["admin", "read", "write", "zones"]));
        assert!(credential.grants(&scopes(&["admin", "zones"]), &["read".to_owned()]));
        assert!(!credential.grants(&scopes(&["read", "zones"]), &["write".to_owned()]));
    }
}
