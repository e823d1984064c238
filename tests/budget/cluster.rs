//! A cluster of stores on 127.0.0.1, for a test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use keyfit::{Clock as _, SystemClock};

use super::store::{Running, begin, connection, program, scripts_at};

/// Three primaries, each with so many replicas, which end with their value.
pub(crate) struct Cluster {
    nodes: Vec<(u16, Running)>,
    _folder: tempfile::TempDir,
}

impl Cluster {
    /// `None`, with a word, where there is no such program.
    pub(crate) async fn start(replicas: usize) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::tempdir().expect("a folder");
        let mut nodes = Vec::new();
        for _ in 0..3 * (1 + replicas) {
            let at = port();
            let own = folder.path().join(at.to_string());
            fs::create_dir(&own).expect("a folder");
            let at_text = at.to_string();
            let cluster = ["--port", &at_text, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
            // Without the wait for more replicas to come.
            let options = cluster.into_iter().chain(["--repl-diskless-sync-delay", "0"]);
            nodes.push((at, begin(program, &own, options)));
            listens(at).await;
        }
        let places = nodes.iter().map(|(port, _)| format!("127.0.0.1:{port}"));
        let made = Command::new(program.replace("server", "cli"))
            .args(["--cluster", "create"])
            .args(places)
            .args(["--cluster-replicas", &replicas.to_string(), "--cluster-yes"])
            .output()
            .expect("the command that comes with it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let cluster = Self { nodes, _folder: folder };
        cluster.is_ready().await;
        Some(cluster)
    }

    /// Waits until each node knows a primary for each part of the keys.
    pub(crate) async fn is_ready(&self) {
        for url in self.urls() {
            is_ready(&url).await;
        }
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|(port, _)| url(*port)).collect()
    }

    /// Ends the node that was asked most, at once.
    pub(crate) async fn lose_the_one_that_is_asked(&mut self) {
        let mut asked = Vec::new();
        for (at, (port, _)) in self.nodes.iter().enumerate() {
            asked.push((scripts_at(&url(*port)).await, at));
        }
        let (times, at) = asked.into_iter().max().expect("nodes");
        assert!(times > 0, "one is asked");
        drop(self.nodes.remove(at));
    }
}

/// Waits until a node knows a primary for each part of the keys, and has all of it where it is a replica.
async fn is_ready(url: &str) {
    let mut connection = connection(url).await.expect("it answers");
    loop {
        let state: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut connection).await.expect("words");
        let copies: String = redis::cmd("INFO").arg("replication").query_async(&mut connection).await.expect("words");
        if state.contains("cluster_state:ok") && !copies.contains("master_link_status:down") {
            return;
        }
        SystemClock.sleep(Duration::from_millis(50)).await;
    }
}

fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}")
}

/// Waits until something listens on a port.
pub(crate) async fn listens(port: u16) {
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        SystemClock.sleep(Duration::from_millis(20)).await;
    }
}

/// A port whose sister, 10,000 above, is one too: there the nodes of a cluster talk.
pub(crate) fn port() -> u16 {
    let free = || TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    std::iter::repeat_with(free).find(|port| *port < 50_000).expect("some are low")
}
