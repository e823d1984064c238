//! Code that earlier generators wrote, against today's runtime: somebody has it checked in, and updates `keyfit` alone. Each
//! form is a file that nobody edits.
//!
//! A change of the generator that the runtime's names do not allow is a new form:
//!
//! 1. `supports` in `src/codegen/mod.rs` takes one number more, and the generator writes it.
//! 2. `keyfit generate tests/codegen/parcels --out tests/codegen/form_N.rs` writes the file; the `keyfit.lock` that it leaves
//!    is not kept.
//! 3. The module and a line of `forms!` below. The forms before stay as they are, until their number is below `OLDEST`.

mod form_1;
mod form_2;
mod form_3;
mod pages;

use std::sync::{Arc, Mutex};

use httpmock::prelude::*;
use keyfit::operation::Retry;
use keyfit::{Config, ErrorKind, RetryPolicy};

const KEY: &str = "parc_test_0001"; // not-a-secret

/// What the overlay of the parcels puts in the place of a schema: a type with serde, and nothing else of keyfit's.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct Amount {
    cents: i64,
    currency: String,
}

/// The same tests for each form.
macro_rules! forms {
    ($($form:ident)*) => {
        $(mod $form {
            use super::*;
            use crate::$form as form;

            fn client(server: &MockServer) -> form::Client {
                let config = Config::default().base_url(server.base_url()).retry(RetryPolicy::never());
                form::Client::with_config(form::Key::new(KEY).expect("a key"), config).expect("a client")
            }

            #[tokio::test]
            async fn calls_of_every_shape_are_sent_and_answered() {
                let server = MockServer::start_async().await;
                let parcel = r#"{"id":"p1","state":"lost","grams":null,"sentAt":"yesterday"}"#;
                server
                    .mock_async(|when, then| {
                        when.method(GET)
                            .path("/parcels")
                            .header("x-parcels-key", KEY)
                            .query_param("state", "waiting")
                            .query_param("tag", "a");
                        then.status(200).body(format!("[{parcel}]")).header("x-parcels-left", "3");
                    })
                    .await;
                server
                    .mock_async(|when, then| {
                        when.method(POST).path("/parcels").header("x-desk", "7").body(r#"{"grams":5,"insured":false,"to":"Ada"}"#);
                        then.status(201).body(parcel);
                    })
                    .await;
                server
                    .mock_async(|when, then| {
                        when.method(DELETE).path("/parcels/a%2Fb");
                        then.status(204);
                    })
                    .await;
                server
                    .mock_async(|when, then| {
                        when.method(POST).path("/moves").body("desk=8&parcel=p1");
                        then.status(202);
                    })
                    .await;
                server
                    .mock_async(|when, then| {
                        when.method(GET).path("/parcels/p1/label");
                        then.status(200).body("%PDF");
                    })
                    .await;
                let client = client(&server);
                let listed = client.list_parcels().state(form::types::State::Waiting).tag(vec!["a".to_owned()]).send().await;
                let listed = listed.expect("a list");
                assert_eq!((listed.len(), listed[0].id.as_str(), listed[0].state.as_str()), (1, "p1", "lost"));
                assert_eq!(listed.rate_limit().and_then(|limit| limit.remaining), Some(3));
                let body = form::types::NewParcel::builder().to("Ada").grams(5).insured(false);
                let sent = client.send_parcel().x_desk("7").body(body).send().await.expect("a parcel");
                assert_eq!(sent.sent_at.as_ref().map(keyfit::Timestamp::as_str), Some("yesterday"));
                client.drop_parcel().id("a/b").send().await.expect("no content");
                let moved = form::types::MoveParcelBody::builder().parcel("p1").desk("8");
                client.move_parcel().body(moved).send().await.expect("accepted");
                let label = client.get_label().id("p1").send().await.expect("a label");
                assert_eq!(keyfit::dispatch::Answer::from_stream(label).await.expect("its bytes").value, "%PDF");
                let refused = client.get_parcel().id("..").send().await.expect_err("a dot segment");
                assert_eq!((refused.kind(), refused.may_have_been_sent()), (ErrorKind::InvalidRequest, false));
            }

            #[tokio::test]
            async fn errors_limits_and_secrets_are_read_as_the_contract_has_them() {
                let server = MockServer::start_async().await;
                server
                    .mock_async(|when, then| {
                        when.method(GET).path("/parcels/p1");
                        let text = "no room for parc_live_of_another_caller";
                        then.status(429)
                            .header("x-parcels-quota", "10")
                            .header("x-parcels-left", "0")
                            .body(format!(r#"{{"fault":{{"code":"full","text":"{text}","traceId":"t9","wait":7}}}}"#));
                    })
                    .await;
                let error = client(&server).get_parcel().id("p1").send().await.expect_err("a refusal");
                assert_eq!((error.code(), error.request_id()), (Some("full"), Some("t9")));
                assert_eq!(error.message(), Some("no room for [redacted]"));
                assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(7));
                assert_eq!(error.rate_limit().map(|limit| (limit.limit, limit.remaining)), Some((Some(10), Some(0))));
            }

            #[test]
            fn the_api_is_data() {
                let api = &form::API;
                assert_eq!((api.name, api.base_url()), ("parcels", "https://parcels.example/v1"));
                assert!(api.operations.len() >= 6);
                let send = api.operation("send-parcel").expect("an operation");
                assert_eq!((send.retry, send.spends, send.scopes), (Retry::Never, true, ["parcels.write"].as_slice()));
                assert!(api.operation("get-label").is_some_and(|operation| operation.streams));
                assert_eq!(api.secret_prefixes, ["parc_live_", "parc_test_"]);
            }
        })*
    };
}

mod tests {
    use super::*;

    forms!(form_1 form_2 form_3);

    #[tokio::test]
    async fn a_type_that_the_overlay_names_is_sent_and_read_and_items_that_failed_are_an_error() {
        let server = MockServer::start_async().await;
        let first = server
            .mock_async(|when, then| {
                when.method(POST)
                    .path("/parcels/bulk")
                    .body(r#"[{"grams":5,"to":"Ada","worth":{"cents":250,"currency":"EUR"}}]"#);
                then.status(202).body(r#"{"price":{"cents":90,"currency":"EUR"},"parcels":[{"state":"stored"}]}"#);
            })
            .await;
        let config = Config::default().base_url(server.base_url()).retry(RetryPolicy::never());
        let client =
            crate::form_3::Client::with_config(crate::form_3::Key::new(KEY).expect("a key"), config).expect("a client");
        let euros = |cents| Amount { cents, currency: "EUR".to_owned() };
        let parcel = crate::form_3::types::NewParcel::builder().to("Ada").grams(5).worth(euros(250));
        let parcel: crate::form_3::types::NewParcel = parcel.try_into().expect("a parcel");
        let sent = client.send_parcels().body(vec![parcel.clone()]).send().await.expect("all were stored");
        assert_eq!(sent.price, Some(euros(90)));
        first.delete_async().await;

        let body = r#"{"parcels":[{"state":"stored"},{"state":"refused","problem":"too heavy"},{"state":"lost"}]}"#;
        server.mock_async(|when, then| drop((when.path("/parcels/bulk"), then.status(202).body(body)))).await;
        let error = client.send_parcels().body(vec![parcel]).send().await.expect_err("two were not stored");
        assert_eq!(error.kind(), ErrorKind::PartialFailure);
        let counts = error.item_counts().expect("counts");
        assert_eq!((counts.accepted, counts.rejected), (Some(1), 2));
        assert!(!format!("{error} {error:?}").contains("heavy"), "{error:?}");
        let answer: crate::form_3::types::Sent = error.decode().expect("the answer as its type");
        assert_eq!(answer.parcels[1].problem.as_deref(), Some("too heavy"));
    }

    #[tokio::test]
    async fn a_call_that_takes_many_items_has_a_writer_of_their_type() {
        use crate::form_3::{Client, Key, types};
        use keyfit::batch_writer::Outcome;

        let server = MockServer::start_async().await;
        let config = Config::default().base_url(server.base_url()).retry(RetryPolicy::never());
        let client = Client::with_config(Key::new(KEY).expect("a key"), config).expect("a client");
        let stored = r#"{"state":"stored"}"#;
        let twenty = format!(r#"{{"parcels":[{}]}}"#, [stored; 20].join(","));
        let bulk = server
            .mock_async(|when, then| {
                when.method(POST).path("/parcels/bulk").header("x-parcels-key", KEY).body_includes("\"p0\"");
                then.status(202).body(twenty);
            })
            .await;
        let rest = r#"{"parcels":[{"state":"refused","problem":"too heavy"}]}"#;
        server.mock_async(|when, then| drop((when.body_includes("\"p20\""), then.status(202).body(rest)))).await;
        let rejected = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&rejected);
        let writer = client.send_parcels().writer().start(move |delivery| {
            if let Outcome::Rejected(reasons) = delivery.outcome() {
                told.lock().expect("no panic").push((delivery.sequence(), reasons[0].message.clone()));
            }
        });
        let writer = writer.expect("a writer");
        for number in 0..21 {
            let parcel = types::NewParcel::builder().to(format!("p{number}")).grams(5);
            let parcel: types::NewParcel = parcel.try_into().expect("a parcel");
            writer.write(&parcel).await.expect("room");
        }
        let summary = writer.close().await.expect("an end");
        assert_eq!((summary.accepted, summary.rejected), (20, 1));
        assert_eq!(*rejected.lock().expect("no panic"), [(20, "too heavy".to_owned())]);
        bulk.assert_async().await;
    }

    #[tokio::test]
    async fn an_operation_with_a_server_of_its_own_is_sent_there_and_so_are_its_pages() {
        use crate::form_3::{Client, Key, servers};

        let (base, uploads) = (MockServer::start_async().await, MockServer::start_async().await);
        let page =
            |id: u8, after: &str| format!(r#"{{"moves":[{{"id":{id}}}],"paging":{{"next":{{"after":{after}}}}}}}"#);
        let first = page(1, "\"m1\"");
        uploads
            .mock_async(|when, then| {
                when.method(GET).path("/up/parcels/p1/photos").query_param("after", "m1");
                then.status(200).body(page(2, "null"));
            })
            .await;
        uploads
            .mock_async(|when, then| {
                when.method(GET).path("/up/parcels/p1/photos").header("x-parcels-key", KEY);
                then.status(200).body(first);
            })
            .await;
        let client = |config: Config| {
            let config = config.retry(RetryPolicy::never());
            Client::with_config(Key::new(KEY).expect("a key"), config)
        };
        let config = Config::default().base_url(base.base_url()).server(servers::UPLOADS, uploads.url("/up/"));
        let mut photos = client(config).expect("a client").list_photos().id("p1").items();
        let mut ids = Vec::new();
        while let Some(photo) = photos.next().await {
            ids.push(photo.expect("a photo").id);
        }
        assert_eq!(ids, [1, 2]);

        // A server on this machine stands in for all of the API.
        let all = base.mock_async(|when, then| drop((when.path("/parcels/p1/photos"), then.status(204)))).await;
        let client_of_base = client(Config::default().base_url(base.base_url())).expect("a client");
        client_of_base.add_photo().id("p1").body("pixels").send().await.expect("added");
        all.assert_async().await;

        let elsewhere = client(Config::default().base_url("https://staging.parcels.example")).expect("a client");
        let error = elsewhere.add_photo().id("p1").body("pixels").send().await.expect_err("another environment");
        assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Configuration, false));
        assert!(error.to_string().contains("Config::server(\"https://uploads.parcels.example/v1\", url)"), "{error}");
    }

    #[tokio::test]
    async fn what_a_path_is_documented_with_is_sent_as_query_and_its_fragment_is_not_sent() {
        let server = MockServer::start_async().await;
        let returned =
            server.mock_async(|when, then| drop((when.method(DELETE).path("/parcels/p1"), then.status(204)))).await;
        let desks = server
            .mock_async(|when, then| {
                when.method(GET).path("/desks").query_param("open", "true").query_param("city", "Ulm");
                then.status(200).body("[]");
            })
            .await;
        let config = Config::default().base_url(server.base_url()).retry(RetryPolicy::never());
        let key = || crate::form_3::Key::new(KEY).expect("a key");
        let client = crate::form_3::Client::with_config(key(), config.clone()).expect("a client");
        client.return_parcel().id("p1").send().await.expect("it is sent");
        client.list_open_desks().city("Ulm").send().await.expect("a list");
        let dynamic = keyfit::DynamicClient::new(&crate::form_3::API, key().into(), config).expect("a client");
        let call = dynamic.call("list-open-desks").expect("an operation");
        call.query("city", "Ulm").send().await.expect("a list");
        returned.assert_async().await;
        desks.assert_calls_async(2).await;
    }

    #[tokio::test]
    async fn nothing_is_sent_that_was_not_given_and_all_that_was() {
        use crate::form_3::types::ParcelChange;

        let server = MockServer::start_async().await;
        let config = Config::default().base_url(server.base_url()).retry(RetryPolicy::never());
        let client =
            crate::form_3::Client::with_config(crate::form_3::Key::new(KEY).expect("a key"), config).expect("a client");
        let none: [(&str, &str); 0] = [];
        let change = ParcelChange::builder;
        let call = || client.change_parcel().id("p1");
        let form = "application/merge-patch+json";
        for (call, media_type, body) in [
            (call(), None, ""),
            (call().maybe_body(None::<ParcelChange>), None, ""),
            (call().body(change()), Some(form), "{}"),
            (call().body(change().speed("fast")), Some(form), r#"{"speed":"fast"}"#),
            (call().body_map(|change| change.insured(true)), Some(form), r#"{"insured":true}"#),
            (call().body(change().tags([""; 0]).labels(none)), Some(form), r#"{"labels":{},"tags":[]}"#),
        ] {
            let asked = server
                .mock_async(|when, then| {
                    let when = when.method("PATCH").path("/parcels/p1").body(body);
                    match media_type {
                        Some(media_type) => drop(when.header("content-type", media_type)),
                        None => drop(when.header_missing("content-type")),
                    }
                    then.status(200).body(r#"{"id":"p1","state":"sent"}"#);
                })
                .await;
            call.send().await.unwrap_or_else(|error| panic!("{body}: {error}"));
            asked.delete_async().await;
        }
        for json in ["{}", r#"{"tags":[]}"#, r#"{"note":null,"size":{"high":null}}"#] {
            let read: ParcelChange = serde_json::from_str(json).expect("a change");
            assert_eq!(serde_json::to_string(&read).expect("JSON"), json);
        }
    }

    #[tokio::test]
    async fn lists_are_sent_as_the_document_says() {
        use crate::form_3::types::State;

        let server = MockServer::start_async().await;
        let config = Config::default().base_url(server.base_url()).retry(RetryPolicy::never());
        let client =
            crate::form_3::Client::with_config(crate::form_3::Key::new(KEY).expect("a key"), config).expect("a client");
        let url = Arc::new(Mutex::new(String::new()));
        let record = Arc::clone(&url);
        let sent = server
            .mock_async(|when, then| {
                when.method(GET)
                    .is_true(move |request| {
                        *record.lock().expect("a test") = request.uri_str().to_owned();
                        true
                    })
                    .header("x-codes", "7,8");
                then.status(200).body("[]");
            })
            .await;
        let call = || client.find_parcels().desks([1, 2]).ids(["p1", "a,;b"]).codes("x").after("3");
        let full = call().tag(["a", "b,c"]).states([State::Waiting, State::Sent]).expand(["items"]).x_codes([7, 8]);
        full.send().await.expect("a list");
        assert_eq!(sent.calls_async().await, 1);
        let path = "/desks/1,2/parcels/;ids=p1;ids=a%2C%3Bb/.x";
        let query = "after=3&expand%5B%5D=items&states=waiting%7Csent&tag=a,b%2Cc";
        let url = url.lock().expect("a test").clone();
        assert!(url.ends_with(&format!("{path}?{query}")), "{url}");
        let none: [i64; 0] = [];
        for refused in [call().desks(none), call().ids(["a", ".."])] {
            let error = refused.send().await.expect_err("another path");
            assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::InvalidRequest, false));
        }
    }

    #[tokio::test]
    async fn values_have_the_names_that_the_document_gives_them() {
        use crate::form_3::types::ParcelChange;
        use crate::form_3::values::{Care, CareAnswer, ParcelCaresItem, ParcelChangeRoute};

        let server = MockServer::start_async().await;
        let config = Config::default().base_url(server.base_url()).retry(RetryPolicy::never());
        let client =
            crate::form_3::Client::with_config(crate::form_3::Key::new(KEY).expect("a key"), config).expect("a client");
        let answer = r#"{"id":"p1","state":"sent","care":1.0,"cares":[2,7,"odd",null]}"#;
        server
            .mock_async(|when, then| {
                when.method("PATCH").path("/parcels/p1").body(r#"{"care":1,"route":"b"}"#);
                then.status(200).body(answer);
            })
            .await;
        let change = ParcelChange::builder().care(Care::Fragile).route(ParcelChangeRoute::ByBoat);
        let parcel = client.change_parcel().id("p1").body(change).send().await.expect("a parcel");
        assert_eq!(parcel.care, Some(CareAnswer::Fragile));
        assert_eq!(parcel.cares[0], ParcelCaresItem::ThisWayUp);
        assert_eq!(parcel.cares[1].as_i64(), Some(7));
        let written = serde_json::to_value(&*parcel).expect("JSON");
        assert_eq!(written["cares"], serde_json::json!([2, 7, "odd", null]));

        assert_eq!((Care::try_from(0), Care::try_from(3)), (Ok(Care::None), Err("it is none of: 0, 1".into())));
        assert_eq!("a".parse(), Ok(ParcelChangeRoute::ByAir));
        let refused = client.change_parcel().id("p1").body(ParcelChange::builder().care(3)).send().await;
        let error = refused.expect_err("no value");
        assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::InvalidRequest, false));
    }

    #[tokio::test]
    async fn a_union_goes_by_its_member_and_nothing_of_it_is_lost() {
        use crate::form_3::values::Step;

        let server = MockServer::start_async().await;
        let steps = r#"[{"kind":"weighed","grams":5.0,"before":{"kind":"Stored","shelf":"7"}},{"kind":"burnt","by":{"x":1}},{"at":"noon"}]"#;
        server.mock_async(|when, then| drop((when.path("/parcels/p1/history"), then.status(200).body(steps)))).await;
        let config = Config::default().base_url(server.base_url()).retry(RetryPolicy::never());
        let client =
            crate::form_3::Client::with_config(crate::form_3::Key::new(KEY).expect("a key"), config).expect("a client");
        let read = client.get_history().id("p1").send().await.expect("an answer");
        let Step::Weighed(first) = &read[0] else { panic!("{:?}", read[0]) };
        assert_eq!(first.grams, Some(5));
        assert!(matches!(&first.before, Some(Step::Stored(stored)) if stored.shelf.as_deref() == Some("7")));
        assert!(
            matches!(&read[1], Step::Unknown(value) if value["by"]["x"] == 1) && matches!(&read[2], Step::Unknown(_))
        );
        let written = serde_json::to_string(&*read).expect("JSON");
        let same: serde_json::Value = serde_json::from_str(&steps.replace("5.0", "5")).expect("JSON");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("JSON"), same);
    }
}
