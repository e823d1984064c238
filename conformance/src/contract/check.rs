//! The checks of a contract that its types cannot express: citations with a source, and unique and valid ids.

use std::collections::{HashMap, HashSet};

use keyfit_openapi::{Error, Text, plain};

use super::webhook::Misfit;
use super::{
    Carrier, Citation, Contract, Contradiction, Expect, Family, GrantType, Probe, Rate, RateLimit, Rule, level,
};

/// Returns an error with the first flaw of a rule, without a check of the rules that it presumes.
pub(super) fn rule(contract: &Contract, rule: &Rule, text: &Text) -> Result<(), Error> {
    Checker { contract, text, rules: HashMap::new() }.rule(rule)
}

/// Returns an error with the first flaw of the contract.
pub(super) fn check(contract: &Contract, text: &Text) -> Result<(), Error> {
    let rules =
        contract.rules.iter().enumerate().rev().map(|(place, rule)| (rule.id.as_str(), (place, rule))).collect();
    let checker = Checker { contract, text, rules };
    checker.credentials()?;
    checker.errors()?;
    checker.batches()?;
    checker.balance()?;
    checker.authorization_server()?;
    checker.key_management()?;
    checker.webhooks()?;
    let mut seen = HashSet::new();
    for rule in &contract.rules {
        if !seen.insert(&rule.id) {
            return Err(checker.failure(&rule.id, "the rule stands twice", "give one of the two an id of its own"));
        }
        checker.rule(rule)?;
        checker.presumed(rule)?;
    }
    checker.levels()?;
    if let Some(limit) = &contract.rate_limit {
        checker.cited(&limit.source)?;
    }
    contract.contradictions.iter().try_for_each(|contradiction| checker.contradiction(contradiction))
}

struct Checker<'a> {
    contract: &'a Contract,
    text: &'a Text,
    /// The rules by their ids, with their indexes: each may presume others.
    rules: HashMap<&'a str, (usize, &'a Rule)>,
}

