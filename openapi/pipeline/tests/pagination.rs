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

/// The guess for a list with these parameters and this answer, as a hint; with a mark where it is certain.
fn guess(parameters: &[(&str, &str)], answer: &str, more: &str) -> Option<String> {
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, schema)| format!("{{name: '{name}', in: query, schema: {{{schema}}}}}"))
        .collect();
    let document = format!(
        "openapi: 3.0.3\ninfo: {{title: Shop, version: '1'}}\nservers: [{{url: https://shop.example}}]\npaths:\n  /things:\n    get:\n      operationId: list\n      parameters: [{}]\n      responses:\n        '200': {{description: Some., {more} content: {{application/json: {answer}}}}}\n",
        parameters.join(", ")
    );
    let document = Text::new("openapi.yaml", document);
    let api = Api::read(&Source { name: "shop".to_owned(), document: document.clone(), overlay: None, contract: None });
    let api = api.unwrap_or_else(|failure| panic!("{failure}"));
    let (_, guess) = api.guesses.first()?;
    let hint = guess.pagination.hint();
    assert_eq!(api.operations[0].pagination.is_some(), guess.is_certain, "{hint}");
    // What is proposed can be written into an overlay, and is read as it was meant.
    let overlay = format!(
        "overlay: 1.0.0\ninfo: {{title: Shop, version: '1'}}\nactions:\n  - target: $.paths['/things'].get\n    update: {{ x-keyfit: {{ {hint} }} }}\n"
    );
    let overlay = Some(Text::new("overlay.yaml", overlay));
    let written = Api::read(&Source { name: "shop".to_owned(), document, overlay, contract: None });
    let written = written.unwrap_or_else(|failure| panic!("{hint}: {failure}"));
    assert_eq!(written.operations[0].pagination.as_ref(), Some(&guess.pagination), "{hint}");
    assert!(written.guesses.is_empty());
    let remarked = api.repairs.iter().any(|repair| repair.rule == "looks-paged");
    assert_eq!(remarked, !guess.is_certain, "{hint}");
    let hint = hint.trim_start_matches("pages: { ").trim_end_matches(" }").replace('\'', "");
    Some(format!("{}{hint}", if guess.is_certain { "" } else { "? " }))
}

const THINGS: &str = "data: {type: array, items: {type: object, properties: {id: {type: string}}}}";

fn answer(members: &str) -> String {
    format!("{{schema: {{type: object, properties: {{{THINGS}, {members}}}}}}}")
}

#[test]
fn a_guess_needs_an_argument_and_what_belongs_to_it_in_the_answer() {
    let (text, int) = ("type: string", "type: integer");
    let link = "headers: {Link: {schema: {type: string}}},";
    let token = "headers: {X-Next-Page-Token: {schema: {type: string}}},";
    let list = "{schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}";
    let shown = "{schema: {type: object}, example: {items: [{id: 7}], totalCount: 9}}";
    for (parameters, answer, more, expected) in [
        (
            &[("cursor", text), ("limit", int)][..],
            answer("next_cursor: {type: string}"),
            "",
            "by: cursor, items: /data, next: /next_cursor, argument: cursor, limit: limit",
        ),
        (
            &[("after", text)],
            answer("paging: {type: object, properties: {next: {type: object, properties: {after: {type: string}}}}}"),
            "",
            "by: cursor, items: /data, next: /paging/next/after, argument: after",
        ),
        (
            &[("page[cursor]", text), ("page[size]", int)],
            answer(
                "links: {type: object, properties: {next: {type: string, format: uri}}}, included: {type: array, items: {}}",
            ),
            "",
            "by: cursor, items: /data, next: /links/next, argument: page[cursor], limit: page[size]",
        ),
        (
            &[("page", text), ("limit", int)],
            answer("next_page: {type: string}, has_more: {type: boolean}"),
            "",
            "by: cursor, items: /data, next: /next_page, argument: page, limit: limit, more: /has_more",
        ),
        (&[("page", int), ("per_page", int)], list.to_owned(), link, "by: link, limit: per_page"),
        (&[("per_page", int)], list.to_owned(), link, "? by: link, limit: per_page"),
        // The URL of the next page, as its format or an example says.
        (
            &[("limit", int)],
            answer(
                "_links: {type: object, properties: {next: {type: object, properties: {href: {type: string, format: uri}}}}}",
            ),
            "",
            "by: url, items: /data, next: /_links/next/href, limit: limit",
        ),
        (
            &[],
            answer("paging: {type: object, properties: {next: {type: string, format: uri}}}"),
            "",
            "by: url, items: /data, next: /paging/next",
        ),
        (
            &[("page", "type: integer, default: 1"), ("offset", int), ("limit", int)],
            answer("next: {type: string, format: uri, nullable: true}"),
            "",
            "by: url, items: /data, next: /next, limit: limit",
        ),
        (
            &[],
            answer("'@odata.nextLink': {type: string, example: 'https://shop.example/things?$skiptoken=2'}"),
            "",
            "? by: url, items: /data, next: /@odata.nextLink",
        ),
        (&[("page_token", text)], list.to_owned(), token, "by: header, next: X-Next-Page-Token, argument: page_token"),
        (
            &[("after", text)],
            answer("last_id: {type: string}, has_more: {type: boolean}"),
            "",
            "? by: cursor, items: /data, next: /last_id, argument: after, more: /has_more",
        ),
        (
            &[("starting_after", text), ("limit", int)],
            answer("has_more: {type: boolean}"),
            "",
            "? by: last-item, items: /data, next: /id, argument: starting_after, limit: limit, more: /has_more",
        ),
        (
            &[("page", "type: integer, default: 0"), ("pageSize", int)],
            answer("a: {type: string}"),
            "",
            "? by: page, items: /data, argument: page, first: 0, limit: pageSize",
        ),
        (
            &[("page", "type: integer, minimum: 1"), ("size", int)],
            list.to_owned(),
            "",
            "? by: page, argument: page, first: 1, limit: size",
        ),
        (
            &[("offset", int), ("limit", int)],
            answer("total: {type: integer}"),
            "",
            "? by: start, items: /data, argument: offset, limit: limit, total: /total",
        ),
        (
            &[("offset", int), ("limit", int)],
            shown.to_owned(),
            "",
            "? by: start, items: /items, argument: offset, limit: limit, total: /totalCount",
        ),
    ] {
        assert_eq!(guess(parameters, &answer, more).as_deref(), Some(expected));
    }
}

