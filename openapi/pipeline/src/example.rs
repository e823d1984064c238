//! Example values that fit a schema: the arguments of a valid request, for tests, probes and the mock.

mod combined_schema;
mod maker;
mod numbers;

use serde_json::{Map, Value};

use self::maker::{ExampleMaker, MAX_LISTED, is_stringified, own_examples};
use crate::operation::Operation;
use crate::schema::Direction;
use crate::{Api, pointer, walk};

/// The budget of one example: the values that are made, copied and validated for it, and its texts by every 64 bytes.
const EXAMPLE_BUDGET: usize = 60_000;

/// The budget of all examples of a document.
const DOCUMENT_BUDGET: usize = 1_000_000;

/// An example request that is made from the document alone.
#[derive(Clone, Debug, Default)]
pub struct ExampleRequest {
    /// The value of each parameter under its name, and the body under `body`. Optional parameters are included.
    pub arguments: Map<String, Value>,
    /// The reason why the request may not be valid: a required value that could not be made.
    pub gap: Option<String>,
    /// True if the body has made-up texts or numbers: they fit the schema, but may name a resource that does not exist.
    pub is_made_up: bool,
}

/// Returns a request for an operation; its `gap` is `None` if it is known to be valid.
pub fn request(api: &Api, operation: &Operation) -> ExampleRequest {
    let mut left = EXAMPLE_BUDGET;
    request_within(api, operation, &mut left)
}

/// Returns a request for each operation of a document, within the budget of the document.
pub fn requests(api: &Api) -> Vec<ExampleRequest> {
    let mut left = DOCUMENT_BUDGET;
    let request = |operation| {
        let mut own = left.min(EXAMPLE_BUDGET);
        left -= own;
        let request = request_within(api, operation, &mut own);
        left += own;
        request
    };
    api.operations.iter().map(request).collect()
}

/// Returns the arguments of the smallest valid request: without optional values and without values that have a default.
/// Returns `None` if no such request can be made.
pub fn minimal_arguments(api: &Api, operation: &Operation) -> Option<Map<String, Value>> {
    let mut maker = ExampleMaker::new(&api.document, Direction::Request, EXAMPLE_BUDGET);
    let mut arguments = maker.parameters(api, operation);
    arguments.retain(|name, _| operation.parameters.iter().any(|known| known.name == *name && known.required));
    if let Some(body) = operation.body.as_ref().filter(|body| body.required) {
        maker.is_sparse = true;
        arguments.insert("body".to_owned(), maker.attempt(&body.schema));
    }
    maker.gap.is_none().then_some(arguments)
}

/// Returns the parameters of an example request, without its body.
pub fn parameters(api: &Api, operation: &Operation) -> Map<String, Value> {
    ExampleMaker::new(&api.document, Direction::Request, EXAMPLE_BUDGET).parameters(api, operation)
}

fn request_within(api: &Api, operation: &Operation, left: &mut usize) -> ExampleRequest {
    let mut maker = ExampleMaker::new(&api.document, Direction::Request, *left);
    let mut arguments = maker.parameters(api, operation);
    let mut is_made_up = false;
    if let Some(body) = &operation.body {
        let content = format!("{}/requestBody/content", operation.pointer());
        let media = api.document.pointer(&pointer::join(&content, &body.media_type));
        let example = media.and_then(|media| {
            // An example that the schema does not accept is not a valid request.
            let own = walk::resolve(&api.document, &body.schema);
            let mut told = own_examples(media).filter(|example| !is_stringified(own, example)).take(MAX_LISTED);
            told.find(|example| maker.fits(&[&body.schema], example))
        });
        let example = example.and_then(|example| maker.copy(example));
        let before = maker.gap.take();
        maker.is_made_up = false;
        arguments.insert("body".to_owned(), example.unwrap_or_else(|| maker.valid_value(&body.schema)));
        is_made_up = maker.is_made_up;
        maker.gap = before.or_else(|| Some(format!("the body: {}", maker.gap.take()?)));
    }
    *left = maker.left;
    ExampleRequest { arguments, gap: maker.gap, is_made_up }
}

/// Returns the arguments of an example request for an operation; see [`request`].
pub fn arguments(api: &Api, operation: &Operation) -> Map<String, Value> {
    request(api, operation).arguments
}

/// Returns a value that fits the schema: its `example`, `default` or first `enum` value if it has one, otherwise a value made
/// from its type and limits. Optional properties are included, unless no fitting value with them is known. Properties that
/// are not sent in this direction are left out.
pub fn value(api: &Api, direction: Direction, schema: &Value) -> Value {
    ExampleMaker::new(&api.document, direction, EXAMPLE_BUDGET).valid_value(schema)
}

#[cfg(test)]
mod tests;
