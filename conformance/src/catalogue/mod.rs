//! The catalogue: all cases of an API, from its rules and operations, with stable ids.

mod applies;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use keyfit_openapi::example::ExampleRequest;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Error, Operation, ParameterLocation, Retry, Text, example, without_parameter_names};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) use self::applies::{applies, start_and_limit};
use self::applies::{authorization_variants, can_be_seen, variants};
use crate::balance::Balance;
use crate::bent::{self, Bent};
use crate::chain::Chains;
use crate::contract::{Contract, DeliveryCheck, Drive, Family, Flaw, Level, Probe, Promise, Rule};
use crate::glob;
use crate::reference::{Reference, Referring, references};
use crate::webhook::{self, Hook};

/// An API with its contract and the cases that both determine.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The API.
    pub api: Arc<Api>,
    /// Its contract.
    pub contract: Arc<Contract>,
    /// The path of the contract in messages.
    pub contract_path: String,
    /// The cases, in the order of the contract's rules, then of the document's operations.
    pub cases: Vec<Case>,
    /// The disabled rules, by index, with the number of cases that they would have.
    pub(crate) off: Vec<(usize, usize)>,
    /// The rules that the contract does not contain itself: those of the set that it names, and those of newer sets.
    pub(crate) taken: Taken,
    /// The line of each rule in the contract.
    lines: Arc<[usize]>,
    /// A valid request for each operation; its generation takes longer than many cases.
    examples: Arc<[ExampleRequest]>,
    /// For each operation, the earlier one with the same requests.
    twins: Arc<[Option<usize>]>,
    /// The operations that are about the same kind of resource.
    chains: OnceLock<Chains>,
    /// The operation that reads the caller's balance.
    balance: OnceLock<Option<Balance>>,
}

/// The rules that a contract has through the set of requirements that it names, by index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// The name of the set.
    pub(crate) set: String,
    /// The rules of the set.
    pub(crate) held: Vec<usize>,
    /// Newer rules, which never fail.
    pub(crate) newer: Vec<usize>,
    /// Rules that apply to no operation.
    pub(crate) idle: Vec<usize>,
}

/// One rule at one operation.
#[derive(Clone, Debug)]
pub struct Case {
    /// The id: `ingest/auth/no-token/stream-get`, followed by `/401` if the rule has variants.
    pub id: String,
    /// The side that is checked.
    pub side: Side,
    /// The family of the rule.
    pub family: Family,
    /// Its level here: `observe` at most if the document is not verified.
    pub level: Level,
    /// The part that distinguishes cases of one rule at one operation: a status, or a parameter.
    pub variant: Option<String>,
    /// True if it may change something at a live server.
    pub writes: bool,
    /// True if it may cost money at a live server.
    pub spends: bool,
    /// The index of its rule in the contract.
    pub(crate) rule: usize,
    /// The index of its operation in the document.
    pub(crate) operation: usize,
}

/// Which end is checked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// A server, by raw requests.
    Server,
    /// A client, by scripted answers.
    Client,
}

impl Catalogue {
    /// Creates the catalogue of an API with this contract.
    ///
    /// # Errors
    /// Returns an error if the contract is not valid, or if a rule or pattern applies to nothing.
    pub(crate) fn of(api: &Arc<Api>, text: &Text) -> Result<Self, Error> {
        Self::within(api, &Reach::of(api), (Contract::parse(text)?, text), &|_| false)
    }

