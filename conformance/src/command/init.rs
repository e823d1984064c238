//! `keyfit init`: a folder with a first contract for a bare document, in any project.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_conformance::contract::Contract;
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::init::{CredentialChoice, CredentialChoices, Scaffold, ScopeInclusion, scaffold};
use keyfit_conformance::tokens::{ConvertedTokens, convert, env_file, recognized};
use keyfit_openapi::{Text, module_name, plain};

use super::transport::{TransportArgs, is_url};
use super::{file, runtime};
use crate::terminal::console;
use crate::terminal::exit::ExitStatus;
use keyfit_conformance::server::server_url;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit init openapi.yaml --name shop
  keyfit init https://shop.example/openapi.json --dir api/shop
  keyfit init openapi.json --name github --credential bearer
  keyfit init openapi.json --name chat --credential BotToken=scheme:Bot";

/// Which document, and where the folder goes.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct InitArgs {
    /// The OpenAPI document, YAML or JSON: a file, or the URL of a live server that has it.
    #[arg(value_name = "FILE or URL")]
    document: PathBuf,
    /// The name of the API; that of the folder or else of the document where left out.
    #[arg(long)]
    name: Option<String>,
    /// How calls log in, where the document does not say it: `bearer`, `basic`, `scheme:NAME`, `header:NAME`, `query:NAME` or
    /// `cookie:NAME`; `KIND=...` for the scheme KIND of the document. May be given several times.
    #[arg(long = "credential", value_name = "[KIND=]HOW", value_parser = <CredentialChoice as std::str::FromStr>::from_str)]
    credentials: Vec<CredentialChoice>,
    /// Operations for which the document names no credential need what most others do.
    #[arg(long)]
    assume_secured: bool,
    /// Write a tokens file that says what this authentication file of the Web Fuzzing Commons says; its secrets go into `.env`
    /// beside it.
    #[arg(long, value_name = "FILE")]
    wfc: Option<PathBuf>,
    /// A scope that includes others, which the document does not say: a token with it is not refused where one of those is
    /// needed. May be given several times.
    #[arg(long = "includes", value_name = "SCOPE=SCOPE,...", value_parser = <ScopeInclusion as std::str::FromStr>::from_str)]
    includes: Vec<ScopeInclusion>,
    /// The folder to write; `api/` and the name of the API where left out.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    transport: TransportArgs,
}

/// Runs the command.
pub(crate) fn run(args: &InitArgs) -> Result<ExitStatus, UserError> {
    let name = api_name(args)?;
    let folder = args.dir.clone().unwrap_or_else(|| Path::new("api").join(&name));
    let url = args.document.to_str().filter(|text| is_url(text));
    let spec = match url {
        Some(url) => fetched(url, &args.transport)?,
        // A folder of an API has its document in one file.
        None => file::read(&args.document, "document")?.with_referenced()?.joined()?,
    };
    let choices = CredentialChoices {
        credentials: args.credentials.clone(),
        assume_secured: args.assume_secured,
        includes: args.includes.clone(),
    };
    let has_ending = args.document.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    // A URL need not end with what it is, and what was joined is JSON.
    let is_json = has_ending || spec.text.trim_start().starts_with('{');
    let document = if is_json { "openapi.json" } else { "openapi.yaml" };
    let mut contents = scaffold(&name, &spec, &choices)?;
    let variables = match &args.wfc {
        Some(path) => Some(carried(path, &mut contents)?),
        None => None,
    };
    let mut files = vec![
        (document, &spec.text),
        ("overlay.yaml", &contents.overlay),
        ("contract.toml", &contents.contract),
        ("tokens.toml", &contents.tokens),
    ];
    files.extend(variables.as_ref().map(|variables| (".env", variables)));
    if let Some((taken, _)) = files.iter().find(|(file, _)| folder.join(file).exists()) {
        return Err(UserError::new("the file is there already")
            .at(folder.join(taken).display())
            .help("name another folder with --dir; nothing was written"));
    }
    fs::create_dir_all(&folder).map_err(|error| write_error(&folder, &error))?;
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    for (name, text) in files {
        let path = folder.join(name);
        file::write_new(&path, text, matches!(name, "tokens.toml" | ".env"))
            .map_err(|error| write_error(&path, &error))?;
    }
    let place = folder.display();
    let cases = contents.cases;
    let made_files = format!("{place}: {}; {cases} cases", names.join(", "));
    let notes = contents.notes.iter().map(|note| format!("note: {}", plain(note)));
    let base_url = contents.base_path.as_deref().and_then(|path| match url {
        Some(url) => server_of_document(url, path),
        None => (!path.is_empty()).then(|| format!("https://HOST{path}")),
    });
    let next = next(&name, &folder, base_url.as_deref());
    let asked = format!("\nWhat {place}/tokens.toml would let be judged:");
    let questions = contents.questions.iter().map(|question| format!("  {}", plain(question)));
    console::print_lines([made_files].into_iter().chain(notes).chain([asked]).chain(questions).chain([next]))?;
    Ok(ExitStatus::Success)
}

