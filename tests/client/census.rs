//! Every operation of every API, called through its typed builder: what is sent is what was reviewed.

use std::fmt::Write as _;

use keyfit_openapi::{Api, Operation, Place, Source, example};

use crate::support::{Scripted, TOKEN, access};

/// The operation's documented success: status and an example body.
fn success(api: &Api, operation: &Operation) -> (u16, String) {
    let status = operation.success_statuses().first().copied().unwrap_or(200);
    let schema = operation.responses.get(&status.to_string()).and_then(|response| response.schema.as_ref());
    let body = match schema {
        // The mock sends a batch of which every item was taken.
        Some(_) if operation.partial.is_some() && operation.id.contains("push") => {
            r#"{"entity":{"successful":1,"failed":0,"items":[{"status":"success"}]}}"#.to_owned()
        }
        Some(_) if operation.partial.is_some() => r#"{"entities":[{"id":"sms_xxx"}],"errors":[]}"#.to_owned(),
        Some(schema) => example::value(api, schema).to_string(),
        None => String::new(),
    };
    (status, body)
}

/// The header that the token goes in, and what stands there: the document may name one of its own.
fn carried(api: &Api) -> (&str, String) {
    let schemes = api.document["components"]["securitySchemes"].as_object();
    let mut keys = schemes.into_iter().flatten().filter(|(_, scheme)| scheme["type"] == "apiKey");
    match keys.find_map(|(_, scheme)| scheme["name"].as_str().filter(|_| scheme["in"] == "header")) {
        Some(header) if !header.eq_ignore_ascii_case("authorization") => (header, TOKEN.to_owned()),
        _ => ("authorization", format!("Bearer {TOKEN}")),
    }
}

#[tokio::test]
async fn every_operation_sends_what_was_reviewed() {
    for source in Source::embedded() {
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let mut text = String::new();
        for operation in &api.operations {
            let (status, body) = success(&api, operation);
            let server = Scripted::json(status, body).await;
            let client =
                keyfit::dispatch::connect(&api.name, server.config(), access()).expect("the server is on loopback");
            let answer = client.call(&operation.id, &example::arguments(&api, operation)).await;
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error:?}", operation.id));
            assert_eq!(answer.status, status, "{}", operation.id);
            let received = server.received();
            assert_eq!(received.len(), 1, "{}: one call, one request", operation.id);
            let (header, value) = carried(&api);
            // What anybody may call is called without a token.
            let expected = (!operation.credentials.is_empty()).then_some(value.as_str());
            assert_eq!(received[0].header(header), expected, "{}", operation.id);
            // Where no answer has a body there is nothing to ask for.
            if operation.responses.values().any(|response| response.schema.is_some()) {
                assert_eq!(received[0].header("accept"), Some("application/json"), "{}", operation.id);
            }
            assert_eq!(received[0].header("api-version"), None, "{}", operation.id);
            let _ = writeln!(text, "# {}\n{}", operation.id, received[0].render());
        }
        assert!(!text.contains(TOKEN));
        insta::assert_snapshot!(format!("requests-{}", api.name), text);
    }
}

#[tokio::test]
async fn a_dot_segment_in_any_path_argument_is_refused_before_sending() {
    for source in Source::embedded() {
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let server = Scripted::json(200, "{}").await;
        let client =
            keyfit::dispatch::connect(&api.name, server.config(), access()).expect("the server is on loopback");
        for operation in &api.operations {
            for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Path) {
                if parameter.schema["type"] != "string" {
                    continue;
                }
                for argument in ["..", ".", "", "a\\b"] {
                    let mut arguments = example::arguments(&api, operation);
                    arguments.insert(parameter.name.clone(), argument.into());
                    let error = client.call(&operation.id, &arguments).await.expect_err("the argument is refused");
                    assert_eq!(
                        error.kind(),
                        keyfit::ErrorKind::InvalidRequest,
                        "{} {argument:?}: {error}",
                        operation.id
                    );
                    assert!(!error.may_have_been_sent());
                    assert!(
                        error.to_string().contains(&format!("`{}`", parameter.name))
                            || error.to_string().contains("argument"),
                        "{error}"
                    );
                }
            }
        }
        assert_eq!(server.received().len(), 0, "{}: nothing was sent", api.name);
    }
}
