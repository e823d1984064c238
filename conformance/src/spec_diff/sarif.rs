//! The report as SARIF 2.1.0, for code scanning.

use std::collections::BTreeMap;

use keyfit_openapi::diff::{Level, rules};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{DiffReport, FindingReport, PartReport, abbreviated, lines};

/// Renders the report as SARIF. A removed part is shown at its former place in the new document.
pub fn sarif(report: &DiffReport) -> String {
    let used: BTreeMap<&str, &rules::Rule> =
        report.findings.iter().filter_map(|finding| Some((finding.rule, rules::named(finding.rule)?))).collect();
    let places: BTreeMap<&str, usize> = used.keys().enumerate().map(|(place, id)| (*id, place)).collect();
    let descriptors: Vec<Value> = used
        .values()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "fullDescription": {"text": rule.why},
                "defaultConfiguration": {"level": level(rule.level)},
            })
        })
        .collect();
    let mut results: Vec<Value> = report.findings.iter().map(|finding| result(report, finding, &places)).collect();
    results.extend(report.stale.iter().map(|stale| {
        json!({"level": "error", "message": {"text": format!("The entry of the policy file fits nothing: {stale}")}})
    }));
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "keyfit spec diff",
                "version": report.version,
                "rules": descriptors,
            }},
            "results": results,
        }],
    });
    // One result per line.
    lines(&log, 4)
}

fn result(report: &DiffReport, finding: &FindingReport, places: &BTreeMap<&str, usize>) -> Value {
    let FindingReport { rule, detail, parts, .. } = finding;
    let subject = report.subject(finding);
    let before = if subject.is_empty() { String::new() } else { format!("{subject}: ") };
    let rust = abbreviated(&finding.rust(), "; ");
    let message = format!("{before}{detail}. {} Rust: {rust}.", finding.reason());
    let location = |part: &PartReport| {
        let nearest = part.in_new();
        json!({
            "physicalLocation": {
                "artifactLocation": {"uri": uri(report.file_of(nearest))},
                "region": {"startLine": nearest.line.max(1), "startColumn": nearest.column.max(1)},
            },
            "logicalLocations": [{"fullyQualifiedName": format!("#{}", part.place.pointer)}],
        })
    };
    let others: Vec<Value> = parts.iter().skip(1).map(location).collect();
    json!({
        "ruleId": rule,
        "ruleIndex": places.get(rule),
        "level": level(finding.level),
        "message": {"text": message},
        "locations": [location(finding.first())],
        "relatedLocations": others,
        // The fingerprint of a change is independent of its line.
        "partialFingerprints": {"change/v1": format!("{rule}#{}", finding.first().place.pointer)},
        "properties": {"cases": finding.cases, "rust": rust},
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Breaking => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

/// The characters that a URI keeps unescaped, including the separator of segments.
const PATH_ESCAPES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Returns a path as a relative URI reference.
fn uri(path: &str) -> String {
    utf8_percent_encode(path, PATH_ESCAPES).to_string()
}
