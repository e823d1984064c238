//! Clients of two APIs, in a crate that is built for WebAssembly.

keyfit::client!(
    /// An API with an authorization server.
    pub mod guide
);
keyfit::client!(
    /// An API whose answers are streams.
    pub mod streams
);
