//! `keyfit call`: an operation of any API, called from the shell.

pub(super) mod failure;
mod output;
pub(super) mod session;
mod trace;

use std::future::poll_fn;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use clap::Args;
use futures_core::Stream as _;
use keyfit::{Error, Response};
use keyfit_conformance::UserError;
use keyfit_conformance::apis;
use keyfit_conformance::call::{Arguments, Callee, Items, items, listed, shown, taken};
use keyfit_openapi::{Operation, Source, read_file, read_to_limit};

use self::output::{Body, Output};
use self::session::{Purpose, Session};
use super::runtime;
use crate::console;
use crate::ending::Ending;
use crate::interrupt::Interrupts;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit call scopien                                 the operations of an API that ships
  keyfit call scopien auth-test                       with the token in SCOPIEN_API_KEY
  keyfit call ./api/parcels get-parcel --describe     what an operation of an API of yours takes, and the variable of its token
  keyfit call ./api/parcels list-parcels state=open tags=a tags=b --all | jq .id
  keyfit call ./api/parcels create-parcel weight=2 --dry-run
  keyfit call ./api/parcels create-parcel --body @parcel.json --token @/run/secrets/parcels

A name stands for a parameter, else for a member of the body; `path:`, `query:`, `header:` and `body:` before it say which. A
value is read by its schema: texts as they are, lists by repeating the name or as JSON, objects as JSON, files as @FILE.
The base URL is that of the document; <API>_BASE_URL replaces it, and KEYFIT_BASE_URL does with an address of this machine.
What a success brings goes to the standard output, everything else to the standard error.

Exit codes:
  0    the call succeeded
  2    the input cannot be used; nothing was sent
  3    401 or 403: the credential is at fault
  4    404
  5    another 4xx
  6    429: the rate limit is used up
  7    5xx: the server failed
  8    no connection, or no answer in time
  9    a success of which some items failed; the answer is printed
  10   an answer that cannot be used: a redirect, another form than the documented one, or cut off
  130  interrupted";

/// What to call, and how.
#[derive(Args, Debug)]
#[group(skip)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct Options {
    /// The API: the name of one that ships, a folder of `keyfit init`, or a document. Without it those that ship are listed.
    api: Option<String>,
    /// The operation: its id, or `METHOD /path`. Without it all of them are listed.
    operation: Option<String>,
    /// The arguments of the operation.
    #[arg(value_name = "NAME=VALUE")]
    arguments: Vec<String>,
    /// The whole body: a text, @FILE, or - for the standard input.
    #[arg(long, value_name = "BODY", allow_hyphen_values = true)]
    body: Option<String>,
    /// Say what the operation takes, and send nothing.
    #[arg(long, requires = "operation")]
    describe: bool,
    /// Show the request without its secrets, and send nothing.
    #[arg(long, requires = "operation", conflicts_with = "describe")]
    dry_run: bool,
    /// Follow a list page by page, and print its items, a line each.
    #[arg(long, requires = "operation", conflicts_with = "dry_run")]
    all: bool,
    /// Write what a success brings into this file, as it came; - for the standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show requests and answers without their secrets, on the standard error.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    session: session::Options,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<Ending, UserError> {
    let Some(name) = &options.api else {
        let line = |source: Source| source.name;
        console::print_lines(apis::shipped().into_iter().map(line))?;
        return Ok(Ending::Fine);
    };
    let callee = Callee::read(&source(name)?)?;
    let Some(operation) = &options.operation else {
        console::print_lines(listed(&callee))?;
        return Ok(Ending::Fine);
    };
    let operation = callee.operation(operation)?;
    if options.describe {
        console::print_lines(taken(&callee, operation))?;
        return Ok(Ending::Fine);
    }
    runtime()?.block_on(async {
        let arguments = arguments(options, &callee, operation)?;
        let (verbose, dry_run) = (options.verbose, options.dry_run);
        let purpose = if dry_run { Purpose::DryRun } else { Purpose::Send };
        let session = Session::open(&options.session, verbose, purpose, &callee, operation, &arguments).await?;
        let interrupts = Interrupts::new();
        let mut interrupts =
            interrupts.map_err(|error| UserError::new(format!("signals cannot be waited for: {error}")))?;
        tokio::select! {
            ending = call(options, &callee, operation, &arguments, &session) => ending,
            () = interrupts.next() => {
                let done = if options.dry_run { "" } else { ": the server may have executed the call" };
                console::complain(&format!("interrupted{done}"));
                Ok(Ending::Interrupted)
            }
        }
    })
}

