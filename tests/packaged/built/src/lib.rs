//! A crate outside the workspace whose build script generates its client from what is packaged.

keyfit::client!(
    /// The API of our parcels.
    pub mod parcels
);

#[cfg(test)]
keyfit::client!(mod keyless);
#[cfg(test)]
keyfit::client!(mod misplaced);

#[cfg(test)]
mod tests {
    use keyfit::RetryPolicy;
    use keyfit_conformance::{Findings, check};

    use super::{keyless, misplaced, parcels};

    fn finds(findings: Result<Findings, keyfit_conformance::UserError>, rule: &str, cases: usize) {
        let findings = findings.expect("it can be checked");
        let text = findings.to_string();
        let told = [format!("must parcels.client.{rule}: "), format!("({cases} case")];
        assert!(!findings.passed() && told.iter().all(|told| text.contains(told)), "{text}");
    }

    #[test]
    fn the_client_keeps_its_contract() {
        check("api/parcels").client(parcels::connect).assert();
    }

    #[test]
    fn the_contract_fits_its_document() {
        check("api/parcels").assert();
    }

    #[test]
    fn a_client_that_sends_no_key_is_found_out() {
        finds(check("api/parcels").client(keyless::connect).run(), "request", 3);
    }

    #[test]
    fn a_client_that_sends_its_key_elsewhere_is_found_out() {
        finds(check("api/parcels").client(misplaced::connect).run(), "request", 3);
    }

    #[test]
    fn a_client_that_does_not_try_again_is_found_out() {
        let impatient = |config: keyfit::Config, access| parcels::connect(config.retry(RetryPolicy::never()), access);
        finds(check("api/parcels").client(impatient).run(), "repeated", 2);
    }
}