    /// Creates the catalogue with a known reach of the API, and with a parsed contract that was not checked. Rules for which `may_be_idle`
    /// is true may apply to nothing.
    pub(crate) fn within(
        api: &Arc<Api>,
        reach: &Reach,
        (contract, text): (Contract, &Text),
        may_be_idle: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Error> {
        contract.check(text)?;
        let Expanded { cases, off } = expand(reach, &contract, text, may_be_idle)?;
        let examples = Arc::clone(reach.examples());
        let lines = contract.rule_lines(text).into();
        let (contract, contract_path) = (Arc::new(contract), text.path.clone());
        let (api, twins) = (Arc::clone(api), twins(&api.operations).into());
        let taken = Taken::default();
        let (chains, balance) = (OnceLock::new(), OnceLock::new());
        Ok(Self { api, contract, contract_path, cases, off, taken, lines, examples, twins, chains, balance })
    }

    /// Returns the operations that are about the same kind of resource.
    pub(crate) fn chains(&self) -> &Chains {
        self.chains.get_or_init(|| Chains::of(&self.api, &self.contract))
    }

    /// Returns the operation that reads the caller's balance; `None` if there is none.
    pub(crate) fn balance(&self) -> Option<&Balance> {
        self.balance.get_or_init(|| Balance::of(&self.api, &self.contract)).as_ref()
    }

    /// Returns whether a rule, by index, comes from the set of requirements and not from the contract itself.
    pub fn is_taken_up(&self, rule: usize) -> bool {
        self.taken.held.contains(&rule) || self.taken.newer.contains(&rule)
    }

    /// Marks all rules from index `from` on as rules of the set of requirements, of which the `newer` ones are only observed. Their line is
    /// that which names the set.
    pub(crate) fn take_up(&mut self, from: usize, line: usize, set: &str, newer: &[&str]) {
        let all = from..self.contract.rules.len();
        let is_newer = |place: &usize| newer.contains(&self.contract.rules[*place].id.as_str());
        let (newer, held): (Vec<usize>, Vec<usize>) = all.partition(is_newer);
        for case in self.cases.iter_mut().filter(|case| newer.contains(&case.rule)) {
            case.level = Level::Observe;
        }
        let lines = self.lines.iter().enumerate().map(|(place, known)| if place < from { *known } else { line });
        self.lines = lines.collect();
        let is_off = |place: usize| self.off.iter().any(|(off, _)| *off == place);
        let is_idle = |place: &usize| self.places(*place, None).is_empty() && !is_off(*place);
        let idle = (0..self.contract.rules.len()).filter(is_idle).collect();
        self.taken = Taken { set: set.to_owned(), held, newer, idle };
    }

    /// Returns for each rule from index `from` on whether it has cases, in a contract that was not checked. Each rule is treated
    /// separately, since there may be one for each path parameter of a document.
    pub(crate) fn with_cases(reach: &Reach, (contract, text): (&Contract, &Text), from: usize) -> Vec<bool> {
        let has_cases = |(index, rule): (usize, &Rule)| {
            contract.takes(rule, text) && cases_of(reach, contract, index, rule).next().is_some()
        };
        contract.rules.iter().enumerate().skip(from).map(has_cases).collect()
    }

    /// Returns the rule of a case.
    pub fn rule(&self, case: &Case) -> &Rule {
        &self.contract.rules[case.rule]
    }

    /// Returns the line of the contract with the rule of a case.
    pub fn line(&self, case: &Case) -> usize {
        self.lines[case.rule]
    }

    /// Returns the operation of a case.
    pub fn operation(&self, case: &Case) -> &Operation {
        &self.api.operations[case.operation]
    }

    /// Returns the index range of the cases of a rule or, with an operation, of both. Uses binary search, since there may be hundreds of
    /// thousands of cases.
    pub(crate) fn places(&self, rule: usize, operation: Option<usize>) -> Range<usize> {
        let first = (rule, operation.unwrap_or(usize::MIN));
        let last = (rule, operation.unwrap_or(usize::MAX));
        let start = self.cases.partition_point(|case| (case.rule, case.operation) < first);
        start..self.cases.partition_point(|case| (case.rule, case.operation) <= last)
    }

    /// Returns a valid request for the operation of a case: each parameter by its name, and the body as `body`.
    pub fn arguments(&self, case: &Case) -> &Map<String, Value> {
        &self.examples[case.operation].arguments
    }

    /// Returns the requests of a case that are valid except for one flaw of this kind.
    pub(crate) fn bent(&self, case: &Case, flaw: Flaw) -> Vec<Bent> {
        let most = |kind| if kind == flaw { bent::MOST } else { 0 };
        bent::of((&self.api, &self.contract), self.operation(case), &self.examples[case.operation], &most)
    }

    /// Returns the reason why that request may not be valid: the part without a known example.
    pub fn gap(&self, case: &Case) -> Option<&str> {
        self.examples[case.operation].gap.as_deref()
    }

    /// Returns whether values of its body are made up.
    pub(crate) fn is_made_up(&self, case: &Case) -> bool {
        self.examples[case.operation].is_made_up
    }

    /// Returns the earlier operation with the same method and path, except for the names of its parameters. It is unknown which of the two
    /// answers a request.
    pub fn twin(&self, case: &Case) -> Option<&Operation> {
        self.twins[case.operation].map(|first| &self.api.operations[first])
    }

    /// Returns the operation with this id, with a valid request for it.
    pub fn operation_named(&self, id: &str) -> Option<(&Operation, &Map<String, Value>)> {
        let index = self.api.operations.iter().position(|operation| operation.id == id)?;
        Some((&self.api.operations[index], &self.examples[index].arguments))
    }

    /// Returns whether a pattern matches the id of an operation.
    pub fn names_operation(&self, pattern: &str) -> bool {
        self.api.operations.iter().any(|operation| glob::matches(pattern, &operation.id))
    }

    /// Returns whether there are cases that need a generated client.
    pub fn needs_client(&self) -> bool {
        let calls = |case: &Case| !matches!(self.rule(case).drive, None | Some(Drive::Authorization(_)));
        self.cases.iter().any(calls)
    }

    /// Keeps the cases with an id that matches one of the patterns, if there are any, and none of `left_out`.
    pub fn select(&mut self, patterns: &[String], left_out: &[String]) {
        self.cases.retain(|case| glob::selects(patterns, left_out, &case.id));
    }
}

/// An API with an index of its operations by path parameter: there may be as many rules about one as there are operations.
pub(crate) struct Reach<'a> {
    api: &'a Api,
    by_path_parameter: HashMap<&'a str, Vec<usize>>,
    /// The operations that name the resource of a path parameter outside the path.
    by_reference: OnceCell<HashMap<(Referring, &'a str), Vec<usize>>>,
    /// The headers of documented successes, in lower case.
    headers: HashSet<String>,
    examples: OnceCell<Arc<[ExampleRequest]>>,
    /// The possible flaws of each operation's requests, by the first contract. Only the kinds are kept, since the requests are long.
    flaws: OnceCell<Vec<Vec<Flaw>>>,
    /// The operations that are about the same kind of resource, by the first contract.
    chains: OnceCell<Chains>,
    /// True if a balance can be read, by the first contract.
    has_balance: OnceCell<bool>,
}

impl<'a> Reach<'a> {
    pub(crate) fn of(api: &'a Api) -> Self {
        let mut by_path_parameter: HashMap<&str, Vec<usize>> = HashMap::new();
        for (position, operation) in api.operations.iter().enumerate() {
            for parameter in
                operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path)
            {
                by_path_parameter.entry(&parameter.name).or_default().push(position);
            }
        }
        let headers = api.operations.iter().flat_map(success_headers).collect();
        Self {
            api,
            by_path_parameter,
            by_reference: OnceCell::new(),
            headers,
            examples: OnceCell::new(),
            flaws: OnceCell::new(),
            chains: OnceCell::new(),
            has_balance: OnceCell::new(),
        }
    }

