//! A queue behind TLS that wants a login: `--nats-ca` and `--nats-credentials`.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use rcgen::{CertificateParams, KeyPair as TlsKey};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::nats::Nats;
use super::queue::{batch, text};
use super::{folder, run};

/// A server of NATS with a certificate of its own, an account, and the files with which a user connects.
struct Secured {
    nats: Nats,
    files: TempDir,
}

impl Secured {
    /// `None` where there is no such server.
    async fn start() -> Option<Self> {
        let files = tempfile::tempdir().expect("a folder");
        let path = |name: &str| files.path().join(name);
        let key = TlsKey::generate().expect("a key");
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name").self_signed(&key);
        fs::write(path("ca.pem"), pem("CERTIFICATE", certificate.expect("signed").der())).expect("written");
        fs::write(path("key.pem"), pem("PRIVATE KEY", &key.serialize_der())).expect("written");

        let (operator, account, user) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
        let unlimited = ["subs", "data", "payload", "imports", "exports", "conn", "leaf"];
        let storage = ["mem_storage", "disk_storage", "streams", "consumer"];
        let mut limits: Value = unlimited.iter().chain(&storage).map(|name| ((*name).to_owned(), json!(-1))).collect();
        limits["wildcards"] = json!(true);
        let operator_jwt = jwt(&operator, &operator, "operator", &json!({}));
        let account_jwt = jwt(&operator, &account, "account", &json!({ "limits": limits }));
        // JetStream does not start without an account of the system, which has no queue itself.
        let system = KeyPair::new_account();
        let of_system: Value = unlimited.iter().map(|name| ((*name).to_owned(), json!(-1))).collect();
        let system_jwt = jwt(&operator, &system, "account", &json!({ "limits": of_system }));
        let rights = json!({ "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1 });
        let user_jwt = jwt(&account, &user, "user", &rights);
        fs::write(path("user.creds"), credentials(&user_jwt, &user)).expect("written");
        // Of an account that the server does not know.
        let stranger = KeyPair::new_account();
        fs::write(path("stranger.creds"), credentials(&jwt(&stranger, &user, "user", &rights), &user))
            .expect("written");

        let settings = format!(
            "tls {{ cert_file: \"{}\", key_file: \"{}\" }}\noperator: {operator_jwt}\nresolver: MEMORY\n\
             system_account: {}\nresolver_preload {{\n{}: {account_jwt}\n{}: {system_jwt}\n}}\n",
            path("ca.pem").display(),
            path("key.pem").display(),
            system.public_key(),
            account.public_key(),
            system.public_key()
        );
        let nats = Nats::start_secured(&settings, &path("ca.pem"), &path("user.creds")).await?;
        Some(Self { nats, files })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// The queue, by the name that its certificate has.
    fn queue(&self) -> String {
        format!("tls://{}/parcels", self.nats.place().replace("127.0.0.1", "localhost"))
    }
}

fn pem(name: &str, der: &[u8]) -> String {
    let dashes = "-".repeat(5);
    format!("{dashes}BEGIN {name}{dashes}\n{}\n{dashes}END {name}{dashes}\n", STANDARD.encode(der))
}

/// A token of NATS: who says it, of whom, and what.
fn jwt(issuer: &KeyPair, subject: &KeyPair, kind: &str, rights: &Value) -> String {
    let mut nats = rights.clone();
    nats["type"] = json!(kind);
    nats["version"] = json!(2);
    let claims = json!({ "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject.public_key(), "name": kind, "jti": kind, "nats": nats });
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encoded(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), encoded(&claims));
    let signature = issuer.sign(signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The file as `nsc` writes it.
fn credentials(jwt: &str, user: &KeyPair) -> String {
    let dashes = "-".repeat(5);
    let block =
        |name: &str, text: &str| format!("{dashes}BEGIN {name}{dashes}\n{text}\n-{dashes}END {name}{dashes}\n\n");
    block("NATS USER JWT", jwt) + &block("USER NKEY SEED", &user.seed().expect("a seed"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_behind_tls_and_a_login_is_filled_and_emptied() {
    let Some(secured) = Secured::start().await else { return };
    let (dir, file) = folder("parcels.ndjson", super::rows(40));
    let server = super::storing().await;
    let (queue, from) = (secured.queue(), format!("{}/import", secured.queue()));
    let (ca, creds) = (secured.path("ca.pem"), secured.path("user.creds"));
    let login = ["--nats-ca", text(&ca), "--nats-credentials", text(&creds), "--json"];
    let (code, printed, said) =
        run(batch(&dir, &[&[text(&file), "note=spring", "--to", &queue], &login[..]].concat())).await;
    assert_eq!((code, printed.trim()), (0, "{\"added\":40,\"known\":0,\"rejected\":0}"), "{said}");
    let call = ["--from", &from, "note=spring", "--base-url", &server.url];
    let (code, printed, said) = run(batch(&dir, &[&call, &login[..]].concat())).await;
    assert_eq!(code, 0, "{said}");
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!((&printed["accepted"], &printed["returned"]), (&json!(40), &json!(0)));
    assert_eq!(super::sent(&server).len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_not_trusted_or_refuses_the_login_is_named_and_no_secret_is_shown() {
    let Some(secured) = Secured::start().await else { return };
    let (dir, file) = folder("parcels.ndjson", super::rows(3));
    let (ca, creds, stranger) = (secured.path("ca.pem"), secured.path("user.creds"), secured.path("stranger.creds"));
    let (none, empty) = (secured.path("none.creds"), secured.path("empty.creds"));
    fs::write(&empty, "").expect("written");
    let trusted: &[&str] = &["--nats-ca", text(&ca)];
    let queue = secured.queue();
    let seed = fs::read_to_string(&creds).expect("a file");
    let seed = seed.lines().find(|line| line.starts_with("SU")).expect("a seed").to_owned();
    for (options, why) in [
        (vec!["--nats-credentials", text(&creds)], "certificate"),
        ([trusted, &["--nats-credentials", text(&stranger)]].concat(), "login"),
        (trusted.to_vec(), "login"),
        ([trusted, &["--nats-credentials", text(&none)]].concat(), "none.creds"),
        ([trusted, &["--nats-credentials", text(&empty)]].concat(), "empty.creds"),
        (vec!["--nats-ca", text(&none)], "none.creds"),
        (vec!["--nats-ca", text(&empty)], "no certificate in PEM"),
    ] {
        let more = [&[text(&file), "note=spring", "--to", &queue], &options[..]].concat();
        let (code, printed, said) = run(batch(&dir, &more)).await;
        assert!(code == 2 && said.contains(why), "{options:?}: {said}");
        assert!(!format!("{printed}{said}").contains(&seed), "{said}");
    }
    assert_eq!(fs::metadata(Path::new(&file)).expect("a file").len(), super::rows(3).len() as u64);
}
