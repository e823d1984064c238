//! `keyfit spec bundle` of documents whose parts lie behind URLs, with servers that keep what they were asked.

use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::cli::{complaint, keyfit};
use crate::tls::{self, Authority};

const HEAD: &str = "openapi: 3.0.3\ninfo: {title: Pets, version: '1'}\nservers: [{url: 'https://api.example.com'}]\n";
/// What opens a file, as hosts of files write it into the URL.
const OPENS: &str = "fixture-token-of-a-url"; // not-a-secret

/// A document whose answer is this schema.
fn document(reference: &str) -> String {
    format!(
        "{HEAD}paths:\n  /pets:\n    get:\n      operationId: pets\n      responses:\n        '200':\n          description: ok\n          content:\n            application/json:\n              schema: {{$ref: '{reference}'}}\n"
    )
}

/// A file in a folder of its own.
fn file(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundle").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("openapi.yaml");
    fs::write(&file, text).expect("a file");
    file
}

fn bundle(arguments: &[&str]) -> Output {
    keyfit(&[&["spec", "bundle"], arguments].concat())
}

/// The document that was written, and what was said.
fn written(output: &Output) -> (Value, String) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    (serde_json::from_slice(&output.stdout).expect("JSON"), said)
}

/// A server of files, and the requests that it got. In the files `HERE` is its own URL.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new<const N: usize>(files: [(&'static str, String); N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let files: HashMap<_, _> = files.map(|(path, text)| (path, text.replace("HERE", &url))).into();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let asking = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut request = [0; 4096];
                let length = stream.read(&mut request).expect("a request");
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let (status, text) = match files.get(path.as_str()) {
                    Some(text) => ("200 OK", text.as_str()),
                    None => ("404 Not Found", ""),
                };
                asking.lock().expect("no panic").push(request);
                let length = text.len();
                let _ =
                    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}");
            }
        });
        Self { url, asked }
    }

    fn paths(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("no panic");
        asked.iter().map(|request| request.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
    }
}

