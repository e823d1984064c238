//! The columns of a CSV file: the header, and the item that each record describes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use keyfit::redact::plain;
use serde::Serialize;

use super::csv::{Csv, Record};
use super::hint::{is_flag, not_a_flag};
use super::text::{Text, failure, without_end};
use super::{InvalidRow, Row};
use crate::import::args::InputArgs;
use crate::import::job::{Cells, ImportJob};

/// The delimiters that are tried if none is given.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

pub(crate) struct CsvRows {
    csv: Csv,
    record: Record,
    /// The text of the header, and of a line before it that names the delimiter.
    header: Vec<u8>,
    columns: Vec<Column>,
    cells: Cells,
}

/// The use of a column.
enum Column {
    Key(String),
    LeftOut,
    /// A column without a name, whose cells must be empty.
    Unnamed,
}

impl CsvRows {
    pub(super) fn new(ImportJob { feed, cells: kind, .. }: &ImportJob, mut text: Text) -> io::Result<Self> {
        let required = kind.required();
        let mut header = Vec::new();
        text.line(&mut header)?;
        let named = separator_line(&header);
        if named.is_some() {
            text.line(&mut header)?;
        }
        let line = text.lines().max(1);
        if without_end(&header).is_empty() {
            return Err(failure(line, "the header is missing: the first line names the attributes"));
        }
        // A header in several lines is as rare as it is hard to tell from a quote that is not closed.
        let first = header.split_inclusive(|byte| *byte == b'\n' || *byte == b'\r').rfind(|line| *line != b"\n");
        let first = without_end(first.unwrap_or_default()).to_vec();
        let cells = |delimiter: u8| names(line, &first, delimiter, feed.quote.0);
        let delimiter = match feed.delimiter.or(named) {
            Some(delimiter) => delimiter,
            None => guess(feed, &required, &cells),
        };
        let columns = columns(line, feed, &required, &cells(delimiter)?, delimiter)?;
        let csv = Csv::new(text, delimiter, feed.quote.0);
        Ok(Self { csv, record: Record::default(), header, columns, cells: kind.clone() })
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.csv.delimiter
    }

    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Row>> {
        if !self.csv.read(&mut self.record)? {
            return Ok(None);
        }
        let json = self.object();
        let (line, source) = (self.record.line, std::mem::take(&mut self.record.raw));
        Ok(Some(Row { line, json, source, position: self.csv.text().position().clone() }))
    }

    /// The item that a record describes, as JSON. A cell without text is an attribute that is not given.
    fn object(&self) -> Result<Vec<u8>, InvalidRow> {
        if self.record.len() != self.columns.len() {
            let reason = format!("has {} cells, the header has {}", self.record.len(), self.columns.len());
            return Err(InvalidRow { field: None, reason });
        }
        if let Some(column) = self.record.stray_quote {
            let field = match &self.columns[column] {
                Column::Key(key) => key.clone(),
                Column::LeftOut | Column::Unnamed => cell_of(column),
            };
            let reason = "holds a quote and does not begin with one: enclose the cell in quotes and double the one in it, \
                          or give --quote none";
            return Err(InvalidRow { field: Some(field), reason: reason.to_owned() });
        }
        let is_event = matches!(self.cells, Cells::Events);
        let (mut object, mut parameters) = (Members::default(), Members::default());
        for (index, (cell, column)) in self.record.cells().zip(&self.columns).enumerate() {
            if cell.is_empty() {
                continue;
            }
            let key = match column {
                Column::Key(key) => key,
                Column::LeftOut => continue,
                Column::Unnamed => {
                    let reason = "holds text, and its column has no name: name it in the header or with --column =KEY, or \
                                  leave it out with --column =";
                    return Err(InvalidRow { field: Some(cell_of(index)), reason: reason.to_owned() });
                }
            };
            let map = if is_event && !key.starts_with('_') { &mut parameters } else { &mut object };
            match &self.cells {
                Cells::Documented { read, .. } => {
                    map.push(key, &read(key, &cell).map_err(|reason| InvalidRow { field: Some(key.clone()), reason })?);
                }
                Cells::Contacts { allowed }
                    if is_flag(key) && !allowed.contains(key) && !matches!(&*cell, "1" | "0") =>
                {
                    return Err(InvalidRow { field: Some(key.clone()), reason: not_a_flag() });
                }
                // It is made of the columns of other names.
                Cells::Events if key == EVENT_PARAMETERS => {}
                _ if matches!(key.as_str(), "_client_tags" | "_client_lists") => {
                    map.push(key, &cell.split('|').map(str::trim).collect::<Vec<_>>());
                }
                _ => map.push(key, &*cell),
            }
        }
        if is_event {
            object.key(EVENT_PARAMETERS);
            object.0.extend(parameters.end());
        }
        Ok(object.end())
    }
}

