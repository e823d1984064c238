//! The arguments that select the client under test.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::drive::{Adapter, Connect, adapter};

/// Which client is checked.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct ClientArgs {
    /// Check the client that this program drives; implies `--side client`. It is started as it is, without a shell, and speaks
    /// the adapter protocol, which the README describes.
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["base_url", "mutant", "side"])]
    client: Option<String>,
    /// An argument of that program; may be given more than once.
    #[arg(long, value_name = "ARG", requires = "client", allow_hyphen_values = true)]
    client_arg: Vec<String>,
    /// Seconds that the program may take for an answer. A client that really waits after a 429 needs more than 30.
    #[arg(long, value_name = "SECONDS", requires = "client", default_value_t = adapter::DEFAULT_TIMEOUT.as_secs())]
    client_patience: u64,
}

impl ClientArgs {
    /// Returns whether a client other than keyfit's is checked.
    pub(crate) fn is_given(&self) -> bool {
        self.client.is_some()
    }

    /// Returns that client for an API.
    pub(crate) fn connect(&self, api: &str, redactor: &Redactor) -> Option<Arc<dyn Connect>> {
        let program = self.client.clone()?;
        let command = [program].into_iter().chain(self.client_arg.iter().cloned()).collect();
        let (api, redactor) = (api.to_owned(), redactor.clone());
        Some(Arc::new(Adapter { command, api, time_limit: Duration::from_secs(self.client_patience), redactor }))
    }
}
