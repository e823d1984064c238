//! An authorization server of somebody else, as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

/// A running server, stopped when dropped.
pub(crate) struct Peer {
    pub(crate) url: String,
    /// The private key of the client `signing`, as a JWK.
    pub(crate) key: String,
    child: Child,
    /// The server ends when this closes, even if the test is killed.
    _stdin: ChildStdin,
}

impl Peer {
    /// `None` where there is no such program.
    pub(crate) fn start(command: &mut Command) -> Option<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let stdin = child.stdin.take().expect("a pipe");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let key = lines.by_ref().find_map(|line| line.strip_prefix("key ").map(str::to_owned));
        let url = lines.find(|line| line.starts_with("http://127.0.0.1:"));
        let (key, url) = (key.expect("the server says its key"), url.expect("the server says its URL"));
        Some(Self { url, key, child, _stdin: stdin })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