#[test]
fn what_lies_behind_urls_is_fetched_once_and_written_into_one_file() {
    let opened = format!("/parts/pet.yaml?token={OPENS}");
    let pet = "Pet:\n  type: object\n  properties:\n    id: {$ref: '../ids.yaml#/a%20b'}\n    owner: {$ref: 'HERE/owner.yaml'}\n    parent: {$ref: '#/Pet'}\n";
    let server = Server::new([
        (Box::leak(opened.clone().into_boxed_str()), pet.to_owned()),
        ("/owner.yaml", "type: object\nproperties:\n  id: {$ref: './ids.yaml#/a%20b'}\n".to_owned()),
        ("/ids.yaml", "a b: {type: integer}\n".to_owned()),
    ]);
    let file = file("fetched", &document(&format!("{}{opened}#/Pet", server.url)));
    let folder = file.parent().expect("a folder");
    let whole = folder.join("whole.json").display().to_string();
    let output = bundle(&[&file.display().to_string(), "--output", &whole]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let text = fs::read_to_string(&whole).expect("it was written");
    let written: Value = serde_json::from_str(&text).expect("JSON");
    let schemas = &written["components"]["schemas"];
    assert_eq!(schemas["Pet"]["properties"]["parent"], json!({"$ref": "#/components/schemas/Pet"}));
    assert_eq!(schemas["owner"]["properties"]["id"], schemas["Pet"]["properties"]["id"]);
    assert_eq!(schemas["a_b"], json!({"type": "integer"}));
    let mut paths = server.paths();
    paths.sort();
    assert_eq!(paths, ["/ids.yaml", "/owner.yaml", opened.as_str()]);
    let of_owner = format!("fetched {}/owner.yaml: ", server.url);
    assert_eq!(said.lines().filter(|line| line.contains(", SHA-256 ")).count(), 3, "{said}");
    assert!(said.contains(&of_owner) && !said.contains(OPENS) && !text.contains(OPENS), "{said}");
    // Nothing is left to be fetched.
    let linted = keyfit(&["spec", "lint", &whole]);
    assert_eq!(linted.status.code(), Some(0), "{}", String::from_utf8_lossy(&linted.stdout));
}

#[test]
fn no_other_command_fetches_and_each_names_the_one_that_does() {
    let server = Server::new([("/pet.yaml", "type: string\n".to_owned())]);
    let file = file("refused", &document(&format!("{}/pet.yaml?token={OPENS}", server.url))).display().to_string();
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundle/made").display().to_string();
    for arguments in [
        &["spec", "lint", &file][..],
        &["init", &file, "--dir", &dir],
        &["generate", &file, "--name", "pets", "--out", "src/never.rs"],
        &["check", "--api-dir", &file],
    ] {
        let output = keyfit(arguments);
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(output.status.code().is_some_and(|code| code != 0), "{arguments:?}: {said}");
        assert!(said.contains("keyfit spec bundle") || arguments[0] == "check", "{arguments:?}: {said}");
        assert!(!said.contains(OPENS), "{arguments:?}: {said}");
    }
    for arguments in [["lint", &server.url, ""], ["diff", &server.url, &file]] {
        let arguments: Vec<&str> = arguments.into_iter().filter(|argument| !argument.is_empty()).collect();
        let said = complaint(&keyfit(&[&["spec"], &arguments[..]].concat()));
        assert!(said.contains("this is a URL") && said.contains("keyfit spec bundle http://"), "{said}");
    }
    assert!(server.paths().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_certificates_are_for_the_host_of_the_document_alone() {
    let authority = Authority::new("locks");
    let (elsewhere, seen) = tls::server(
        &authority,
        false,
        |_, _| "HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\ntype: string\n",
    )
    .await;
    let text = format!(
        "{}{}",
        document("parts/pet.yaml"),
        "  /other: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: 'ELSEWHERE/name.yaml'}}}}}}}\n"
    );
    let server = Server::new([
        ("/openapi.yaml", text.replace("ELSEWHERE", &elsewhere)),
        ("/parts/pet.yaml", "type: integer\n".to_owned()),
    ]);
    let machine = authority.issue("machine-7", &[]);
    let folder = file("headers", "").parent().expect("a folder").to_owned();
    let [authorities, both] =
        [("ca.pem", authority.pem()), ("both.pem", [machine.certificate_pem(), machine.key_pem()].concat())].map(
            |(name, text)| {
                let path = folder.join(name);
                fs::write(&path, text).expect("a file");
                path.display().to_string()
            },
        );
    let url = format!("{}/openapi.yaml", server.url);
    let header = format!("Authorization: Bearer {OPENS}");
    let more = ["--header", &header, "--cacert", &authorities, "--client-cert", &both];
    let output = tokio::task::block_in_place(|| bundle(&[&[url.as_str()], &more[..]].concat()));
    let (whole, said) = written(&output);
    assert_eq!(whole["components"]["schemas"], json!({"pet": {"type": "integer"}, "name": {"type": "string"}}));
    assert!(!said.contains(OPENS), "{said}");
    let asked = server.asked.lock().expect("no panic");
    assert_eq!(asked.iter().filter(|request| request.contains(OPENS)).count(), 2, "{asked:?}");
    let seen = seen.lock().expect("no panic");
    let is_anonymous = |(certificate, text): &(Option<Vec<u8>>, String)| certificate.is_none() && !text.contains(OPENS);
    assert!(seen.len() == 1 && seen.iter().all(is_anonymous), "{seen:?}");
    // A file names no host that they could be for.
    let file = file("headers", &document("https://files.example/pet.yaml")).display().to_string();
    let said = complaint(&bundle(&[&file, "--header", &header]));
    assert!(said.contains("needs a host") && !said.contains(OPENS), "{said}");
}

#[test]
fn a_fetched_file_reaches_neither_files_nor_servers_of_this_machine() {
    let inner = Server::new([("/secret.yaml", "type: string\n".to_owned())]);
    let hostile = |reference: &str| Server::new([("/openapi.yaml", document(reference))]);
    let passwd = file("hostile", "type: string\n").display().to_string();
    for (reference, reason) in [
        (format!("{}/secret.yaml", inner.url), "leads to this machine over plain http"),
        (format!("file://{passwd}"), "only https is fetched"),
        ("http://files.example/pet.yaml".to_owned(), "only https is fetched"),
        (format!("https://ada:{OPENS}@files.example/pet.yaml"), "names a user"), // not-a-secret
        (passwd, "404"),
        ("../../../../etc/passwd".to_owned(), "404"),
        ("https://".to_owned(), "this is no URL"),
    ] {
        let server = hostile(&reference);
        let said = complaint(&bundle(&[&format!("{}/openapi.yaml", server.url)]));
        assert!(said.contains(reason) && said.contains("/openapi.yaml:13:"), "{reference}: {said}");
        assert!(!said.contains(OPENS), "{said}");
    }
    assert!(inner.paths().is_empty());
}

#[test]
fn what_cannot_be_fetched_or_read_is_said_with_its_place() {
    let server = Server::new([("/broken.yaml", "type: [\n".to_owned()), ("/empty.yaml", "type: string\n".to_owned())]);
    let url = &server.url;
    for (reference, reason) in [
        (format!("{url}/nowhere.yaml"), "the server answers 404"),
        (format!("{url}/broken.yaml"), "/broken.yaml:"),
        (format!("{url}/empty.yaml#/Pet"), "leads nowhere"),
        ("http://127.0.0.1:1/pet.yaml".to_owned(), "cannot be fetched"),
    ] {
        let file = file("unread", &document(&reference)).display().to_string();
        let said = complaint(&bundle(&[&file]));
        assert!(said.contains(reason), "{reference}: {said}");
    }
    let said = complaint(&bundle(&[&format!("{url}/nowhere.yaml?token={OPENS}")]));
    assert!(
        said.contains("the server answers 404") && said.contains("/nowhere.yaml") && !said.contains(OPENS),
        "{said}"
    );
}
