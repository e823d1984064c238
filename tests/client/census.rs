//! Every operation of every API, called through its typed builder: what is sent is what was reviewed.

use std::fmt::Write as _;

use keyfit_openapi::{Api, Operation, ParameterLocation, Source, example};

use crate::support::{Scripted, TOKEN, access};

/// The operation's documented success: status and an example body.
fn success(api: &Api, operation: &Operation) -> (u16, String) {
    let status = operation.success_statuses().first().copied().unwrap_or(200);
    let response = operation.responses.get(&status.to_string()).or_else(|| operation.responses.get("2XX"));
    let schema = response.and_then(|response| response.schema.as_ref());
    let body = match schema {
        // The mock sends a batch of which every item was taken.
        Some(_) if !operation.partial.is_empty() && operation.id.contains("push") => {
            r#"{"entity":{"successful":1,"failed":0,"items":[{"status":"success"}]}}"#.to_owned()
        }
        Some(_) if !operation.partial.is_empty() => r#"{"entities":[{"id":"sms_xxx"}],"errors":[]}"#.to_owned(),
        Some(schema) => example::value(api, keyfit_openapi::schema::Direction::Answer, schema).to_string(),
        None => String::new(),
    };
    (status, body)
}

/// What the document says a success is; JSON, where that is nothing.
fn asked_for(operation: &Operation) -> &str {
    let mut successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
    successes.find_map(|(_, shape)| shape.media_type.as_deref()).unwrap_or("application/json")
}

#[tokio::test]
async fn every_operation_sends_what_was_reviewed() {
    for source in Source::all_in("openapi/apis".as_ref()).expect("they ship") {
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
            let carrying: Vec<_> = received[0].headers.iter().filter(|(_, value)| value.contains(TOKEN)).collect();
            let [(name, value)] = carrying[..] else { panic!("{}: one token: {carrying:?}", operation.id) };
            let is_bearer = name.eq_ignore_ascii_case("authorization");
            assert_eq!(
                *value,
                if is_bearer { format!("Bearer {TOKEN}") } else { TOKEN.to_owned() },
                "{}",
                operation.id
            );
            let accept = received[0].header("accept").unwrap_or_default();
            let is_open = accept == "*/*" && operation.success_statuses().is_empty();
            assert!(is_open || accept.contains(asked_for(operation)), "{}: {accept}", operation.id);
            assert_eq!(received[0].header("api-version"), None, "{}", operation.id);
            let _ = writeln!(text, "# {}\n{}", operation.id, received[0].render());
        }
        assert!(!text.contains(TOKEN));
        insta::assert_snapshot!(format!("requests-{}", api.name), text);
    }
}

#[tokio::test]
async fn a_dot_segment_in_any_path_argument_is_refused_before_sending() {
    for source in Source::all_in("openapi/apis".as_ref()).expect("they ship") {
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let server = Scripted::json(200, "{}").await;
        let client =
            keyfit::dispatch::connect(&api.name, server.config(), access()).expect("the server is on loopback");
        for operation in &api.operations {
            for parameter in
                operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path)
            {
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
