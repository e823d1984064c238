//! Documents that nobody here wrote become contracts with one option at most, and the mock of each passes the check.

use std::path::Path;
use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::init::{Choices, scaffold};
use keyfit_openapi::{Source, Text};

use crate::common::{against_mock, broken, http};

/// Each with what is said of it to `keyfit init`, and how many operations of it are checked at most.
const DOCUMENTS: [(&str, &[&str], usize); 5] = [
    ("museum.yaml", &[], usize::MAX),
    ("qdrant.json", &[], usize::MAX),
    ("jupyterhub.yml", &[], usize::MAX),
    ("twilio-verify.json", &[], usize::MAX),
    // Of 862 operations.
    ("github-2022.json", &["bearer"], 60),
];

/// Documents with flows, and how many rules about the authorization server each has at least.
const FLOWS: [(&str, usize); 5] = [
    ("discord.json", 35),
    ("hubspot-lists.json", 20),
    ("paypal-orders-v2.json", 15),
    ("slack.json", 20),
    ("xero-files.yaml", 20),
];

/// The catalogue of the contract that a document becomes; `None` where the document is not there.
fn catalogue(file: &str, credentials: &[&str]) -> Option<Catalogue> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/documents");
    let Ok(text) = keyfit_openapi::read_text(&folder.join(file)) else {
        eprintln!("skipped: {file} is not there");
        return None;
    };
    let document = Text::new(file, text);
    let credentials = credentials.iter().map(|text| text.parse().expect("a choice")).collect();
    let choices = Choices { credentials, ..Choices::default() };
    let made = scaffold("wild", &document, &choices).unwrap_or_else(|failure| panic!("{file}: {failure}"));
    let source = Source {
        name: "wild".to_owned(),
        document,
        overlay: Some(Text::new("overlay.yaml", made.overlay)),
        contract: Some(Text::new("contract.toml", made.contract)),
    };
    Some(Catalogue::read(&source).unwrap_or_else(|failure| panic!("{file}: {failure}")))
}

/// Runs the cases against the mock; none is broken.
async fn passes(file: &str, catalogue: Catalogue) {
    let catalogue = Arc::new(catalogue);
    let outcomes = against_mock(&catalogue, None, &http()).await;
    let told: Vec<String> =
        broken(&catalogue, &outcomes).iter().map(|(case, why)| format!("{}: {why}", case.id)).collect();
    assert_eq!(told, [""; 0], "{file}");
    println!("{file}: {} cases passed", outcomes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flows_of_documents_of_others_are_served_by_their_mocks() {
    for (file, least) in FLOWS {
        let Some(mut catalogue) = catalogue(file, &[]) else { continue };
        catalogue.cases.retain(|case| case.id.starts_with("wild/oauth/"));
        assert!(catalogue.cases.len() >= least, "{file}: {}", catalogue.cases.len());
        passes(file, catalogue).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_others_become_contracts_and_their_mocks_pass() {
    for (file, credentials, most) in DOCUMENTS {
        let Some(mut catalogue) = catalogue(file, credentials) else { continue };
        let step = catalogue.api.operations.len().div_ceil(most).max(1);
        let kept: Vec<String> =
            catalogue.api.operations.iter().step_by(step).map(|operation| operation.id.clone()).collect();
        let api = Arc::clone(&catalogue.api);
        let operation = |id: &str| api.operations.iter().find(|operation| operation.id == id).expect("its operation");
        assert!(kept.iter().all(|id| !operation(id).security.sets().is_empty()), "{file}: nothing is open by mistake");
        let all = Arc::new(catalogue.clone());
        catalogue.cases.retain(|case| case.side == Side::Server && kept.contains(&all.operation(case).id));
        passes(file, catalogue).await;
    }
}
