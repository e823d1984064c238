//! The passes over the client document, in their order.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::client_document::{CallSettings, client_document};
use super::distinguished::DistinguishedUnion;
use super::enums::Enum;
use super::{
    GenerateOptions, NameFixes, alternatives, ambiguous, composition_limits, contradictions, defaults, dialect,
    distinguished, enums, forms, names, nullable, patch, read_only, replacements, request_schemas, response_schemas,
    sharing,
};
use crate::Api;
use crate::repair::Repairs;

/// The client document on its way to the generator, with the facts that the passes record for the code.
pub(crate) struct Draft<'a> {
    api: &'a Api,
    options: &'a GenerateOptions,
    fixes: &'a NameFixes,
    pub(crate) document: Value,
    /// The settings of calls, by the names of their functions.
    pub(crate) calls: HashMap<String, CallSettings>,
    /// The names of the components that requests use, from the pass on that splits the shared ones.
    requests: BTreeSet<String>,
    pub(crate) unions: Vec<DistinguishedUnion>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) repairs: Repairs,
}

/// A pass over the client document.
type Pass = fn(&mut Draft<'_>);

/// The passes. Each relies on those before it.
const PASSES: [Pass; 24] = [
    // With the document's schemas, names and keywords.
    |draft| forms::mark_files(&mut draft.document, &draft.calls, &mut draft.repairs),
    |draft| replacements::unwrap_extensions(&mut draft.document),
    |draft| distinguished::annotate(&mut draft.document, &mut draft.repairs),
    |draft| enums::annotate(&mut draft.document),
    |draft| {
        if !draft.options.all_types {
            sharing::keep_used(&mut draft.document);
        }
    },
    |draft| names::types(&mut draft.document, &mut draft.repairs),
    |draft| names::rename(&mut draft.document, &draft.fixes.renamed, &mut draft.repairs),
    // From here on, schemas are well-formed and of OpenAPI 3.0.
    |draft| dialect::convert(&mut draft.document, &mut draft.repairs),
    |draft| {
        if draft.fixes.without_titles {
            dialect::drop_titles(&mut draft.document);
        }
    },
    |draft| nullable::move_to_references(&mut draft.document),
    |draft| alternatives::merge(&mut draft.document, &mut draft.repairs),
    |draft| composition_limits::narrow(&mut draft.document, &mut draft.repairs),
    |draft| contradictions::narrow(&mut draft.document, &mut draft.repairs),
    |draft| {
        for (function, aliases) in names::arguments(&mut draft.document, &draft.api.operations, &mut draft.repairs) {
            draft.calls.entry(function).or_default().aliases = aliases;
        }
    },
    // From here on, a schema belongs to one side.
    |draft| draft.requests = sharing::split_shared(&mut draft.document, &mut draft.repairs),
    |draft| read_only::relax_required(&mut draft.document, &draft.requests, &mut draft.repairs),
    |draft| patch::annotate(&mut draft.document, draft.api, &mut draft.requests),
    |draft| defaults::document_only(&mut draft.document, &draft.requests),
    |draft| alternatives::distribute(&mut draft.document, &draft.requests),
    |draft| {
        draft.unions = distinguished::extract(&mut draft.document, &draft.requests);
        ambiguous::narrow_ambiguous(&mut draft.document, &draft.requests, &draft.unions, &mut draft.repairs);
    },
    |draft| alternatives::name_single_members(&mut draft.document, &draft.requests),
    |draft| draft.enums = enums::extract(&mut draft.document, &draft.requests),
    |draft| request_schemas::repair(&mut draft.document, &draft.requests, &mut draft.repairs),
    |draft| {
        let open = response_schemas::relax_responses(&mut draft.document, &draft.requests, &mut draft.repairs);
        draft.enums.extend(open);
    },
];

impl<'a> Draft<'a> {
    /// Derives the client document of an API, and runs all passes over it.
    pub(crate) fn prepare(api: &'a Api, options: &'a GenerateOptions, fixes: &'a NameFixes) -> Self {
        let mut repairs = api.repairs.clone();
        let client = client_document(api, &mut repairs);
        let mut draft = Self {
            api,
            options,
            fixes,
            document: client.document,
            calls: client.calls,
            requests: BTreeSet::new(),
            unions: Vec::new(),
            enums: Vec::new(),
            repairs,
        };
        for pass in PASSES {
            pass(&mut draft);
        }
        draft
    }
}
