//! Descriptions of causes: the flaw, its impact, and the change to make.

use std::collections::BTreeSet;

use keyfit_openapi::Operation;

use super::{Cause, CommonFactor, ResultKind, without_positions};
use crate::catalogue::Catalogue;
use crate::contract::{ChainProbe, Hidden, OauthProbe, Probe, Promise, Rule};
use crate::judgement::verdict::Outcome;

/// The description of a cause.
pub(crate) struct CauseText {
    /// The flaw, in one line.
    pub(crate) title: String,
    /// Its impact.
    pub(crate) why: &'static str,
    /// The change to make.
    pub(crate) change: &'static str,
}

impl Cause {
    /// Returns the description.
    pub(crate) fn words(&self, catalogue: &Catalogue, outcomes: &[Outcome]) -> CauseText {
        let example = self.example(catalogue, outcomes);
        let rule = catalogue.rule(&catalogue.cases[example]);
        let (why, change) = self.advice(rule);
        let found = without_positions(outcomes[example].reason.as_deref().unwrap_or_default());
        CauseText { title: self.title(catalogue, outcomes, rule, found), why, change }
    }

    fn title(&self, catalogue: &Catalogue, outcomes: &[Outcome], rule: &Rule, found: String) -> String {
        let statuses: BTreeSet<u16> = self.cases.iter().filter_map(|place| outcomes[*place].status).collect();
        let statuses = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
        let of_operations = |operations: &[usize], one: &str, many: &str| match operations {
            [operation] => format!("{} {one}", called(&catalogue.api.operations[*operation])),
            _ => format!("{} operations {many}", operations.len()),
        };
        let required = rule.requirement.trim_end_matches('.');
        match (&self.shared, self.result_kind) {
            (CommonFactor::Operations(operations), ResultKind::Open) => {
                of_operations(operations, "is served without a credential", "are served without a credential")
            }
            (CommonFactor::Operations(operations), ResultKind::Failed) => {
                let fails = |verb: &str| format!("{verb} with {statuses}, whatever is sent");
                of_operations(operations, &fails("fails"), &fails("fail"))
            }
            (CommonFactor::Operations(operations), ResultKind::Refused) => {
                let refuses = |verb: &str| format!("{verb} calls that are valid, with {statuses}");
                of_operations(operations, &refuses("refuses"), &refuses("refuse"))
            }
            (CommonFactor::Operations(operations), _) => {
                of_operations(operations, "serves what it is to refuse", "serve what they are to refuse")
            }
            (CommonFactor::Rule(_), ResultKind::OfClient) => required.to_owned(),
            (CommonFactor::Rule(_), _) => format!("{required}; it is answered {statuses}"),
            (CommonFactor::Status(due, given), _) => format!("{given} is answered where {due} is due"),
            (CommonFactor::Finding(_, Some(status)), _) => format!("{found}, in answers of status {status}"),
            (CommonFactor::Finding(_, None), _) => found,
        }
    }

