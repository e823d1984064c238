//! Live servers that lie about what they made, execute every method, or stand behind TLS and proxies.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use keyfit_conformance::catalogue::{Case, Catalogue, Side};
use keyfit_conformance::contract::Level;
use keyfit_openapi::Source;

use crate::cli::PETS;
use crate::live_server::{TOKEN, TOKENS, api, by_token, check, keyfit_with, path, reply, requests, serve, text};

/// Users that can be made, changed and removed, and a flag that can only be removed.
const DOCUMENT: &str = "openapi: 3.0.3
info: { title: Hub, version: '1' }
servers: [{ url: https://hub.example }]
security: [{ login: [] }]
paths:
  /users:
    post:
      operationId: user-create
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses: { '201': { description: A user. }, '401': { description: No. } }
  /users/{user}:
    parameters: [{ name: user, in: path, required: true, schema: { type: string } }]
    patch:
      operationId: user-update
      requestBody: { content: { application/json: { schema: { type: object, properties: { name: { type: string }, tenantId: { type: string } } } } } }
      responses: { '200': { description: A user. }, '401': { description: No. }, '404': { description: None. } }
    delete:
      operationId: user-delete
      responses: { '204': { description: Gone. }, '401': { description: No. }, '404': { description: None. } }
  /flags/{flag}:
    parameters: [{ name: flag, in: path, required: true, schema: { type: string } }]
    delete:
      operationId: flag-delete
      responses: { '204': { description: Gone. }, '401': { description: No. }, '404': { description: None. } }
  /settings:
    put:
      operationId: settings-set
      responses: { '200': { description: Set. }, '401': { description: No. } }
components:
  securitySchemes: { login: { type: http, scheme: bearer } }
";

fn is_reading(first: &str) -> bool {
    ["GET ", "HEAD ", "OPTIONS "].iter().any(|method| first.starts_with(method))
}

/// Whether a path ends with an id that nobody has: of text, or of a number where those that exist are numbers.
fn is_nobody(path: &str) -> bool {
    let id = path.rsplit('/').next().unwrap_or_default();
    id.starts_with("keyfit-no-such-id") || id.starts_with("1987000")
}

fn is_at_no_flag(first: &str) -> bool {
    first.starts_with("KEYFIT /flags/") && first.split(' ').nth(1).is_some_and(is_nobody)
}

#[test]
fn an_id_that_a_server_made_up_leads_to_no_other_path_and_puts_no_token_into_a_url() {
    let folder = api("made-up", DOCUMENT);
    let encoded = TOKEN.replace('-', "%2D");
    for (name, id) in
        [("dots", ".."), ("above", "../../settings"), ("tab", ".\\t."), ("token", TOKEN), ("encoded", &encoded)]
    {
        let answer = reply("201 Created", &format!("{{\"id\": \"{id}\"}}"));
        let (url, log) = serve(move |first, headers, _| {
            let is_served = by_token(first, headers).contains(" 200 ");
            Some(if first.starts_with("POST") && is_served { answer.clone() } else { by_token(first, headers) })
        });
        let (_, said) = check(&folder, &url, &["--allow-writes"]);
        let sent = requests(&log);
        assert!(sent.iter().any(|(first, _)| first.starts_with("POST /users ")), "{name}: {sent:?}");
        for (first, _) in sent.iter().filter(|(first, _)| !is_reading(first) && !first.starts_with("POST /users ")) {
            let at = first.split(' ').nth(1).unwrap_or_default();
            assert!(first.starts_with("KEYFIT ") || is_nobody(at), "{name}: {first}");
        }
        assert!(sent.iter().all(|(first, _)| !first.to_lowercase().contains("live-server")), "{name}: {sent:?}");
        assert!(said.contains("its answer holds no id that can be sent"), "{name}: {said}");
    }
}

#[test]
fn a_server_that_executes_any_method_is_asked_where_nothing_of_the_users_is() {
    let folder = api("any-method", DOCUMENT);
    let ids = format!("{TOKENS}[ids]\nuser = \"1\"\nflag = \"1\"\n");
    fs::write(folder.join("tokens.toml"), ids).expect("a file");
    let (url, log) = serve(|first, headers, _| Some(by_token(first, headers)));
    let (_, said) = check(&folder, &url, &["--allow-writes", "--case", "hub/**"]);
    let odd: Vec<String> =
        requests(&log).into_iter().map(|(first, _)| first).filter(|first| first.starts_with("KEYFIT ")).collect();
    assert!(odd.iter().any(|first| is_at_no_flag(first)), "{odd:?}");
    assert!(odd.iter().all(|first| !first.contains("/1 ") && !first.contains("/settings")), "{odd:?}");
    assert!(
        said.contains("a server that executes any method would change what is there once for all at /settings"),
        "{said}"
    );
    // It is served: whoever executes that has done something.
    assert!(said.contains(&format!("KEYFIT {url}/flags/1987000")), "{said}");
}

/// By the DELETE a server that executes any method removes what a GET names, whatever the document calls its parameter there.
#[test]
fn a_path_is_the_same_by_another_name_of_its_parameter() {
    let get = "  /flags/{name}:
    parameters: [{ name: name, in: path, required: true, schema: { type: string } }]
    get:
      operationId: flag-get
      responses: { '200': { description: A flag. }, '401': { description: No. }, '404': { description: None. } }
  /flags/{flag}:
";
    let folder = api("other-name", &DOCUMENT.replace("  /flags/{flag}:\n", get));
    fs::write(folder.join("tokens.toml"), format!("{TOKENS}[ids]\nname = \"1\"\nflag = \"1\"\n")).expect("a file");
    let (url, log) = serve(|first, headers, _| Some(by_token(first, headers)));
    check(&folder, &url, &["--allow-writes", "--case", "hub/**"]);
    let changing: Vec<String> =
        requests(&log).into_iter().map(|(first, _)| first).filter(|first| !is_reading(first)).collect();
    assert!(changing.iter().any(|first| is_at_no_flag(first)), "{changing:?}");
    assert!(changing.iter().all(|first| !first.contains(" /flags/1 ")), "{changing:?}");
}

#[test]
fn what_was_changed_stands_in_every_form_that_people_read() {
    let folder = api("forms", DOCUMENT);
    let (url, _) = serve(|first, headers, _| {
        let made = reply("201 Created", "{\"name\": \"no id\"}");
        Some(if first.starts_with("POST") { made } else { by_token(first, headers) })
    });
    let forms = ["html", "markdown", "json"].map(|form| (form, folder.join(form)));
    let reports: Vec<String> = forms.iter().map(|(form, file)| format!("{form}={}", path(file))).collect();
    let more: Vec<&str> = reports.iter().flat_map(|report| ["--report", report]).collect();
    let (_, said) = check(&folder, &url, &[&["--allow-writes", "--insecure"][..], &more].concat());
    assert!(said.contains("sent to change something"), "{said}");
    for (form, file) in forms {
        let report = fs::read_to_string(file).expect("it is written");
        for part in [&*format!("POST {url}/users"), "answered 201", "its answer does not tell the id", "--insecure"] {
            // Of Markdown only what is no markup has no backslash.
            assert!(report.contains(part), "{form} lacks {part}: {report}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_new_tokens_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = api("mode", DOCUMENT);
    let mode = fs::metadata(folder.join("api/tokens.toml")).expect("init wrote it").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_mistake_in_the_tokens_file_repeats_no_secret() {
    let folder = api("mistakes", DOCUMENT);
    let secret = "sk_live_a1B2c3D4e5"; // not-a-secret
    let good = "name = \"shop\"\nkind = \"login\"\nstate = \"valid\"\n";
    for entry in [
        format!("{good}secret = {{ env = \"{secret}\" }}\n"),
        format!("{good}secret = {{ file = \"{secret}\" }}\n"),
        format!("{good}secret = {{ command = [\"{secret}\"] }}\n"),
        format!("{good}secret = \"{secret}\"\n"),
        format!("{good}secret = {secret}\n"),
        format!("{good}{secret} = 1\n"),
        format!("{good}secret = {{ env = \"SHOP\" }}\nexpendable = \"{secret}\"\n"),
        format!("name = \"shop\"\nkind = \"{secret}\"\nstate = \"valid\"\nsecret = {{ env = \"SHOP\" }}\n"),
        format!("name = \"shop\"\nkind = \"login\"\nstate = \"{secret}\"\nsecret = {{ env = \"SHOP\" }}\n"),
        format!("{good}secret = {{ env = \"SHOP\" }}\n[ids]\n{secret} = \"1\"\n"),
    ] {
        fs::write(folder.join("tokens.toml"), format!("[[identity]]\n{entry}")).expect("a file");
        let (code, said) = check(&folder, "http://127.0.0.1:9", &[]);
        assert!(code == Some(2) && said.contains("tokens.toml:"), "the place is named: {said}");
        assert!(!said.contains(secret), "{said}");
    }
}

/// Whoever runs a server may publish anything of it.
#[test]
fn a_published_document_does_not_excuse_its_server() {
    let doubtful = |contract: &str| {
        let mut source = Source::from_dir(PETS.as_ref()).expect("the folder is there");
        let document = &mut source.document.text;
        *document = document.replace("operationId: pets-list", "operationId: pets-list\n      x-unverified: perhaps");
        let text = &mut source.contract.as_mut().expect("it has a contract").text;
        *text = text.replacen("\nname = ", &format!("\n{contract}name = "), 1);
        let catalogue = Catalogue::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let of_list = |case: &&Case| case.side == Side::Server && case.id.ends_with("/pets-list");
        let cases: Vec<Level> = catalogue.cases.iter().filter(of_list).map(|case| case.level).collect();
        assert!(!cases.is_empty());
        cases.contains(&Level::Must)
    };
    assert!(doubtful(""), "its rules stay as they are");
    assert!(!doubtful("transcribed = true\n"), "who wrote the document down says what he is not sure of");
}

/// Through the proxy that the environment names, and with nothing for it to read where the server has TLS.
#[test]
fn a_proxy_of_the_environment_is_gone_through() {
    let folder = api("proxy", DOCUMENT);
    let (proxy, log) = serve(|first, headers, _| Some(by_token(first, headers)));
    let through = |url: &str, more: &[&str]| {
        let (api, tokens) = (folder.join("api"), folder.join("tokens.toml"));
        let arguments = ["check", "--api-dir", path(&api), "--base-url", url, "--tokens", path(&tokens)];
        let proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"].map(|name| (name, &*proxy));
        let said = text(&keyfit_with(&[&arguments[..], more].concat(), &proxies));
        assert!(!said.contains(TOKEN), "{said}");
        said
    };
    through("http://hub.example", &["--allow-plain-http"]);
    let plain = requests(&log);
    assert!(plain.iter().any(|(first, _)| first.starts_with("GET http://hub.example/ ")), "{plain:?}");
    let said = through("https://hub.example", &[]);
    assert!(said.contains("the server cannot be reached"), "{said}");
    let tunnel = requests(&log)[plain.len()..].to_vec();
    assert!(tunnel.iter().any(|(first, _)| first.starts_with("CONNECT hub.example:443 ")), "{tunnel:?}");
    assert!(tunnel.iter().all(|(_, headers)| !headers.contains("authorization")), "{tunnel:?}");
}

/// A server that wants a certificate of its clients, whose own is signed by nobody that the system knows.
const TLS_SERVER: &str = r#"
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.headers.get("authorization") == "Bearer " + sys.argv[2]
        self.send_response(200 if good else 401)
        if not good: self.send_header("www-authenticate", "Bearer realm=\"hub\"")
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_): pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + "/server.pem", sys.argv[1] + "/server.key")
context.load_verify_locations(sys.argv[1] + "/ca.pem")
context.verify_mode = ssl.CERT_REQUIRED
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

/// Whether there is one; makes a certificate authority, a server's certificate and a client's.
fn certificates(folder: &Path) -> bool {
    let openssl = |line: &str| {
        let command = Command::new("openssl").args(line.split(' ')).current_dir(folder).stderr(Stdio::null()).status();
        command.is_ok_and(|status| status.success())
    };
    fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").expect("a file");
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let signed = |name: &str, more: &str| {
        openssl(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"))
            && openssl(&format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out {name}.pem{more}"
            ))
    };
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=hub-ca"))
        && signed("server", " -extfile names")
        && signed("client", " -extfile names")
        && signed("version1", "")
}

#[test]
fn a_server_behind_tls_is_checked_with_its_authority_and_a_client_certificate() {
    let document = DOCUMENT.replace("  /settings:\n    put:", "  /users-of-hub:\n    get:");
    let folder = api("tls", &document);
    if !certificates(&folder) {
        println!("skipped: there is no openssl");
        return;
    }
    let mut server = Command::new("python3");
    server.args(["-c", TLS_SERVER, path(&folder), TOKEN]).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut server) = server.spawn() else {
        println!("skipped: there is no python3");
        return;
    };
    let mut port = String::new();
    let output = server.stdout.take().expect("it is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut port).expect("a port");
    let both =
        [fs::read(folder.join("client.pem")), fs::read(folder.join("client.key"))].map(|read| read.expect("made"));
    let mut file = fs::File::create(folder.join("both.pem")).expect("a file");
    file.write_all(&both.concat()).expect("written");
    let mut file = fs::File::create(folder.join("old.pem")).expect("a file");
    let old = ["version1.pem", "version1.key"].map(|name| fs::read(folder.join(name)).expect("made"));
    file.write_all(&old.concat()).expect("written");
    let url = format!("https://127.0.0.1:{}", port.trim());
    let (authority, certificate) = (folder.join("ca.pem"), folder.join("both.pem"));
    let (authority, certificate) = (["--cacert", path(&authority)], ["--client-cert", path(&certificate)]);
    let case = ["--case", "hub/auth/accepted/settings-set", "--case", "hub/auth/no-token/settings-set"];
    let with = |more: &[&[&str]]| check(&folder, &url, &[&case[..], &more.concat()].concat());
    let trusted = with(&[&authority, &certificate]);
    let unknown = with(&[&certificate]);
    let unnamed = with(&[&authority]);
    // As `openssl x509 -req` makes one by itself.
    let version_1 = with(&[&["--client-cert", path(&folder.join("old.pem"))]]);
    let insecure = with(&[&certificate, &["--insecure"]]);
    fs::write(folder.join("token"), TOKEN).expect("a file");
    let (api, token) = (folder.join("api"), format!("@{}", path(&folder.join("token"))));
    let call = |more: &[&str]| {
        let at = ["call", path(&api), "settings-set", "--base-url", &url, "--attempts", "1", "--token", &token];
        text(&keyfit_with(&[&at, more].concat(), &[]))
    };
    let (called, stranger) = (call(&authority), call(&[]));
    let no_certificate = call(&["--cacert", path(&folder.join("names"))]);
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    // The server is trusted, and wants a certificate of its client.
    assert!(called.contains("CertificateRequired") && !called.contains("UnknownIssuer"), "{called}");
    assert!(stranger.contains("cause: ") && stranger.contains("UnknownIssuer"), "{stranger}");
    assert!(no_certificate.contains("--cacert: the file holds no certificate in PEM"), "{no_certificate}");
    assert!(trusted.0 == Some(0) && trusted.1.contains("2 cases: 2 passed"), "{}", trusted.1);
    assert!(!trusted.1.contains("not verified"), "{}", trusted.1);
    assert!(unknown.0 == Some(2) && unknown.1.contains("UnknownIssuer"), "{}", unknown.1);
    assert!(version_1.0 == Some(2) && version_1.1.contains("UnsupportedCertVersion"), "{}", version_1.1);
    assert!(unnamed.0 == Some(2), "{}", unnamed.1);
    assert!(insecure.0 == Some(0) && insecure.1.contains("were not verified (--insecure)"), "{}", insecure.1);
}