/// The member of an event that has its parameters.
const EVENT_PARAMETERS: &str = "_event_parameters";

/// The members of a JSON object, written as they come: a header names none twice.
struct Members(Vec<u8>);

impl Default for Members {
    fn default() -> Self {
        Self(vec![b'{'])
    }
}

impl Members {
    fn push(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        self.key(key);
        // Neither texts nor memory refuse to be written.
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        let _ = serde_json::to_writer(&mut self.0, key);
        self.0.push(b':');
    }

    fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

fn cell_of(column: usize) -> String {
    format!("cell {}", column + 1)
}

/// The delimiter in a line `sep=;`, which some programs write before the header.
fn separator_line(line: &[u8]) -> Option<u8> {
    match without_end(line) {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => Some(*delimiter),
        _ => None,
    }
}

/// Returns the names of a header.
fn names(line: u64, header: &[u8], delimiter: u8, quote: Option<u8>) -> io::Result<Vec<String>> {
    let text = Text::new(Box::new(io::Cursor::new(header.to_vec())));
    let mut record = Record::default();
    Csv::new(text, delimiter, quote).read(&mut record).map_err(|_| {
        failure(line, "the header holds a quote that is not closed: a header takes one line, and names without quotes")
    })?;
    Ok(record.cells().map(|name| name.trim().to_owned()).collect())
}

/// Returns the delimiter with which the header names all required members; a comma if there is none.
fn guess(feed: &InputArgs, required: &[&str], cells: &impl Fn(u8) -> io::Result<Vec<String>>) -> u8 {
    for delimiter in DELIMITERS {
        let Ok(names) = cells(delimiter) else { continue };
        let keys: BTreeSet<&str> = names.iter().map(|name| renamed(feed, name)).collect();
        if required.iter().all(|key| keys.contains(key)) {
            return delimiter;
        }
    }
    b','
}

fn renamed<'a>(feed: &'a InputArgs, header: &'a str) -> &'a str {
    feed.columns.iter().rev().find(|(from, _)| from == header).map_or(header, |(_, to)| to)
}

fn columns(line: u64, feed: &InputArgs, required: &[&str], names: &[String], delimiter: u8) -> io::Result<Vec<Column>> {
    let refused = |problem: String| Err(failure(line, problem));
    let mut unused: BTreeMap<&str, &str> = feed.columns.iter().map(|(from, to)| (&**from, &**to)).collect();
    let mut seen = BTreeSet::new();
    let mut columns = Vec::new();
    for name in names {
        let is_unnamed = unused.remove(&**name).is_none() && name.is_empty();
        let key = renamed(feed, name).to_owned();
        if !key.is_empty() && !seen.insert(key.clone()) {
            return refused(format!(
                "the header names `{}` twice: rename one with --column, or leave it out",
                plain(&key)
            ));
        }
        columns.push(match key.as_str() {
            "" if is_unnamed => Column::Unnamed,
            "" => Column::LeftOut,
            _ => Column::Key(key),
        });
    }
    let said = said_of(names, delimiter);
    if let Some(column) = unused.keys().next() {
        return refused(format!("--column names `{column}`, which the header does not have: {said}"));
    }
    for key in required {
        if !seen.contains(*key) {
            return refused(format!("the header has no `{key}`: name its column with --column HEADER={key}; {said}"));
        }
    }
    Ok(columns)
}

/// Returns a description of the header, with the likely mistake.
fn said_of(names: &[String], delimiter: u8) -> String {
    match names {
        [one] => {
            let other = DELIMITERS.into_iter().find(|other| *other != delimiter && one.as_bytes().contains(other));
            let other = other.map(|other| format!(": is the delimiter {}", delimiter_option(other)));
            format!("its one column is `{}`{}", plain(one), other.unwrap_or_default())
        }
        _ => format!(
            "its columns are {}",
            names.iter().map(|name| format!("`{}`", plain(name))).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn delimiter_option(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "a tab? --delimiter '\\t'".to_owned(),
        other => format!("`{0}`? --delimiter '{0}'", char::from(other)),
    }
}