    /// Returns a valid request for each operation.
    fn examples(&self) -> &Arc<[ExampleRequest]> {
        self.examples.get_or_init(|| example::requests(self.api).into())
    }

    /// Returns whether an operation has requests that are valid except for one flaw of this kind.
    fn can_be_bent(&self, flaw: Flaw, contract: &Contract, position: usize) -> bool {
        let flaws = |(operation, request): (&Operation, &ExampleRequest)| {
            bent::of((self.api, contract), operation, request, &|_| 1).iter().map(|bent| bent.flaw).collect()
        };
        let all = || self.api.operations.iter().zip(self.examples().iter()).map(flaws).collect();
        self.flaws.get_or_init(all)[position].contains(&flaw)
    }

    fn chains(&self, contract: &Contract) -> &Chains {
        self.chains.get_or_init(|| Chains::of(self.api, contract))
    }

    fn has_balance(&self, contract: &Contract) -> bool {
        *self.has_balance.get_or_init(|| Balance::of(self.api, contract).is_some())
    }

    fn by_reference(&self) -> &HashMap<(Referring, &'a str), Vec<usize>> {
        self.by_reference.get_or_init(|| {
            let mut known: HashMap<(Referring, &str), Vec<usize>> = HashMap::new();
            for Reference { referring, operation, parameter, .. } in references(self.api) {
                let operations = known.entry((referring, parameter)).or_default();
                if operations.last() != Some(&operation) {
                    operations.push(operation);
                }
            }
            known
        })
    }

