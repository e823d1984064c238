//! The settings of a file.

use keyfit::Profile;

use super::{Folder, locks};

#[test]
fn the_settings_of_an_api_stand_over_those_of_its_profile() {
    let folder = Folder::new(
        r#"
        [profile.default]
        connect-timeout = "1s"
        timeout = "2s"
        deadline = "3m"
        idle-timeout = "4s"
        response-limit = "5MiB"
        item-limit = 6
        user-agent = "shop/1"
        wait-for-rate-limits = false
        allow-query-keys = true
        retry = { attempts = 7, first-wait = "8ms", longest-wait = "9s", budget = 10 }

        [profile.default.api.locks]
        base-url = "https://staging.example.com/v1/"
        timeout = "500ms"
        retry.attempts = 1
        retry.also-after = [409]
        servers = { "https://upload.locks.example" = "http://127.0.0.1:1" }

        [profile.default.api.other]
        timeout = "11s"
        "#,
    );
    let profile = folder.profile("default").expect("it is valid");
    let api = profile.api("locks").expect("it is there");
    assert_eq!(api.base_url(), Some("https://staging.example.com/v1/"));
    let config = format!("{:?}", api.config().expect("it holds what it should"));
    for set in [
        "base_url: Some(\"https://staging.example.com\")",
        "servers: [\"http://127.0.0.1:1\"]",
        "connect_timeout: 1s",
        " timeout: 500ms",
        "user_agent: Some(\"shop/1\")",
        "deadline: 180s",
        "idle_timeout: 4s",
        "response_limit: 5242880",
        "item_limit: 6",
        "attempts: 1, first_wait: 8ms, longest_wait: 9s, budget: 10, statuses: [(409, true)]",
        "waits_for_rate_limits: false",
        "allows_query_keys: true",
    ] {
        assert!(config.contains(set), "{set}: {config}");
    }
    // One that the profile does not name has the settings of the profile.
    let unnamed = profile.api("something-else").expect("it need not be there");
    assert_eq!(unnamed.base_url(), None);
    assert!(format!("{:?}", unnamed.config().expect("settings")).contains(" timeout: 2s"));
}

#[test]
fn nothing_of_a_profile_prints_more_than_names() {
    let folder = Folder::new(
        r#"
        [profile.default.api.locks]
        base-url = "https://do-not-print.example.com"
        [profile.default.api.locks.credentials]
        bearer = { file = "token" }
        login = { user = "do-not-print", password = { command = ["pass", "do-not-print"] } }
        "#,
    );
    folder.write("token", "do-not-print");
    let profile = folder.profile("default").expect("it is valid");
    let api = profile.api("locks").expect("it is there");
    let credentials = api.credentials(<locks::Client as keyfit::Connect>::KINDS).expect("they are of the API");
    let source = credentials[0].source().expect("the file is there");
    let shown = format!("{profile:?} {api:?} {credentials:?} {source:?}");
    assert!(!shown.contains("do-not-print"), "{shown}");
    assert!(shown.contains("default") && shown.contains("locks") && shown.contains("login"), "{shown}");
}

#[test]
fn certificates_are_read_beside_the_file_and_told_with_their_line() {
    let folder = Folder::new(
        "[profile.default]\nroot-certificates = \"ca.pem\"\n\n[profile.two]\n\nclient-certificate = \"ca.pem\"\n",
    );
    let told = |name: &str| {
        let api = folder.profile(name).and_then(|profile| profile.api("locks")).expect("it is valid");
        api.config().map(drop).expect_err(name).to_string().replace(&format!("{}/", folder.0.path().display()), "")
    };
    assert!(told("default").starts_with("keyfit.toml:2: the file ") && told("default").contains("cannot be read"));
    folder.write("ca.pem", "do-not-print");
    assert_eq!(
        told("default"),
        "keyfit.toml:2: the root certificates hold no certificate in PEM: correct `root-certificates`"
    );
    let two = told("two");
    assert!(two.starts_with("keyfit.toml:6: the client certificate is not in PEM") && !two.contains("do-not"), "{two}");
}

#[cfg(feature = "schema")]
#[expect(clippy::disallowed_methods, reason = "a switch of these tests alone")]
#[test]
fn the_schema_is_the_published_one_and_the_page_has_every_key() {
    const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keyfit.schema.json");
    let schema = Profile::schema();
    let text = format!("{schema:#}\n");
    if std::env::var_os("KEYFIT_WRITE_SCHEMAS").is_some() {
        std::fs::write(SCHEMA, &text).expect("written");
    }
    assert!(std::fs::read_to_string(SCHEMA).is_ok_and(|known| known == text), "docs/keyfit.schema.json is out of date");
    let page = include_str!("../../docs/configuration.md");
    let mut keys = Vec::new();
    for (key, value) in schema["$defs"]["api"]["properties"].as_object().expect("members") {
        match value["properties"].as_object() {
            Some(below) => keys.extend(below.keys().map(|below| format!("{key}.{below}"))),
            None => keys.push(key.clone()),
        }
    }
    let missing: Vec<&String> = keys.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/configuration.md does not have {missing:?}");
}

#[test]
fn the_example_of_the_page_is_valid() {
    let page = include_str!("../../docs/configuration.md");
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks.into_iter().filter(|block| block.contains("[profile.")) {
        let folder = Folder::new(block);
        for name in block.split("[profile.").skip(1).filter_map(|rest| rest.split(['.', ']']).next()) {
            assert!(folder.profile(name).is_ok(), "{:?}", folder.profile(name));
        }
    }
    let _ = Profile::load;
}
