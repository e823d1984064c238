//! The contract as an integration test, which sees what every build has: `--dispatch always`.

#[test]
fn the_client_keeps_its_contract() {
    keyfit_conformance::check("api/parcels").client(checked_in::parcels::connect).assert();
}