impl Checker<'_> {
    /// Checks that each level change has a reason and names existing rules that no other change names.
    fn levels(&self) -> Result<(), Error> {
        let levels = &self.contract.levels;
        for (place, change) in levels.iter().enumerate() {
            let first = change.rules.first().map_or("level", String::as_str);
            if change.reason.trim().is_empty() || change.rules.is_empty() {
                let problem = format!("the level `{}` is given to no rule, or without a reason", change.level);
                return Err(self.failure(first, problem, "name the rules under `rules`, and say why under `reason`"));
            }
            for pattern in &change.rules {
                let mut named = self.contract.rules.iter().filter(|rule| level::fits(pattern, &rule.id)).peekable();
                if named.peek().is_none() {
                    let problem = format!("`{pattern}` fits the id of no rule");
                    return Err(self.failure(
                        pattern,
                        problem,
                        "`keyfit rule` lists them; a star stands for one part of an id",
                    ));
                }
                if let Some(twice) = named.find(|rule| levels[..place].iter().any(|other| other.names(&rule.id))) {
                    let problem = format!("`{}` is given a level twice", twice.id);
                    return Err(self.failure(
                        pattern,
                        problem,
                        "leave one of the two out, or name the rules one by one",
                    ));
                }
            }
        }
        Ok(())
    }

    fn credentials(&self) -> Result<(), Error> {
        for (place, credential) in self.contract.credentials.iter().enumerate() {
            self.cited(&credential.source)?;
            let kind = &credential.kind;
            if self.contract.credentials[..place].iter().any(|earlier| earlier.kind == *kind) {
                let problem = format!("the kind `{kind}` is listed twice");
                return Err(self.failure(kind, problem, "remove one of the two, or give it another name"));
            }
            if credential.carriers.len() > 1 && credential.carriers.contains(&Carrier::ClientCertificate) {
                let problem = format!("`{kind}` is a client certificate and something else as well");
                return Err(self.failure(kind, problem, "make two kinds of it: a certificate stands in no request"));
            }
            if let Some(scope) = credential.includes.keys().next().filter(|_| !credential.is_scoped()) {
                let problem = format!("`{kind}` has no scopes, and its `{scope}` includes some");
                return Err(self.failure(kind, problem, "write `scoped = true`, or remove `includes`"));
            }
            for carrier in &credential.carriers {
                if let Some(name) = carrier.invalid_name() {
                    let problem = format!("`{}` is not a name under which a credential can be sent", plain(name));
                    return Err(self.failure(name, problem, "use letters, digits and hyphens, such as X-Api-Key"));
                }
            }
        }
        Ok(())
    }

    fn errors(&self) -> Result<(), Error> {
        for (status, shape) in self.contract.errors.values().flatten() {
            self.cited(&shape.source)?;
            let is_status = status == "default" || status.parse().is_ok_and(|status: u16| (300..600).contains(&status));
            if !is_status {
                return Err(self.failure(
                    status,
                    format!("`{status}` is no status of a refusal"),
                    "use 300 to 599 or `default`",
                ));
            }
            if let Some(field) = shape.fields.iter().find(|field| !field.at.starts_with('/')) {
                return Err(self.failure(
                    &field.at,
                    format!("`{}` is no JSON pointer", field.at),
                    "start it with a slash",
                ));
            }
        }
        Ok(())
    }

    fn authorization_server(&self) -> Result<(), Error> {
        let Some(server) = &self.contract.authorization_server else { return Ok(()) };
        self.cited(&server.source)?;
        let jwt = server.jwt.as_ref();
        jwt.map_or(Ok(()), |jwt| self.cited(&jwt.source))?;
        let kinds = [Some(&server.issues), jwt.map(|jwt| &jwt.kind)];
        if let Some(unknown) = kinds.into_iter().flatten().find(|kind| self.contract.credential(kind).is_none()) {
            return Err(self.failure(
                unknown,
                format!("`{unknown}` is no kind of token of the contract"),
                "add a `credential` of this kind, or correct the name",
            ));
        }
        if let Some((name, endpoint)) = server.endpoints().find(|(_, endpoint)| !endpoint.is_sound()) {
            let problem = format!("`{name}` is neither a path nor a URL");
            return Err(self.failure(&endpoint.to_string(), problem, "begin it with a slash, or with https://"));
        }
        let has = |name: &str| server.endpoints().any(|(known, _)| known == name);
        let lacking = |grant: &GrantType| grant.needs().iter().find(|name| !has(name)).map(|name| (*grant, *name));
        if let Some((grant, name)) = server.grant_types.iter().find_map(lacking) {
            let problem = format!("the grant `{}` needs `{name}`, which is missing", grant.word());
            return Err(self.failure(grant.word(), problem, "add it, or remove the grant"));
        }
        if server.client_authentication.is_empty() {
            return Err(self.failure(
                &server.issues,
                "clients have no way to authenticate",
                "name one in `client-authentication`",
            ));
        }
        Ok(())
    }

    fn batches(&self) -> Result<(), Error> {
        for batch in &self.contract.batches {
            self.cited(&batch.source)?;
            let at = &batch.items_at;
            if !at.is_empty() && !at.starts_with('/') {
                let problem = format!("`items-at` of the batch is `{at}`, which is not a JSON pointer");
                return Err(self.failure(at, problem, "begin it with a slash"));
            }
        }
        Ok(())
    }

    fn balance(&self) -> Result<(), Error> {
        let Some(balance) = &self.contract.balance else { return Ok(()) };
        self.cited(&balance.source)?;
        if balance.at.starts_with('/') {
            return Ok(());
        }
        let problem = format!("`at` of the balance is `{}`, which is not a JSON pointer", balance.at);
        Err(self.failure(&balance.at, problem, "begin it with a slash"))
    }

    fn key_management(&self) -> Result<(), Error> {
        let Some(keys) = &self.contract.key_management else { return Ok(()) };
        self.cited(&keys.source)?;
        if self.contract.credential(&keys.kind).is_none() {
            return Err(self.failure(
                &keys.kind,
                format!("`{}` is no kind of token of the contract", keys.kind),
                "add a `credential` of this kind, or correct the name",
            ));
        }
        match keys.members.pointers().find(|pointer| !pointer.starts_with('/')) {
            Some(pointer) => {
                Err(self.failure(pointer, format!("`{pointer}` is no JSON pointer"), "start it with a slash"))
            }
            None => Ok(()),
        }
    }

    fn webhooks(&self) -> Result<(), Error> {
        for (name, terms) in &self.contract.webhooks {
            self.cited(&terms.source)?;
            if let Some(misfit) = terms.misfit(name) {
                let Misfit { quoted, problem, help } = misfit;
                return Err(Contract::failure_of_webhook(self.text, name, &quoted, problem, help));
            }
        }
        Ok(())
    }

    fn contradiction(&self, contradiction: &Contradiction) -> Result<(), Error> {
        let signs = || contradiction.readings.iter().filter_map(|reading| reading.shown_by.as_ref());
        if let Some(sign) = signs().find(|sign| !self.contract.rules.iter().any(|rule| rule.id == sign.rule)) {
            return Err(self.failure(
                &sign.rule,
                format!("`{}` shows a reading of `{}`, and is no rule", sign.rule, contradiction.id),
                "name a rule of this contract under `shown-by`",
            ));
        }
        match signs().filter_map(|sign| sign.member.as_ref()).find(|pointer| !pointer.starts_with('/')) {
            Some(pointer) => {
                Err(self.failure(pointer, format!("`{pointer}` is no JSON pointer"), "start it with a slash"))
            }
            None => Ok(()),
        }
    }

    fn rule(&self, rule: &Rule) -> Result<(), Error> {
        self.cited(&rule.source)?;
        let segments: Vec<&str> = rule.id.split('.').collect();
        let [api, _, name] = segments.as_slice() else {
            return Err(self.failure(&rule.id, "the id has not three parts", "write `<api>.<family>.<name>`"));
        };
        if *api != self.contract.name || name.is_empty() {
            return Err(self.failure(
                &rule.id,
                format!("the id does not begin with `{}.`", self.contract.name),
                "begin it with the name of the contract",
            ));
        }
        let Some(family) = rule.family() else {
            let known: Vec<String> = Family::ALL.iter().map(ToString::to_string).collect();
            return Err(self.failure(
                &rule.id,
                "the id names an unknown family",
                format!("use one of: {}", known.join(", ")),
            ));
        };
        match (&rule.probe, &rule.expect, &rule.drive) {
            (Some(_), Some(expect), None) if family != Family::Client => self.expectation(rule, expect),
            (None, None, Some(_)) if family == Family::Client => Ok(()),
            _ => Err(self.failure(
                &rule.id,
                "the rule is neither one for servers nor one for clients",
                "give it `probe` and `expect`, or `drive` and the family `client`",
            )),
        }
    }

    fn presumed(&self, rule: &Rule) -> Result<(), Error> {
        let named = |id: &String| self.rules.get(id.as_str()).copied();
        for id in &rule.presumes {
            let Some((place, other)) = named(id) else {
                let problem = format!("`{}` presumes `{id}`, which is no rule", rule.id);
                return Err(self.failure(
                    id,
                    problem,
                    "name a rule of this contract, or leave it out: it may stand alone",
                ));
            };
            if other.drive.is_some() != rule.drive.is_some() {
                let problem = format!("`{}` presumes `{id}`, a rule of the other end", rule.id);
                return Err(self.failure(id, problem, "servers are judged by servers, clients by clients"));
            }
            if other.probe == Some(Probe::Any) && rule.probe != Some(Probe::Any) {
                let problem = format!("`{}` presumes `{id}`, a rule about every answer", rule.id);
                return Err(self.failure(
                    id,
                    problem,
                    "it is judged by the answers to the others: let it presume them",
                ));
            }
            let binds = self.rules.get(rule.id.as_str()).map(|(own, _)| self.contract.bearing(*own));
            if binds.is_some_and(|own| !self.contract.bearing(place).may_bear(own)) {
                let problem = format!("`{}` is a `{}` and presumes `{id}`, a `{}`", rule.id, rule.level, other.level);
                return Err(self.failure(id, problem, "what is built upon binds at least as much: leave it out"));
            }
        }
        let mut reached: HashSet<&String> = HashSet::new();
        let mut open: Vec<&String> = rule.presumes.iter().collect();
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                open.extend(named(id).into_iter().flat_map(|(_, rule)| &rule.presumes));
            }
        }
        if reached.contains(&rule.id) {
            let problem = format!("`{}` presumes itself, by way of others", rule.id);
            return Err(self.failure(&rule.id, problem, "break the circle: one of the rules comes first"));
        }
        Ok(())
    }

    /// Checks that a rule about deliveries has one expectation of deliveries, and none of answers.
    fn delivery(&self, rule: &Rule, expect: &Expect) -> Result<(), Error> {
        let is_of_webhooks = rule.probe.as_ref().is_some_and(Probe::is_of_webhooks);
        let Some(check) = expect.delivery else {
            let problem = "the probe is about deliveries, and `expect` says nothing of them";
            return Err(self.failure(
                &rule.id,
                problem,
                "write `expect = { delivery = \"arrives\" }` or another check",
            ));
        };
        if !is_of_webhooks {
            let problem = "`delivery` is about what the server sends, and the rule about its answer to a probe";
            return Err(self.failure(&rule.id, problem, "write `probe = \"delivery\"`"));
        }
        let rest = Expect { delivery: None, ..expect.clone() };
        if rest.asks_for_status() || rest.is_about_more() || rest.refused_connection {
            let problem = "a rule about deliveries says nothing of answers";
            return Err(self.failure(&rule.id, problem, "write `expect = { delivery = ... }` alone"));
        }
        let refused = Probe::RefusedDelivery;
        match (check.is_of_refused(), rule.probe.as_ref() == Some(&refused)) {
            (true, false) => Err(self.failure(
                &rule.id,
                "what is answered with 200 need not come again",
                "write `probe = \"refused-delivery\"`",
            )),
            (false, true) => Err(self.failure(
                &rule.id,
                "of a delivery that is refused only `repeated` is judged",
                "write `probe = \"delivery\"`",
            )),
            _ => Ok(()),
        }
    }

    fn expectation(&self, rule: &Rule, expect: &Expect) -> Result<(), Error> {
        if expect.delivery.is_some() || rule.probe.as_ref().is_some_and(Probe::is_of_webhooks) {
            return self.delivery(rule, expect);
        }
        let has_status = expect.asks_for_status();
        let compares = expect.same_as.is_some() || expect.same_headers_as.is_some();
        let is_standing = expect.standing().next().is_some();
        let says_nothing = !has_status && !compares && !expect.no_foreign_origin && !is_standing;
        if says_nothing {
            return Err(self.failure(
                &rule.id,
                "`expect` says nothing",
                "add `status = [...]`, `success = true`, `same-as` or `hides = [...]`",
            ));
        }
        let rest = Expect { hides: Vec::new(), keeps: Vec::new(), ..expect.clone() };
        let judges_more = has_status || rest.is_about_more() || compares;
        if rule.probe == Some(Probe::Any) && (judges_more || !is_standing) {
            return Err(self.failure(
                &rule.id,
                "a rule about any answer says what holds of all of them, or what none of them may hold, and nothing else",
                "write `expect = { hides = [...] }` or `expect = { keeps = [...] }` alone",
            ));
        }
        if rule.probe != Some(Probe::Any) && !expect.keeps.is_empty() {
            return Err(self.failure(
                &rule.id,
                "`keeps` is about every answer, and the rule about the answer to one probe",
                "write `probe = \"any\"`",
            ));
        }
        if expect.rate.is_some() && self.contract.rate_limit.is_none() {
            return Err(self.failure(
                &rule.id,
                "the rule is about rate limits, and the contract has none",
                "add the table `rate-limit`",
            ));
        }
        let has_headers = self.contract.rate_limit.as_ref().is_some_and(RateLimit::names_its_headers);
        if expect.rate.is_some() && !has_headers {
            return Err(self.failure(
                &rule.id,
                "the rule is about rate-limit headers, and the contract does not name all three",
                "name them in `rate-limit`",
            ));
        }
        let tells_reset = self.contract.key_management.as_ref().is_some_and(|keys| keys.members.own_reset.is_some());
        if expect.rate == Some(Rate::Introspected) && !tells_reset {
            return Err(self.failure(
                &rule.id,
                "the rule compares with the introspection of a key, and the contract does not say where that tells the reset",
                "name it as `own-reset` in `key-management.members`",
            ));
        }
        Ok(())
    }

    fn cited(&self, citation: &Citation) -> Result<(), Error> {
        if self.contract.sources.contains_key(&citation.page) {
            return Ok(());
        }
        Err(self.failure(
            &citation.page,
            format!("the source `{}` is not listed", citation.page),
            "add it to `sources`, or correct the name",
        ))
    }

    fn failure(&self, quoted: &str, problem: impl Into<String>, help: impl Into<String>) -> Error {
        Contract::failure_at(self.text, quoted, problem, help)
    }
}
