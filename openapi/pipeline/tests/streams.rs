//! Answers and bodies that are one item after another: what documents mean by a schema beside them, what an overlay may say of them,
//! and how changes of them are found.

use keyfit_openapi::diff::{Document, Level, diff};
use keyfit_openapi::{Api, Framing, Source, Text, framing, generate};

/// A document whose one operation takes and answers with this.
fn document(version: &str, body: &str, content: &str) -> String {
    let body = if body.is_empty() {
        String::new()
    } else {
        format!("      requestBody: {{ required: true, content: {body} }}\n")
    };
    format!(
        "openapi: {version}\n\
         info: {{ title: Depot, version: '1' }}\n\
         servers: [{{ url: https://depot.example }}]\n\
         paths:\n  /moves:\n    post:\n      operationId: move\n{body}      \
         responses: {{ '200': {{ description: done, content: {content} }} }}\n\
         components:\n  schemas:\n    \
         Move: {{ type: object, required: [parcel], properties: {{ parcel: {{ type: integer }} }} }}\n    \
         Word: {{ type: object, required: [word], properties: {{ word: {{ type: string }} }} }}\n    \
         Ask: {{ type: object, required: [text], properties: {{ text: {{ type: string }}, stream: {{ type: [boolean, 'null'] }} }} }}\n"
    )
}

fn source(document: String, hints: &str) -> Source {
    let overlay = format!("overlay: 1.0.0\ninfo: {{ title: Hints, version: '1' }}\nactions:\n{hints}");
    let overlay = (!hints.is_empty()).then(|| Text::new("overlay.yaml", overlay));
    Source { name: "depot".to_owned(), document: Text::new("openapi.yaml", document), overlay, contract: None }
}

/// What the one call answers with, as the surface of the client has it.
fn answer(version: &str, content: &str) -> String {
    let generated = generate(&source(document(version, "", content), "")).unwrap_or_else(|failure| panic!("{failure}"));
    let line = generated.surface.lines().find(|line| line.contains("-> ")).unwrap_or_default();
    let (_, answer) = line.split_once("-> ").unwrap_or_default();
    answer.replace("Result<keyfit::Response<", "<").replace(">, keyfit::Error>", ">")
}

const MOVE: &str = "{ $ref: '#/components/schemas/Move' }";

#[test]
fn a_schema_beside_a_stream_is_that_of_an_item() {
    for media_type in [
        "application/x-ndjson",
        "application/jsonl",
        "application/json-seq",
        "application/stream+json",
        "application/geo+json-seq",
    ] {
        assert_ne!(framing(media_type), None, "{media_type}");
        let lines = "<keyfit::JsonLines<types::Move>>";
        assert_eq!(answer("3.1.0", &format!("{{ {media_type}: {{ schema: {MOVE} }} }}")), lines, "{media_type}");
        assert_eq!(answer("3.2.0", &format!("{{ {media_type}: {{ itemSchema: {MOVE} }} }}")), lines, "{media_type}");
        // The whole is a list.
        let whole = format!("{{ {media_type}: {{ schema: {{ type: array, items: {MOVE} }} }} }}");
        assert_eq!(answer("3.2.0", &whole), lines, "{media_type}");
        // One text, which its reader takes apart.
        for text in ["schema: { type: string }", "schema: {}", ""] {
            let text = format!("{{ {media_type}: {{ {text} }} }}");
            assert_eq!(answer("3.1.0", &text), "<keyfit::ByteStream>", "{media_type}");
        }
    }
    for (media_type, expected) in [
        ("application/json", None),
        ("application/vnd.pets+json", None),
        ("text/event-stream; charset=utf-8", Some(Framing::Events)),
        ("Application/X-NDJSON", Some(Framing::Lines)),
    ] {
        assert_eq!(framing(media_type), expected, "{media_type}");
    }
}

