//! Secrets in AWS Secrets Manager.
//!
//! The service is spoken to directly, because the versions of AWS's own crates that build with this crate's minimum Rust
//! bring a second major version of `http`. What is left out is AWS's chain of credential providers; its command line
//! tool stands in for it:
//!
//! ```
//! # #[cfg(feature = "command-source")]
//! # fn main() -> Result<(), keyfit::Error> {
//! use keyfit::auth::source::CommandSource;
//! use keyfit::auth::source::aws::{Credentials, SecretsManager};
//!
//! // Profiles, SSO, roles of machines and containers: all that `aws` knows.
//! let export = CommandSource::new("aws").arg("configure").arg("export-credentials");
//! let store = SecretsManager::new("eu-west-1", Credentials::from_json(export))?;
//! let source = store.secret("product/api").field("api_key");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "command-source"))]
//! # fn main() {}
//! ```

mod credentials;
mod secrets_manager;
mod signature;

pub use credentials::Credentials;
pub use secrets_manager::{SecretsManager, SecretsManagerSource};
