//! A server of NATS on 127.0.0.1, for a test.

use std::collections::BTreeMap;
use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream::consumer::AckPolicy;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::{self, Context};
use futures_core::Stream as _;
use keyfit::{Clock as _, SystemClock};
use serde_json::Value;

/// A server that ends with its value.
pub(crate) struct Nats {
    program: PathBuf,
    port: u16,
    folder: tempfile::TempDir,
    settings: String,
    /// How to connect.
    login: Login,
    process: Child,
}

/// How a test connects.
enum Login {
    None,
    Password(&'static str, &'static str),
    /// By the file of an authority and one of credentials.
    Credentials(PathBuf, PathBuf),
}

impl Nats {
    /// `None`, with a word, where there is no such program. `settings`: more of its configuration.
    pub(crate) async fn start(settings: &str) -> Option<Self> {
        Self::start_with(settings, Login::None).await
    }

    /// One that wants a login.
    pub(crate) async fn start_for(settings: &str, user: &'static str, password: &'static str) -> Option<Self> {
        Self::start_with(settings, Login::Password(user, password)).await
    }

    /// One with TLS, for `localhost`, that wants the credentials of a file.
    pub(crate) async fn start_secured(settings: &str, authority: &Path, credentials: &Path) -> Option<Self> {
        Self::start_with(settings, Login::Credentials(authority.to_owned(), credentials.to_owned())).await
    }

    async fn start_with(settings: &str, login: Login) -> Option<Self> {
        let program = program()?;
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let folder = tempfile::tempdir().expect("a folder");
        let process = begin(&program, port, &folder, settings);
        let mut nats = Self { program, port, folder, settings: settings.to_owned(), login, process };
        nats.answers().await;
        Some(nats)
    }

    /// The queue of the test, for workers.
    pub(crate) fn queue(&self) -> String {
        format!("nats://{}/parcels/import", self.place())
    }

    pub(crate) fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stops it at once, as when its machine is lost.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }

    pub(crate) async fn restart(&mut self) {
        self.process = begin(&self.program, self.port, &self.folder, &self.settings);
        self.answers().await;
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        send(&self.process, signal);
    }

    pub(crate) async fn context(&self) -> Context {
        jetstream::new(self.login.connect(self.port).await.expect("it answers"))
    }

    /// Returns whether there is a queue.
    pub(crate) async fn is_there(&self) -> bool {
        self.context().await.get_stream("parcels").await.is_ok()
    }

    /// How many items are in the queue.
    pub(crate) async fn left(&self) -> u64 {
        let stream = self.context().await.get_stream("parcels").await.expect("a queue");
        stream.cached_info().state.messages
    }

    /// What was published of each item, by its sequence.
    pub(crate) async fn outcomes(&self) -> BTreeMap<u64, Vec<String>> {
        let stream = self.context().await.get_stream("parcels-outcomes").await.expect("outcomes");
        let count = stream.cached_info().state.messages;
        let config = Config { ack_policy: AckPolicy::None, ..Config::default() };
        let consumer = stream.create_consumer(config).await.expect("a consumer");
        let mut messages = std::pin::pin!(consumer.messages().await.expect("messages"));
        let mut found: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for _ in 0..count {
            let message = std::future::poll_fn(|context| messages.as_mut().poll_next(context)).await;
            let message = message.expect("another one").expect("a message");
            let told: Value = serde_json::from_slice(&message.payload).expect("JSON");
            let sequence = told["item"].as_u64().expect("a sequence");
            found.entry(sequence).or_default().push(told["outcome"].as_str().expect("an outcome").to_owned());
        }
        found
    }

    /// Returns once so many outcomes are published.
    pub(crate) async fn has_published(&self, count: u64) {
        let context = self.context().await;
        loop {
            if let Ok(stream) = context.get_stream("parcels-outcomes").await
                && stream.cached_info().state.messages >= count
            {
                return;
            }
            SystemClock.sleep(Duration::from_millis(1)).await;
        }
    }

    async fn answers(&mut self) {
        while self.login.connect(self.port).await.is_err() {
            let ended = self.process.try_wait().expect("our own process");
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(ended.is_none(), "the server does not start: {}", log());
            SystemClock.sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Login {
    async fn connect(&self, port: u16) -> Result<async_nats::Client, async_nats::ConnectError> {
        let options = async_nats::ConnectOptions::new();
        let options = match self {
            Self::None => options,
            Self::Password(user, password) => options.user_and_password((*user).to_owned(), (*password).to_owned()),
            Self::Credentials(authority, credentials) => {
                let options = options.add_root_certificates(authority.clone()).require_tls(true);
                let options = options.credentials_file(credentials).await.expect("a file");
                return options.connect(format!("localhost:{port}")).await;
            }
        };
        options.connect(format!("127.0.0.1:{port}")).await
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn send(child: &Child, signal: rustix::process::Signal) {
    let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(id, signal).expect("it runs");
}

fn begin(program: &PathBuf, port: u16, folder: &tempfile::TempDir, settings: &str) -> Child {
    let config = folder.path().join("nats.conf");
    let store = folder.path().join("store");
    let text = format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\", max_file_store: 64MB, sync_interval: always }}\n{settings}\n",
        store.display()
    );
    std::fs::write(&config, text).expect("written");
    let log = std::fs::File::create(folder.path().join("log")).expect("a file");
    Command::new(program).arg("-c").arg(&config).stdout(Stdio::null()).stderr(log).spawn().expect("it starts")
}

/// The program: beside the Python of the peers, whose wheels may hold it, or on the path.
pub(crate) fn program() -> Option<PathBuf> {
    let variable = |name: &str| env::vars_os().find(|(key, _)| key == name).map(|(_, value)| value);
    let of_peers = variable("KEYFIT_PYTHON").and_then(|python| Some(PathBuf::from(python).parent()?.to_owned()));
    let of_path = variable("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let found =
        of_peers.into_iter().chain(of_path).map(|folder| folder.join("nats-server")).find(|program| program.is_file());
    if found.is_none() {
        println!("skipped: there is no nats-server");
    }
    found
}