    fn advice(&self, rule: &Rule) -> (&'static str, &'static str) {
        let is_conditional =
            matches!(rule.probe, Some(Probe::NotModified | Probe::Modified | Probe::Chain(ChainProbe::StaleChange)));
        match (self.result_kind, &self.shared) {
            (
                ResultKind::Refused | ResultKind::OtherStatus | ResultKind::Differs,
                CommonFactor::Rule(_) | CommonFactor::Finding(..),
            ) if is_conditional => served(rule.probe.as_ref()),
            (ResultKind::Unjudged, _) => (
                "the check could not judge: this says nothing of the rules",
                "put right what is named here, and run these cases again",
            ),
            (ResultKind::Ended, _) => (
                "one caller takes the service from everybody",
                "catch what the server's log shows at this moment, and answer it; where the server was stopped by hand or deployed anew, run the check again",
            ),
            (ResultKind::Open, _) => (
                "anybody who knows the address is served",
                "demand the credential before anything else; if the operation is meant to be public, say `security: []` there, in the document or by overlay",
            ),
            (ResultKind::Served, _) => served(rule.probe.as_ref()),
            (ResultKind::Leaked, _) => leaked(rule),
            (ResultKind::Failed, _) => (
                "a fault of the request looks like one of the server: clients send it again, and monitors raise alarms",
                "find the error in the server's log; where the request is wrong, say so with a 4xx",
            ),
            (ResultKind::Refused, _) => (
                "a call that the document describes does not work",
                "serve it; or correct what the check calls with: ids and scopes in the tokens file, examples in the document",
            ),
            (ResultKind::OtherStatus, CommonFactor::Status(401, 403)) => (
                "a client cannot tell a credential that is not accepted from one that lacks a right, and does not fetch a new one",
                "answer 401 with `WWW-Authenticate` where the credential is missing or not accepted, and 403 where it lacks a right",
            ),
            (ResultKind::OtherStatus, CommonFactor::Status(403, 401)) => (
                "a client takes a good credential for a bad one, and fetches another in vain",
                "answer 403 where the credential is accepted and lacks a right",
            ),
            (ResultKind::OtherStatus, _) => (
                "clients decide by the status what to do next",
                "answer with the status that is due, or lower the rule by a [[level]] in contract.toml",
            ),
            (ResultKind::Differs, _) => differs(rule),
            (ResultKind::OfClient, _) => (
                "a server of this API would refuse the call, or its user would not learn what came of it",
                "mend what the case names, and run it again",
            ),
        }
    }
}

/// Returns the impact of a wrong answer, and the change to make.
fn differs(rule: &Rule) -> (&'static str, &'static str) {
    let keeps_limits = rule.expect.as_ref().is_some_and(|expect| expect.keeps.contains(&Promise::Limits));
    match &rule.probe {
        Some(Probe::CrossOrigin) => (
            "a page of anybody reads answers to the credentials that its visitor's browser sends",
            "answer with origins of a list of your own, and with none that the request brings",
        ),
        Some(Probe::RefusedSpending) => (
            "callers pay for what they did not get, and again each time that they try",
            "charge in the transaction that executes the call, behind everything by which it can be refused",
        ),
        Some(Probe::SeenLimit) => LIMITS_ADVICE,
        Some(Probe::Any) if keeps_limits => LIMITS_ADVICE,
        _ => (
            "a client that is made from the document cannot read the answer, or lacks what it needs",
            "answer as the document says, or correct the document",
        ),
    }
}

const LIMITS_ADVICE: (&str, &str) = (
    "clients that go by what the headers say wait in vain, or run into the limit",
    "write the headers from the counter by which calls are refused, or leave them out",
);

