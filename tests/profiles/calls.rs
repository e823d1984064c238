//! Calls of clients that a profile makes.

use std::time::Duration;

use httpmock::MockServer;
use keyfit::{Error, ErrorKind};

use super::{Folder, locks};

fn client(folder: &Folder) -> locks::Client {
    folder.profile("default").and_then(|profile| profile.client()).expect("a client")
}

/// A server that takes a call where it carries this.
async fn expects<'s>(server: &'s MockServer, path: &str, header: &str, value: &str) -> httpmock::Mock<'s> {
    server
        .mock_async(|when, then| {
            when.path(path).header(header, value);
            then.status(204);
        })
        .await
}

#[tokio::test]
async fn each_form_of_credential_is_carried_as_its_kind_is() {
    let server = MockServer::start_async().await;
    let token = server
        .mock_async(|when, then| {
            // my-client:fixture-secret-1
            when.method("POST")
                .path("/token")
                .header("authorization", "Basic bXktY2xpZW50OmZpeHR1cmUtc2VjcmV0LTE=")
                .form_urlencoded_tuple("scope", "write");
            then.status(200)
                .header("content-type", "application/json")
                .body(r#"{"access_token":"fixture-token-service","token_type":"Bearer","expires_in":3600}"#); // not-a-secret
        })
        .await;
    let folder = Folder::new(&format!(
        r#"
        [profile.default.api.locks]
        base-url = "{url}"
        allow-query-keys = true

        [profile.default.api.locks.credentials]
        bearer = {{ file = "bearer" }}
        login = {{ user = "ada", password = {{ file = "password" }} }}
        bot = {{ env = "CARGO_PKG_NAME" }}
        header-key = {{ file = "bearer" }}
        service = {{ client-id = "my-client", client-secret = {{ file = "client" }}, token-url = "{url}/token", scopes = ["write"] }}
        "#,
        url = server.base_url()
    ));
    for (name, secret) in [
        ("bearer", "fixture-token-bearer\n"),  // not-a-secret
        ("password", "fixture-secret-word\n"), // not-a-secret
        ("client", "fixture-secret-1\n"),      // not-a-secret
    ] {
        folder.write(name, secret);
    }
    let client = client(&folder);
    let shown = format!("{client:?}");
    assert!(!shown.contains("fixture-"), "{shown}");
    let called = [
        expects(&server, "/bearer-alone", "authorization", "Bearer fixture-token-bearer").await,
        // ada:fixture-secret-word
        expects(&server, "/login-alone", "authorization", "Basic YWRhOmZpeHR1cmUtc2VjcmV0LXdvcmQ=").await,
        expects(&server, "/bot-alone", "authorization", "Bot keyfit").await,
        expects(&server, "/header-key-alone", "x-key", "fixture-token-bearer").await,
        expects(&server, "/service-alone", "authorization", "Bearer fixture-token-service").await,
    ];
    client.bearer_alone().send().await.expect("it is opened");
    client.login_alone().send().await.expect("it is opened");
    client.bot_alone().send().await.expect("it is opened");
    client.header_key_alone().send().await.expect("it is opened");
    client.service_alone().send().await.expect("it is opened");
    client.service_alone().send().await.expect("it is opened");
    for call in &called {
        assert!(call.calls_async().await >= 1);
    }
    assert_eq!(token.calls_async().await, 1, "a token is had once");
}

#[tokio::test]
async fn a_file_with_a_new_secret_is_read_again_after_a_401() {
    let server = MockServer::start_async().await;
    let folder = Folder::new(&format!(
        "[profile.default.api.locks]\nbase-url = \"{}\"\ncredentials.bearer = {{ file = \"token\" }}\n",
        server.base_url()
    ));
    folder.write("token", "fixture-token-old"); // not-a-secret
    let client = client(&folder);
    let old = expects(&server, "/bearer-alone", "authorization", "Bearer fixture-token-old").await;
    client.bearer_alone().send().await.expect("it is opened");
    old.delete_async().await;
    server
        .mock_async(|when, then| {
            when.path("/bearer-alone").header("authorization", "Bearer fixture-token-old");
            then.status(401);
        })
        .await;
    let new = expects(&server, "/bearer-alone", "authorization", "Bearer fixture-token-new").await;
    folder.write("token", "fixture-token-new"); // not-a-secret
    client.bearer_alone().send().await.expect("the new one is found");
    assert_eq!(new.calls_async().await, 1);
}

#[cfg(all(unix, feature = "command-source"))]
#[tokio::test]
async fn a_command_prints_the_secret_and_is_not_started_before_a_call() {
    let server = MockServer::start_async().await;
    let folder = Folder::new(&format!(
        "[profile.default.api.locks]\nbase-url = \"{}\"\ncredentials.bearer = {{ command = [\"cat\", \"PATH\"] }}\n",
        server.base_url()
    ));
    let path = folder.path("token").display().to_string();
    let text = std::fs::read_to_string(folder.path("keyfit.toml")).expect("it is there");
    folder.write("keyfit.toml", &text.replace("PATH", &path));
    // It could print nothing yet.
    let client = client(&folder);
    folder.write("token", "fixture-token-printed"); // not-a-secret
    let called = expects(&server, "/bearer-alone", "authorization", "Bearer fixture-token-printed").await;
    client.bearer_alone().send().await.expect("it is opened");
    assert_eq!(called.calls_async().await, 1);
}

#[tokio::test]
async fn what_the_program_sets_stands_over_the_profile() {
    let folder = Folder::new(
        "[profile.default.api.locks]\ntimeout = \"20s\"\nbase-url = \"http://127.0.0.1:9\"\ncredentials.bearer = { env = \"CARGO_PKG_NAME\" }\n",
    );
    let profile = folder.profile("default").expect("it is valid");
    let server = MockServer::start_async().await;
    let slow = server
        .mock_async(|when, then| {
            when.path("/bearer-alone");
            then.status(204).delay(Duration::from_secs(30));
        })
        .await;
    let change = |config: keyfit::Config| {
        config.base_url(server.base_url()).timeout(Duration::from_millis(50)).retry(keyfit::RetryPolicy::never())
    };
    let client: locks::Client = profile.client_with(change).expect("a client");
    let error: Error = client.bearer_alone().send().await.expect_err("it is slow");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(slow.calls_async().await, 1);
}
