//! The rows of a file or of standard input, each with its first line number and its original text.

mod columns;
mod csv;
mod decode;
mod hint;
mod json_lines;
mod open;
mod text;

use std::io::{self, Read as _};

use keyfit_conformance::UserError;
use serde::{Deserialize, Serialize};

pub(crate) use hint::hint;
pub(crate) use open::Input;
pub(crate) use text::{Position, hex};

use crate::import::args::{Format, InputArgs};
use crate::import::job::ImportJob;
use text::Text;

/// One row: its JSON or the reason why it is invalid, and its original text.
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) json: Result<Vec<u8>, InvalidRow>,
    /// The text of the row with its line end; of JSON it is the line.
    pub(crate) source: Vec<u8>,
    /// The end of the row.
    pub(crate) position: Position,
}

/// The reason why a row cannot be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct InvalidRow {
    pub(crate) field: Option<String>,
    pub(crate) reason: String,
}

/// The settings with which rows are split and read.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct ReadSettings {
    format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<char>,
    encoding: String,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    columns: Vec<(String, String)>,
}

pub(crate) enum Reader {
    JsonLines(json_lines::JsonLines),
    Csv(Box<columns::CsvRows>),
}

impl Reader {
    /// Opens the input, and reads the header where there is one. `most` bounds the bytes of text.
    pub(crate) fn open(job: &ImportJob, input: &Input, format: Format, most: Option<u64>) -> Result<Self, UserError> {
        let text = input.open(job.feed.encoding)?;
        let text = Text::new(Box::new(text.take(most.unwrap_or(u64::MAX))));
        match format {
            Format::Ndjson if !job.feed.columns.is_empty() => {
                Err(UserError::new("--column is for CSV files").help("leave it out"))
            }
            Format::Ndjson => Ok(Self::JsonLines(json_lines::JsonLines::new(text))),
            Format::Csv => {
                let records = columns::CsvRows::new(job, text);
                records.map(Box::new).map(Self::Csv).map_err(|error| input.failure(&error))
            }
        }
    }

    /// Reads the next row; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Row>> {
        match self {
            Self::JsonLines(lines) => lines.next(),
            Self::Csv(records) => records.next(),
        }
    }

    /// Returns the text before the first row, which a file of rejects needs as well.
    pub(crate) fn header(&self) -> &[u8] {
        match self {
            Self::JsonLines(_) => &[],
            Self::Csv(records) => records.header(),
        }
    }

    pub(crate) fn reading(&self, feed: &InputArgs) -> ReadSettings {
        let (format, delimiter, quote) = match self {
            Self::JsonLines(_) => (Format::Ndjson, None, None),
            Self::Csv(records) => (Format::Csv, Some(records.delimiter().into()), feed.quote.0.map(char::from)),
        };
        ReadSettings {
            format: format.name().to_owned(),
            delimiter,
            quote,
            encoding: feed.encoding.unwrap_or(encoding_rs::UTF_8).name().to_owned(),
            columns: feed.columns.clone(),
        }
    }
}

/// Reads all rows without sending them, so that a truncated file is not partly imported. Returns the end of the last row.
pub(crate) fn survey(mut reader: Reader) -> io::Result<Position> {
    let mut end = Position::default();
    while let Some(row) = reader.next()? {
        end = row.position;
    }
    Ok(end)
}
