//! Taking a client in that a build script generated.

/// Declares the module of a client that `build.rs` generated with `keyfit_openapi::build::client`.
///
/// ```ignore
/// keyfit::client!(
///     /// The API of our parcels.
///     pub mod parcels
/// );
/// ```
///
/// The module's name is that of the API's folder or document, with underscores for hyphens, or what `name` says in build.rs.
#[macro_export]
macro_rules! client {
    ($(#[$attribute:meta])* $visibility:vis mod $name:ident $(;)?) => {
        $(#[$attribute])*
        $visibility mod $name {
            ::core::include!(::core::concat!(
                ::core::env!("OUT_DIR", "a build script generates the client: build.rs calls `keyfit_openapi::build::client`"),
                "/keyfit/",
                ::core::stringify!($name),
                ".rs"
            ));
        }
    };
}
