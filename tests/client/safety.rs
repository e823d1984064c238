//! Where a credential may go, and what it takes to repeat or to lose something.

use crate::support::{Scripted, TOKEN};
use keyfit::batch::Batch;
use keyfit::instasent::batch::{self, BatchOutcome};
use keyfit::instasent::ingest::DatasourceToken;
use keyfit::instasent::product::ProductToken;
use keyfit::instasent::transactional::ApiSmsToken;
use keyfit::scopien::Key;
use keyfit::{Config, ErrorKind, instasent, scopien};

fn transactional(server: &Scripted) -> instasent::transactional::Client {
    let token = ApiSmsToken::new(TOKEN).expect("a token");
    instasent::transactional::Client::with_config(token, server.config()).expect("a client")
}

fn ingest(server: &Scripted) -> instasent::ingest::Client {
    let token = DatasourceToken::new(TOKEN).expect("a token");
    instasent::ingest::Client::with_config(token, server.config()).expect("a client")
}

fn contacts(ids: &[&str]) -> Batch<instasent::ingest::types::Contact, 100> {
    let contacts: Vec<_> = ids
        .iter()
        .map(|id| instasent::ingest::types::Contact::builder().user_id(*id).try_into().expect("a contact"))
        .collect();
    contacts.try_into().expect("1 to 100 contacts")
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_credential_stays() {
    let elsewhere = Scripted::json(200, "{}").await;
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/sms?ticket=1", elsewhere.url());
        let server = Scripted::start(status, &[("location", target.as_str())], "").await;
        let error = transactional(&server).sms_list().send().await.expect_err("a redirect");
        assert_eq!(error.kind(), ErrorKind::Redirect);
        assert!(error.to_string().contains(&elsewhere.url()) && !error.to_string().contains("ticket"), "{error}");
        assert_eq!(server.received().len(), 1);
    }
    assert_eq!(elsewhere.received().len(), 0);
}

#[tokio::test]
async fn an_undocumented_success_is_a_success() {
    for status in [200, 202, 206, 299] {
        let server = Scripted::json(status, r#"{"entity":{"id":"sms_1"}}"#).await;
        let body = instasent::transactional::types::SmsItem::builder().from("Keyfit").to("+34600000000").text("Hello");
        let answer = transactional(&server).sms_create().body(body).send().await.expect("any 2xx is a success");
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.entity.as_ref().map(|sms| sms.id.as_str()), Some("sms_1"));
    }
}

#[tokio::test]
async fn an_odd_answer_is_still_an_answer() {
    let body = r#"{"entities":[{"id":"a-much-longer-id-than-usual","status":"teleported","sentAt":"2026-01-22 10:00:00","deliveredAt":"soon","brandNew":{"x":1}}],"page":2}"#;
    let answer = transactional(&Scripted::json(200, body).await).sms_list().send().await.expect("it decodes");
    let sms = &answer.entities[0];
    assert_eq!(sms.status.as_ref().map(ToString::to_string).as_deref(), Some("teleported"));
    assert!(sms.sent_at.as_ref().and_then(keyfit::Timestamp::to_utc).is_some());
    assert_eq!(sms.delivered_at.as_ref().map(keyfit::Timestamp::as_str), Some("soon"));
    assert_eq!(sms.extra["brandNew"]["x"], 1);
}

#[tokio::test]
async fn whole_numbers_are_integers_however_they_are_written() {
    let body = r#"{"entities":[{"id":"sms_3.0","charsCount":5.0,"messagesCount":1.2E+1}],"page":2.0}"#;
    let answer = transactional(&Scripted::json(200, body).await).sms_list().send().await.expect("it decodes");
    let sms = &answer.entities[0];
    assert_eq!((sms.id.as_str(), sms.chars_count, sms.messages_count), ("sms_3.0", Some(5), Some(12)));
    let body = body.replace("5.0", "5.5");
    let error = transactional(&Scripted::json(200, body).await).sms_list().send().await.expect_err("no integer");
    assert!(error.to_string().contains("charsCount"), "{error}");
}

