//! `keyfit batch`: the items of a file through an operation that takes many in one call.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clap::Args;
use keyfit::batch_writer::{DeadLetters, Reason};
use keyfit_conformance::UserError;
use keyfit_conformance::call::{Arguments, BatchItems, Callee, refuse_in_clear};
use keyfit_openapi::{Operation, Retry};
use sha2::{Digest as _, Sha256};

use super::call::failure::refused;
use super::call::session::{self, Purpose, Session};
use super::call::{body, source};
use super::queue;
use crate::console::complain;
use crate::ending::Ending;
use crate::import::{Cells, Feed, Input, Job, Reader, Target, feed, hex, in_runtime};

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
pub(crate) struct Options {
    /// The API: the name of one that ships, a folder of `keyfit init`, or a document.
    api: String,
    /// The operation: its id, or `METHOD /path`.
    operation: String,
    #[command(flatten)]
    feed: Feed,
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
    queue: queue::Options,
    #[command(flatten)]
    session: session::Options,
}

impl Options {
    /// The arguments; where the items come from a queue there is no FILE before them.
    fn arguments(&self) -> Result<Vec<String>, UserError> {
        let file = self.feed.file.to_string_lossy();
        if !self.queue.is_emptied() {
            // Told before anything about the call, which is right then.
            Input::of(&self.feed.file)?;
        }
        if !self.queue.is_emptied() || file.is_empty() {
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
pub(crate) fn run(options: &Options) -> Result<Ending, UserError> {
    options.queue.check()?;
    let given = options.arguments()?;
    let callee = Callee::read(&source(&options.api)?)?;
    let operation = callee.operation(&options.operation)?;
    let items = BatchItems::of(&callee.api, operation)?;
    refuse_in_clear(&callee, operation, &given)?;
    if options.session.takes_input() && options.feed.file.as_os_str() == "-" {
        return Err(UserError::new("the standard input cannot be both the items and the token")
            .help("name a file for one of them"));
    }
    let beside = options.body.as_deref().map(|text| body(text, &options.session)).transpose()?;
    let arguments = items.arguments(operation, &given, beside.clone())?;
    let cells = {
        let items = items.clone();
        Cells::Documented {
            required: items.required(),
            read: Arc::new(move |member: &str, text: &str| items.value(member, text)),
        }
    };
    if options.dry_run {
        return examine(options, &items, cells);
    }
    in_runtime(send(options, &callee, operation, items, &arguments, beside.as_deref(), cells))
}

async fn send(
    options: &Options,
    callee: &Callee,
    operation: &Operation,
    items: BatchItems,
    arguments: &Arguments,
    beside: Option<&[u8]>,
    cells: Cells,
) -> Result<Ending, UserError> {
    let purpose = if options.queue.is_filled() { Purpose::Queue } else { Purpose::Send };
    let session = Session::open(&options.session, false, purpose, callee, operation, arguments).await?;
    let call = session.call(operation).map(|call| arguments.put_into(call)).map_err(|error| refused(&error))?;
    let row = session.client.operation(&operation.id);
    let base_url = row.map_or(Ok(""), |row| session.client.base_url_of(row)).map_err(|error| refused(&error))?;
    // Of what may be a secret or personal a checkpoint keeps a digest.
    let mut digest = Sha256::new();
    for part in options.arguments.iter().map(String::as_bytes).chain(beside) {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let digest = hex(&digest.finalize());
    let pairs =
        [("base_url", base_url), ("API", &*callee.api.name), ("operation", &*operation.id), ("arguments", &*digest)];
    let mut builder = call.writer().max_in_flight(usize::from(options.max_in_flight));
    if let Some(most) = options.batch_items {
        builder = builder.batch_items(usize::try_from(most).unwrap_or(usize::MAX));
    }
    if let Some(key) = &options.key {
        builder = builder.key(key);
    }
    if !options.unchecked {
        builder = builder.check(move |item| items.check(item));
    }
    if options.queue.is_used() {
        let job = Job::new(options.feed.clone(), Target::default(), cells);
        return options.queue.run(job, builder, options.json).await;
    }
    let dead_letters = match &options.dead_letters {
        Some(path) => {
            let file = DeadLetters::append(path).map_err(|error| {
                UserError::new(format!("--dead-letters cannot be written: {error}")).at(path.display())
            })?;
            Some((path.clone(), Arc::new(Mutex::new(file))))
        }
        None => None,
    };
    let job = Job {
        is_harmless: operation.retry != Retry::Never,
        json: options.json,
        dead_letters,
        ..Job::new(options.feed.clone(), Target::of(pairs), cells)
    };
    feed(job, builder).await
}

/// Reads and checks all items.
fn examine(options: &Options, items: &BatchItems, cells: Cells) -> Result<Ending, UserError> {
    let input = Input::of(&options.feed.file)?;
    let format = options.feed.format()?;
    let job = Job::new(options.feed.clone(), Target::default(), cells);
    let mut rows = Reader::open(&job, &input, format, None)?;
    let (mut fit, mut unfit) = (0_u64, 0_u64);
    while let Some(row) = rows.next().map_err(|error| input.failure(&error))? {
        let problem = match row.json {
            Err(problem) => {
                let field = problem.field.map(|field| format!("{field}: ")).unwrap_or_default();
                Some(format!("{field}{}", problem.reason))
            }
            Ok(json) => problem(options, items, &json),
        };
        match problem {
            None => fit += 1,
            Some(problem) => {
                unfit += 1;
                if unfit <= MOST_SHOWN {
                    complain(&format!("line {}: {problem}", row.line));
                }
            }
        }
    }
    complain(&format!("{fit} fit to be sent, {unfit} not; nothing was sent"));
    if options.json {
        crate::console::print(&format!("{}\n", serde_json::json!({ "fit": fit, "unfit": unfit })))?;
    }
    Ok(if unfit == 0 { Ending::Fine } else { Ending::Findings })
}

/// Items that are shown; the others are counted.
const MOST_SHOWN: u64 = 20;

fn problem(options: &Options, items: &BatchItems, json: &[u8]) -> Option<String> {
    if let Err(error) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(json) {
        return Some(Reason::of_json(&error).message);
    }
    let reasons = if options.unchecked { Vec::new() } else { items.check(json) };
    reasons.into_iter().next().map(|reason| reason.message)
}
