//! The APIs that ship with this crate, as data.

use super::{Access, Dispatch};
use crate::client::Config;
use crate::error::Error;

/// The files of an API that ships: what its client was generated from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Shipped {
    /// The name of its folder: `instasent-ingest`.
    pub name: &'static str,
    /// The OpenAPI document.
    pub document: File,
    /// The additions to the document, as an OpenAPI Overlay.
    pub overlay: Option<File>,
    /// The auth and error contract.
    pub contract: Option<File>,
    /// Makes a client; its credential is taken as one of the kind that the contract names first.
    pub connect: fn(Config, Access) -> Result<Box<dyn Dispatch>, Error>,
}

/// A file of an API's folder.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct File {
    /// Its name in the folder.
    pub name: &'static str,
    /// The text of the file.
    pub text: &'static str,
}

/// The APIs that are compiled in, in the order of their names.
pub const SHIPPED: &[Shipped] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// Connects to one of the APIs that are compiled in by its folder's name.
///
/// # Errors
/// Returns an error if the API is unknown or not compiled in, and for what the typed constructors refuse.
pub fn connect(name: &str, config: Config, access: Access) -> Result<Box<dyn Dispatch>, Error> {
    let shipped = SHIPPED.iter().find(|shipped| shipped.name == name);
    let shipped =
        shipped.ok_or_else(|| Error::configuration(format!("there is no API called `{name}` in this build")))?;
    (shipped.connect)(config, access)
}