#[test]
fn where_one_side_is_missing_or_two_readings_fit_there_is_no_guess() {
    let (text, int) = ("type: string", "type: integer");
    let list = "{schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}".to_owned();
    let link = "headers: {Link: {schema: {type: string}}},";
    for (parameters, answer, more) in [
        // Nothing that the argument takes is handed out, or nothing takes what is.
        (&[("cursor", text)][..], answer("cursors: {type: string}"), ""),
        (&[("filter", text)], answer("next_cursor: {type: string}"), ""),
        (&[("filter", text)], list.clone(), link),
        // Whether it is a URL is not said.
        (&[("filter", text)], answer("next: {type: string}"), ""),
        (&[("filter", text)], answer("previous: {type: string, format: uri}"), ""),
        // An `after` that is a date.
        (&[("after", "type: string, format: date-time")], answer("has_more: {type: boolean}"), ""),
        (&[("after", text), ("limit", int)], list.clone(), ""),
        // Nobody says whether pages begin with 0 or with 1, or what a page is.
        (&[("page", int), ("per_page", int)], list.clone(), ""),
        (&[("page", "type: integer, default: 1")], list.clone(), ""),
        (&[("offset", text), ("limit", int)], list.clone(), ""),
        // A name that its description contradicts.
        (
            &[
                ("page", "type: integer, default: 1}, description: 'How many records to skip.', x-a: {"),
                ("per_page", int),
            ],
            list.clone(),
            "",
        ),
        (&[("offset", "type: integer}, description: 'The page number.', x-a: {"), ("limit", int)], list.clone(), ""),
        // Two ways, of which one may have to be switched on.
        (&[("marker", text), ("offset", int), ("limit", int)], answer("next_marker: {type: string}"), ""),
        (&[("page", "type: integer, default: 1"), ("offset", int), ("limit", int)], answer("a: {type: string}"), ""),
        // Two lists.
        (&[("cursor", text)], answer("next_cursor: {type: string}, others: {type: array, items: {}}"), ""),
        // No list.
        (&[("cursor", text)], "{schema: {type: object, properties: {next_cursor: {type: string}}}}".to_owned(), ""),
    ] {
        assert_eq!(guess(parameters, &answer, more), None, "{parameters:?} {answer}");
    }
}

#[test]
fn an_overlay_says_that_an_operation_does_not_page() {
    let api = read("$.paths['/things'].get", "by: none").expect("a word that is known");
    assert!(api.operations[0].pagination.is_none());
    assert!(api.guesses.iter().all(|(id, _)| id != "list-things"));
}

/// Documents of other people: how many lists are found, of what form.
#[test]
fn lists_of_documents_in_the_wild_are_found() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/documents");
    for (name, certain, likely) in [
        ("box.json", 37, 11),
        ("discord.json", 0, 2),
        ("hubspot-lists.json", 2, 0),
        ("klaviyo-stable.json", 112, 0),
        ("messagebird-sms.yaml", 0, 1),
    ] {
        let Ok(text) = keyfit_openapi::read_text(&folder.join(name)) else {
            eprintln!("skipped: {name} is not there");
            continue;
        };
        let document = Text::new(name, text);
        let source = Source { name: "document".to_owned(), document, overlay: None, contract: None };
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let found = api.guesses.iter().filter(|(_, guess)| guess.is_certain).count();
        assert_eq!((found, api.guesses.len() - found), (certain, likely), "{name}");
    }
}
