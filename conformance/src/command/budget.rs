//! A rate budget that programs share: `--budget`.

use keyfit::Config;
use keyfit_conformance::UserError;

/// Sets the shared budget of a client.
#[cfg(feature = "valkey")]
pub(super) async fn with_budget(config: Config, given: &str) -> Result<Config, UserError> {
    use keyfit::budget::ValkeyBudget;
    use reqwest::Url;

    let url = match given.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| UserError::new(format!("--budget cannot be read: {error}")).at(file))?,
        None if Url::parse(given).is_ok_and(|url| !url.username().is_empty() || url.password().is_some()) => {
            return Err(UserError::new(
                "the URL of --budget holds a login, which other users of this machine can read",
            )
            .help("write the URL into a file, and give --budget @FILE"));
        }
        None => given.to_owned(),
    };
    let budget = ValkeyBudget::connect(url.trim(), "keyfit").await;
    Ok(config.budget(budget.map_err(|error| UserError::new(error.to_string()))?))
}

/// Returns an error: this build has no shared budgets.
#[cfg(not(feature = "valkey"))]
#[expect(clippy::unused_async, reason = "with the feature there is something to wait for")]
pub(super) async fn with_budget(_: Config, _: &str) -> Result<Config, UserError> {
    Err(UserError::new("this keyfit was built without shared budgets")
        .help("build it with `cargo install keyfit-conformance --features valkey`"))
}
