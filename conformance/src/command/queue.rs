//! The queue of `keyfit batch`: items that many workers send.

use std::path::PathBuf;

use clap::Args;
use keyfit::batch_writer::Builder;
use keyfit_conformance::UserError;
use reqwest::Url;
use serde::Serialize;

use crate::import::ImportJob;
use crate::terminal::exit::ExitStatus;

/// Which queue is filled, or emptied.
#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct QueueArgs {
    /// Put the items into this queue of NATS JetStream and send none: `nats://HOST:PORT/STREAM`, or `tls://`. It is made where there is
    /// none. Putting the same file twice within two minutes adds nothing.
    #[arg(long, value_name = "URL", conflicts_with_all = ["from", "checkpoint", "dry_run"])]
    to: Option<String>,
    /// Send the items of this queue, until it is empty: `nats://HOST:PORT/STREAM/CONSUMER`. All who send its items name one consumer.
    #[arg(long, value_name = "URL", conflicts_with_all = ["checkpoint", "dry_run", "format", "columns", "delimiter", "encoding"])]
    from: Option<String>,
    /// Log in to the queue by this file of credentials, as `nsc` writes them.
    #[arg(long, value_name = "FILE")]
    nats_credentials: Option<PathBuf>,
    /// Trust the certificates of this PEM file for the queue, in place of those of the system.
    #[arg(long, value_name = "FILE")]
    nats_ca: Option<PathBuf>,
    /// Wait for more items where the queue is empty, until an interrupt.
    #[arg(long, requires = "from")]
    follow: bool,
}

impl QueueArgs {
    /// Returns whether this run puts the items into a queue and does not send them.
    pub(super) fn fills_queue(&self) -> bool {
        self.to.is_some()
    }

    /// Returns whether the items come from a queue.
    pub(super) fn drains_queue(&self) -> bool {
        self.from.is_some()
    }

    /// Returns whether a queue is given.
    pub(super) fn uses_queue(&self) -> bool {
        self.fills_queue() || self.drains_queue()
    }

    /// Checks the options before anything is done.
    pub(super) fn check(&self) -> Result<(), UserError> {
        let Some(url) = self.to.as_ref().or(self.from.as_ref()) else {
            if self.nats_credentials.is_some() || self.nats_ca.is_some() {
                return Err(UserError::new("--nats-credentials and --nats-ca are about a queue, and none is given")
                    .help("give --to or --from, or leave them out"));
            }
            return Ok(());
        };
        if Url::parse(url).is_ok_and(|url| !url.username().is_empty() || url.password().is_some()) {
            return Err(UserError::new(
                "the URL of the queue holds a login, which other users of this machine can read",
            )
            .help("leave it out, and give --nats-credentials FILE"));
        }
        if cfg!(feature = "nats") {
            return Ok(());
        }
        Err(UserError::new("this keyfit was built without queues")
            .help("build it with `cargo install keyfit-conformance --features nats`"))
    }

    /// Fills or drains the queue.
    #[cfg(feature = "nats")]
    pub(super) async fn run<T: Serialize>(
        &self,
        job: ImportJob,
        builder: Builder<T>,
        json: bool,
    ) -> Result<ExitStatus, UserError> {
        use keyfit::batch_writer::jetstream::Address;

        use crate::import::{DrainJob, drain_queue, fill_queue};

        let url = self.to.as_ref().or(self.from.as_ref()).map_or("", String::as_str);
        let address = Address::parse(url).map_err(|error| UserError::new(error.to_string()))?;
        let address = self.nats_credentials.iter().fold(address, Address::credentials);
        let address = self.nats_ca.iter().fold(address, Address::certificates);
        if self.fills_queue() {
            return fill_queue(job, builder, address, json).await;
        }
        drain_queue(builder, DrainJob { address, is_following: self.follow, json }).await
    }

    /// Returns an error: this build has no queues.
    #[cfg(not(feature = "nats"))]
    #[expect(clippy::unused_async, reason = "with the feature there is something to wait for")]
    pub(super) async fn run<T: Serialize>(
        &self,
        _: ImportJob,
        _: Builder<T>,
        _: bool,
    ) -> Result<ExitStatus, UserError> {
        self.check().map(|()| ExitStatus::Incomplete)
    }
}
