//! The typed clients against a scripted server.

mod census;
mod error_bodies;
mod rotation;
mod safety;
mod support;
