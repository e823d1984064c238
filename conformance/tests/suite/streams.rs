//! Answers and bodies that are one item after another: the mock writes them, and both ends are held to what the document says of an
//! item.

use std::path::Path;
use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::drive::{Defect, Keyfit, Naive};
use keyfit_conformance::judgement::verdict::{Outcome, Verdict};
use keyfit_conformance::mock::Mutant;
use keyfit_openapi::Source;

use crate::common::{against_client, against_mock, http, side};

/// The API of `tests/streams`, which has each kind of stream once.
pub(crate) fn source() -> Source {
    let source = Source::from_dir(Path::new("../tests/streams")).expect("the folder is there");
    Source { name: "depot".to_owned(), ..source }
}

fn catalogue(of: Side) -> Arc<Catalogue> {
    side(Catalogue::read(&source()).unwrap_or_else(|failure| panic!("{failure}")), of)
}

/// The cases that did not pass, with why.
fn failed(catalogue: &Catalogue, outcomes: &[Outcome]) -> Vec<String> {
    let cases = catalogue.cases.iter().zip(outcomes).filter(|(_, outcome)| outcome.verdict != Verdict::Pass);
    cases.map(|(case, outcome)| format!("{}: {}", case.id, outcome.reason.as_deref().unwrap_or_default())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_sends_items_that_fit_and_one_that_does_not_is_found() {
    let catalogue = catalogue(Side::Server);
    assert_eq!(failed(&catalogue, &against_mock(&catalogue, None, &http()).await), [""; 0]);
    let failed = failed(&catalogue, &against_mock(&catalogue, Some(Mutant::DropsRequiredMembers), &http()).await);
    for operation in ["followMoves", "followNews", "followScales", "exportParcels", "exportScans"] {
        let case = format!("depot/auth/accepted/{operation}: ");
        let found =
            failed.iter().find(|failed| failed.starts_with(&case)).unwrap_or_else(|| panic!("{case} {failed:?}"));
        assert!(found.contains("item 1: "), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_loses_the_ids_of_events_is_found() {
    let catalogue = catalogue(Side::Client);
    let against = async |defect| {
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        failed(&catalogue, &against_client(&catalogue, Arc::new(Naive { api, contract, defect })).await)
    };
    assert_eq!(against(None).await, [""; 0]);
    let failed = against(Some(Defect::LosesEventIds)).await;
    let found: Vec<&str> = failed.iter().filter_map(|failed| failed.split(':').next()).collect();
    assert_eq!(
        found,
        ["followMoves", "ask", "followNews", "followScales", "followLog"]
            .map(|operation| format!("depot/client/success/{operation}"))
    );
    assert!(failed.iter().all(|failed| failed.contains("id")), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generated_client_hands_on_every_item() {
    let catalogue = catalogue(Side::Client);
    let client = Arc::new(Keyfit::new(crate::depot::connect));
    assert_eq!(failed(&catalogue, &against_client(&catalogue, client).await), [""; 0]);
}
