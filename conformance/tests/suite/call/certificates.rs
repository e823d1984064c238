//! Client certificates of a call, before a server that demands one.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Answer, Server, TOKEN, command, folder, told};
use crate::tls::{self, Authority, Issued};

/// Operations that take a certificate, alone and with a key.
const DOCUMENT: &str = r#"{"openapi": "3.1.0", "info": {"title": "Parcels", "version": "1"}, "servers": [{"url": "https://parcels.example"}],
    "paths": {
        "/alone": {"get": {"operationId": "alone", "security": [{"machine": []}], "responses": {"200": {"description": "Open."}}}},
        "/both": {"get": {"operationId": "both", "security": [{"key": []}, {"machine": [], "key": []}], "responses": {"200": {"description": "Open."}}}},
        "/key": {"get": {"operationId": "key", "security": [{"key": []}], "responses": {"200": {"description": "Open."}}}}
    },
    "components": {"securitySchemes": {"machine": {"type": "mutualTLS"}, "key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}}"#;

/// Files beside the document: the authority's certificate, and a client's with its key.
struct Files {
    api: String,
    authority: String,
    certificate: String,
    key: String,
    both: String,
}

fn files(authority: &Authority, client: &Issued) -> Files {
    let folder: PathBuf = folder();
    fs::remove_file(folder.join("openapi.yaml")).expect("it is there");
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    file("openapi.json", DOCUMENT);
    Files {
        authority: file("ca.pem", &authority.pem()),
        certificate: file("client.pem", &client.certificate_pem()),
        key: file("client.key", &client.key_pem()),
        both: file("both.pem", &[client.key_pem(), client.certificate_pem()].concat()),
        api: Path::new(&folder).display().to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_shown_and_opens_what_takes_one() {
    let authority = Authority::new("parcels");
    let client = authority.issue("machine-7", &[]);
    let files = files(&authority, &client);
    let answer = |_: bool, _: &str| "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (url, seen) = tls::server(&authority, true, answer).await;
    let call = |arguments: &[&str]| {
        let way = ["--base-url", &url, "--cacert", &files.authority, "--attempts", "1"];
        let output = command(None, &[&[files.api.as_str()], arguments, &way].concat()).output();
        told(&output.expect("the binary runs"))
    };
    let pair = ["--client-cert", &files.certificate, "--client-key", &files.key];
    let one = ["--client-cert", files.both.as_str()];
    let mut shown = String::new();
    for (operation, options, has_key) in
        [("alone", &pair[..], false), ("alone", &one[..], false), ("both", &one[..], true), ("key", &one[..], true)]
    {
        let (code, printed, complaint) = call(&[&[operation, "-v"], options].concat());
        assert_eq!(code, 0, "{operation} {options:?}: {complaint}");
        shown.push_str(&(printed + &complaint));
        let request = seen.lock().expect("no panic").pop().expect("a request");
        assert_eq!(request.0.as_ref(), Some(&client.certificate), "{operation}");
        let keys = request.1.lines().filter(|line| *line == format!("x-key: {TOKEN}")).count();
        assert_eq!((keys, request.1.contains(TOKEN)), (usize::from(has_key), has_key), "{operation}: {}", request.1);
    }
    // Where the operation takes a key alone, the server asks for the certificate all the same.
    let (code, _, complaint) = call(&["key"]);
    assert_eq!(code, 8, "{complaint}");
    let key = client.key_pem();
    let mut secrets = key.lines().filter(|line| !line.starts_with('-')).chain([TOKEN]);
    assert!(secrets.all(|secret| !shown.contains(secret)), "{shown}");
    assert!(seen.lock().expect("no panic").is_empty());
}

#[test]
fn half_a_certificate_is_refused_before_anything_is_sent() {
    let authority = Authority::new("parcels");
    let files = files(&authority, &authority.issue("machine-7", &[]));
    let other = self::files(&authority, &authority.issue("machine-8", &[]));
    let server = Server::start(Answer::json(200, "{}"));
    for (operation, options, why) in [
        ("alone", &[][..], "help: set --client-cert FILE"),
        ("alone", &["--client-key", &files.key], "--client-cert <FILE>"),
        ("alone", &["--client-cert", &files.certificate], "has no private key in PEM"),
        ("alone", &["--client-cert", &files.key], "is missing: there is a private key alone"),
        ("alone", &["--client-cert", &files.both, "--client-key", &files.key], "more than one private key"),
        ("alone", &["--client-cert", &files.certificate, "--client-key", &files.certificate], "has no private key"),
        ("alone", &["--client-cert", &files.certificate, "--client-key", &other.key], "does the key belong to it?"),
        ("alone", &["--client-cert", "no-such-file"], "the file cannot be read"),
        ("key", &["--client-cert", &files.certificate], "--client-cert CERTIFICATE --client-key KEY"),
    ] {
        let call = [&[files.api.as_str(), operation], options].concat();
        let (code, printed, complaint) = told(&command(Some(&server), &call).output().expect("the binary runs"));
        assert_eq!((code, printed.as_str()), (2, ""), "{options:?}: {complaint}");
        assert!(complaint.contains(why), "{options:?}: {complaint}");
        let keys = [&files.key, &other.key].map(|path| fs::read_to_string(path).expect("it is there"));
        let mut lines = keys.iter().flat_map(|key| key.lines()).filter(|line| !line.starts_with('-'));
        assert!(lines.all(|line| !complaint.contains(line)), "{complaint}");
    }
    assert_eq!(server.take(), Vec::<String>::new());
}

#[test]
fn what_a_certificate_opens_is_described() {
    let authority = Authority::new("parcels");
    let files = files(&authority, &authority.issue("machine-7", &[]));
    let (_, taken, _) = told(&command(None, &[&files.api, "both", "--describe"]).output().expect("the binary runs"));
    assert!(
        taken.ends_with("Credential: key from PARCELS_KEY, or machine by --client-cert and key from PARCELS_KEY\n"),
        "{taken}"
    );
}
