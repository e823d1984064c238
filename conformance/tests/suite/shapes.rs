//! Bodies and answers that are no JSON objects, patterns, unions, HEAD, limits that a 429 alone tells, and two credentials
//! of which either will do: a document with all of them, as `init` begins its contract, at both ends.

use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::drive::{Defect, Naive};
use keyfit_conformance::init::{CredentialChoices, scaffold};
use keyfit_conformance::judgement::verdict::{Outcome, Verdict};
use keyfit_conformance::mock::{Mock, Mutant};
use keyfit_conformance::probe::TargetServer;
use keyfit_conformance::run::{Plan, run};
use keyfit_openapi::{Source, Text};

use crate::common::{against_client, against_mock, http, side};
use crate::live_server::{reply, serve};

const WAREHOUSE: &str = include_str!("../fixtures/bare/warehouse.yaml");

/// The catalogue of a document, as `init` begins its contract.
fn catalogue(document: &str) -> Catalogue {
    let document = Text::new("warehouse.yaml", document);
    let made = scaffold("warehouse", &document, &CredentialChoices::default()).expect("a contract");
    let (overlay, contract) = (Text::new("overlay.yaml", made.overlay), Text::new("contract.toml", made.contract));
    let source = Source { name: "warehouse".to_owned(), document, overlay: Some(overlay), contract: Some(contract) };
    Catalogue::read(&source).unwrap_or_else(|failure| panic!("{failure}"))
}

/// The cases that did not pass, with why.
fn failed(catalogue: &Catalogue, outcomes: &[Outcome]) -> Vec<String> {
    let cases = catalogue.cases.iter().zip(outcomes).filter(|(_, outcome)| outcome.verdict != Verdict::Pass);
    cases.map(|(case, outcome)| format!("{}: {}", case.id, outcome.reason.as_deref().unwrap_or_default())).collect()
}