#[tokio::test]
async fn a_partial_success_is_an_error_with_the_outcome_of_each_item() {
    let shapes = [
        r#"{"entity":{"successful":1,"failed":1,"items":[{"status":"success","_user_id":"a"},{"status":"error","_user_id":"b","errors":{"_email":["is no address"]}}]}}"#,
        r#"{"success":true,"status":202,"entitiesSuccess":1,"entitiesFailures":1,"accepted":[{"position":0,"item":{"_user_id":"a"}}],"errors":[{"position":1,"item":{"_user_id":"b"},"error":"is no address"}]}"#,
    ];
    for body in shapes {
        for status in [202, 422] {
            let server = Scripted::json(status, body).await;
            let client = ingest(&server);
            let call = || client.stream_contacts_push().project("p").datasource("d").body(contacts(&["a", "b"])).send();
            let error = call().await.expect_err("one item failed");
            assert_eq!(error.kind(), if status == 202 { ErrorKind::PartialFailure } else { ErrorKind::Unprocessable });
            let outcome = BatchOutcome::of(&error).expect("an outcome for each item");
            assert_eq!((outcome.accepted_count(), outcome.rejected_count()), (1, 1));
            assert_eq!(outcome.rejected().map(|item| item.position).collect::<Vec<_>>(), [1]);
            let handled = batch::outcome(call().await).expect("a value for callers who handle items");
            assert_eq!(handled, outcome);
        }
    }
}

#[tokio::test]
async fn a_token_that_a_reason_repeats_is_masked() {
    let reason = format!("no such key: Bearer {TOKEN}");
    let bodies = [
        format!(
            r#"{{"entity":{{"successful":0,"failed":1,"items":[{{"status":"error","_user_id":"a","errors":{{"{TOKEN}":["{reason}"]}}}}]}}}}"#
        ),
        format!(
            r#"{{"entitiesSuccess":0,"entitiesFailures":1,"accepted":[],"errors":[{{"position":0,"error":"{reason}"}}]}}"#
        ),
    ];
    for body in bodies {
        for status in [202, 422] {
            let server = Scripted::json(status, body.clone()).await;
            let client = ingest(&server);
            let call = || client.stream_contacts_push().project("p").datasource("d").body(contacts(&["a"])).send();
            let outcomes = [
                BatchOutcome::of(&call().await.expect_err("it failed")).expect("an outcome for each item"),
                batch::outcome(call().await).expect("a value"),
            ];
            for outcome in outcomes {
                let reasons = &outcome.items()[0].reasons;
                assert_eq!(reasons[0].message, "no such key: Bearer [redacted]");
                assert!(!format!("{reasons:?}").contains(TOKEN), "{status}");
            }
        }
    }
}

#[tokio::test]
async fn a_bulk_send_with_rejected_messages_is_an_error_that_keeps_the_accepted_ones() {
    let body = r#"{"entities":[{"id":"sms_1"}],"errors":[{"position":1}]}"#;
    let server = Scripted::json(201, body).await;
    let item = |to: &str| {
        instasent::transactional::types::SmsItem::builder()
            .from("Keyfit")
            .to(to)
            .text("Hello")
            .try_into()
            .expect("an SMS")
    };
    let batch: Vec<instasent::transactional::types::SmsItem> = vec![item("+34600000000"), item("+1")];
    let error = transactional(&server).sms_bulk_create().body(batch).send().await.expect_err("one was rejected");
    assert_eq!(error.kind(), ErrorKind::PartialFailure);
    assert_eq!(error.to_string(), "sms-bulk-create: 201 Created: 1 accepted, 1 rejected");
    let lists: instasent::transactional::types::SmsBulkCreateResponse = error.decode().expect("the documented lists");
    assert_eq!(lists.entities[0].id, "sms_1");
}

#[tokio::test]
async fn a_batch_over_its_limit_is_refused_before_sending() {
    let server = Scripted::json(202, "{}").await;
    let contact = || instasent::ingest::types::Contact::builder().user_id("a").try_into().expect("a contact");
    for count in [0, 101] {
        let contacts: Vec<instasent::ingest::types::Contact> = (0..count).map(|_| contact()).collect();
        let error = ingest(&server)
            .stream_contacts_push()
            .project("p")
            .datasource("d")
            .body(contacts)
            .send()
            .await
            .expect_err("too many");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(&format!("1 to 100 items, not {count}")), "{error}");
    }
    assert_eq!(server.received().len(), 0);
}