    /// Returns the operations to which a rule may apply.
    fn operations(&self, rule: &Rule) -> impl Iterator<Item = (usize, &'a Operation)> {
        let positions: Box<dyn Iterator<Item = usize>> = match &rule.probe {
            Some(Probe::Foreign(name) | Probe::UnknownId(name)) => {
                Box::new(self.by_path_parameter.get(name.as_str()).into_iter().flatten().copied())
            }
            Some(probe) if probe.refers().is_some() => {
                let named = probe.refers().and_then(|named| self.by_reference().get(&named).cloned());
                Box::new(named.into_iter().flatten())
            }
            _ => Box::new(0..self.api.operations.len()),
        };
        positions.map(|position| (position, &self.api.operations[position]))
    }
}

impl Reach<'_> {
    /// Returns whether a rule about remaining calls applies to an operation: if the document has the header for some operations, only to
    /// those. Limits that are only observed in answers are not checked if the contract describes them.
    fn tells_of_limits(&self, rule: &Rule, contract: &Contract, operation: &Operation) -> bool {
        let is_about_seen = rule.expect.as_ref().is_some_and(|expect| expect.keeps.contains(&Promise::Limits));
        if is_about_seen && contract.describes_limits() {
            return false;
        }
        let is_about_limits = rule.expect.as_ref().is_some_and(|expect| expect.success && expect.rate.is_some());
        let header = contract.rate_limit.as_ref().map(|limit| limit.limit_header.to_lowercase());
        header
            .filter(|header| is_about_limits && self.headers.contains(header))
            .is_none_or(|header| success_headers(operation).any(|own| own == header))
    }
}

fn success_headers(operation: &Operation) -> impl Iterator<Item = String> {
    let successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
    successes.flat_map(|(_, shape)| &shape.headers).map(|name| name.to_lowercase())
}

/// Returns for each operation the first one with the same requests; `None` for the first one itself.
pub(crate) fn twins(operations: &[Operation]) -> Vec<Option<usize>> {
    let mut known = HashMap::new();
    let mut twins = Vec::with_capacity(operations.len());
    for (place, operation) in operations.iter().enumerate() {
        let first = *known
            .entry((&operation.method, without_parameter_names(&operation.path), &operation.query))
            .or_insert(place);
        twins.push((first != place).then_some(first));
    }
    twins
}

/// Checks that the operations of batches and of key management exist in the document.
fn names_operations(api: &Api, contract: &Contract, text: &Text) -> Vec<Error> {
    let of_batches = contract.batches.iter().flat_map(|batch| &batch.operations);
    let is_stale = |pattern: &&String| !api.operations.iter().any(|operation| glob::matches(pattern, &operation.id));
    let stale = of_batches.filter(is_stale).map(|pattern| {
        let problem = format!("the pattern `{pattern}` of a batch fits no operation");
        Contract::failure_at(text, pattern, problem, "write ids of operations, or patterns over them")
    });
    let mut failures: Vec<Error> = stale.collect();
    let named = |id: &str| api.operations.iter().find(|operation| operation.id == id);
    let reads = |id: &str| named(id).is_some_and(|operation| operation.method == "GET");
    failures.extend(contract.balance.iter().filter(|balance| !reads(&balance.read_by)).map(|balance| {
        let problem = format!("`{}`, which shall answer the balance, is no GET of the document", balance.read_by);
        Contract::failure_at(text, &balance.read_by, problem, "write the id of an operation")
    }));
    let Some(keys) = &contract.key_management else { return failures };
    let unknown = keys.operations().into_iter().filter(|(_, id)| named(id).is_none());
    let unknown = unknown.map(|(role, unknown)| {
        let problem = format!("`{unknown}`, which shall {role} keys, is no operation of the document");
        Contract::failure_at(text, unknown, problem, "write the id of an operation")
    });
    let is_known = unknown.clone().next().is_none();
    failures.extend(unknown);
    let has_id = |id: &str| {
        let parameters = named(id).map_or(&[][..], |operation| &operation.parameters);
        parameters.iter().any(|known| known.name == keys.id_parameter && known.location == ParameterLocation::Path)
    };
    if is_known && !(has_id(&keys.update) && has_id(&keys.revoke)) {
        let problem =
            format!("`{}` is no path parameter of `{}` and `{}`", keys.id_parameter, keys.update, keys.revoke);
        let help = "write the name of the parameter that holds the id";
        failures.push(Contract::failure_at(text, &keys.id_parameter, problem, help));
    }
    failures
}

