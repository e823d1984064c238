//! Calls that may be repeated under an idempotency key, and not under a condition: the client of keyfit does so, and one that makes another
//! key is found.

use std::path::Path;
use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::drive::{Defect, Keyfit, Naive};
use keyfit_conformance::judgement::verdict::{Outcome, Verdict};
use keyfit_openapi::Source;

use crate::common::{against_client, side};

/// The API of `tests/calls`.
pub(crate) fn source() -> Source {
    let source = Source::from_dir(Path::new("../tests/calls")).expect("the folder is there");
    Source { name: "press".to_owned(), ..source }
}

fn catalogue() -> Arc<Catalogue> {
    side(Catalogue::read(&source()).unwrap_or_else(|failure| panic!("{failure}")), Side::Client)
}

/// The cases that did not pass, with why.
fn failed(catalogue: &Catalogue, outcomes: &[Outcome]) -> Vec<String> {
    let cases = catalogue.cases.iter().zip(outcomes).filter(|(_, outcome)| outcome.verdict != Verdict::Pass);
    cases.map(|(case, outcome)| format!("{}: {}", case.id, outcome.reason.as_deref().unwrap_or_default())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_makes_another_key_for_each_attempt_is_found() {
    let catalogue = catalogue();
    let against = async |defect| {
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        failed(&catalogue, &against_client(&catalogue, Arc::new(Naive { api, contract, defect })).await)
    };
    assert_eq!(against(None).await, [""; 0]);
    assert_eq!(
        against(Some(Defect::ChangesKeys)).await,
        ["press/client/single-request/createOrder: it was sent again with another `Idempotency-Key`"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generated_client_keeps_its_key_and_sends_no_condition_again() {
    let catalogue = catalogue();
    let keyfit = Arc::new(Keyfit::new(crate::press::connect));
    assert_eq!(failed(&catalogue, &against_client(&catalogue, keyfit).await), [""; 0]);
}
