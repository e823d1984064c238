//! A server of Valkey or Redis on 127.0.0.1, for a test.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use keyfit::{Clock as _, SystemClock};

/// The names of such servers.
const PROGRAMS: [&str; 2] = ["valkey-server", "redis-server"];

/// A process that ends with its value.
pub(crate) struct Running(Child);

/// A store that ends with its value.
pub(crate) struct Store {
    program: &'static str,
    port: u16,
    folder: tempfile::TempDir,
    options: Vec<String>,
    process: Running,
}

impl Store {
    /// `None`, with a word, where there is no such program.
    pub(crate) async fn start(options: &[&str]) -> Option<Self> {
        let program = program()?;
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let folder = tempfile::tempdir().expect("a folder");
        let port_option = ["--port".to_owned(), port.to_string()];
        let options: Vec<String> =
            port_option.into_iter().chain(options.iter().map(|option| (*option).to_owned())).collect();
        let process = begin(program, folder.path(), &options);
        let store = Self { program, port, folder, options, process };
        store.answers().await;
        Some(store)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Stops it at once, as when its machine is lost.
    pub(crate) fn kill(&mut self) {
        self.process.0.kill().expect("it runs");
        self.process.0.wait().expect("it ends");
    }

    /// Starts it anew, empty.
    pub(crate) async fn restart(&mut self) {
        self.process = begin(self.program, self.folder.path(), &self.options);
        self.answers().await;
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = i32::try_from(self.process.0.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
        rustix::process::kill_process(id, signal).expect("it runs");
    }

    /// How often a script was run.
    pub(crate) async fn scripts(&self) -> u64 {
        scripts_at(&self.url()).await
    }

    pub(crate) async fn connection(&self) -> Option<redis::aio::MultiplexedConnection> {
        connection(&self.url()).await
    }

    async fn answers(&self) {
        while self.connection().await.is_none() {
            SystemClock.sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) async fn connection(url: &str) -> Option<redis::aio::MultiplexedConnection> {
    redis::Client::open(url).expect("a URL").get_multiplexed_async_connection().await.ok()
}

/// How often the store at a URL has run a script.
pub(crate) async fn scripts_at(url: &str) -> u64 {
    let mut connection = connection(url).await.expect("it answers");
    let text: String = redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await.expect("figures");
    let calls =
        text.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next()?.parse().ok());
    calls.unwrap_or_default()
}

/// The program of a store; `None`, with a word, where there is none.
pub(crate) fn program() -> Option<&'static str> {
    let is_there = |program: &&str| {
        Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let program = PROGRAMS.into_iter().find(is_there);
    if program.is_none() {
        println!("skipped: none of {} is installed", PROGRAMS.join(", "));
    }
    program
}

/// Starts a store that keeps nothing after its end.
pub(crate) fn begin<S: AsRef<OsStr>>(program: &str, folder: &Path, options: impl IntoIterator<Item = S>) -> Running {
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]).arg(folder).args(options);
    Running(command.stdout(Stdio::null()).spawn().expect("it starts"))
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