#[tokio::test]
async fn custom_attributes_of_a_contact_are_sent() {
    let server = Scripted::json(202, r#"{"entity":{"successful":1,"failed":0,"items":[]}}"#).await;
    let mut extra = serde_json::Map::new();
    extra.insert("favourite_drink".to_owned(), "beer".into());
    let contact: instasent::ingest::types::Contact =
        instasent::ingest::types::Contact::builder().user_id("a").extra(extra).try_into().expect("a contact");
    ingest(&server)
        .stream_contacts_push()
        .project("p")
        .datasource("d")
        .body(vec![contact])
        .send()
        .await
        .expect("accepted");
    let sent: serde_json::Value = serde_json::from_str(&server.received()[0].body).expect("JSON");
    assert_eq!(sent[0]["favourite_drink"], "beer");
}

#[tokio::test]
async fn a_deletion_without_a_body_is_a_success() {
    let server = Scripted::start(204, &[], "").await;
    let answer = ingest(&server)
        .stream_contact_delete()
        .project("p")
        .datasource("d")
        .user_id("u")
        .send()
        .await
        .expect("deleted");
    assert!(answer.is_none());
}

#[tokio::test]
async fn path_arguments_are_percent_encoded() {
    let server = Scripted::json(200, r#"{"contact":{}}"#).await;
    let call =
        ingest(&server).stream_contact_get().project("p").datasource("d").user_id("+34 600/1?x#y%2e%2e").send().await;
    call.expect("found");
    assert_eq!(server.received()[0].target, "/project/p/datasource/d/stream/contacts/+34%20600%2F1%3Fx%23y%252e%252e");
}

#[test]
fn a_proxy_of_the_environment_gets_no_credential_for_a_loopback_host() {
    // Another process, because the environment of this one is shared by all tests. Nobody listens at the proxy's
    // address: a call that went there would fail.
    let this = std::env::current_exe().expect("the test's own path");
    let run = std::process::Command::new(this)
        .args(["--exact", "safety::an_undocumented_success_is_a_success"])
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:9")))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .expect("the test runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_credential_is_refused_over_plain_http() {
    let key = Key::new(TOKEN).expect("a key");
    let error = scopien::Client::with_config(key, Config::default().base_url("http://api.scopien.com/v1"))
        .expect_err("plain http");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("https"), "{error}");
}

#[test]
fn an_ingest_client_takes_both_token_kinds() {
    assert!(instasent::ingest::Client::new(DatasourceToken::new(TOKEN).expect("a token")).is_ok());
    assert!(instasent::ingest::Client::new(ProductToken::new(TOKEN).expect("a token")).is_ok());
}

#[test]
fn nothing_that_holds_a_credential_prints_it() {
    let token = ApiSmsToken::new(TOKEN).expect("a token");
    let client =
        instasent::transactional::Client::with_config(token.clone(), Config::default().base_url("http://127.0.0.1:9"))
            .expect("a client");
    let shown = format!("{token:?} {client:?} {:?}", client.sms_list());
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn a_token_that_the_server_echoes_is_not_printed_with_its_answer() {
    let server = Scripted::json(200, r#"{"entity":{"id":"1","token":"fixture-echo"}}"#).await;
    let token = ProductToken::new(TOKEN).expect("a token");
    let client = instasent::product::Client::with_config(token, server.config()).expect("a client");
    let answer = client.organization_get().send().await.expect("an answer");
    assert_eq!(answer.entity.token.as_ref().map(keyfit::auth::Secret::expose), Some("fixture-echo"));
    assert!(!format!("{answer:?}").contains("fixture-echo"));
}

#[tokio::test]
async fn a_list_in_any_likely_envelope_is_read() {
    for body in [r#"[{"name":"Ada"}]"#, r#"{"data":[{"name":"Ada"}]}"#, r#"{"accounts":[{"name":"Ada"}],"total":1}"#] {
        let server = Scripted::json(200, body).await;
        let key = keyfit::scopien::Key::new(TOKEN).expect("a key");
        let client = keyfit::scopien::Client::with_config(key, server.config()).expect("a client");
        let accounts = client.accounts_list().send().await.expect(body).into_inner();
        assert_eq!((accounts.len(), &accounts[0]["name"]), (1, &serde_json::json!("Ada")));
    }
}