/// An API that ships, by its name; else a folder or a document.
pub(super) fn source(name: &str) -> Result<Source, UserError> {
    let is_path = name.contains(['/', '\\', '.']);
    let shipped = apis::shipped();
    let known = shipped.iter().find(|source| source.name == name);
    if let Some(source) = known.or_else(|| shipped.iter().find(|source| apis::is_of(source, name))).filter(|_| !is_path)
    {
        return Ok(source.clone());
    }
    let path = Path::new(name);
    if is_path || path.exists() {
        return Ok(if path.is_dir() { Source::from_dir(path)? } else { Source::from_document(path)? });
    }
    Err(apis::unknown(name, &shipped).also("an API of yours is named by its folder: ./api/parcels"))
}

fn arguments(options: &Options, callee: &Callee, operation: &Operation) -> Result<Arguments, UserError> {
    keyfit_conformance::call::refuse_in_clear(callee, operation, &options.arguments)?;
    let body = options.body.as_deref().map(|text| body(text, &options.session)).transpose()?;
    Arguments::read(&callee.api, operation, &options.arguments, body)
}

/// The bytes of a body that is given whole.
pub(super) fn body(text: &str, session: &session::Options) -> Result<Vec<u8>, UserError> {
    match text.strip_prefix('@').unwrap_or(text) {
        "-" if session.takes_input() => Err(UserError::new("the standard input cannot be both the body and the token")
            .help("name a file for one of them")),
        "-" => read_to_limit(io::stdin())
            .map_err(|error| UserError::new(format!("the body cannot be read from the standard input: {error}"))),
        path if text.starts_with('@') => read_file(Path::new(path)).map_err(|error| {
            UserError::new(format!("the body cannot be read: {error}")).at(path).help("check the path")
        }),
        text => Ok(text.as_bytes().to_vec()),
    }
}

async fn call(
    options: &Options,
    callee: &Callee,
    operation: &Operation,
    arguments: &Arguments,
    session: &Session,
) -> Result<Ending, UserError> {
    let made =
        || session.call(operation).map(|call| arguments.put_into(call)).map_err(|error| failure::refused(&error));
    let call = made()?;
    // Built before anything is opened: what cannot be sent changes no file.
    let request = call.request().map_err(|error| failure::refused(&error))?;
    let head = shown::head(&request, &session.credentials, &session.private);
    if options.dry_run {
        let body = shown::body(&request, &session.private);
        let lines = head.into_iter().chain(body.into_iter().flat_map(|body| [String::new(), body]));
        // An answer of JSON is masked by its names, and so it stays JSON.
        console::print_lines(lines)?;
        return Ok(Ending::Fine);
    }
    let is_streamed = session.streams(operation);
    let paged = if options.all { Some(items(made()?, operation)?) } else { None };
    let mut output = Output::open(options.output.as_deref(), is_streamed)?;
    if options.verbose {
        trace::sent(&head);
    }
    let failed = match paged {
        Some(paged) => {
            let (count, failed) = all(paged, &mut output, session).await?;
            if let Some(error) = &failed {
                console::complain(&format!("after {count} items:"));
                return failure::told(error, callee, operation, session, output);
            }
            None
        }
        None if is_streamed => match call.stream().await {
            Ok(response) => streamed(response, options, &mut output, session).await?,
            Err(error) => Some(error),
        },
        None => match call.send().await {
            Ok(response) => {
                if options.verbose {
                    trace::answered(response.status(), response.headers(), session);
                }
                let body = Body::of(response.headers(), response.status().as_u16(), operation);
                let is_as_documented = output.whole(&response, body, session)?;
                output.keep()?;
                return Ok(if is_as_documented { Ending::Fine } else { failure::not_json(operation) });
            }
            Err(error) => Some(error),
        },
    };
    match failed {
        None => {
            output.keep()?;
            Ok(Ending::Fine)
        }
        Some(error) => {
            if let (true, Some((status, headers))) = (options.verbose, error.status().zip(error.headers())) {
                trace::answered(status, headers, session);
            }
            failure::told(&error, callee, operation, session, output)
        }
    }
}

/// Writes the items of a list, and returns how many there were before it ended, and why it did where that was not its end.
async fn all(mut items: Items, output: &mut Output, session: &Session) -> Result<(u64, Option<Error>), UserError> {
    let mut count = 0;
    while let Some(item) = items.next().await {
        match item {
            Ok(item) => output.item(item.get(), session)?,
            Err(error) => return Ok((count, Some(error))),
        }
        count += 1;
        if output.is_closed() {
            break;
        }
    }
    Ok((count, None))
}

/// Writes a body as it comes.
async fn streamed(
    response: Response<keyfit::ByteStream>,
    options: &Options,
    output: &mut Output,
    session: &Session,
) -> Result<Option<Error>, UserError> {
    if options.verbose {
        trace::answered(response.status(), response.headers(), session);
    }
    let mut stream = response.into_inner();
    while let Some(chunk) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
        match chunk {
            Ok(chunk) => output.bytes(&chunk)?,
            Err(error) => return Ok(Some(error)),
        }
        if output.is_closed() {
            break;
        }
    }
    Ok(None)
}
