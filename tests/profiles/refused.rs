//! Files that are refused, and the errors.

use keyfit::{ErrorKind, Profile};

use super::{Folder, locks};

/// The error of a file, without the folder.
fn told(text: &str) -> String {
    let folder = Folder::new(text);
    let made = folder.profile("default").and_then(|profile| profile.client::<locks::Client>());
    let error = made.map(drop).expect_err(text);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("do-not-print"), "{shown}");
    assert!(matches!(error.kind(), ErrorKind::Configuration | ErrorKind::Credential), "{error}");
    error.to_string().replace(&format!("{}/", folder.0.path().display()), "")
}

/// The place and the words of each, and what to do.
fn all_told(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(told(text), *expected, "{text}");
    }
}

const NAMED: &str =
    "name where it is: `{ env = \"VARIABLE\" }`, `{ file = \"PATH\" }` or `{ command = [\"PROGRAM\", \"ARGUMENT\"] }`";

#[test]
fn a_key_that_means_nothing_is_named_with_its_line_and_what_is_near() {
    all_told(&[
        (
            "[profile.default]\n\ntimeuot = \"1s\"\n",
            "keyfit.toml:3: there is no setting `timeuot`: did you mean `timeout`?",
        ),
        (
            "[profile.default.retry]\nattemps = 1\n",
            "keyfit.toml:2: there is no setting `attemps`: did you mean `attempts`?",
        ),
        (
            "[profile.default]\nretry.zzz = 1\n",
            "keyfit.toml:2: there is no setting `zzz`: there are also-after, attempts, budget, first-wait, longest-wait, never-after",
        ),
        (
            "[profile.default.api.locks]\nbaseurl = \"https://a.example\"\n",
            "keyfit.toml:2: there is no setting `baseurl`: did you mean `base-url`?",
        ),
        (
            "[profile.default]\nbase-url = \"https://a.example\"\n",
            "keyfit.toml:2: `base-url` belongs to one API: move it below [profile.default.api.NAME]",
        ),
        (
            "timeout = \"1s\"\n",
            "keyfit.toml:1: a file of profiles has no `timeout`: settings stand below [profile.NAME]",
        ),
        ("[profiles.default]\n", "keyfit.toml:1: a file of profiles has no `profiles`: did you mean `profile`?"),
        (
            "[profile.default]\n[profile.other]\nidle-timout = \"1s\"\n",
            "keyfit.toml:3: there is no setting `idle-timout`: did you mean `idle-timeout`?",
        ),
    ]);
}

