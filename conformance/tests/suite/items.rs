//! Calls with many items, in the forms in which answers tell of failed ones: both ends are held to what an overlay says of them.

use std::fmt::Write as _;
use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::drive::{Defect, Naive};
use keyfit_conformance::judgement::verdict::{Outcome, Verdict};
use keyfit_conformance::mock::Mutant;
use keyfit_openapi::{Source, Text};

use crate::common::{against_client, against_mock, http, side};

/// The answers: counts with a list that names positions from 1, a status for each item, a list of those that have a reason, and two
/// lists of ids.
const ANSWERS: [(&str, &str, &str, &str); 4] = [
    (
        "counts",
        "{type: object, required: [sum, faults], properties: {sum: {type: object, required: [all, ok], properties: {all: {type: integer}, ok: {type: integer}}}, faults: {type: array, items: {type: object, required: [line, text], properties: {line: {type: integer}, text: {type: string}}}}}}",
        "{received: /sum/all, accepted: /sum/ok, rejected-items: /faults, position: /line, first: 1, reason: /text}",
        "faults",
    ),
    (
        "statuses",
        "{type: object, required: [rows], properties: {rows: {type: array, items: {type: object, required: [status], properties: {status: {type: integer}, sku: {type: string}, error: {type: object, additionalProperties: {type: array, items: {type: string}}}}}}}}",
        "{outcomes: /rows, outcome: /status, accepted-as: [201, 200], item: '', reason: /error}",
        "rows",
    ),
    (
        "reasons",
        "{type: array, items: {type: object, properties: {thing: {type: object, properties: {sku: {type: string}}}, problems: {type: array, items: {type: string}}}}}",
        "{outcomes: '', item: /thing, reason: /problems}",
        "body",
    ),
    (
        "ids",
        "{type: object, required: [good, bad], properties: {good: {type: array, items: {type: string}}, bad: {type: array, items: {type: string}}}}",
        "{accepted-items: /good, rejected-items: /bad}",
        "bad",
    ),
];

fn catalogue() -> Catalogue {
    let mut document =
        "openapi: 3.0.3\ninfo: {title: Store, version: '1'}\nservers: [{url: 'https://store.example'}]\npaths:\n"
            .to_owned();
    let mut overlay = "overlay: 1.0.0\ninfo: {title: Store, version: '1'}\nactions:\n  - {target: $, update: {x-keyfit: {credentials: [key], errors: plain}}}\n".to_owned();
    for (name, answer, partial, _) in ANSWERS {
        let _ = writeln!(
            document,
            "  /{name}:\n    post:\n      operationId: {name}\n      requestBody:\n        required: true\n        content: {{application/json: {{schema: {{type: object, required: [things], properties: {{things: {{type: array, items: {{$ref: '#/components/schemas/Thing'}}}}}}}}}}}}\n      responses:\n        '202': {{description: Taken., content: {{application/json: {{schema: {answer}}}}}}}"
        );
        let _ = writeln!(
            overlay,
            "  - target: $.paths['/{name}'].post\n    update:\n      x-keyfit:\n        partial: {partial}"
        );
    }
    document += "components:\n  schemas:\n    Thing: {type: object, required: [sku, size], properties: {sku: {type: string, example: t-1}, size: {type: integer}}}\n";
    let contract = r#"
name = "store"
[sources]
page = { title = "Store", url = "https://store.example/docs" }
[[credential]]
kind = "key"
prefix = "st_"
carriers = ["header"]
source = { page = "page" }
[errors.plain.default]
fields = [{ at = "/message", type = "string" }]
source = { page = "page" }
[batch]
maximum = 9
items-at = "/things"
id-field = "sku"
spoil = "size"
source = { page = "page" }
[[rule]]
id = "store.batch.mixed"
requirement = "Each thing has its outcome."
level = "must"
source = { page = "page" }
probe = "mixed-batch"
expect = { status = [202], body = "outcome" }
[[rule]]
id = "store.batch.schema"
requirement = "The answer is in the documented form."
level = "must"
source = { page = "page" }
probe = "mixed-batch"
expect = { status = [202], body = "schema" }
[[rule]]
id = "store.batch.rejected"
requirement = "Without one good thing it is a success as well."
level = "must"
source = { page = "page" }
probe = "rejected-batch"
expect = { success = true, body = "outcome" }
[[rule]]
id = "store.client.partial-failure"
requirement = "A thing that was refused is not lost."
level = "must"
source = { page = "page" }
drive = "partial-failure"
[[rule]]
id = "store.client.success"
requirement = "What was taken is a success."
level = "must"
source = { page = "page" }
drive = "success"
"#;
    let source = Source {
        name: "store".to_owned(),
        document: Text::new("openapi.yaml", document),
        overlay: Some(Text::new("overlay.yaml", overlay)),
        contract: Some(Text::new("contract.toml", contract)),
    };
    Catalogue::read(&source).unwrap_or_else(|failure| panic!("{failure}"))
}

/// The cases that did not pass, with why.
fn failed(catalogue: &Catalogue, outcomes: &[Outcome]) -> Vec<String> {
    let cases = catalogue.cases.iter().zip(outcomes).filter(|(_, outcome)| outcome.verdict != Verdict::Pass);
    cases.map(|(case, outcome)| format!("{}: {}", case.id, outcome.reason.as_deref().unwrap_or_default())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_tells_outcomes_in_every_form_and_what_is_wrong_with_them_is_found() {
    let catalogue = side(catalogue(), Side::Server);
    assert_eq!(failed(&catalogue, &against_mock(&catalogue, None, &http()).await), [""; 0]);
    for (mutant, operations) in [
        (Mutant::LosesItem, &["counts", "statuses", "reasons", "ids"][..]),
        (Mutant::MiscountsOutcome, &["counts", "ids"]),
        // Of ids alone nobody can tell which is which.
        (Mutant::ReordersOutcome, &["counts", "statuses", "reasons"]),
    ] {
        let failed = failed(&catalogue, &against_mock(&catalogue, Some(mutant), &http()).await);
        for operation in operations {
            let case = format!("store/batch/mixed/{operation}:");
            assert!(failed.iter().any(|failed| failed.starts_with(&case)), "{case} {failed:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_a_partial_success_for_a_whole_one_is_found_in_every_form() {
    let catalogue = side(catalogue(), Side::Client);
    let against = async |defect| {
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        failed(&catalogue, &against_client(&catalogue, Arc::new(Naive { api, contract, defect })).await)
    };
    assert_eq!(against(None).await, [""; 0]);
    let failed = against(Some(Defect::HidesPartialFailure)).await;
    let expected = ANSWERS.map(|(name, _, _, variant)| format!("store/client/partial-failure/{name}/{variant}:"));
    assert_eq!(failed.len(), expected.len(), "{failed:?}");
    for case in expected {
        assert!(failed.iter().any(|failed| failed.starts_with(&case)), "{case} {failed:?}");
    }
}
