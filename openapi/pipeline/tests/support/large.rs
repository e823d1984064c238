//! A large document that mixes the constructs of the corpus: each resource has operations and schemas of its own, and the
//! constructs change from one resource to the next.

use std::fmt::Write as _;

/// Paths of one resource, `%` stands for its number.
const PATHS: [&str; 10] = [
    "  /r%/{id}:\n    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n    get: {operationId: r%-get, summary: Gets one., responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/R%'}}}}, default: {description: odd, content: {application/json: {schema: {type: object}}}}}}\n    delete: {responses: {'204': {description: gone}, '404': {description: none}}}\n",
    "  /r%:\n    post: {operationId: r%Add, requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/R%'}}, application/xml: {schema: {type: string}}}}, responses: {'200': {description: there, content: {application/json: {schema: {$ref: '#/components/schemas/R%'}}}}, '201': {description: made}}}\n",
    "  /r%/search:\n    get: {operationId: r%.search, parameters: [{name: filter, in: query, style: deepObject, schema: {type: object, properties: {name: {type: string}, age: {type: integer}}}}, {name: sort, in: query, explode: false, schema: {type: array, items: {type: string}}}, {name: fooBar, in: query, schema: {type: string}}, {name: foo_bar, in: query, schema: {type: string}}], responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/R%'}}}}}}}\n",
    "  /r%/file:\n    put: {operationId: r%-upload, requestBody: {required: true, content: {multipart/form-data: {schema: {type: object, properties: {file: {type: string, format: binary}}}}}}, responses: {'202': {description: taken, content: {application/vnd.r+json: {schema: {$ref: '#/components/schemas/R%'}}}}}}\n    get: {operationId: r%-download, parameters: [{name: session, in: cookie, schema: {type: string}}], responses: {'200': {description: ok, content: {application/pdf: {}}}}}\n",
    "  /r%/lines:\n    post: {operationId: type-%, requestBody: {required: true, content: {application/x-ndjson: {schema: {type: string}}}}, responses: {'200': {description: ok, content: {application/json: {}}}}}\n",
    "  /r%/patch:\n    PATCH: {operationId: send-%, parameters: [{name: send, in: query, schema: {type: string}}, {name: X-Tags, in: header, schema: {type: array, items: {type: string}}}], requestBody: {content: {application/merge-patch+json: {schema: {$ref: '#/components/schemas/R%'}}}}, responses: {'200': {description: ok}}}\n",
    "  r%/plain:\n    get: {responses: {'200': {description: ok, content: {text/csv: {schema: {type: string}}}}}}\n",
    "  /r%/form:\n    post: {operationId: r%-form, requestBody: {required: true, content: {application/x-www-form-urlencoded: {schema: {type: object, required: [a], properties: {a: {type: string}, b: {type: integer}}}}}}, responses: {'200': {description: ok, content: {application/json: {schema: {oneOf: [{$ref: '#/components/schemas/R%'}, {type: string}]}}}}}}\n",
    "  /r%/again: {$ref: '#/paths/~1r%~1form'}\n  /r%/form:\n    get: {operationId: twice, responses: {'200': {description: ok, content: {application/json: {schema: {type: integer}}}}}}\n",
    "  /r%/options:\n    options: {operationId: options-%, responses: {'2XX': {description: ok}}}\n    trace: {responses: {default: {description: any}}}\n",
];

/// The schema of one resource.
const SCHEMAS: [&str; 7] = [
    "    R%: {type: object, required: [id], properties: {id: {type: string}, name: {type: string, maxLength: 40}, state: {type: string, enum: [on, ON, off]}, at: {type: string, format: date-time}}}\n",
    "    R%: {type: object, properties: {id: {type: string}, a-b: {type: string}, a_b: {type: integer}, '@type': {type: string}, type: {type: string}}}\n",
    "    R%: {allOf: [{type: object, properties: {id: {type: string}}}, {type: object, properties: {tags: {type: array, items: {type: string}}}}], not: {required: [x]}}\n",
    "    R%: {type: object, properties: {parent: {$ref: '#/components/schemas/R%'}, state: {type: string, enum: [a]}, n: {type: integer, default: many}}}\n    R%State: {type: string, enum: [b]}\n",
    "    R%: {oneOf: [{type: object, required: [cat], properties: {cat: {type: string}}}, {type: object, required: [dog], properties: {dog: {type: string}}}], discriminator: kind}\n",
    "    R%: {type: object, nullable: true, additionalProperties: {type: string}, properties: {extra: {type: string}, code: {type: string, pattern: '[a-z'}}}\n    r_%: {type: object, properties: {other: {type: string}}}\n",
    "    R%: {type: [object, 'null'], properties: {v: {const: 1}, w: {type: number, exclusiveMinimum: 0}, x: {anyOf: [{type: string}, {type: 'null'}]}}}\n",
];

/// A document with so many resources, each with one to three operations.
pub(crate) fn document(resources: usize) -> String {
    let mut text = String::from(
        "openapi: 3.1.0\ninfo: {title: Large, version: '1'}\nservers: [{url: 'https://api.example.com'}]\npaths:\n",
    );
    for number in 0..resources {
        let _ = write!(text, "{}", PATHS[number % PATHS.len()].replace('%', &number.to_string()));
    }
    text.push_str("components:\n  schemas:\n");
    for number in 0..resources {
        let _ = write!(text, "{}", SCHEMAS[number % SCHEMAS.len()].replace('%', &number.to_string()));
    }
    text
}