/// Checks that the webhooks of the contract exist in the document, and that their terms are possible.
fn names_webhooks(api: &Api, contract: &Contract, text: &Text) -> Vec<Error> {
    let mut failures = Vec::new();
    let operations: Vec<&str> = api.operations.iter().map(|operation| operation.id.as_str()).collect();
    let webhooks: Vec<&str> = api.webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
    let callbacks = api.operations.iter().flat_map(|operation| &operation.callbacks);
    let callbacks: Vec<&str> = callbacks.map(|callback| callback.name.as_str()).collect();
    for (name, terms) in &contract.webhooks {
        if let Some((quoted, problem, help)) = terms.unknown(name, &operations, &webhooks, &callbacks) {
            failures.push(Contract::failure_of_webhook(text, name, &quoted, problem, help));
            continue;
        }
        let registering = terms.registered_by.as_ref().and_then(|id| api.operation(id));
        if let Some((operation, at)) = registering.zip(terms.url_at.as_ref())
            && operation.body.as_ref().and_then(|body| api.member(&body.schema, at)).is_none()
        {
            let problem = format!("the body of `{}` has no member `{at}` in the document", operation.id);
            let help = "correct `url-at`, the place of the URL of the receiver";
            failures.push(Contract::failure_of_webhook(text, name, at, problem, help));
        }
    }
    failures
}

/// Checks that each included scope is required by an operation or includes others: a misspelled name would include nothing.
fn names_scopes(api: &Api, contract: &Contract, text: &Text) -> Vec<Error> {
    let is_needed = |scope: &String| api.operations.iter().any(|operation| operation.scopes.contains(scope));
    let unknown = contract.credentials.iter().flat_map(|credential| {
        let included = credential.includes.values().flatten();
        let unknown = included.filter(|scope| !is_needed(scope) && !credential.includes.contains_key(*scope));
        unknown.map(|unknown| {
            let problem = format!("a scope of `{}` includes `{unknown}`, which no operation needs", credential.kind);
            Contract::failure_at(text, unknown, problem, "correct the name, or remove it from `includes`")
        })
    });
    unknown.collect()
}

/// The cases of the rules of a contract.
struct Expanded {
    cases: Vec<Case>,
    /// The disabled rules, each with the number of cases that it would have.
    off: Vec<(usize, usize)>,
}

fn expand(
    reach: &Reach,
    contract: &Contract,
    text: &Text,
    may_be_idle: &dyn Fn(&str) -> bool,
) -> Result<Expanded, Error> {
    let mut failures = names_operations(reach.api, contract, text);
    failures.extend(names_webhooks(reach.api, contract, text));
    failures.extend(names_scopes(reach.api, contract, text));
    let (mut cases, mut off) = (Vec::new(), Vec::new());
    for (index, rule) in contract.rules.iter().enumerate() {
        let before = cases.len();
        cases.extend(cases_of(reach, contract, index, rule));
        let fits =
            |pattern: &&String| reach.api.operations.iter().any(|operation| glob::matches(pattern, &operation.id));
        let mut stale = rule.operations.iter().chain(&rule.except).filter(|pattern| !fits(pattern)).peekable();
        // A rule without cases would look like one that is kept.
        if cases.len() == before && stale.peek().is_none() && !may_be_idle(&rule.id) {
            failures.push(at(text, &rule.id, format!("the rule `{}` applies to no operation", rule.id)));
        }
        failures.extend(stale.map(|pattern| at(text, &rule.id, format!("the pattern `{pattern}` fits no operation"))));
        if contract.level(index).is_none() {
            off.push((index, cases.len() - before));
            cases.truncate(before);
        }
    }
    together(failures)?;
    let mut ids = HashSet::with_capacity(cases.len());
    if let Some(twice) = cases.iter().find(|case| !ids.insert(case.id.as_str())) {
        return Err(at(text, &contract.rules[twice.rule].id, format!("the case `{}` stands twice", twice.id)));
    }
    Ok(Expanded { cases, off })
}

/// Combines the failures into one, at the place of the first.
fn together(failures: Vec<Error>) -> Result<(), Error> {
    let count = failures.len();
    let told: Vec<String> =
        failures.iter().map(|one| format!("{}:{}: {}", one.location.path, one.location.line, one.problem)).collect();
    let Some(first) = failures.into_iter().next() else { return Ok(()) };
    if count == 1 {
        return Err(first);
    }
    let problem = format!("{count} places of the contract do not fit the document: {}", told.join("; "));
    Err(Error { problem, ..first })
}

