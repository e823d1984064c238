//! A PostgreSQL on 127.0.0.1, for a test.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use keyfit::{Clock as _, SystemClock};

/// The programs in a folder of PostgreSQL.
const NEEDED: [&str; 4] = ["initdb", "pg_ctl", "pg_isready", "postgres"];

/// A database that ends with its value.
pub(crate) struct Database {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Database {
    /// `None`, with a word, where PostgreSQL is not installed, or root may not start it as somebody else.
    pub(crate) async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            println!("skipped: PostgreSQL is not installed");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        if is_root() {
            // It refuses to run as root.
            let owner = Command::new("id").args(["-u", "postgres"]).output().ok();
            let owner = owner.and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok());
            let Some(owner) = owner else {
                println!("skipped: there is no user postgres, and it does not run as root");
                return None;
            };
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("our own folder");
            chown(folder.path(), Some(owner), None).expect("root may");
        }
        let data = folder.path().join("data");
        let made = command(&programs.join("initdb"))
            .args(["--auth=trust", "--username=keyfit", "--no-sync", "--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(&data)
            .output()
            .expect("it runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let process = begin(&programs, &data, port);
        let database = Self { programs, folder, port, process };
        database.answers().await;
        Some(database)
    }

    /// Where it is, for a user without a password.
    pub(crate) fn url(&self) -> String {
        format!("postgres://keyfit@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it at once, as when its machine is lost.
    pub(crate) fn kill(&mut self) {
        let data = self.folder.path().join("data");
        let stopped = command(&self.programs.join("pg_ctl"))
            .args(["stop", "--no-wait", "--mode=immediate", "--pgdata"])
            .arg(data)
            .output();
        assert!(stopped.expect("it runs").status.success());
        self.process.wait().expect("it ends");
    }

    pub(crate) async fn restart(&mut self) {
        self.process = begin(&self.programs, &self.folder.path().join("data"), self.port);
        self.answers().await;
    }

    async fn answers(&self) {
        let is_ready = || {
            let mut ready = Command::new(self.programs.join("pg_isready"));
            ready.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
            ready.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() || !is_ready() {
            SystemClock.sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        // It may have ended already.
        let _ = command(&self.programs.join("pg_ctl"))
            .args(["stop", "--no-wait", "--mode=immediate", "--pgdata"])
            .arg(data)
            .output();
        let _ = self.process.wait();
    }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// The newest of Debian's folders, or that of the path.
fn programs() -> Option<PathBuf> {
    let of_debian =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let of_path =
        env::vars_os().find(|(name, _)| name == "PATH").map(|(_, path)| env::split_paths(&path).collect::<Vec<_>>());
    let folders = of_debian.chain(of_path.into_iter().flatten());
    let is_whole = |folder: &PathBuf| NEEDED.iter().all(|program| folder.join(program).is_file());
    folders.filter(is_whole).max()
}

/// A program, by a user who is not root.
fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn begin(programs: &Path, data: &Path, port: u16) -> Child {
    let sockets = data.display().to_string();
    command(&programs.join("postgres"))
        .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("unix_socket_directories={sockets}")])
        .args(["-p", &port.to_string(), "-D"])
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}
