//! What every generated call goes through: the checks before a request leaves, the one place that sends it, and what
//! becomes of its answer.

pub(crate) mod answer;
pub(crate) mod body;
mod failure;
mod problem;
pub(crate) mod redact;
mod scope;
mod transport;

pub(crate) use failure::{Failure, Fault, Withheld};
pub(crate) use problem::Problem;
pub(crate) use transport::Transport;