/// Returns the impact of a request that is served, and the change to make.
fn served(probe: Option<&Probe>) -> (&'static str, &'static str) {
    let Some(probe) = probe else { return OTHER_ADVICE };
    match probe {
        Probe::UnknownToken
        | Probe::ChangedToken
        | Probe::Tampered(_)
        | Probe::Jwt(_)
        | Probe::WrongPassword
        | Probe::WithUnknown(_) => (
            "who makes up a credential is let in",
            "verify the credential itself: its signature, or that it was issued",
        ),
        Probe::OtherCaseToken => (
            "tokens that differ by the case of a letter are one, and are guessed sooner",
            "compare the token letter by letter: look at the collation of the column, and at code that lowers its case",
        ),
        Probe::Oauth(OauthProbe::RevokeWithoutSecret) => {
            ("whoever finds a token can lock out who owns it", "authenticate the client before its token is looked for")
        }
        Probe::RevokedToken | Probe::Oauth(OauthProbe::CallAfterRevocation) => {
            ("a credential that leaked cannot be taken back", "ask on each request whether the credential was revoked")
        }
        Probe::ExpiredToken => {
            ("a credential works longer than it was issued for", "compare its end with the clock on each request")
        }
        Probe::OtherAudience
        | Probe::OtherKind(_)
        | Probe::OtherAlternative
        | Probe::TestToken
        | Probe::Without(_)
        | Probe::NoCertificate => (
            "a credential that was made for something else opens this",
            "check what the credential is for: its kind, its audience, its environment",
        ),
        Probe::Foreign(_) => FOREIGN_ADVICE,
        Probe::QueryToken(_) | Probe::OtherPlace => {
            ("credentials in other places are logged and kept", "take the credential from the documented place alone")
        }
        Probe::EmptyToken | Probe::MalformedToken | Probe::WrongScheme | Probe::BareToken => (
            "what is not a credential is taken for one",
            "refuse what does not have the documented form, for each method",
        ),
        Probe::NoToken | Probe::HeadWithoutToken => (
            "anybody who knows the address is served",
            "demand the credential before anything else, for HEAD as for GET",
        ),
        Probe::Pages => (
            "who reads the list page by page does things twice, or never",
            "sort by something that is unique, such as the id, and begin each page behind the last item of the one before",
        ),
        Probe::BrokenCursor => (
            "a client whose cursor is gone begins anew without a word",
            "answer 400 or 410 to a cursor that is not known",
        ),
        Probe::ForeignCursor => (
            "a cursor is as good as the credential of whom it was handed out to",
            "take whose list it is from the credential, and refuse a cursor that was made for another one",
        ),
        Probe::NextPage => (
            "clients send their credential elsewhere, or stop in the middle of the list",
            "make the URL of the next page from the request's own, as the proxy before the server hands it on, or hand out a relative one",
        ),
        Probe::RepeatedKey => (
            "a call that is sent again after a lost answer is executed twice",
            "keep the key with the answer in the transaction that executes the call, and answer a key that is known with that",
        ),
        Probe::NotModified => (
            "who has a thing already cannot ask for it with what it is known by",
            "answer 304 without a body to an `If-None-Match` that names the `ETag`, or the whole with 200",
        ),
        Probe::Modified => (
            "who has an outdated thing is told that nothing has changed",
            "compare the tags of `If-None-Match` with that of what is there, and answer 304 to an equal one alone",
        ),
        Probe::Chain(ChainProbe::StaleChange) => (
            "a change overwrites another one that was made meanwhile",
            "compare `If-Match` with the tag of what is there in the transaction that changes it, and answer 412 where it is another",
        ),
        Probe::ReusedKey => (
            "a second order under a key that was used is lost, or mixed up with the first",
            "keep a hash of the body with the key, and answer 422 to another one",
        ),
        Probe::AtOnce => (
            "whoever calls often enough at the same instant has no limit",
            "count a call and compare the count in one step, which no other call can come between",
        ),
        Probe::Exhausted => {
            ("the limit that is promised is not kept", "count the calls, and answer 429 after the last")
        }
        probe if probe.is_about_scopes() => (
            "a credential may do more than it was given",
            "compare its scopes with those of the operation before anything is done",
        ),
        _ => OTHER_ADVICE,
    }
}

const FOREIGN_ADVICE: (&str, &str) = (
    "callers reach each other's data",
    "look for the object among those of the caller, and answer 404 where it is not",
);

const OTHER_ADVICE: (&str, &str) = (
    "what the document or the contract excludes is taken: it is stored, or lost without a word",
    "refuse it, or correct the document; a rule that does not hold here is lowered by a [[level]] in contract.toml",
);

fn leaked(rule: &Rule) -> (&'static str, &'static str) {
    if rule.probe == Some(Probe::OtherSpelling) {
        return (
            "anybody who writes the path in that way is served",
            "demand the credential behind the router, where each path has one form; or refuse paths in any other",
        );
    }
    let hides = rule.expect.as_ref().map_or(&[][..], |expect| &expect.hides);
    if hides.contains(&Hidden::Token) {
        return (
            "answers are logged and kept, and the credential with them",
            "take the credential out of what is answered",
        );
    }
    if hides.contains(&Hidden::PasswordHash) {
        return ("who has the hash tries passwords until one fits", "leave the member out of every answer");
    }
    if rule.probe.as_ref().is_some_and(|probe| probe.refers().is_some() || matches!(probe, Probe::Foreign(_))) {
        return FOREIGN_ADVICE;
    }
    if rule.probe == Some(Probe::ForeignCursor) {
        return served(rule.probe.as_ref());
    }
    (
        "it tells an attacker what runs there and where to look",
        "answer with a text of your own, and keep the rest for the server's log",
    )
}

/// Returns method and path, as in `GET /pets/{id}`.
fn called(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}
