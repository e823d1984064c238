//! The arguments of the import.

use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use encoding_rs::Encoding;
use keyfit_conformance::UserError;

/// Where rows come from, how they are read, and how a later run goes on.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct InputArgs {
    /// The rows: JSON objects, one a line, or CSV whose header names the members; `-` for standard input. A file may be
    /// compressed by gzip.
    #[arg(default_value = "", hide_default_value = true, value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(crate) file: PathBuf,
    /// The format, where the file's ending (ndjson, jsonl, csv, tsv) does not say it.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Keep there what is confirmed, and go on from it if it exists.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Begin with the first row again, whatever the checkpoint says, and replace it.
    #[arg(long, requires = "checkpoint", conflicts_with = "resume_changed")]
    pub(crate) restart: bool,
    /// Go on by line numbers although the rows before the checkpoint have changed: those lines are not read again.
    #[arg(long, requires = "checkpoint")]
    pub(crate) resume_changed: bool,
    /// The member that a column of a CSV file becomes; with nothing after the sign the column is left out.
    #[arg(long = "column", value_name = "HEADER=KEY", value_parser = column)]
    pub(crate) columns: Vec<(String, String)>,
    /// What separates the columns of a CSV file, `\t` for a tab. Where left out, the one of `,` `;` tab and `|` by which the
    /// header names what is required.
    #[arg(long, value_name = "CHARACTER", value_parser = character)]
    pub(crate) delimiter: Option<u8>,
    /// What encloses cells of a CSV file, or `none`.
    #[arg(long, value_name = "CHARACTER", default_value = "\"", value_parser = quote)]
    pub(crate) quote: Quote,
    /// The encoding of a file that is not UTF-8: windows-1252, utf-16, or another name of the WHATWG Encoding Standard.
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub(crate) encoding: Option<&'static Encoding>,
}

impl InputArgs {
    /// The format, by the option or the file's name.
    ///
    /// # Errors
    /// Returns an error if neither says it.
    pub(crate) fn format(&self) -> Result<Format, UserError> {
        self.format.or_else(|| Format::of(&self.file)).ok_or_else(|| {
            UserError::new("the file's ending does not tell the format").help("give --format ndjson or csv")
        })
    }
}

/// Which rows go where, and what is kept of them.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(args_override_self = true)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) feed: InputArgs,
    /// The project's UID.
    #[arg(long)]
    pub(crate) project: String,
    /// The data source's id; `dsapi` is the first API data source of the project.
    #[arg(long)]
    pub(crate) datasource: String,
    /// What the rows are.
    #[arg(long, value_enum, default_value_t = Rows::Contacts)]
    pub(crate) rows: Rows,
    /// The environment variable that holds the token.
    #[arg(long, value_name = "NAME", default_value = "INSTASENT_DATASOURCE_TOKEN")]
    pub(crate) token_env: String,
    /// Another server than the documented one.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Have the server check the rows and store none.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Have the server process rows before it answers.
    #[arg(long)]
    pub(crate) sync: bool,
    /// Write rejected rows there as they stood, after the header of a CSV file. The file must be new or empty, unless the
    /// checkpoint knows it.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Write why rows were rejected there, one JSON object a line: `line`, `reasons`. As for --rejects.
    #[arg(long, value_name = "FILE")]
    pub(crate) reasons: Option<PathBuf>,
    /// A reserved attribute that this program does not know and the API does; may be given several times.
    #[arg(long = "allow-key", value_name = "KEY")]
    pub(crate) allowed: Vec<String>,
    /// How many batches may be on their way at most.
    #[arg(long, default_value_t = 8)]
    pub(crate) in_flight: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Rows {
    Contacts,
    Events,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a line.
    Ndjson,
    /// A header, then one row a record.
    Csv,
}

/// What encloses a cell in which delimiters, line ends and doubled quotes are text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Quote(pub(crate) Option<u8>);

impl Rows {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Events => "events",
        }
    }
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    /// By the ending of a file's name, without that of a compressed one.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" | "tsv" => Some(Self::Csv),
            "gz" => Self::of(Path::new(path.file_stem()?)),
            _ => None,
        }
    }
}

fn column(text: &str) -> Result<(String, String), &'static str> {
    let (header, key) = text.split_once('=').ok_or("give it as HEADER=KEY")?;
    Ok((header.to_owned(), key.to_owned()))
}

fn character(text: &str) -> Result<u8, &'static str> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(*byte),
        _ if text == "\\t" => Ok(b'\t'),
        _ => Err("give one ASCII character"),
    }
}

fn quote(text: &str) -> Result<Quote, &'static str> {
    if text == "none" { Ok(Quote(None)) } else { character(text).map(|byte| Quote(Some(byte))) }
}

fn encoding(text: &str) -> Result<&'static Encoding, &'static str> {
    Encoding::for_label_no_replacement(text.as_bytes())
        .ok_or("not the name of an encoding: windows-1252, utf-16 and utf-8 are the usual ones")
}
