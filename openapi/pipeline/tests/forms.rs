//! Bodies that are forms: their types, and how their members are written.

use keyfit_openapi::{Api, BodyFormat, FormMember, Generated, ListStyle, Source, Text, generate};

fn source(document: &str) -> Source {
    Source { name: "forms".to_owned(), document: Text::new("forms.yaml", document), overlay: None, contract: None }
}

fn generated(document: &str) -> Generated {
    generate(&source(document)).unwrap_or_else(|failure| panic!("{failure}"))
}

/// The members of the form of the first operation.
fn members(document: &str) -> (BodyFormat, Vec<FormMember>) {
    let api = Api::read(&source(document)).unwrap_or_else(|failure| panic!("{failure}"));
    let body = api.operations[0].body.as_ref().expect("a body");
    (body.format(&api), body.form_members(&api))
}

/// A document of 3.0 with one operation that takes this content, and these schemas.
fn document(content: &str, schemas: &str) -> String {
    format!(
        "openapi: 3.0.3\ninfo: {{title: t, version: '1'}}\nservers: [{{url: 'https://a.example'}}]\n\
         paths:\n  /files:\n    post:\n      operationId: addFile\n      requestBody: {{required: true, content: {content}}}\n      \
         responses: {{'204': {{description: ok}}}}\ncomponents: {{schemas: {schemas}}}\n"
    )
}

const UPLOAD: &str = "{Upload: {type: object, required: [file], properties: {file: {type: string, format: binary}, name: {type: string}}}}";

#[test]
fn swagger_says_of_each_member_how_it_is_written() {
    let swagger = |consumes: &str, kind: &str| {
        format!(
            "swagger: '2.0'\ninfo: {{title: t, version: '1'}}\nhost: a.example\nschemes: [https]\npaths:\n  /files:\n    post:\n      \
             operationId: addFile\n      consumes: [{consumes}]\n      parameters:\n      \
             - {{name: file, in: formData, type: {kind}}}\n      \
             - {{name: plain, in: formData, type: array, items: {{type: integer}}}}\n      \
             - {{name: pipes, in: formData, type: array, items: {{type: string}}, collectionFormat: pipes}}\n      \
             - {{name: multi, in: formData, type: array, items: {{type: string}}, collectionFormat: multi}}\n      \
             responses: {{'204': {{description: ok}}}}\n"
        )
    };
    for (consumes, kind, writing) in [
        ("multipart/form-data", "file", BodyFormat::Multipart),
        ("application/x-www-form-urlencoded", "string", BodyFormat::Form),
    ] {
        let (found, members) = members(&swagger(consumes, kind));
        assert_eq!(found, writing);
        let read: Vec<_> = members.iter().map(|known| (known.name.as_str(), known.style, known.is_file)).collect();
        let expected = [
            ("file", None, kind == "file"),
            ("plain", Some(ListStyle::Commas), false),
            ("pipes", Some(ListStyle::Pipes), false),
            ("multi", None, false),
        ];
        assert_eq!(read, expected);
    }
    let code = generated(&swagger("multipart/form-data", "file")).code;
    assert!(code.contains("pub file: Option<::keyfit::FilePart>"), "{code}");
}

#[test]
fn a_schema_with_files_has_a_twin_only_where_others_need_it() {
    let body = "{multipart/form-data: {schema: {$ref: '#/components/schemas/Upload'}}}";
    let alone = generated(&document(body, UPLOAD)).code;
    assert!(alone.contains("pub struct Upload {") && !alone.contains("UploadForm"), "{alone}");
    assert!(alone.contains("`curl -X POST 'https://a.example/files' -F 'file=@file'`"), "{alone}");
    let shared = document(body, UPLOAD).replace(
        "'204': {description: ok}",
        "'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Upload'}}}}",
    );
    let shared = generated(&shared);
    assert!(shared.code.contains("pub struct Upload {") && shared.code.contains("pub struct UploadForm {"));
    assert_eq!(shared.code.matches("pub file: ::keyfit::FilePart").count(), 1, "{}", shared.code);
    assert!(shared.repairs.iter().any(|repair| format!("{repair:?}").contains("`UploadForm`")));
}

