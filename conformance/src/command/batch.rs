//! `keyfit batch`: the items of a file through an operation that takes many in one call.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clap::Args;
use keyfit::batch_writer::{DeadLetters, Reason};
use keyfit_conformance::UserError;
use keyfit_conformance::call::{Arguments, BatchItems, Callee, refuse_in_clear};
use keyfit_openapi::{Operation, Retry};
use sha2::{Digest as _, Sha256};

use super::call::failure::call_error;
use super::call::session::{Purpose, Session, SessionArgs};
use super::call::{body, source};
use super::queue;
use crate::import::{Cells, ImportJob, Input, InputArgs, Reader, Target, feed, hex, in_runtime};
use crate::terminal::console::print_message;
use crate::terminal::exit::ExitStatus;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit batch ./api/parcels send-parcels parcels.ndjson
  keyfit batch ./api/parcels send-parcels parcels.csv --dead-letters rest.ndjson --checkpoint state.json
  keyfit batch ./api/shop contact-import contacts.ndjson note=spring --key /customer/id --max-in-flight 4
  pg_export | keyfit batch ./api/parcels send-parcels - --format ndjson
  keyfit batch ./api/parcels send-parcels parcels.csv --dry-run
  keyfit batch ./api/parcels send-parcels parcels.csv --to nats://queue.example.com/parcels
  keyfit batch ./api/parcels send-parcels --from nats://queue.example.com/parcels/import --nats-credentials worker.creds

The items are JSON objects, one a line, or CSV whose header names members; cells are read by the document. Arguments of the call, and members
of its body beside the items, are given as for `keyfit call`, once. A file is read once before anything is sent: where it cannot be read to
its end, nothing is. Rejected and unknown items go to --dead-letters; without it they are told and not kept.

With --to the items are put into a queue of NATS JetStream and not sent; with --from any number of these commands, on any machines, send what is
in it. Of one that is killed nothing is lost. What became of each item stands in the stream STREAM-outcomes.

Exit codes:
  0    all items were accepted
  1    some were rejected
  2    the input cannot be used, or not all items were sent and confirmed
  130  interrupted";

/// Which items go where.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct BatchArgs {
    /// The API: the name of one that ships, a folder of `keyfit init`, or a document.
    api: String,
    /// The operation: its id, or `METHOD /path`.
    operation: String,
    #[command(flatten)]
    feed: InputArgs,
    /// The arguments of the operation, and members of its body beside the items.
    #[arg(value_name = "NAME=VALUE")]
    arguments: Vec<String>,
    /// What the body holds beside the items, whole: a text or @FILE.
    #[arg(long, value_name = "BODY", allow_hyphen_values = true)]
    body: Option<String>,
    /// Append rejected and unknown items to this file, one JSON object a line. What is in it stays.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "to", "from"])]
    dead_letters: Option<PathBuf>,
    /// Where an item says whose it is, as a JSON pointer: items of one key are sent in order. Default: the field by which the API
    /// knows items again.
    #[arg(long, value_name = "POINTER")]
    key: Option<String>,
    /// How many batches may be on their way at most. The first goes alone; more follow while the server keeps up.
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    max_in_flight: u16,
    /// How many items a batch has at most. Default: as many as the API takes.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    batch_items: Option<u32>,
    /// Send items that the document does not allow too, for the server to decide.
    #[arg(long)]
    unchecked: bool,
    /// Read and check all items, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the summary as JSON to the standard output: `accepted`, `rejected`, `unknown`, `unsent`, `skipped`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    queue: queue::QueueArgs,
    #[command(flatten)]
    session: SessionArgs,
}

impl BatchArgs {
    /// The arguments; where the items come from a queue there is no FILE before them.
    fn arguments(&self) -> Result<Vec<String>, UserError> {
        let file = self.feed.file.to_string_lossy();
        if !self.queue.drains_queue() {
            // Told before anything about the call, which is right then.
            Input::of(&self.feed.file)?;
        }
        if !self.queue.drains_queue() || file.is_empty() {
            return Ok(self.arguments.clone());
        }
        if !file.contains('=') {
            return Err(UserError::new("--from takes the items out of a queue, and a FILE is given too")
                .help("leave one of them out"));
        }
        Ok(std::iter::once(file.into_owned()).chain(self.arguments.iter().cloned()).collect())
    }
}

