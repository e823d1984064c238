//! The report as JUnit XML: a suite per API, a test per case. Warnings pass, with a note in their output. The effects on a live server are
//! the output of the suite.

use std::time::Duration;

use keyfit_openapi::plain;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::transcript::transcript;
use super::{ApiReport, CaseReport, Report};
use crate::judgement::verdict::Verdict;

/// Renders the report as JUnit XML.
pub(super) fn junit(report: &Report) -> String {
    let mut junit = quick_junit::Report::new("contract check");
    junit.set_time(duration(report.seconds));
    junit.add_test_suites(report.apis.iter().map(|api| suite(report, api)));
    // It is written to memory with valid element names, so it cannot fail.
    junit.to_string().unwrap_or_default()
}

fn suite(report: &Report, api: &ApiReport) -> TestSuite {
    let mut suite = TestSuite::new(&api.api);
    suite.set_time(duration(api.cases.iter().map(|case| case.seconds).sum()));
    suite.add_properties([
        ("server", api.server.as_str()),
        ("contract", &api.contract),
        ("started", &report.started),
        ("version", &report.version),
    ]);
    let mut text = String::new();
    api.write_lists(&mut text);
    if !text.is_empty() {
        suite.set_system_out(text.trim_start().to_owned());
    }
    suite.add_test_cases(api.cases.iter().map(test));
    suite
}

fn test(case: &CaseReport) -> TestCase {
    let mut test = TestCase::new(case.place(), status(case));
    test.set_classname(&case.rule).set_time(duration(case.seconds));
    test.add_properties([
        ("id", case.id.as_str()),
        ("verdict", &case.verdict.to_string()),
        ("level", &case.level.to_string()),
        ("operation", &format!("{} {}", case.operation.method, case.operation.path)),
        ("requirement", &case.requirement),
        ("source", &case.source),
        ("url", &case.url),
    ]);
    if let Some(identity) = &case.identity {
        test.add_property(("identity", identity.as_str()));
    }
    if matches!(case.verdict, Verdict::Known | Verdict::Warn | Verdict::Info) {
        let known =
            case.known.as_ref().map_or_else(String::new, |reason| format!("known to fail: {}\n", plain(reason)));
        test.set_system_out(format!("{}: {}\n{known}{}", case.verdict, plain(case.why()), case_text(case)));
    }
    test
}

fn status(case: &CaseReport) -> TestCaseStatus {
    let kind = match case.verdict {
        Verdict::Pass | Verdict::Known | Verdict::Warn | Verdict::Info => return TestCaseStatus::success(),
        Verdict::Skip => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(plain(case.why()));
            return skipped;
        }
        Verdict::Fail => NonSuccessKind::Failure,
        Verdict::Error => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(plain(case.why())).set_type(case.level.to_string()).set_description(case_text(case));
    status
}

/// Returns the requirement with its source, and the exchanges.
fn case_text(case: &CaseReport) -> String {
    let mut lines = vec![case.requirement.to_string(), format!("{} <{}>", case.source, case.url)];
    lines.extend(case.exchanges.iter().flat_map(transcript));
    lines.join("\n")
}

/// Returns a duration. A parsed report may contain any number.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