#[test]
fn events_are_described_by_their_data_or_whole() {
    let json = "contentMediaType: application/json, contentSchema";
    let (text, moves) = ("<keyfit::EventStream<String>>", "<keyfit::EventStream<types::Move>>");
    for (version, said, expected) in [
        ("3.0.3", format!("schema: {MOVE}"), moves),
        ("3.1.0", format!("schema: {{ type: array, items: {MOVE} }}"), moves),
        ("3.1.0", "schema: { type: string }".to_owned(), text),
        ("3.1.0", String::new(), text),
        (
            "3.1.0",
            format!("schema: {{ type: object, properties: {{ data: {MOVE}, event: {{ type: string }} }} }}"),
            moves,
        ),
        ("3.1.0", format!("schema: {{ type: object, properties: {{ data: {MOVE} }} }}"), moves),
        // It has a member that no event has: it is what the data holds.
        (
            "3.1.0",
            format!(
                "schema: {{ type: object, title: Other, properties: {{ data: {MOVE}, seen: {{ type: boolean }} }} }}"
            ),
            "<keyfit::EventStream<types::Other>>",
        ),
        ("3.2.0", format!("itemSchema: {{ properties: {{ data: {{ type: string, {json}: {MOVE} }} }} }}"), moves),
        ("3.2.0", "itemSchema: { properties: { data: { type: string }, id: { type: string } } }".to_owned(), text),
        (
            "3.2.0",
            format!(
                "itemSchema: {{ required: [event], oneOf: [{{ properties: {{ event: {{ const: a }}, data: {{ {json}: {MOVE} }} }} }}, \
                 {{ properties: {{ event: {{ const: b }}, data: {{ {json}: {MOVE} }} }} }}] }}"
            ),
            moves,
        ),
        // Some of it is no JSON.
        (
            "3.2.0",
            format!(
                "itemSchema: {{ oneOf: [{{ properties: {{ event: {{ const: a }}, data: {{ {json}: {MOVE} }} }} }}, \
                 {{ properties: {{ event: {{ const: b }}, data: {{ type: string }} }} }}] }}"
            ),
            text,
        ),
    ] {
        assert_eq!(answer(version, &format!("{{ text/event-stream: {{ {said} }} }}")), expected, "{said}");
    }
}

#[test]
fn a_stream_beside_a_whole_answer_is_a_method_of_its_own() {
    let both = answer(
        "3.1.0",
        "{ application/json: { schema: { $ref: '#/components/schemas/Word' } }, text/event-stream: { schema: { $ref: '#/components/schemas/Move' } } }",
    );
    assert_eq!(both, "<types::Word>, or by `stream` <keyfit::EventStream<types::Move>>");
    let bytes = answer("3.1.0", &format!("{{ audio/mpeg: {{}}, text/event-stream: {{ schema: {MOVE} }} }}"));
    assert_eq!(bytes, "<keyfit::ByteStream>, or by `stream` <keyfit::EventStream<types::Move>>");
}