/// Returns the cases of a rule, in the order of the operations.
fn cases_of(reach: &Reach, contract: &Contract, index: usize, rule: &Rule) -> impl Iterator<Item = Case> {
    let family = rule.family();
    let of_family = move |family| {
        let covered = reach.operations(rule).filter(|(_, operation)| rule.covers(&operation.id));
        covered.flat_map(move |(position, operation)| {
            cases_at(reach, contract, (index, rule, family), (position, operation))
        })
    };
    family.into_iter().flat_map(of_family)
}

/// Returns the cases of a rule at one operation.
fn cases_at(
    reach: &Reach,
    contract: &Contract,
    (index, rule, family): (usize, &Rule, Family),
    (position, operation): (usize, &Operation),
) -> Vec<Case> {
    let api = reach.api;
    let (side, variants, unverified) = match (&rule.probe, rule.drive) {
        (Some(probe), _) => {
            let means_something = applies(probe, api, contract, operation)
                && can_be_seen(rule, api, operation)
                && reach.tells_of_limits(rule, contract, operation)
                && !matches!(probe, Probe::Invalid(flaw) if !reach.can_be_bent(*flaw, contract, position))
                && (*probe != Probe::RefusedSpending || reach.has_balance(contract))
                && !matches!(probe, Probe::Chain(link) if !reach.chains(contract).applies(*link, api, position));
            let variants = match means_something {
                false => Vec::new(),
                true if probe.is_of_webhooks() => webhooks(rule, api, contract, operation),
                true => vec![None],
            };
            (Side::Server, variants, is_unverified(probe, contract, operation))
        }
        // A transcribed document may be wrong about a server; the behavior of a client is always known.
        (None, Some(Drive::Authorization(drive))) => {
            (Side::Client, authorization_variants(drive, api, contract, operation), false)
        }
        (None, Some(drive)) => (Side::Client, variants(drive, contract, operation), false),
        (None, None) => return Vec::new(),
    };
    let is_sure = |variant: Option<&str>| !unverified && is_sure(rule, (api, contract, operation), variant);
    let delivers = rule.probe.as_ref().is_some_and(Probe::is_of_webhooks);
    let level = contract.level(index).unwrap_or(rule.level);
    let is_sent = side == Side::Server && rule.probe != Some(Probe::Any);
    // The effect of an undeclared method is unknown.
    let is_unknown = rule.probe == Some(Probe::UndeclaredMethod);
    // Except for safe operations, the probe only sends a preflight request.
    let only_asks = rule.probe == Some(Probe::CrossOrigin) && operation.retry != Retry::Safe;
    let mints = matches!(rule.probe, Some(Probe::Key(_)));
    let is_posted = matches!(&rule.probe, Some(Probe::Oauth(probe)) if !probe.only_reads());
    let case = |variant: Option<String>| {
        let level = if is_sure(variant.as_deref()) { level } else { Level::Observe };
        let mut id = format!("{}/{}", rule.id.replace('.', "/"), operation.id);
        id.extend(variant.iter().flat_map(|variant| ["/", variant]));
        Case {
            id,
            side,
            family,
            level,
            variant,
            writes: is_sent
                && !only_asks
                && (is_unknown || mints || is_posted || delivers || operation.retry != Retry::Safe),
            spends: is_sent && !only_asks && operation.spends,
            rule: index,
            operation: position,
        }
    };
    variants.into_iter().map(case).collect()
}

/// Returns the names of the webhooks whose URL an operation takes and to which a rule applies.
fn webhooks(rule: &Rule, api: &Api, contract: &Contract, operation: &Operation) -> Vec<Option<String>> {
    let Some(check) = rule.expect.as_ref().and_then(|expect| expect.delivery) else { return Vec::new() };
    let hooks = webhook::hooks(api, contract, operation).into_iter();
    hooks.filter(|hook| hook.promises(check)).map(|hook| Some(hook.name.to_owned())).collect()
}