/// Puts what an authentication file of the Web Fuzzing Commons says into the tokens file, and returns the file of its secrets.
fn carried(path: &Path, contents: &mut Scaffold) -> Result<String, UserError> {
    let text = file::read(path, "authentication file")?;
    let Some(value) = recognized(&text) else {
        return Err(UserError::new(
            "the file is not an authentication file of the Web Fuzzing Commons: it has no list `auth`",
        )
        .at(path.display())
        .help("name one in YAML, JSON or TOML"));
    };
    let contract = Contract::read(&Text::new("contract.toml", contents.contract.clone()))?;
    let ConvertedTokens { text, variables, notes } = convert(&text, &value, &contract)?;
    // Those of the document stand below, and say what else there may be.
    let commented = |block: &str| {
        if !block.starts_with("[[identity]]") {
            return block.to_owned();
        }
        let lines: Vec<String> = block.lines().map(|line| format!("# {line}")).collect();
        lines.join("\n")
    };
    let blocks: Vec<String> = contents.tokens.trim_end().split("\n\n").map(commented).collect();
    let (head, rest) = blocks.split_first().map_or(("", &[][..]), |(head, rest)| (head.as_str(), rest));
    contents.tokens = format!("{head}\n\n{}\n\n{}\n", text.trim_end(), rest.join("\n\n"));
    contents.notes.extend(notes);
    Ok(env_file(&variables))
}

/// The document that a live server has under a URL. It says what is sent there later: over plain http from another machine,
/// anybody could write it.
fn fetched(url: &str, transport: &TransportArgs) -> Result<Text, UserError> {
    let url = server_url(url).map_err(|problem| {
        UserError::new(format!("not the URL of a document: {problem}"))
            .help("begin it with https:// and end it with its path")
    })?;
    transport.check(&url)?;
    let http = transport.http(&[], &Redactor::default(), None)?;
    let bytes = runtime()?.block_on(http.fetch(url.clone())).map_err(|reason| {
        UserError::new(format!("the document cannot be fetched: {reason}"))
            .at(&url)
            .help("check the URL; a redirect is not followed, name where it leads")
    })?;
    Ok(Text::decode(url.as_str(), bytes)?)
}

/// Returns the base URL of a server from the URL of its document, if the document names no host.
fn server_of_document(document: &str, path: &str) -> Option<String> {
    let url = server_url(document).ok()?;
    let origin = url.origin();
    origin.is_tuple().then(|| format!("{}{path}", origin.ascii_serialization()))
}

/// The two commands that come next, with the base URL where it is known.
fn next(name: &str, folder: &Path, base_url: Option<&str>) -> String {
    let place = folder.display();
    let base_url = base_url.unwrap_or("URL");
    let (module, named, why) = match module_name(name) {
        Ok(module) if folder.file_name().is_some_and(|last| last == name) => (module, String::new(), String::new()),
        Ok(module) => (module, format!(" --name {name}"), String::new()),
        // A name of its own for the client.
        Err(reason) => {
            let other = if name.starts_with(|first: char| first.is_ascii_digit()) {
                format!("api-{name}")
            } else {
                format!("{name}-api")
            };
            let why = format!("note: `{name}` {reason}: the client is called `{other}`\n");
            (other.replace('-', "_"), format!(" --name {other}"), why)
        }
    };
    format!(
        "{why}\nFill in tokens.toml: one valid token is enough to begin. Then check your server, which only reads, and generate a client:\n  \
         keyfit check --api-dir {place} --base-url {base_url} --tokens {place}/tokens.toml\n  \
         keyfit generate {place}{named} --out src/{module}.rs"
    )
}

/// The name of an API, with which ids of rules begin: letters, digits and hyphens.
fn api_name(args: &InitArgs) -> Result<String, UserError> {
    let last = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let of_path = || args.dir.as_deref().and_then(last).or_else(|| last(&args.document));
    let name = args.name.clone().or_else(of_path).unwrap_or_default();
    let plain = name.to_lowercase().replace(['_', ' ', '.'], "-");
    let is_letter = |character: char| character.is_ascii_alphanumeric();
    let odd = plain.chars().find(|character| !is_letter(*character) && *character != '-');
    let why = match odd {
        Some(character) => format!("it has a {character:?}"),
        None if !plain.starts_with(is_letter) => "it does not begin with a letter or digit".to_owned(),
        None => return Ok(plain),
    };
    Err(UserError::new(format!("`{name}` is not a valid name for an API: {why}"))
        .help("with --name give one of letters (a to z), digits and hyphens"))
}

fn write_error(path: &Path, error: &std::io::Error) -> UserError {
    UserError::new(format!("the file cannot be written: {error}")).at(path.display()).help("check the folder")
}