#[test]
fn a_value_of_another_type_or_beyond_sense_is_told_with_what_to_write() {
    let duration = "write a number with its unit: \"500ms\", \"30s\", \"5m\" or \"1h\"";
    let size = "write a number with its unit, \"64MiB\", or the bytes as a number";
    for (setting, expected) in [
        ("timeout = 30", format!("`timeout` is an integer: {duration}")),
        ("timeout = \"30\"", format!("`timeout` has no unit: {duration}")),
        ("timeout = \"-5s\"", format!("`timeout` is negative: {duration}")),
        ("timeout = \"0s\"", format!("`timeout` is shorter than a millisecond: {duration}")),
        ("deadline = \"9999h\"", format!("`deadline` is longer than a day: {duration}")),
        ("deadline = \"do-not-print\"", format!("`deadline` is not a duration: {duration}")),
        ("response-limit = \"1MiBi\"", format!("`response-limit` is not a size: {size}")),
        ("response-limit = -1", format!("`response-limit` is out of range: {size}")),
        ("response-limit = 0", format!("`response-limit` is nothing: {size}")),
        ("response-limit = true", format!("`response-limit` is a boolean: {size}")),
        ("retry = 3", "`retry` is an integer: it is the name of a table: settings stand below it".to_owned()),
        ("retry.attempts = 0", "`retry.attempts` is out of range: write a number from 1 to 100".to_owned()),
        ("retry.attempts = \"4\"", "`retry.attempts` is a string: write a number from 1 to 100".to_owned()),
        (
            "retry.also-after = [409, 999]",
            "`retry.also-after` holds what is not a status: write a list of statuses: [409, 423]".to_owned(),
        ),
        ("wait-for-rate-limits = \"no\"", "`wait-for-rate-limits` is a string: write true or false".to_owned()),
        (
            "user-agent = \"a\\nb\"",
            "`user-agent` cannot stand in a header: write letters, digits and signs of ASCII in one line".to_owned(),
        ),
        (
            "root-certificates = []",
            "`root-certificates` is an array: write the path of a file in PEM, or a list of paths".to_owned(),
        ),
    ] {
        let text = format!("[profile.default]\n{setting}\n");
        assert_eq!(told(&text), format!("keyfit.toml:2: {expected}"), "{setting}");
    }
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    for (given, expected) in [
        ("\"do-not-print\"", format!("a secret does not stand in this file, and `bearer` has a string: {NAMED}")),
        ("{ env = \"do-not-print\" }", format!("`env` is not the name of a variable: {NAMED}")),
        ("{ file = [\"do-not-print\"] }", format!("`file` is not a path: {NAMED}")),
        ("{ command = \"do-not-print\" }", format!("`command` is not a list of texts: {NAMED}")),
        ("{ command = [] }", format!("`command` has no program: {NAMED}")),
        ("{}", format!("`bearer` is empty: {NAMED}")),
        ("{ env = \"A\", file = \"b\" }", format!("`bearer` does not name one place: {NAMED}")),
        ("{ token = \"do-not-print\" }", "a credential has no `token`: did you mean `token-url`?".to_owned()),
        (
            "{ user = \"ada\", password = \"do-not-print\" }",
            format!("a secret does not stand in this file, and `password` has a string: {NAMED}"),
        ),
        (
            "{ client-id = \"a\", client-secret = \"do-not-print\" }",
            format!("a secret does not stand in this file, and `client-secret` has a string: {NAMED}"),
        ),
        (
            "{ client-id = \"a\" }",
            "there is no `client-secret`: a client has a `client-id` and a `client-secret`".to_owned(),
        ),
        (
            "{ user = \"do-not-print\" }",
            format!("`bearer` has a user and no password, so that the user is the secret: {NAMED}"),
        ),
        ("{ password = { env = \"A\" } }", "there is no `user`: a login has a `user`".to_owned()),
        (
            "{ user = \"ada\", env = \"A\" }",
            "`bearer` is more than one kind of credential: write one: a place, `user` with `password`, or `client-id` with `client-secret`"
                .to_owned(),
        ),
        // A secret that was written in place of a variable or a path.
        (
            "{ env = \"do_not_print_1\" }",
            "the environment variable that is named here is not set: set it to the secret, or name another place".to_owned(),
        ),
    ] {
        let text = format!("[profile.default.api.locks.credentials]\nbearer = {given}\n");
        let told = told(&text);
        assert_eq!(told, format!("keyfit.toml:2: {expected}"), "{given}");
        assert!(!told.contains("do_not_print"), "{told}");
    }
}

#[test]
fn a_credential_that_cannot_be_had_or_is_not_one_of_the_api_is_told_with_its_line() {
    let api = "[profile.default.api.locks]\n";
    for (given, expected) in [
        (
            "credential = { env = \"CARGO_PKG_NAME\" }",
            "2: the API `locks` takes several kinds of credential: name the kind: `credentials = { bearer = .. }`; there are bearer, \
             login, bot, header-key, cookie-key, query-key, service",
        ),
        (
            "credentials.baerer = { env = \"CARGO_PKG_NAME\" }",
            "2: the API `locks` takes no credential `baerer`: did you mean `bearer`?",
        ),
        (
            "credentials.bearer = { env = \"KEYFIT_TEST_NO_SUCH_VARIABLE\" }",
            "2: the environment variable KEYFIT_TEST_NO_SUCH_VARIABLE is not set: set it to the secret, or name another place",
        ),
        (
            "credentials.bearer = { file = \"no/such.token\" }",
            "2: the file no/such.token cannot be read: entity not found: correct the path, or make it readable for this user",
        ),
        (
            "credentials.bearer = { file = \"do_not_PRINT_1\" }",
            "2: the file that is named here cannot be read: entity not found: correct the path, or make it readable for this user",
        ),
        (
            "credentials.bearer = { file = \"no-such.token\" }",
            "2: the file no-such.token cannot be read: entity not found: correct the path, or make it readable for this user",
        ),
        (
            "credentials.bearer = { user = \"ada\", password = { env = \"CARGO_PKG_NAME\" } }",
            "2: `bearer` is a token, and this is a user with a password: write where the token is: `{ env = \"VARIABLE\" }`",
        ),
        (
            "credentials.bearer = { client-id = \"a\", client-secret = { env = \"CARGO_PKG_NAME\" } }",
            "2: the document does not say where `bearer` is had: add `token-url`",
        ),
        (
            "credentials.login = { client-id = \"a\", client-secret = { env = \"CARGO_PKG_NAME\" } }",
            "2: `login` is a login, and this is a client that is given tokens: write `{ user = \"NAME\", password = { env = \"VARIABLE\" } }`",
        ),
        (
            "credential = { env = \"A\" }\ncredentials.bearer = { env = \"A\" }",
            "2: there are `credential` and `credentials`: keep `credentials`, which names each by its kind",
        ),
        (
            "credentials.query-key = { env = \"CARGO_PKG_NAME\" }",
            // Said by the client, as where the program gives the key.
            "",
        ),
    ] {
        let told = told(&format!("{api}{given}\n"));
        if expected.is_empty() {
            assert!(told.contains("`Config::allow_query_keys` sends it there all the same"), "{told}");
        } else {
            assert_eq!(told, format!("keyfit.toml:{expected}"), "{given}");
        }
    }
}

