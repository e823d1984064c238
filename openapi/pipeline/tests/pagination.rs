//! What an overlay says of pages: read with what the document says of the places, and refused where it does not fit.

use keyfit_openapi::{Api, NextPage, PageArgument, Source, Text};

const SHOP: &str = "\
openapi: 3.1.0
info: {title: Shop, version: '1'}
servers: [{url: https://shop.example}]
paths:
  /things:
    get:
      operationId: list-things
      parameters:
        - {name: after, in: query, schema: {type: string}}
        - {name: limit, in: query, schema: {$ref: '#/components/schemas/Limit'}}
        - {name: X-Page, in: header, schema: {type: integer}}
      responses:
        '200':
          description: A page.
          content: {application/json: {schema: {$ref: '#/components/schemas/Page'}}}
  /search:
    post:
      operationId: search-things
      requestBody:
        content:
          application/json:
            schema: {type: object, properties: {page: {type: object, properties: {cursor: {type: string}}}}}
      responses:
        '200':
          description: A page.
          content: {application/json: {schema: {$ref: '#/components/schemas/Page'}}}
  /things/{id}:
    delete:
      operationId: drop-thing
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'204': {description: Gone.}}
components:
  schemas:
    Limit: {type: integer, maximum: 40}
    Page:
      allOf:
        - {type: object, required: [data], properties: {data: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}
        - {type: object, required: [meta], properties: {meta: {$ref: '#/components/schemas/Meta'}}}
    Meta:
      type: object
      required: [next, rows]
      properties:
        next: {type: [string, 'null']}
        total: {type: integer}
        rows: {type: [array, 'null'], items: {type: string}}
    Thing: {type: object, properties: {id: {type: string}}}
";

fn read(target: &str, hint: &str) -> Result<Api, String> {
    let overlay = format!(
        "overlay: 1.0.0\ninfo: {{title: Shop, version: '1'}}\nactions:\n  - target: {target}\n    update:\n      x-keyfit:\n        pages: {{{hint}}}\n"
    );
    let source = Source {
        name: "shop".to_owned(),
        document: Text::new("shop/openapi.yaml", SHOP),
        overlay: Some(Text::new("shop/overlay.yaml", overlay)),
        contract: None,
    };
    Api::read(&source).map_err(|failure| failure.to_string())
}

#[test]
fn a_hint_is_read_with_what_the_document_says_of_its_places() {
    let hint =
        "by: cursor, items: /data, next: /meta/next, argument: after, limit: limit, size: 20, total: /meta/total";
    let api = read("$.paths['/things'].get", hint).expect("a hint that fits");
    let pagination = api.operations[0].pagination.as_ref().expect("it pages");
    let next = NextPage::Cursor { at: "/meta/next".to_owned(), argument: PageArgument::Query("after".to_owned()) };
    assert_eq!((&pagination.next, pagination.items.as_str(), pagination.items_required), (&next, "/data", true));
    assert_eq!((pagination.page_size, pagination.largest_page), (Some(20), Some(40)), "the document has the maximum");
    // A member that may be null, and one that the body is asked for by.
    let hint = "by: cursor, items: /meta/rows, next: /meta/next, argument: /page/cursor";
    let api = read("$.paths['/search'].post", hint).expect("a hint that fits");
    let pagination = api.operations[1].pagination.as_ref().expect("it pages");
    assert!(!pagination.items_required);
    assert_eq!(pagination.next.argument(), Some(&PageArgument::Body("/page/cursor".to_owned())));
}

#[test]
fn a_hint_that_does_not_fit_the_document_is_refused_with_its_place() {
    let things = "$.paths['/things'].get";
    for (target, hint, key, problem) in [
        (things, "by: link, items: /rows", "items", "the document has no `/rows`"),
        (things, "by: link", "items", "what is at `the body` in the answer is not a list"),
        (things, "by: link, items: /data, argument: after", "argument", "says nothing"),
        (things, "by: page, items: /data, argument: page", "argument", "no parameter `page` in its query"),
        (things, "by: page, items: /data, argument: X-Page", "argument", "no parameter `X-Page` in its query"),
        (things, "by: page, items: /data, argument: /page", "argument", "the document has no `/page`"),
        (things, "by: start, items: /data", "by", "`argument` is missing"),
        (things, "by: start, items: /data, argument: after, first: 1", "first", "says nothing"),
        (things, "by: cursor, items: /data, argument: after", "by", "`next` is missing"),
        (things, "by: cursor, items: /data, next: /next, argument: after", "next", "the document has no `/next`"),
        (things, "by: last-item, items: /data, next: /uid, argument: after", "next", "the document has no `/uid`"),
        (things, "by: header, items: /data, next: 'X Next', argument: after", "next", "not the name of a header"),
        (things, "by: link, items: /data, limit: size", "limit", "no parameter `size` in its query"),
        (things, "by: link, items: /data, size: 5", "size", "without `limit`"),
        (things, "by: link, items: /data, limit: limit, size: 41", "size", "larger than the largest, 40"),
        (things, "by: link, items: /data, total: /total", "total", "the document has no `/total`"),
        ("$.paths['/things/{id}'].delete", "by: link", "by", "no success with a JSON schema"),
        ("$.paths['/search'].post", "by: page, items: /data, argument: /page/number", "argument", "no `/page/number`"),
    ] {
        let message = read(target, hint).map(drop).expect_err(hint);
        assert!(message.contains(problem), "{hint}: {message}");
        assert!(message.contains(&format!("/x-keyfit/pages/{key}")) && message.contains("help: "), "{hint}: {message}");
    }
    for (hint, problem) in [
        ("by: pages", "unknown variant `pages`"),
        ("items: /data", "missing field `by`"),
        ("by: link, at: /a", "unknown field `at`"),
    ] {
        let message = read(things, hint).map(drop).expect_err(hint);
        assert!(message.contains(problem), "{message}");
    }
}
