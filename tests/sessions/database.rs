//! A PostgreSQL on 127.0.0.1, for a test.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use keyfit::{Clock as _, SystemClock};
use rustix::process::{Pid, Signal};

/// The programs in a folder of PostgreSQL.
const NEEDED: [&str; 5] = ["initdb", "pg_basebackup", "pg_ctl", "pg_isready", "postgres"];

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
        Self::start_in(tempfile::tempdir().expect("a folder")).await
    }

    /// The same in a folder.
    pub(crate) async fn start_in(folder: tempfile::TempDir) -> Option<Self> {
        let Some(programs) = programs() else {
            println!("skipped: PostgreSQL is not installed");
            return None;
        };
        if !is_given(folder.path()) {
            println!("skipped: there is no user postgres, and it does not run as root");
            return None;
        }
        let data = folder.path().join("data");
        let made = command(&programs.join("initdb"))
            .args([
                "--auth=trust",
                "--username=keyfit",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "--wal-segsize=1",
            ])
            .arg("--pgdata")
            .arg(&data)
            .output()
            .expect("it runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(Self::run(programs, folder).await)
    }

    /// A standby of this database, which follows it through a port.
    pub(crate) async fn standby(&self, port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(is_given(folder.path()));
        let from = format!("host=127.0.0.1 port={port} user=keyfit");
        let made = command(&self.programs.join("pg_basebackup"))
            .args(["--dbname", &from, "--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--pgdata"])
            .arg(folder.path().join("data"))
            .output()
            .expect("it runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self::run(self.programs.clone(), folder).await
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        let promoted = command(&self.programs.join("pg_ctl"))
            .args(["promote", "--wait", "--pgdata"])
            .arg(self.folder.path().join("data"))
            .output()
            .expect("it runs");
        assert!(promoted.status.success(), "{}", String::from_utf8_lossy(&promoted.stderr));
    }

    async fn run(programs: PathBuf, folder: tempfile::TempDir) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let process = begin(&programs, &folder.path().join("data"), port);
        let database = Self { programs, folder, port, process };
        database.answers().await;
        database
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("our own").is_none()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends a signal to each of its processes.
    pub(crate) fn signal(&self, signal: Signal) {
        let first = self.process.id();
        let is_of_it = |stat: &String| {
            let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
            fields.nth(1).and_then(|parent| parent.parse().ok()) == Some(first)
        };
        let of_it = fs::read_dir("/proc").expect("Linux").flatten().filter_map(|entry| {
            fs::read_to_string(entry.path().join("stat")).ok().filter(is_of_it)?;
            entry.file_name().to_str()?.parse().ok()
        });
        for id in of_it.chain([first]) {
            let id = i32::try_from(id).ok().and_then(Pid::from_raw).expect("a process");
            // One that served a connection may have ended.
            let _ = rustix::process::kill_process(id, signal);
        }
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

/// Gives a folder to the user that PostgreSQL runs as, which may not be root; `false` where there is none.
fn is_given(folder: &Path) -> bool {
    if !is_root() {
        return true;
    }
    let owner = Command::new("id").args(["-u", "postgres"]).output().ok();
    let owner = owner.and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok());
    let Some(owner) = owner else { return false };
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("our own folder");
    chown(folder, Some(owner), None).expect("root may");
    true
}

pub(crate) fn is_root() -> bool {
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
