//! The rows of a file through a batch writer, each with exactly one outcome: contacts and events into a data source, and items of
//! any API.

mod args;
mod input;
mod job;
mod output;
#[cfg(feature = "nats")]
mod queue;
mod report;
mod roles;
mod run;
mod state;

pub(crate) use self::args::{ImportArgs, InputArgs};
pub(crate) use self::input::{Input, Reader, hex};
pub(crate) use self::job::{Cells, ImportJob};
#[cfg(feature = "nats")]
pub(crate) use self::queue::{DrainJob, drain_queue, fill_queue};
pub(crate) use self::run::{feed, in_runtime, run};
pub(crate) use self::state::Target;