#[test]
fn what_asks_for_a_stream_and_what_ends_it_is_for_the_overlay_to_say() {
    let ask = "{ application/json: { schema: { $ref: '#/components/schemas/Ask' } } }";
    let both = format!("{{ application/json: {{ schema: {MOVE} }}, text/event-stream: {{ schema: {MOVE} }} }}");
    let read = |content: &str, target: &str, hint: &str| {
        let action = format!("  - target: {target}\n    update: {{ x-keyfit: {{ stream: {hint} }} }}\n");
        let api =
            Api::read(&source(document("3.1.0", ask, content), &action)).map_err(|failure| failure.to_string())?;
        let streaming = api.operations[0].streaming.as_ref();
        Ok::<_, String>(streaming.map(|streaming| (streaming.end.clone(), streaming.switch.clone())))
    };
    let (operation, root) = ("$.paths['/moves'].post", "$");
    let hint = "{ end: '[END]', switch: /stream }";
    let known = Some((Some("[END]".to_owned()), Some("/stream".to_owned())));
    assert_eq!(read(&both, operation, hint), Ok(known.clone()));
    assert_eq!(read(&both, root, hint), Ok(known));
    // For all operations it counts where it fits.
    assert_eq!(read(&both, root, "{ switch: /streamed }"), Ok(Some((None, None))));
    assert_eq!(read(&format!("{{ application/json: {{ schema: {MOVE} }} }}"), root, hint), Ok(None));
    for (content, hint, said) in [
        (&*both, "{ switch: /text }", "`/text` leads to no boolean member of the body"),
        (&*both, "{ switch: /streamed }", "`/streamed` leads to no boolean member of the body"),
        (&*both, "{ ends: x }", "unknown field `ends`"),
        ("{ application/json: {} }", "{ end: x }", "no success of the operation is a stream of items"),
    ] {
        let failure = read(content, operation, hint).expect_err(hint);
        assert!(failure.contains(said) && failure.contains("/paths/~1moves/post/x-keyfit"), "{hint}: {failure}");
    }
}

#[test]
fn a_body_of_json_texts_takes_many_items() {
    let of = |body: &str| {
        let content = "{ application/json: { schema: { $ref: '#/components/schemas/Word' } } }";
        generate(&source(document("3.2.0", body, content), "")).unwrap_or_else(|failure| panic!("{failure}")).code
    };
    for said in
        [format!("schema: {{ type: array, items: {MOVE} }}"), format!("itemSchema: {MOVE}"), format!("schema: {MOVE}")]
    {
        let code = of(&format!("{{ application/x-ndjson: {{ {said} }} }}"));
        assert!(
            code.contains("I: ::std::iter::IntoIterator<Item = types::Move>") && code.contains("fn body_stream"),
            "{said}"
        );
        assert!(code.contains("Framing::Lines") && !code.contains("fn body<"), "{said}");
    }
    assert!(of(&format!("{{ application/json-seq: {{ itemSchema: {MOVE} }} }}")).contains("Framing::Sequence"));
    assert!(!of("{ application/x-ndjson: { schema: { type: string } } }").contains("body_items"));
}

#[test]
fn a_change_of_an_item_is_a_change_of_the_answer() {
    let changes = |old: &str, new: &str| {
        let read = |content: &str| {
            let text = document("3.2.0", "", content);
            Document::read(&Text::new("depot.yaml", text)).unwrap_or_else(|failure| panic!("{failure}"))
        };
        let findings = diff(&read(old), &read(new));
        findings.iter().map(|finding| (finding.rule.id, finding.rule.level >= Level::Breaking)).collect::<Vec<_>>()
    };
    let lines = |said: &str| format!("{{ application/jsonl: {{ {said} }} }}");
    let (moves, words) =
        ("itemSchema: { $ref: '#/components/schemas/Move' }", "itemSchema: { $ref: '#/components/schemas/Word' }");
    assert!(changes(&lines(moves), &lines(words)).iter().any(|(_, breaks)| *breaks));
    // Two ways to say the same.
    assert_eq!(changes(&lines(moves), &lines(&format!("schema: {{ type: array, items: {MOVE} }}"))), []);
    let events = |said: &str| format!("{{ text/event-stream: {{ {said} }} }}");
    let whole = |data: &str| {
        events(&format!("itemSchema: {{ type: object, required: [data], properties: {{ data: {data} }} }}"))
    };
    assert!(!changes(&whole("{ type: string }"), &whole("{ type: integer }")).is_empty());
    let content = |schema: &str| {
        whole(&format!("{{ type: string, contentMediaType: application/json, contentSchema: {schema} }}"))
    };
    assert!(!changes(&content(MOVE), &content("{ type: object, required: [other] }")).is_empty());
    assert_eq!(changes(&content(MOVE), &content(MOVE)), []);
}