#[test]
fn a_url_that_would_show_the_credential_is_refused_and_not_shown() {
    let api = "[profile.default.api.locks]\n";
    for (given, expected) in [
        (
            "base-url = \"http://api.example.com/v1\"",
            "`base-url` http://api.example.com is plain http, which would show the credential to everyone on the way: use https",
        ),
        (
            "base-url = \"https://ada:do-not-print@api.example.com\"",
            "`base-url` holds a user name or password: give the credential to the client",
        ),
        (
            "base-url = \"https://a.example/?key=do-not-print\"",
            "`base-url` has a query: give scheme, host and path only",
        ),
        ("base-url = 5", "`base-url` is an integer: write a URL: \"https://api.example.com/v1\""),
        (
            "servers = { \"https://a.example\" = \"http://b.example\" }",
            "`servers` http://b.example is plain http, which would show the credential to everyone on the way: use https",
        ),
        (
            "credentials.service = { client-id = \"a\", client-secret = { env = \"A\" }, token-url = \"http://a.example/token\" }",
            "`token-url` http://a.example is plain http, which would show the credential to everyone on the way: use https",
        ),
    ] {
        assert_eq!(told(&format!("{api}{given}\n")), format!("keyfit.toml:2: {expected}"), "{given}");
    }
}

#[test]
fn a_profile_or_an_api_that_is_not_there_is_told_with_those_that_are() {
    let folder = Folder::new("[profile.staging]\n[profile.production.api.lokcs]\ntimeout = \"1s\"\n");
    let told = |name: &str| {
        let made = folder.profile(name).and_then(|profile| profile.client::<locks::Client>());
        made.map(drop).expect_err(name).to_string().replace(&format!("{}/", folder.0.path().display()), "")
    };
    assert_eq!(
        told("stagin"),
        "keyfit.toml: there is no profile `stagin`: did you mean `staging`? There are production, staging"
    );
    assert_eq!(told("x"), "keyfit.toml: there is no profile `x`: there are production, staging");
    assert_eq!(
        told("production"),
        "keyfit.toml:2: the profile has settings for the API `lokcs`, and none for `locks`: write [profile.production.api.locks] if you \
         mean that one"
    );
    let without = told("staging");
    assert!(
        without.starts_with(
            "there is no credential for the API `locks`: write `credentials = { bearer = { env = \"VARIABLE\" } }` below \
             [profile.staging.api.locks] of keyfit.toml, or set LOCKS_BEARER or LOCKS_LOGIN or "
        ),
        "{without}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_why() {
    let folder = Folder::new("");
    let told = |name: &str| {
        let error = Profile::read(folder.path(name), "default").expect_err(name).to_string();
        error.replace(&format!("{}/", folder.0.path().display()), "")
    };
    std::fs::write(folder.path("bytes.toml"), b"\xff\xfe").expect("written");
    std::fs::write(folder.path("large.toml"), vec![b'#'; (1 << 20) + 1]).expect("written");
    std::fs::create_dir(folder.path("folder.toml")).expect("made");
    folder.write("torn.toml", "[profile.default]\ntimeout = \"do-not-print\n");
    for (name, expected) in [
        (
            "missing.toml",
            ": the file of profiles cannot be read: entity not found: correct KEYFIT_CONFIG, or leave it out",
        ),
        (
            "bytes.toml",
            ": the file of profiles cannot be read: it is not text in UTF-8: correct KEYFIT_CONFIG, or leave it out",
        ),
        (
            "large.toml",
            ": the file of profiles cannot be read: it is larger than 1 MiB: correct KEYFIT_CONFIG, or leave it out",
        ),
        (
            "folder.toml",
            ": the file of profiles cannot be read: it is a folder and not a regular file: correct KEYFIT_CONFIG, or leave it out",
        ),
        ("torn.toml", ":2: this is not valid TOML (invalid basic string, expected `\"`): correct the line"),
    ] {
        assert_eq!(told(name), format!("{name}{expected}"));
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_everybody_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new("[profile.default]\n");
    std::fs::set_permissions(folder.path("keyfit.toml"), std::fs::Permissions::from_mode(0o666)).expect("set");
    let error = folder.profile("default").expect_err("anybody may have written it").to_string();
    assert!(error.contains("every user of this machine can write to it (mode 666)"), "{error}");
}