#[test]
fn files_are_found_in_what_a_form_is_made_of() {
    let upload = "{$ref: '#/components/schemas/Upload'}";
    for schema in [
        format!("{{allOf: [{upload}, {{type: object, properties: {{more: {{type: integer}}}}}}]}}"),
        format!("{{oneOf: [{upload}, {{type: object, required: [url], properties: {{url: {{type: string}}}}}}]}}"),
        "{type: object, additionalProperties: {type: string, format: binary}}".to_owned(),
        "{type: object, properties: {all: {type: array, items: {type: string, format: byte}}}}".to_owned(),
    ] {
        let code = generated(&document(&format!("{{multipart/form-data: {{schema: {schema}}}}}"), UPLOAD)).code;
        assert!(code.contains("::keyfit::FilePart") && code.contains("rt::multipart("), "{schema}: {code}");
    }
    // A file that stands inside of a member is a text of it.
    let inside = "{type: object, properties: {a: {type: object, properties: {b: {type: string, format: binary}}}}}";
    let code = generated(&document(&format!("{{multipart/form-data: {{schema: {inside}}}}}"), "{}")).code;
    assert!(!code.contains("FilePart") && code.contains("rt::multipart("), "{code}");
}

#[test]
fn the_media_type_is_one_that_can_carry_the_files() {
    let upload = "{schema: {$ref: '#/components/schemas/Upload'}}";
    let plain = "{schema: {type: object, properties: {url: {type: string}}}}";
    let form = "application/x-www-form-urlencoded";
    for (content, writing) in [
        (format!("{{application/json: {upload}, multipart/form-data: {upload}}}"), BodyFormat::Multipart),
        (format!("{{{form}: {upload}, multipart/form-data: {upload}}}"), BodyFormat::Multipart),
        (format!("{{application/json: {plain}, multipart/form-data: {upload}}}"), BodyFormat::Json),
        (format!("{{{form}: {plain}, multipart/form-data: {plain}}}"), BodyFormat::Form),
        (format!("{{application/json: {upload}}}"), BodyFormat::Json),
        ("{multipart/form-data: {schema: {type: object}}}".to_owned(), BodyFormat::Bytes),
        ("{multipart/form-data: {schema: {type: string, format: binary}}}".to_owned(), BodyFormat::Bytes),
        (format!("{{{form}: {{schema: {{type: object, additionalProperties: true}}}}}}"), BodyFormat::Form),
        (format!("{{{form}: {{schema: {{}}}}}}"), BodyFormat::Bytes),
    ] {
        assert_eq!(members(&document(&content, UPLOAD)).0, writing, "{content}");
        generated(&document(&content, UPLOAD));
    }
}

#[test]
fn an_object_in_the_query_has_one_argument_for_what_nobody_names() {
    let query = |schema: &str, style: &str| {
        let document = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\nservers: [{{url: 'https://a.example'}}]\npaths:\n  /files:\n    get:\n      \
             operationId: find\n      parameters: [{{name: f, in: query, {style}schema: {schema}}}]\n      \
             responses: {{'204': {{description: ok}}}}\n"
        );
        let api = Api::read(&source(&document)).unwrap_or_else(|failure| panic!("{failure}"));
        generated(&document);
        let parameters = api.operations[0].parameters.iter();
        parameters.map(|known| (known.name.clone(), known.style)).collect::<Vec<_>>()
    };
    let named = |name: &str, style| (name.to_owned(), style);
    let (deep, brackets) = ("style: deepObject, explode: true, ", Some(ListStyle::Brackets));
    let a = "properties: {a: {type: string}}";
    assert_eq!(query(&format!("{{type: object, {a}}}"), deep), [named("f[a]", None)]);
    let open = format!("{{type: object, {a}, additionalProperties: {{type: integer}}}}");
    assert_eq!(query(&open, deep), [named("f[a]", None), named("f", brackets)]);
    assert_eq!(query(&open, ""), [named("a", None), named("f", None)]);
    assert_eq!(query("{type: object}", deep), [named("f", brackets)]);
    let within = format!("{{type: object, properties: {{n: {{type: object, {a}, additionalProperties: true}}}}}}");
    assert_eq!(query(&within, deep), [named("f[n][a]", None), named("f[n]", brackets)]);
    let lines = "{type: array, items: {type: object, properties: {a: {type: string}}}}";
    assert_eq!(query(lines, deep), [named("f", brackets)]);
}
