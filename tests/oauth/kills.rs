//! Processes that are killed in the middle of a refresh, before a server that takes each refresh token once.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::*;

/// How many refreshes a process makes that nobody kills.
const REFRESHES: usize = 3;
const ROUNDS: usize = 60;

/// When the server kills the process that asks it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Point {
    Never,
    Connected,
    Asked,
    Rotated,
    HalfAnswered,
    Answered,
    /// So many turns of a loop after the answer: somewhere around the save.
    Later(u32),
}

fn point(round: usize) -> Point {
    match round % 9 {
        0 => Point::Never,
        1 => Point::Connected,
        2 => Point::Asked,
        3 => Point::Rotated,
        4 => Point::HalfAnswered,
        5 => Point::Answered,
        _ => Point::Later(1 << (round % 23)),
    }
}

/// What the server knows.
struct Server {
    /// Every refresh token that it was sent.
    seen: Vec<String>,
    turn: usize,
    /// Whom it kills when, and after how many refreshes.
    victim: Option<(Child, Point, usize)>,
}

impl Server {
    fn next(&mut self) -> String {
        self.turn += 1;
        format!("r{}", self.turn)
    }

    /// Kills the process where its time has come.
    fn reach(&mut self, here: Point) -> bool {
        match &mut self.victim {
            Some((child, point, 0)) if *point == here => {
                child.kill().expect("it can be killed");
                true
            }
            _ => false,
        }
    }
}

/// Answers one request.
fn answer(mut stream: TcpStream, server: &Mutex<Server>) -> std::io::Result<()> {
    let mut server = server.lock().expect("no panic");
    if server.reach(Point::Connected) {
        return Ok(());
    }
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).expect("a form");
    let sent = body.split('&').find_map(|pair| pair.strip_prefix("refresh_token=")).expect("a refresh token");
    server.seen.push(sent.to_owned());
    if server.reach(Point::Asked) {
        return Ok(());
    }
    let body = json!({"access_token": "a", "refresh_token": server.next(), "expires_in": 3600}).to_string();
    if server.reach(Point::Rotated) {
        return Ok(());
    }
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let (first, second) = body.split_at(body.len() / 2);
    stream.write_all(head.as_bytes())?;
    stream.write_all(first.as_bytes())?;
    if server.reach(Point::HalfAnswered) {
        return Ok(());
    }
    stream.write_all(second.as_bytes())?;
    if let Some((_, Point::Later(turns), 0)) = &server.victim {
        let turns = *turns;
        (0..turns).for_each(|_| std::hint::spin_loop());
        server.reach(Point::Later(turns));
    }
    server.reach(Point::Answered);
    if let Some((_, _, left)) = &mut server.victim {
        *left = left.wrapping_sub(1);
    }
    Ok(())
}

/// The process that is killed.
#[tokio::test]
#[ignore = "run by the test below, which kills it"]
#[expect(clippy::disallowed_methods, reason = "a test's own command line")]
async fn refreshes_until_it_is_killed() {
    let url = std::env::var("KEYFIT_TEST_ENDPOINT").expect("set by the test below");
    let endpoint = TokenEndpoint::builder(url, "c").build().expect("an endpoint");
    let session = RefreshingSession::load(endpoint, FileStore::new("tokens.json")).await.expect("a session");
    for _ in 0..REFRESHES {
        match session.replace(&AccessToken::new("a")).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ReauthorizationRequired => {
                println!("consent again");
                return;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(session.is_saved().await);
    println!("done");
}

/// Runs the process to its end and returns what it said.
fn run(folder: &Path, url: &str, server: &Mutex<Server>, round: usize) -> String {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "kills::refreshes_until_it_is_killed", "--ignored", "--nocapture"])
        .env("KEYFIT_TEST_ENDPOINT", url)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test runs");
    let mut stdout = child.stdout.take().expect("a pipe");
    server.lock().expect("no panic").victim = Some((child, point(round), round % REFRESHES));
    let mut said = String::new();
    stdout.read_to_string(&mut said).expect("text");
    let (mut child, ..) = server.lock().expect("no panic").victim.take().expect("it is there");
    child.wait().expect("it ends");
    said
}

#[tokio::test]
async fn no_refresh_token_is_sent_twice_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path().join("tokens.json"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/token", listener.local_addr().expect("an address"));
    let server = Arc::new(Mutex::new(Server { seen: Vec::new(), turn: 0, victim: None }));
    let serving = Arc::clone(&server);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A process that was killed does not read on.
            let _ = answer(stream.expect("a connection"), &serving);
        }
    });
    let (mut consents, mut ended) = (0, 0);
    for round in 0..ROUNDS {
        let left = store.load().await.expect("whole tokens");
        if left.is_none_or(|tokens| tokens.refresh_token().is_none()) {
            consents += 1;
            let refresh = server.lock().expect("no panic").next();
            store.save(&TokenSet::new(AccessToken::new("a")).refresh(refresh)).await.expect("saved");
        }
        let said = run(folder.path(), &url, &server, round);
        ended += usize::from(said.contains("done"));
        if point(round) == Point::Never {
            assert!(said.contains("done"), "nobody stops it: {said}");
        }
    }
    let server = server.lock().expect("no panic");
    let different: HashSet<&String> = server.seen.iter().collect();
    println!(
        "{ROUNDS} processes, {ended} of them ended by themselves; {} refresh tokens sent, {} twice; {consents} consents",
        server.seen.len(),
        server.seen.len() - different.len()
    );
    assert_eq!(server.seen.len(), different.len(), "{:?}", server.seen);
    assert!(server.seen.len() > ROUNDS, "processes did refresh");
}
