//! Bodies and parameters that are forms, at both ends: the mock that reads them, and a generated client that is driven with them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::check;
use keyfit_conformance::drive::{Defect, Naive};
use keyfit_conformance::init::{CredentialChoices, scaffold};
use keyfit_conformance::judgement::verdict::Verdict;
use keyfit_conformance::mock::Mutant;
use keyfit_openapi::{Source, Text};

use crate::common::{against_client, against_mock, broken, http, side};
use crate::forms_client;

const DOCUMENT: &str = include_str!("../../../tests/forms/openapi.yaml");
/// What the generated client knows besides.
const OVERLAY: &str = include_str!("../../../tests/forms/overlay.yaml");

/// The API, as `keyfit init` begins its contract.
fn source() -> Source {
    let document = Text::new("openapi.yaml", DOCUMENT);
    let made = scaffold("forms", &document, &CredentialChoices::default()).expect("a contract");
    let (_, actions) = OVERLAY.split_once("actions:\n").expect("it has actions");
    let overlay = Text::new("overlay.yaml", format!("{}{actions}", made.overlay));
    let contract = Text::new("contract.toml", made.contract);
    Source { name: "forms".to_owned(), document, overlay: Some(overlay), contract: Some(contract) }
}

fn catalogue(of: Side) -> Arc<Catalogue> {
    side(Catalogue::read(&source()).unwrap_or_else(|failure| panic!("{failure}")), of)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_holds_forms_against_the_document() {
    let catalogue = catalogue(Side::Server);
    let found = |outcomes: &[_]| -> Vec<String> {
        broken(&catalogue, outcomes).iter().map(|(case, why)| format!("{}: {why}", case.id)).collect()
    };
    assert_eq!(found(&against_mock(&catalogue, None, &http()).await), [""; 0]);
    for (mutant, case) in [
        (Mutant::AcceptsMissingFields, "forms/error/missing-field/addAttachment"),
        (Mutant::AcceptsMissingFields, "forms/error/missing-field/search"),
        (Mutant::AcceptsAnyMediaType, "forms/error/media-type/sendMixed"),
    ] {
        let found = found(&against_mock(&catalogue, Some(mutant), &http()).await);
        assert!(found.iter().any(|found| found.starts_with(case)), "{case}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_fills_in_a_default_of_a_form_is_found() {
    let catalogue = catalogue(Side::Client);
    for (defect, is_found) in [(None, false), (Some(Defect::SendsDefaults), true)] {
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        let outcomes = against_client(&catalogue, Arc::new(Naive { api, contract, defect })).await;
        let found: Vec<String> =
            broken(&catalogue, &outcomes).iter().map(|(case, why)| format!("{}: {why}", case.id)).collect();
        let is_named = found.iter().any(|found| found.contains("/addAttachment: ") && found.contains("`quality`"));
        assert_eq!(is_named, is_found, "{found:?}");
        assert!(is_found || found.is_empty(), "{found:?}");
    }
}

#[test]
fn a_generated_client_is_driven_with_forms() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("driven").join("forms");
    fs::create_dir_all(&folder).expect("a folder");
    let Source { document, overlay, contract, .. } = source();
    for text in [Some(document), overlay, contract].into_iter().flatten() {
        fs::write(folder.join(&text.path), &text.text).expect("a file");
    }
    let findings = check(folder).client(forms_client::connect).run().expect("it can be checked");
    findings.assert();
    let cases = &findings.report.apis[0].cases;
    let others: Vec<&String> = cases.iter().filter(|case| case.verdict != Verdict::Pass).map(|case| &case.id).collect();
    assert!(others.is_empty(), "{others:?}");
    for operation in ["addAttachment", "addCover", "addNote", "sendMixed", "search", "find"] {
        let id = format!("forms/client/request/{operation}");
        assert!(cases.iter().any(|case| case.id == id), "{id}");
    }
    println!("{} cases of a generated client, all passed", cases.len());
}
