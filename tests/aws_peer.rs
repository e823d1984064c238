//! AWS Secrets Manager against moto, an independent implementation that also checks signatures.
//!
//! It needs a Python with `moto[server]`, named by `KEYFIT_PYTHON` (default: `python3`); without moto the test says so
//! and passes.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use keyfit::auth::SecretSource;
use keyfit::auth::source::StoreFailure;
use keyfit::auth::source::aws::{Credentials, SecretsManager};
use reqwest::Client;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// A moto server of this test's own, killed at the end.
struct Moto {
    process: Child,
    url: String,
    http: Client,
}

#[expect(clippy::disallowed_methods, reason = "a test finds its tools by the environment")]
fn python() -> String {
    std::env::var("KEYFIT_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

impl Moto {
    /// Starts moto at a free port of this machine alone. `None` where it is not installed.
    fn start() -> Option<Self> {
        let has_moto = Command::new(python()).args(["-c", "import moto.server"]).stderr(Stdio::null()).status();
        if !has_moto.is_ok_and(|status| status.success()) {
            println!("skipped: {} has no moto; pip install 'moto[server]'", python());
            return None;
        }
        let mut process = Command::new(python())
            .args(["-u", "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto starts");
        // " * Running on http://127.0.0.1:40123"
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("Running on ").map(|(_, url)| url.trim().to_owned()))
            .expect("moto says where it listens");
        // A pipe that nobody reads would stop moto when it is full.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, url, http: Client::builder().no_proxy().build().expect("a client") })
    }

    /// Calls Secrets Manager, as its command line tool would.
    async fn call(&self, action: &str, arguments: Value) -> Value {
        let request = self
            .http
            .post(&self.url)
            .header("x-amz-target", format!("secretsmanager.{action}"))
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/secretsmanager/aws4_request")
            .body(arguments.to_string());
        let answer = request.send().await.expect("moto answers");
        assert!(answer.status().is_success(), "{action}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    fn store(&self, credentials: Credentials) -> SecretsManager {
        SecretsManager::new("eu-west-1", credentials).and_then(|store| store.endpoint(&self.url)).expect("a store")
    }

    /// Makes a user who may do everything, and from then on checks the signature of each request.
    async fn demand_signatures(&self) -> Credentials {
        let iam = async |form: &str| {
            let request = self
                .http
                .post(&self.url)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request")
                .body(format!("{form}&Version=2010-05-08"));
            let answer = request.send().await.expect("moto answers");
            assert!(answer.status().is_success(), "{form}: {}", answer.status());
            answer.text().await.expect("a text")
        };
        iam("Action=CreateUser&UserName=keyfit").await;
        let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
        iam(&format!("Action=PutUserPolicy&UserName=keyfit&PolicyName=all&PolicyDocument={policy}")).await;
        let key = iam("Action=CreateAccessKey&UserName=keyfit").await;
        let part = |name: &str| {
            let (_, rest) = key.split_once(&format!("<{name}>")).expect(name);
            rest.split('<').next().expect(name).to_owned()
        };
        let reset = self.http.post(format!("{}/moto-api/reset-auth", self.url)).body("0").send().await;
        assert!(reset.expect("moto answers").status().is_success());
        Credentials::new(part("AccessKeyId"), part("SecretAccessKey"))
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn read(source: &impl SecretSource) -> Result<String, keyfit::Error> {
    source.read().await.map(|secret| secret.expose_secret().to_owned())
}

#[tokio::test]
async fn a_secret_is_read_and_its_rotation_found() {
    let Some(moto) = Moto::start() else { return };
    moto.call("CreateSecret", json!({"Name": "product/api", "SecretString": r#"{"api_key":"first"}"#})).await;
    moto.call("CreateSecret", json!({"Name": "binary", "SecretBinary": "AAEC"})).await;
    let store = moto.store(Credentials::new("any", "any"));
    let source = store.secret("product/api").field("api_key");
    assert_eq!(read(&source).await.expect("a secret"), "first");

    moto.call("PutSecretValue", json!({"SecretId": "product/api", "SecretString": r#"{"api_key":"second"}"#})).await;
    assert_eq!(read(&source).await.expect("a secret"), "second");
    assert_eq!(read(&source.stage("AWSPREVIOUS")).await.expect("the one before"), "first");

    let missing = read(&store.secret("nothing")).await.expect_err("no such secret");
    assert_eq!(StoreFailure::of(&missing), Some(StoreFailure::NotFound), "{missing}");
    let binary = read(&store.secret("binary")).await.expect_err("no text");
    assert_eq!(StoreFailure::of(&binary), Some(StoreFailure::Unreadable), "{binary}");
}

#[tokio::test]
async fn the_signature_is_accepted_and_that_of_another_key_is_not() {
    let Some(moto) = Moto::start() else { return };
    moto.call("CreateSecret", json!({"Name": "product/api", "SecretString": "plain"})).await;
    let credentials = moto.demand_signatures().await;
    assert_eq!(read(&moto.store(credentials.clone()).secret("product/api")).await.expect("a secret"), "plain");

    let id = format!("{credentials:?}").trim_start_matches("Credentials(").trim_end_matches(')').to_owned();
    let wrong = moto.store(Credentials::new(id, "another-secret-access-key")).secret("product/api");
    let error = read(&wrong).await.expect_err("a wrong signature");
    assert_eq!(StoreFailure::of(&error), Some(StoreFailure::Forbidden), "{error}");
}
