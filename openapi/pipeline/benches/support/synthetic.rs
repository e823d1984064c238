//! A document of any size that is compared with another state of itself.

use std::fmt::Write as _;

/// A document of many operations over many schemas that refer to each other; of the changed one every tenth operation
/// needs another scope, every tenth schema has another member, and every tenth refusal is gone.
pub(crate) fn document(size: usize, is_changed: bool) -> String {
    let mut paths = String::from("openapi: 3.0.3\ninfo: {title: Big, version: 1.0.0}\npaths:\n");
    let mut schemas = String::from("components:\n  schemas:\n");
    let mut index = 0;
    while paths.len() + schemas.len() < size {
        let is_other = is_changed && index % 10 == 0;
        let scopes = if is_other { "read, write" } else { "read" };
        let refusal = if is_other { "409" } else { "404" };
        let next = (index * 7 + 1) % (index + 1);
        let _ = write!(
            paths,
            "  /things{index}/{{id}}:\n    put:\n      operationId: things{index}-put\n      security: [{{login: [{scopes}]}}]\n      \
             parameters:\n        - {{name: id, in: path, required: true, schema: {{type: string, maxLength: 40}}}}\n        \
             - {{name: page, in: query, schema: {{type: integer, minimum: 1, default: 1}}}}\n      requestBody:\n        \
             content: {{application/json: {{schema: {{$ref: '#/components/schemas/Thing{index}'}}}}}}\n      responses:\n        \
             '200':\n          description: The thing\n          headers: {{X-RateLimit-Remaining: {{schema: {{type: integer}}}}}}\n          \
             content: {{application/json: {{schema: {{$ref: '#/components/schemas/Thing{index}'}}}}}}\n        '{refusal}': {{description: No}}\n"
        );
        let _ =
            write!(schemas, "    Thing{index}:\n      type: object\n      required: [id, name]\n      properties:\n");
        if is_other {
            schemas.push_str("        extra: {type: string}\n");
        }
        let _ = write!(
            schemas,
            "        id: {{type: string, format: uuid}}\n        name: {{type: string, minLength: 1, maxLength: 200}}\n        \
             kind: {{type: string, enum: [small, middle, large]}}\n        next: {{$ref: '#/components/schemas/Thing{next}'}}\n        \
             others: {{type: array, items: {{$ref: '#/components/schemas/Thing{next}'}}}}\n"
        );
        index += 1;
    }
    paths + &schemas
}