/// Runs the command.
pub(crate) fn run(args: &BatchArgs) -> Result<ExitStatus, UserError> {
    args.queue.check()?;
    let typed_arguments = args.arguments()?;
    let callee = Callee::read(&source(&args.api)?)?;
    let operation = callee.operation(&args.operation)?;
    let items = BatchItems::of(&callee.api, operation)?;
    refuse_in_clear(&callee, operation, &typed_arguments)?;
    if args.session.takes_input() && args.feed.file.as_os_str() == "-" {
        return Err(UserError::new("the standard input cannot be both the items and the token")
            .help("name a file for one of them"));
    }
    let beside = args.body.as_deref().map(|text| body(text, &args.session)).transpose()?;
    let arguments = items.arguments(operation, &typed_arguments, beside.clone())?;
    let cells = {
        let items = items.clone();
        Cells::Documented {
            required: items.required(),
            read: Arc::new(move |member: &str, text: &str| items.value(member, text)),
        }
    };
    if args.dry_run {
        return examine(args, &items, cells);
    }
    in_runtime(send(args, &callee, operation, items, &arguments, beside.as_deref(), cells))
}

async fn send(
    args: &BatchArgs,
    callee: &Callee,
    operation: &Operation,
    items: BatchItems,
    arguments: &Arguments,
    beside: Option<&[u8]>,
    cells: Cells,
) -> Result<ExitStatus, UserError> {
    let purpose = if args.queue.fills_queue() { Purpose::Queue } else { Purpose::Send };
    let session = Session::open(&args.session, false, purpose, callee, operation, arguments).await?;
    let call = session.call(operation).map(|call| arguments.add_to_call(call)).map_err(|error| call_error(&error))?;
    let row = session.client.operation(&operation.id);
    let base_url = row.map_or(Ok(""), |row| session.client.base_url_of(row)).map_err(|error| call_error(&error))?;
    // Of what may be a secret or personal a checkpoint keeps a digest.
    let mut digest = Sha256::new();
    for part in args.arguments.iter().map(String::as_bytes).chain(beside) {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let digest = hex(&digest.finalize());
    let pairs =
        [("base_url", base_url), ("API", &*callee.api.name), ("operation", &*operation.id), ("arguments", &*digest)];
    let mut builder = call.writer().max_in_flight(usize::from(args.max_in_flight));
    if let Some(most) = args.batch_items {
        builder = builder.batch_items(usize::try_from(most).unwrap_or(usize::MAX));
    }
    if let Some(key) = &args.key {
        builder = builder.key(key);
    }
    if !args.unchecked {
        builder = builder.check(move |item| items.check(item));
    }
    if args.queue.uses_queue() {
        let job = ImportJob::new(args.feed.clone(), Target::default(), cells);
        return args.queue.run(job, builder, args.json).await;
    }
    let dead_letters = match &args.dead_letters {
        Some(path) => {
            let file = DeadLetters::append(path).map_err(|error| {
                UserError::new(format!("--dead-letters cannot be written: {error}")).at(path.display())
            })?;
            Some((path.clone(), Arc::new(Mutex::new(file))))
        }
        None => None,
    };
    let job = ImportJob {
        is_harmless: operation.retry != Retry::Never,
        json: args.json,
        dead_letters,
        ..ImportJob::new(args.feed.clone(), Target::of(pairs), cells)
    };
    feed(job, builder).await
}

/// Reads and checks all items.
fn examine(args: &BatchArgs, items: &BatchItems, cells: Cells) -> Result<ExitStatus, UserError> {
    let input = Input::of(&args.feed.file)?;
    let format = args.feed.format()?;
    let job = ImportJob::new(args.feed.clone(), Target::default(), cells);
    let mut rows = Reader::open(&job, &input, format, None)?;
    let (mut fit, mut unfit) = (0_u64, 0_u64);
    while let Some(row) = rows.next().map_err(|error| input.failure(&error))? {
        let problem = match row.json {
            Err(problem) => {
                let field = problem.field.map(|field| format!("{field}: ")).unwrap_or_default();
                Some(format!("{field}{}", problem.reason))
            }
            Ok(json) => problem(args, items, &json),
        };
        match problem {
            None => fit += 1,
            Some(problem) => {
                unfit += 1;
                if unfit <= MAX_SHOWN {
                    print_message(&format!("line {}: {problem}", row.line));
                }
            }
        }
    }
    print_message(&format!("{fit} fit to be sent, {unfit} not; nothing was sent"));
    if args.json {
        crate::terminal::console::print(&format!("{}\n", serde_json::json!({ "fit": fit, "unfit": unfit })))?;
    }
    Ok(if unfit == 0 { ExitStatus::Success } else { ExitStatus::Findings })
}

/// Items that are shown; the others are counted.
const MAX_SHOWN: u64 = 20;

fn problem(args: &BatchArgs, items: &BatchItems, json: &[u8]) -> Option<String> {
    if let Err(error) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(json) {
        return Some(Reason::of_json(&error).message);
    }
    let reasons = if args.unchecked { Vec::new() } else { items.check(json) };
    reasons.into_iter().next().map(|reason| reason.message)
}
