//! Client certificates, before a TLS server that asks for one.

use keyfit::auth::ClientCertificate;
use keyfit::{Config, ErrorKind, RetryPolicy};

use crate::locks;
use crate::tls::{self, Authority, Issued, Seen};

/// A server on a loopback port, which asks for a certificate of the authority.
async fn server(authority: &Authority, is_demanded: bool) -> (String, Seen) {
    tls::server(authority, is_demanded, |_, _| "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await
}

fn certificate(issued: &Issued) -> ClientCertificate {
    ClientCertificate::new(&issued.certificate_pem(), issued.key_pem()).expect("a certificate")
}

fn config(url: &str, authority: &Authority) -> Config {
    Config::default()
        .base_url(url)
        .root_certificates(authority.pem())
        .expect("an authority")
        .retry(RetryPolicy::never())
}

#[tokio::test]
async fn a_server_that_demands_a_certificate_is_shown_it_and_opens() {
    let authority = Authority::new("locks");
    let (url, seen) = server(&authority, true).await;
    let machine = authority.issue("machine-7", &[]);
    let config = config(&url, &authority).client_certificate(certificate(&machine));
    let shown = format!("{config:?}");
    let key = locks::HeaderKey::new("fixture-key-header").expect("a key"); // not-a-secret
    let client = locks::Client::with_config(key, config).expect("a client");
    client.machine_alone().send().await.expect("an answer");
    client.machine_and_login_or_alone().send().await.expect("an answer");
    client.header_key_and_machine().send().await.expect("an answer");
    let seen = seen.lock().expect("no panic");
    assert_eq!(seen.len(), 3);
    for ((shown, text), has_key) in seen.iter().zip([false, false, true]) {
        assert_eq!(shown.as_ref(), Some(&machine.certificate));
        assert_eq!(text.contains("fixture-key-header"), has_key, "{text}");
        assert!(!text.contains("authorization"), "{text}");
    }
    let key = machine.key_pem();
    let body: Vec<&str> = key.lines().filter(|line| !line.starts_with('-')).collect();
    assert!(body.iter().all(|line| !shown.contains(line)), "{shown}");
    println!("3 requests with a certificate, 0 with another credential than the document names");
}

#[tokio::test]
async fn without_a_certificate_nothing_is_sent_and_the_error_says_what_is_lacking() {
    let authority = Authority::new("locks");
    let (url, seen) = server(&authority, true).await;
    let client = locks::Client::without_credential(config(&url, &authority)).expect("a client");
    let error = client.machine_alone().send().await.expect_err("not opened");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Credential, false));
    assert!(error.to_string().contains("`machine`, a client certificate (`Config::client_certificate`)"), "{error}");
    assert!(seen.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_by_the_server() {
    let (authority, other) = (Authority::new("locks"), Authority::new("other"));
    let (url, seen) = server(&authority, true).await;
    let config = config(&url, &authority).client_certificate(certificate(&other.issue("stranger", &[])));
    let client = locks::Client::without_credential(config).expect("a client");
    let error = client.machine_alone().send().await.expect_err("refused");
    assert_eq!(error.status(), None, "{error}");
    assert!(seen.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn a_server_that_does_not_demand_one_sees_it_all_the_same() {
    let authority = Authority::new("locks");
    let (url, seen) = server(&authority, false).await;
    let machine = authority.issue("machine-7", &[]);
    let with = config(&url, &authority).client_certificate(certificate(&machine));
    locks::Client::without_credential(with).expect("a client").public().send().await.expect("an answer");
    let without = config(&url, &authority);
    locks::Client::without_credential(without).expect("a client").public().send().await.expect("an answer");
    let seen: Vec<bool> = seen.lock().expect("no panic").iter().map(|(shown, _)| shown.is_some()).collect();
    assert_eq!(seen, [true, false]);
}

#[test]
fn a_key_that_does_not_belong_to_its_certificate_is_refused_when_the_client_is_made() {
    let authority = Authority::new("locks");
    let (one, two) = (authority.issue("one", &[]), authority.issue("two", &[]));
    let mixed = ClientCertificate::new(&one.certificate_pem(), two.key_pem()).expect("both are there");
    let error = locks::Client::without_credential(config("https://127.0.0.1:9", &authority).client_certificate(mixed));
    let error = error.map(drop).expect_err("they do not belong together");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("does the key belong to it?"), "{error}");
    let shown = format!("{error} {error:?}");
    assert!(two.key_pem().lines().all(|line| !shown.contains(line)), "{shown}");
}
