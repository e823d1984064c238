//! Bodies and answers that are no JSON objects, patterns, unions, HEAD, limits that a 429 alone tells, and two credentials
//! of which either will do: a document with all of them, as `init` begins its contract, at both ends.

use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::drive::{Defect, Naive};
use keyfit_conformance::init::scaffold;
use keyfit_conformance::mock::Mutant;
use keyfit_conformance::verdict::{Outcome, Verdict};
use keyfit_openapi::{Source, Text};

use crate::common::{against_client, against_mock, http, side};

const WAREHOUSE: &str = include_str!("../fixtures/bare/warehouse.yaml");

/// The catalogue of a document, as `init` begins its contract.
fn catalogue(document: &str) -> Catalogue {
    let document = Text::new("warehouse.yaml", document);
    let made = scaffold("warehouse", &document).expect("a contract");
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
async fn a_case_that_fails_leaves_nothing_behind() {
    let catalogue = side(catalogue(WAREHOUSE), Side::Client);
    let failed = against_naive(&catalogue, Some(Defect::NeverReauthorizes)).await;
    let is_about_it = |failed: &String| failed.contains("/rotated-token/") || failed.contains("/refused-for-good/");
    assert!(!failed.is_empty() && failed.iter().all(is_about_it), "{failed:?}");
}