/// Returns whether a rule is binding for a webhook: a delivery can only be missing if its cause is known.
fn is_sure(rule: &Rule, (api, contract, operation): (&Api, &Contract, &Operation), variant: Option<&str>) -> bool {
    let check = rule.expect.as_ref().and_then(|expect| expect.delivery);
    let Some((check, name)) = check.zip(variant) else { return true };
    let hooks = webhook::hooks(api, contract, operation);
    let hook = hooks.iter().find(|hook| hook.name == name);
    let is_verified =
        |hook: &&Hook| !contract.transcribed || hook.documented.iter().all(|one| one.unverified.is_none());
    let hook = hook.filter(is_verified);
    hook.is_some_and(|hook| check != DeliveryCheck::Arrives || hook.is_sure_to_come())
}

fn is_unverified(probe: &Probe, contract: &Contract, operation: &Operation) -> bool {
    let is_guess = probe.is_about_items() && contract.batch_of(operation).is_some_and(|batch| batch.unverified);
    is_guess
        || (contract.transcribed && operation.unverified.is_some())
        || (probe.is_about_scopes() && operation.scopes_unverified.is_some())
}

/// Returns the changing methods that the path of an operation does not have.
pub(crate) fn undeclared_methods(api: &Api, operation: &Operation) -> impl Iterator<Item = &'static str> {
    let declared = api.methods(&operation.path);
    ["DELETE", "PUT", "PATCH", "POST"].into_iter().filter(|method| !declared.iter().any(|known| known == method))
}

/// Returns a required member of a body with this schema; `None` for a list.
pub(crate) fn required_field<'a>(api: &'a Api, schema: &'a Value) -> Option<&'a str> {
    let schema = api.resolve(schema);
    let is_object = matches!(api.kind(schema), None | Some("object"));
    let mut required = schema.get("required")?.as_array()?.iter().filter_map(Value::as_str).filter(|_| is_object);
    required.find(|name| schema::is_sent(api, Direction::Request, schema, name))
}

/// Returns a value that the document refuses as a whole: an object in place of a list, or a list in place of another value. Returns
/// `None` if the document accepts both.
pub(crate) fn wrong_top_level(api: &Api, schema: &Value) -> Option<Value> {
    let wrong = if api.kind(schema) == Some("array") { json!({}) } else { json!([]) };
    schema::mismatch(api, Direction::Request, schema, &wrong).map(|_| wrong)
}

fn at(text: &Text, rule: &str, problem: String) -> Error {
    Contract::failure_at(text, rule, problem, "correct the rule, or remove it: a rule without cases checks nothing")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use keyfit_openapi::Source;

    use super::*;
    use crate::contract::Expect;

    fn catalogues() -> impl Iterator<Item = Catalogue> {
        let shop = Source::from_dir(Path::new("tests/fixtures/apis/shop")).expect("the fixture is there");
        let sources = crate::mock::shipped("scopien").into_iter().chain([shop]);
        sources.map(|source| Catalogue::read(&source).expect("it can be read"))
    }

    #[test]
    fn the_places_of_a_rule_are_those_of_its_cases() {
        for mut catalogue in catalogues() {
            catalogue.select(&[], &["**/auth/no-token/*".to_owned()]);
            for rule in 0..catalogue.contract.rules.len() {
                for operation in (0..catalogue.api.operations.len()).map(Some).chain([None]) {
                    let is_of =
                        |case: &Case| case.rule == rule && operation.is_none_or(|place| case.operation == place);
                    let searched: Vec<usize> =
                        (0..catalogue.cases.len()).filter(|place| is_of(&catalogue.cases[*place])).collect();
                    assert_eq!(catalogue.places(rule, operation).collect::<Vec<_>>(), searched);
                }
            }
        }
    }

    #[test]
    fn what_a_contract_says_of_a_probe_is_what_its_first_rule_on_it_says() {
        for Catalogue { api, contract, .. } in catalogues() {
            let says = |rule: &&Rule| rule.expect.as_ref().is_some_and(Expect::asks_for_status);
            for probe in contract.rules.iter().filter_map(|rule| rule.probe.as_ref()) {
                for operation in &api.operations {
                    let is_about = |rule: &&Rule| rule.probe.as_ref() == Some(probe) && rule.covers(&operation.id);
                    let searched = contract.rules.iter().find(|rule| is_about(rule) && says(rule));
                    let found = contract.ruling(probe, operation);
                    assert_eq!(found.map(|rule| &rule.id), searched.map(|rule| &rule.id));
                }
            }
        }
    }
}
