//! The runtime under a client: tasks, waits and clocks. Tokio on native targets, the event loop of JavaScript on
//! WebAssembly. Both have the same names, so that all else is written once.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::*;
#[cfg(target_family = "wasm")]
pub(crate) use web::*;
