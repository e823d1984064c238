//! The report as SARIF 2.1.0, the format of code scanning: rules at their lines of the contract, and each finding as a result at its example
//! case. Known failures are suppressed results; observed cases are separate results. Passed and skipped cases are omitted: a scanner shows
//! each result as a finding.

use std::collections::BTreeMap;
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::json::to_json;
use super::model::FindingCases;
use super::{ApiReport, CaseReport, Finding, Report};
use crate::contract::Level;
use crate::judgement::verdict::{Exchange, Verdict};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The characters that have to be encoded in the path of a URI.
const NOT_IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Renders the report as SARIF.
pub(super) fn sarif(report: &Report) -> String {
    let mut rules: Vec<&CaseReport> = Vec::new();
    let mut indices = BTreeMap::new();
    for case in report.cases() {
        let index = *indices.entry(&*case.rule).or_insert(rules.len());
        match rules.get_mut(index) {
            None => rules.push(case),
            // At an unverified operation, its level is lower than at others.
            Some(gravest) if gravest.level < case.level => *gravest = case,
            Some(_) => {}
        }
    }
    let rules: Vec<Value> = rules.into_iter().map(rule).collect();
    let mut results = Vec::new();
    let mut unjudged = Vec::new();
    for api in &report.apis {
        for found in api.findings_with_cases() {
            let Some(case) = found.example else { continue };
            // A case that could not be judged is not a finding about the API.
            match found.finding.verdict {
                Verdict::Error => unjudged.push(notification(case, found.finding)),
                _ => results.push(result_of_finding(report, api, &indices, case, &found)),
            }
        }
        let quiet = api.cases.iter().filter(|case| case.verdict == Verdict::Info);
        results.extend(quiet.map(|case| result_of(api, &indices, case)));
    }
    to_json(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "keyfit-conformance",
                "semanticVersion": report.version,
                "rules": rules,
            }},
            "automationDetails": { "id": "keyfit-conformance/" },
            "invocations": [{
                "executionSuccessful": unjudged.is_empty(),
                "startTimeUtc": report.started,
                "toolExecutionNotifications": unjudged.into_iter().chain(lists(report)).collect::<Vec<_>>(),
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

/// Returns the contract's policy and the effects on live servers.
fn lists(report: &Report) -> impl Iterator<Item = Value> {
    let of_api = |api: &ApiReport| {
        let result = |(title, lines): (String, Vec<String>)| {
            let lines = lines.into_iter().map(move |line| format!("{title}: {line}"));
            lines.map(|text| json!({ "level": "note", "message": { "text": text } })).collect::<Vec<_>>()
        };
        api.lists().into_iter().flat_map(result).collect::<Vec<_>>()
    };
    report.apis.iter().flat_map(of_api)
}

fn rule(case: &CaseReport) -> Value {
    json!({
        "id": &*case.rule,
        "shortDescription": { "text": &*case.requirement },
        "fullDescription": { "text": &*case.requirement },
        "help": { "text": format!("{} <{}>", case.source, case.url) },
        "helpUri": &*case.url,
        "defaultConfiguration": { "level": level(case.level) },
        "properties": { "tags": [case.family, case.side] },
    })
}

/// Returns the result for a finding, at its example case.
fn result_of_finding(
    report: &Report,
    api: &ApiReport,
    indices: &BTreeMap<&str, usize>,
    case: &CaseReport,
    found: &FindingCases<'_>,
) -> Value {
    let finding = found.finding;
    let Finding { id, verdict, level: binding, title, why, change, .. } = finding;
    let mut result = result_of(api, indices, case);
    result["level"] = json!(level(*binding));
    let text = format!("{title} ({})\n\nWhy it matters: {why}.\nWhat to change: {change}.", finding.extent());
    result["message"] = json!({ "text": text });
    let fingerprint = fingerprint(&format!("{}/{id}", api.api));
    result["partialFingerprints"] = json!({ "findingId/v1": id, "primaryLocationLineHash": fingerprint });
    result["properties"]["verdict"] = json!(verdict);
    result["properties"]["level"] = json!(binding);
    result["properties"]["counts"] = json!(finding.counts);
    let is_known = *verdict == Verdict::Known;
    if is_known {
        result["suppressions"] = json!([{ "kind": "external", "justification": found.reasons() }]);
    }
    if report.baseline.is_some() {
        result["baselineState"] = json!(if is_known { "unchanged" } else { "new" });
    }
    result
}

/// Returns the result for a single case.
fn result_of(api: &ApiReport, indices: &BTreeMap<&str, usize>, case: &CaseReport) -> Value {
    let mut result = json!({
        "ruleId": &*case.rule,
        "ruleIndex": indices.get(&*case.rule),
        "level": level(case.level),
        "message": { "text": format!("{}: {}", case.id, case.why()) },
        "locations": [location(api, case)],
        "partialFingerprints": {
            "caseId/v1": case.id,
            // GitHub recognizes a result only by this fingerprint. If it is omitted, GitHub derives it from the contract's line, which all cases
            // of a rule share.
            "primaryLocationLineHash": fingerprint(&case.id),
        },
        "properties": { "verdict": case.verdict, "level": case.level },
    });
    if let Some(identity) = &case.identity {
        result["properties"]["identity"] = json!(identity);
    }
    if let Some(exchange) = case.exchanges.last() {
        result["webRequest"] = request(exchange);
        result["webResponse"] = response(exchange);
    }
    result
}

/// Returns the operation, and the rule's line of the contract, since consumers require a file.
fn location(api: &ApiReport, case: &CaseReport) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": artifact(&api.contract),
            "region": { "startLine": case.line.max(1) },
        },
        "logicalLocations": [{
            "name": case.operation.id,
            "fullyQualifiedName": format!("{}/{}", api.api, case.operation.id),
            "kind": "member",
            "properties": { "method": case.operation.method, "path": case.operation.path },
        }],
    })
}

fn artifact(path: &str) -> Value {
    let uri = utf8_percent_encode(path, NOT_IN_PATHS).to_string();
    if Path::new(path).is_absolute() {
        json!({ "uri": format!("file://{uri}") })
    } else {
        json!({ "uri": uri, "uriBaseId": "%SRCROOT%" })
    }
}

fn request(exchange: &Exchange) -> Value {
    let mut request =
        json!({ "method": exchange.method, "target": exchange.url, "headers": headers(&exchange.headers) });
    if !exchange.body.is_empty() {
        request["body"] = json!({ "text": exchange.body });
    }
    request
}

fn response(exchange: &Exchange) -> Value {
    let mut response =
        json!({ "headers": headers(&exchange.answer_headers), "body": { "text": exchange.answer_body } });
    match exchange.status {
        Some(status) => response["statusCode"] = json!(status),
        None => response["noResponseReceived"] = json!(true),
    }
    response
}

/// Returns one value per name; repeated headers are joined as HTTP does.
fn headers(headers: &[(String, String)]) -> Value {
    let mut joined: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let value = match joined.get(name).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value.clone(),
        };
        joined.insert(name.clone(), Value::String(value));
    }
    Value::Object(joined)
}

fn notification(case: &CaseReport, finding: &Finding) -> Value {
    json!({
        "level": "error",
        "message": { "text": format!("{} ({}): {}", finding.title, finding.extent(), case.id) },
        "associatedRule": { "id": &*case.rule },
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "error",
        Level::Should => "warning",
        Level::Observe => "note",
    }
}

/// Returns 64 bits in hexadecimal, with the suffix that GitHub's own fingerprints have.
fn fingerprint(id: &str) -> String {
    let start = Sha256::digest(id).first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    format!("{start:016x}:1")
}