async fn against_naive(catalogue: &Arc<Catalogue>, defect: Option<Defect>) -> Vec<String> {
    let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
    failed(catalogue, &against_client(catalogue, Arc::new(Naive { api, contract, defect })).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_serves_every_shape_and_its_rules_can_fail() {
    let catalogue = side(catalogue(WAREHOUSE), Side::Server);
    assert_eq!(failed(&catalogue, &against_mock(&catalogue, None, &http()).await), [""; 0]);
    for (mutant, case) in [
        (Mutant::AcceptsNoToken, "warehouse/auth/no-token/hasLabel"),
        (Mutant::AcceptsAnyScheme, "warehouse/auth/wrong-scheme/photo"),
        (Mutant::AcceptsMissingFields, "warehouse/error/missing-field/addBox"),
        (Mutant::AcceptsMissingFields, "warehouse/error/missing-field/changeBox"),
        (Mutant::AcceptsAnyMediaType, "warehouse/error/media-type/import"),
        (Mutant::DropsRequiredMembers, "warehouse/auth/accepted/printLabel"),
        (Mutant::NeverExhausts, "warehouse/rate/exhausted/listBoxes"),
    ] {
        let failed = failed(&catalogue, &against_mock(&catalogue, Some(mutant), &http()).await);
        assert!(failed.iter().any(|failed| failed.starts_with(&format!("{case}:"))), "{case}: {failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_body_is_as_a_whole_is_read_off_its_schema() {
    let catalogue = side(catalogue(WAREHOUSE), Side::Server);
    let has = |case: &str| catalogue.cases.iter().any(|known| known.id == format!("warehouse/error/{case}"));
    assert!(has("wrong-top-level/replaceBoxes"), "a list, or null");
    assert!(!has("wrong-top-level/query"), "it takes a list and an object");
    assert!(!has("missing-field/replaceBoxes"), "a list has no members");
    let failed = failed(&catalogue, &against_mock(&catalogue, Some(Mutant::AcceptsObjectForArray), &http()).await);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].starts_with("warehouse/error/wrong-top-level/replaceBoxes:"), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_driven_over_every_shape_and_its_rules_can_fail() {
    let catalogue = side(catalogue(WAREHOUSE), Side::Client);
    for operation in &catalogue.api.operations {
        for rule in ["request", "success", "redirect", "rotated-token"] {
            let id = format!("warehouse/client/{rule}/{}", operation.id);
            assert!(catalogue.cases.iter().any(|case| case.id == id), "{id}");
        }
    }
    assert_eq!(against_naive(&catalogue, None).await, [""; 0]);
    for (defect, case) in [
        (Defect::LosesValue, "warehouse/client/success/printLabel"),
        (Defect::LosesValue, "warehouse/client/success/photo"),
        (Defect::NeverWaits, "warehouse/client/limit-waited/listBoxes"),
        (Defect::IgnoresRateHeaders, "warehouse/client/rate-limited/listBoxes"),
    ] {
        let failed = against_naive(&catalogue, Some(defect)).await;
        assert!(failed.iter().any(|failed| failed.starts_with(&format!("{case}:"))), "{case}: {failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_which_no_example_is_known_is_not_driven() {
    let odd = WAREHOUSE.replace("^box_[A-Za-z0-9]{24}$", r"^(\\w)-\\1\\1$");
    let catalogue = side(catalogue(&odd), Side::Client);
    let failed = against_naive(&catalogue, None).await;
    let of_labels = catalogue.cases.iter().filter(|case| case.id.contains("Label")).count();
    assert_eq!(failed.len(), of_labels, "{failed:?}");
    for failed in failed {
        assert!(failed.contains("there is no example of a request, `code`: no text is known that matches"), "{failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_a_request_of_which_no_example_is_known_breaks_no_rule() {
    let odd = WAREHOUSE.replace("^box_[A-Za-z0-9]{24}$", r"^(\\w)-\\1\\1$");
    let case = |rule: &str| format!("warehouse/{rule}/printLabel");
    for (document, verdict) in [(&*odd, Verdict::Skip), (WAREHOUSE, Verdict::Fail)] {
        let mut catalogue = catalogue(document);
        catalogue.select(&[case("auth/accepted"), case("auth/no-token")], &[]);
        let catalogue = Arc::new(catalogue);
        // It says what is wrong with the code before it asks who calls.
        let (url, _) = serve(|_, _, _| Some(reply("422 Unprocessable Content", "{}")));
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        let mock = Mock::start(api, contract, None, Redactor::default()).await.expect("a loopback socket");
        let identities = Arc::new(mock.token_issuer().clone());
        let target = TargetServer::new(http(), url.parse().expect("a URL"), identities, Redactor::default());
        let outcomes = run(&catalogue, &Plan { target: Some(Arc::new(target)), ..Plan::default() }).await;
        assert_eq!(outcomes.len(), 2);
        for (case, outcome) in catalogue.cases.iter().zip(outcomes) {
            let why = outcome.reason.unwrap_or_default();
            assert_eq!(outcome.verdict, verdict, "{}: {why}", case.id);
            let is_of_gap = why.contains("there is no example of a request, `code`: no text is known that matches");
            assert_eq!(is_of_gap, verdict == Verdict::Skip, "{}: {why}", case.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_that_no_request_tells_apart_are_checked_once_and_their_methods_belong_to_one_path() {
    let operation = |id: &str| {
        format!(
            "{{operationId: {id}, responses: {{'200': {{description: d}}, '401': {{description: d}}, '404': {{description: d}}}}}}"
        )
    };
    let document = format!(
        "openapi: 3.0.3\ninfo: {{title: Twins, version: '1'}}\nservers: [{{url: 'https://twins.example'}}]\nsecurity: [{{login: []}}]\n\
         paths:\n  /boxes/{{z}}:\n    get: {}\n  /boxes/{{a}}:\n    get: {}\n  /boxes/{{b}}:\n    delete: {}\n  /boxes/{{b}}:open:\n    get: {}\n\
         components: {{securitySchemes: {{login: {{type: http, scheme: bearer}}}}}}\n",
        operation("first"),
        operation("second"),
        operation("remove"),
        operation("open"),
    );
    let made = scaffold("warehouse", &Text::new("twins.yaml", document.as_str()), &CredentialChoices::default())
        .expect("a contract");
    let note = "`second`: an operation before has the same method and path, but for the names of parameters, and is checked in its place";
    assert!(made.notes.iter().any(|said| said == note), "{:?}", made.notes);
    let catalogue = side(catalogue(&document), Side::Server);
    let of = |rule: &str| -> Vec<&str> {
        let ids = catalogue.cases.iter().filter_map(|case| case.id.strip_prefix(&format!("warehouse/{rule}/")));
        ids.collect()
    };
    assert_eq!(of("method/not-allowed"), ["first", "second", "open"], "the DELETE is of the same path");
    let outcomes = against_mock(&catalogue, None, &http()).await;
    for (case, outcome) in catalogue.cases.iter().zip(&outcomes) {
        let why = outcome.reason.as_deref();
        if case.id.ends_with("/second") {
            let expected = "no request tells it from `first`, which is checked in its place";
            assert_eq!((outcome.verdict, why), (Verdict::Skip, Some(expected)), "{}", case.id);
        } else {
            assert_eq!(outcome.verdict, Verdict::Pass, "{}: {why:?}", case.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_fails_leaves_nothing_behind() {
    let catalogue = side(catalogue(WAREHOUSE), Side::Client);
    let failed = against_naive(&catalogue, Some(Defect::NeverReauthorizes)).await;
    let is_about_it = |failed: &String| failed.contains("/rotated-token/") || failed.contains("/refused-for-good/");
    assert!(!failed.is_empty() && failed.iter().all(is_about_it), "{failed:?}");
}
