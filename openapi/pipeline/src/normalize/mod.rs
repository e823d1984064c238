//! The repairs that turn a published document into one that can be read without exceptions. Every change is recorded as a
//! [`Repair`](crate::Repair).

pub(crate) mod base_urls;
mod dangling;
pub(crate) mod ids;
mod parameter_shapes;
mod parameters;
mod paths;
mod references;
mod requests;
mod responses;
pub(crate) mod servers;
mod structure;

pub(crate) use parameter_shapes::{STYLE, delimited};
pub(crate) use parameters::{
    PATH_GUARD, TRANSPORT_HEADERS, is_pattern, remove_operation, template_names, unchecked_reason, unguarded,
};
pub(crate) use references::percent_decoded;
use serde_json::Value;

use crate::Error;
use crate::anchors;
use crate::lint;
use crate::load::LocatedDocument;
use crate::path_key;
use crate::repair::Repairs;

/// A part of a document for which no client method is generated.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Unsupported {
    /// The operation's method and path.
    pub operation: String,
    /// Its id, if the document gives it one.
    #[serde(skip)]
    pub id: Option<String>,
    /// The reason: the feature that cannot be expressed.
    pub reason: String,
}

/// Repairs the document in place and returns the operations that had to be set aside.
pub(crate) fn normalize(
    located: &LocatedDocument,
    document: &mut Value,
    repairs: &mut Repairs,
) -> Result<Vec<Unsupported>, Error> {
    structure::text_versions(document, repairs);
    paths::repair(document, repairs);
    anchors::resolve_anchors(document, repairs);
    references::decode(document, repairs);
    let mut unsupported = dangling::resolve(document, repairs);
    lint::parts(located, document)?;
    structure::stray_keys(document, repairs);
    lint::references(located, document)?;
    lint::compositions(located, document)?;
    references::name_targets(document, repairs);
    unsupported.extend(paths::set_aside(document, repairs));
    ids::fill(document, repairs);
    parameters::inline(document, repairs);
    path_key::convert_queries(document, repairs);
    parameters::complete(document, repairs);
    unsupported.extend(parameter_shapes::rewrite(document, repairs));
    requests::single_media_type(document, repairs);
    responses::without_bodies(document, repairs);
    parameters::guard(document, repairs);
    Ok(unsupported)
}
