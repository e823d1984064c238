//! A crate outside the workspace whose build script generates its client from what is packaged.

keyfit::client!(
    /// The API of our parcels.
    pub mod parcels
);

#[cfg(test)]
keyfit::client!(mod keyless);

#[cfg(test)]
mod tests {
    use super::{keyless, parcels};

    #[test]
    fn the_client_keeps_its_contract() {
        keyfit_conformance::check("api/parcels").client(parcels::connect).assert();
    }

    #[test]
    fn the_contract_fits_its_document() {
        keyfit_conformance::check("api/parcels").assert();
    }

    #[test]
    fn a_client_that_sends_no_key_is_found_out() {
        let findings = keyfit_conformance::check("api/parcels").client(keyless::connect).run().expect("it can be checked");
        assert!(!findings.passed() && findings.to_string().contains("FAIL parcels.client.request, 3 cases"), "{findings}");
    }
}
