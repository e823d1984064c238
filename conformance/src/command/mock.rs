//! `keyfit mock`: the mock of an API as a server of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use keyfit::redact::plain_json;
use keyfit_conformance::UserError;
use keyfit_conformance::apis;
use keyfit_conformance::catalogue::Catalogue;
use keyfit_conformance::credential::secret::Secret;
use keyfit_conformance::mock::{AdminHost, ControlledMock, IssuedToken, MockOptions, Mutant, OAuthClient};
use keyfit_openapi::Source;
use serde_json::{Value, json};

use super::runtime;
use crate::terminal::console;
use crate::terminal::exit::ExitStatus;
use crate::terminal::interrupt::Interrupts;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit mock --api ingest
  keyfit mock --api-dir shop --port 0 --json";

/// Which API, and where it is served.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct MockArgs {
    /// The API, by the name of its folder or contract.
    #[arg(long, value_name = "NAME")]
    api: Option<String>,
    /// The API in this folder: a document, `contract.toml` and where needed `overlay.yaml`.
    #[arg(long, value_name = "DIR", conflicts_with = "api")]
    api_dir: Option<PathBuf>,
    /// The port; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Allow an address that other machines reach: they can call the admin as well, and read what clients send.
    #[arg(long)]
    allow_remote: bool,
    /// Let the admin be called by this host too, such as the name of a container: NAME, or NAME:PORT where clients use another
    /// port. May be given more than once.
    #[arg(long, value_name = "HOST")]
    admin_host: Vec<AdminHost>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// Give the mock a defect, as the check does.
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    mutant: Option<Mutant>,
}

/// Serves until a signal comes.
pub(crate) fn run(args: &MockArgs) -> Result<ExitStatus, UserError> {
    if !args.host.is_loopback() && !args.allow_remote {
        return Err(UserError::new(format!("{} can be reached from other machines", args.host)).help(
            "the mock has no secrets to keep and its admin asks for none; pass --allow-remote if that is what you want, or \
             leave --host out",
        ));
    }
    let catalogue = Catalogue::read(&source(args)?)?;
    runtime()?.block_on(serve(args, catalogue))
}

async fn serve(args: &MockArgs, catalogue: Catalogue) -> Result<ExitStatus, UserError> {
    // Before anything is printed: who reads the address may send the signal at once.
    let stop = Interrupts::new();
    let mut stop = stop.map_err(|error| UserError::new(format!("signals cannot be waited for: {error}")))?;
    let name = catalogue.api.name.clone();
    let address = SocketAddr::new(args.host, args.port);
    let settings = MockOptions { address, mutant: args.mutant, admin_hosts: args.admin_host.clone() };
    let mock = ControlledMock::start(catalogue.api, catalogue.contract, settings)
        .await
        .map_err(|error| listen_error(address, &error))?;
    let json = || format!("{}\n", plain_json(&as_json(&name, &mock).to_string()));
    // A reader that has gone away is no reason to end.
    drop(console::print(&if args.json { json() } else { as_text(&name, &mock) }));
    stop.next().await;
    eprintln!("stopping: requests in flight are finished; a second signal ends them");
    tokio::select! {
        () = mock.stop() => Ok(ExitStatus::Success),
        () = stop.next() => Ok(ExitStatus::Interrupted),
    }
}

fn source(args: &MockArgs) -> Result<Source, UserError> {
    match (&args.api, &args.api_dir) {
        (_, Some(folder)) => Ok(Source::from_dir(folder)?),
        (Some(name), None) => apis::find(name),
        (None, None) => Err(UserError::new("no API is named")
            .help("name one that ships with --api <NAME>, or the folder of one of yours with --api-dir <DIR>")),
    }
}

fn listen_error(address: SocketAddr, error: &io::Error) -> UserError {
    let help = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there: choose another --port, or 0 for a free one",
        io::ErrorKind::PermissionDenied => "ports below 1024 want privileges: choose another --port",
        _ => "check --host and --port",
    };
    UserError::new(format!("{address} cannot be listened on: {error}")).help(help)
}

fn as_json(name: &str, mock: &ControlledMock) -> Value {
    let token = |token: &IssuedToken| {
        json!({
            "name": token.name,
            "kind": token.kind,
            "state": token.state,
            "token": token.secret.reveal(),
            "fingerprint": token.fingerprint(),
            "scopes": token.scopes,
            "ids": token.ids,
            "may": token.may,
        })
    };
    let clients = mock.clients().into_iter().map(|client| {
        json!({
            "client_id": client.id,
            "client_secret": client.secret.as_ref().map(Secret::reveal),
            "redirect_uri": client.redirect_uri,
            "username": client.user.as_ref().map(|(name, _)| name),
            "password": client.user.as_ref().map(|(_, password)| password.reveal()),
            "what": client.what,
        })
    });
    json!({
        "api": name,
        "base_url": mock.base_url(),
        "admin_url": mock.admin_url(),
        "authorization_server": mock.authorization_server(),
        "ids": mock.ids(),
        "tokens": mock.tokens().iter().map(token).collect::<Vec<_>>(),
        "clients": clients.collect::<Vec<_>>(),
    })
}

fn as_text(name: &str, mock: &ControlledMock) -> String {
    let mut text = format!("The mock of {name}. Its tokens open nothing else.\n\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<21}{value}");
    };
    line("base URL", mock.base_url());
    line("admin", &mock.admin_url());
    if let Some(server) = mock.authorization_server() {
        line("authorization server", server);
    }
    let ids = listed(&mock.ids());
    if !ids.is_empty() {
        line("ids", &ids);
    }
    let row = |token: &IssuedToken| {
        // Only a limited token has ids of its own.
        let own = if token.ids == mock.ids() { String::new() } else { format!("; with {}", listed(&token.ids)) };
        [token.name.clone(), token.secret.reveal().to_owned(), format!("{}{own}", token.may)]
    };
    table(&mut text, ["token", "", "may do"], mock.tokens().iter().map(row).collect());
    let clients = mock.clients();
    if !clients.is_empty() {
        let row = |client: &OAuthClient| {
            let secret = client.secret.as_ref().map_or("", |secret| secret.reveal());
            let user = client.user.as_ref();
            let user = user.map(|(name, password)| format!(", user {name} with {}", password.reveal()));
            let what = format!("{}, {}{}", client.what, client.redirect_uri, user.unwrap_or_default());
            [client.id.clone(), secret.to_owned(), what]
        };
        table(&mut text, ["client", "", "what it is"], clients.iter().map(row).collect());
    }
    text.push_str("\nCtrl-C stops it.\n");
    text
}

fn listed(ids: &BTreeMap<String, String>) -> String {
    ids.iter().map(|(name, id)| format!("{name}={id}")).collect::<Vec<_>>().join(" ")
}

fn table(text: &mut String, head: [&str; 3], mut rows: Vec<[String; 3]>) {
    rows.insert(0, head.map(str::to_owned));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let (first, second) = (width(0), width(1));
    text.push('\n');
    for [one, two, three] in &rows {
        let _ = writeln!(text, "{one:<first$}  {two:<second$}  {three}");
    }
}
