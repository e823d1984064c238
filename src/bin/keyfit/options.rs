//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Typed, authenticated clients for the Instasent and Scopien APIs: the command.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes the rows of a file to a data source: 0 all accepted, 1 some rejected, 2 stopped.
    Import(Import),
}

#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct Import {
    /// The rows: JSON objects, one a line, or CSV whose header names the attributes.
    pub(crate) file: PathBuf,
    /// The project's UID.
    #[arg(long)]
    pub(crate) project: String,
    /// The data source's id; `dsapi` is the first API data source of the project.
    #[arg(long)]
    pub(crate) datasource: String,
    /// What the rows are.
    #[arg(long, value_enum, default_value_t = Rows::Contacts)]
    pub(crate) rows: Rows,
    /// The format, where the file's ending (ndjson, jsonl, csv) does not say it.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
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
    /// Write rejected rows there, one JSON object a line: `line`, `reasons`, `item`.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Keep there what is confirmed, and go on from it if it exists.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// The attribute that a column of a CSV file becomes; with nothing after the sign the column is left out.
    #[arg(long = "column", value_name = "HEADER=KEY", value_parser = column)]
    pub(crate) columns: Vec<(String, String)>,
    /// What separates the columns of a CSV file.
    #[arg(long, default_value = ",", value_parser = delimiter)]
    pub(crate) delimiter: u8,
    /// A reserved attribute that this program does not know and the API does; may be given several times.
    #[arg(long = "allow-key", value_name = "KEY")]
    pub(crate) allowed: Vec<String>,
    /// How many batches may be on their way at a time.
    #[arg(long, default_value_t = 4)]
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

impl Rows {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Events => "events",
        }
    }
}

impl Format {
    /// By the ending of a file's name.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

fn column(text: &str) -> Result<(String, String), String> {
    let (header, key) = text.split_once('=').ok_or("give it as HEADER=KEY")?;
    Ok((header.to_owned(), key.to_owned()))
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        _ if text == "\\t" => Ok(b'\t'),
        _ => Err("give one ASCII character".to_owned()),
    }
}
