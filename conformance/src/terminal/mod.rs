//! The terminal: output, exit codes, and interrupts.

pub(crate) mod console;
pub(crate) mod exit;
pub(crate) mod interrupt;
