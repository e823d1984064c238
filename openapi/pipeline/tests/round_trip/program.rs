// Calls clients as its input says, a line of JSON for each call, and says what became of it in a line of JSON. Compiled with
// the clients by `round_trip.rs`: `clients::connect` makes one by its name.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::{io, thread};

use keyfit::Config;
use keyfit::dispatch::{Access, Dispatch};
use serde_json::{Map, Value, json};

/// What the server answers, and the body that it was sent.
#[derive(Default)]
struct Server {
    status: u64,
    media_type: String,
    answer: String,
    received: Option<String>,
}

fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let url = format!("http://{}", listener.local_addr().expect("it has an address"));
    let server = Arc::new(Mutex::new(Server::default()));
    let serving = Arc::clone(&server);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = Arc::clone(&serving);
            thread::spawn(move || serve(&stream, &server));
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let mut connected: HashMap<String, Option<Box<dyn Dispatch>>> = HashMap::new();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let call: Value = serde_json::from_str(&line.expect("it is text")).expect("it is JSON");
        let name = call["client"].as_str().expect("it names a client");
        let client = connected.entry(name.to_owned()).or_insert_with(|| {
            let config = Config::default().base_url(url.clone()).allow_query_keys();
            corpus_round_trip::connect(name, config, Access::Token("fixture-token-0001".into())).ok()
        });
        let text = |key: &str| call[key].as_str().unwrap_or_default().to_owned();
        *server.lock().expect("nobody panics") = Server {
            status: call["status"].as_u64().unwrap_or(204),
            media_type: text("media_type"),
            answer: text("answer"),
            received: None,
        };
        let arguments: &Map<String, Value> = call["arguments"].as_object().expect("they are named");
        let outcome = match client {
            Some(client) => runtime.block_on(client.call(&text("operation"), arguments)),
            None => {
                writeln!(out, "{}", json!({ "error": "no client" })).expect("it is read");
                continue;
            }
        };
        let received = server.lock().expect("nobody panics").received.take();
        let (value, error) = match outcome {
            Ok(answer) => (Some(answer.value), None),
            Err(error) => (None, Some(error.to_string())),
        };
        writeln!(out, "{}", json!({ "received": received, "value": value, "error": error })).expect("it is read");
    }
}

/// Answers the requests of a connection.
fn serve(stream: &TcpStream, server: &Mutex<Server>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(told) = lower.strip_prefix("content-length:") {
                length = told.trim().parse().unwrap_or_default();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let answer = {
            let mut server = server.lock().expect("nobody panics");
            server.received = Some(String::from_utf8_lossy(&body).into_owned());
            let Server { status, media_type, answer, .. } = &*server;
            let length = if *status == 204 { String::new() } else { format!("content-length: {}\r\n", answer.len()) };
            format!("HTTP/1.1 {status} Told\r\ncontent-type: {media_type}\r\n{length}\r\n{answer}")
        };
        if (&*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
