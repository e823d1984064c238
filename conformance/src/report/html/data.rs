//! The cases in the format of the page's script: values that many cases share occur once.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalogue::Side;
use crate::contract::{Family, Level};
use crate::judgement::verdict::{Exchange, Verdict};
use crate::report::transcript::{command, transcript};
use crate::report::{CaseReport, OperationReport, Report};

#[derive(Serialize)]
struct Data<'a> {
    apis: Vec<Api<'a>>,
    /// The list of changes that contains a case, by its id.
    changes: BTreeMap<&'a str, &'static str>,
}

#[derive(Serialize)]
struct Api<'a> {
    name: &'a str,
    contract: &'a str,
    rules: Vec<Rule<'a>>,
    operations: Vec<&'a OperationReport>,
    cases: Vec<Case<'a>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    id: &'a str,
    family: Family,
    requirement: &'a str,
    source: &'a str,
    url: &'a str,
    line: usize,
}

#[derive(Serialize)]
struct Case<'a> {
    id: &'a str,
    /// The index of its rule in the list.
    rule: usize,
    /// The index of its operation in the list.
    operation: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<&'a str>,
    side: Side,
    level: Level,
    verdict: Verdict,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// The reason why a known failure remains.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exchanges: Vec<ShownExchange>,
}

/// An exchange as it is shown, with the command for copying.
#[derive(Serialize)]
struct ShownExchange {
    lines: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    curl: Option<String>,
}

/// Renders the cases as JSON for a `script` element: without `<`, it cannot end or begin an element.
pub(super) fn data(report: &Report) -> String {
    let apis = report.apis.iter().map(|api| {
        let mut shared = SharedData::default();
        let cases = api.cases.iter().map(|case| shared.case(case)).collect();
        let SharedData { rules, operations, .. } = shared;
        Api { name: &api.api, contract: &api.contract, rules, operations, cases }
    });
    let lists = report.changes.iter().flat_map(super::Changes::lists);
    let changes = lists.flat_map(|(name, list)| list.iter().map(move |change| (change.id.as_str(), name))).collect();
    // Strings, numbers, lists, and maps with string keys: serialization cannot fail.
    serde_json::to_string(&Data { apis: apis.collect(), changes }).unwrap_or_default().replace('<', "\\u003c")
}

#[derive(Default)]
struct SharedData<'a> {
    rules: Vec<Rule<'a>>,
    operations: Vec<&'a OperationReport>,
    places: BTreeMap<(&'static str, &'a str), usize>,
}

impl<'a> SharedData<'a> {
    fn case(&mut self, case: &'a CaseReport) -> Case<'a> {
        let rule = *self.places.entry(("rule", &case.rule)).or_insert(self.rules.len());
        if rule == self.rules.len() {
            let CaseReport { family, requirement, source, url, line, .. } = case;
            self.rules.push(Rule { id: &case.rule, family: *family, requirement, source, url, line: *line });
        }
        let operation = *self.places.entry(("operation", &case.operation.id)).or_insert(self.operations.len());
        if operation == self.operations.len() {
            self.operations.push(&case.operation);
        }
        Case {
            id: &case.id,
            rule,
            operation,
            identity: case.identity.as_deref(),
            side: case.side,
            level: case.level,
            verdict: case.verdict,
            seconds: case.seconds,
            reason: case.reason.as_deref(),
            known: case.known.as_deref(),
            exchanges: case.exchanges.iter().map(split_command).collect(),
        }
    }
}

/// Separates the command from the exchange.
fn split_command(exchange: &Exchange) -> ShownExchange {
    let mut lines = transcript(exchange);
    lines.retain(|line| !line.starts_with("$ "));
    ShownExchange { lines, curl: command(exchange) }
}
