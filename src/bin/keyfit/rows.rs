//! The rows of a file, each with the line on which it begins. A row that cannot be read does not end the file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read as _};

use serde_json::{Map, Value};

use crate::options::{Format, Import, Rows as What};

/// Longer lines are cut off: no batch takes them.
const LONGEST_LINE: u64 = (1 << 20) + 1;

/// One row: its JSON, or what is wrong with it and as much of it as can be shown.
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) json: Result<Vec<u8>, (Vec<u8>, String)>,
    /// How many bytes of the file are read by now.
    pub(crate) read: u64,
}

pub(crate) enum Reader<R> {
    Ndjson(Lines<R>),
    Csv(Box<Records<R>>),
}

impl<R: BufRead> Reader<R> {
    pub(crate) fn new(import: &Import, format: Format, file: R) -> Result<Self, String> {
        match format {
            Format::Ndjson if !import.columns.is_empty() => Err("--column is for CSV files".to_owned()),
            Format::Ndjson => Ok(Self::Ndjson(Lines { file, line: 0, read: 0 })),
            Format::Csv => Records::new(import, file).map(Box::new).map(Self::Csv),
        }
    }

    /// The next row; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Row>> {
        match self {
            Self::Ndjson(lines) => lines.next(),
            Self::Csv(records) => records.next(),
        }
    }
}

pub(crate) struct Lines<R> {
    file: R,
    line: u64,
    read: u64,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> io::Result<Option<Row>> {
        loop {
            let mut text = Vec::new();
            let mut read = (&mut self.file).take(LONGEST_LINE).read_until(b'\n', &mut text)? as u64;
            if read == 0 {
                return Ok(None);
            }
            if read == LONGEST_LINE && text.last() != Some(&b'\n') {
                read += skip_line(&mut self.file)?;
            }
            self.line += 1;
            self.read += read;
            let start = if self.line == 1 && text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            let json = text[start..].trim_ascii();
            if !json.is_empty() {
                return Ok(Some(Row { line: self.line, json: Ok(json.to_vec()), read: self.read }));
            }
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

fn skip_line(file: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = file.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        file.consume(length);
        skipped += length as u64;
        if end.is_some() || length == 0 {
            return Ok(skipped);
        }
    }
}

pub(crate) struct Records<R> {
    reader: csv::Reader<R>,
    record: csv::ByteRecord,
    /// The key of each column; none of one that is left out.
    keys: Vec<Option<String>>,
    what: What,
}

impl<R: BufRead> Records<R> {
    fn new(import: &Import, file: R) -> Result<Self, String> {
        // Rows of another length are reported as rows, not as the end of the file.
        let mut reader = csv::ReaderBuilder::new().delimiter(import.delimiter).flexible(true).from_reader(file);
        let headers = reader.headers().map_err(|error| format!("the header cannot be read: {error}"))?;
        let mut renamed: BTreeMap<&str, &str> = import.columns.iter().map(|(from, to)| (&**from, &**to)).collect();
        let mut seen = BTreeSet::new();
        let mut keys = Vec::new();
        for header in headers {
            let header = header.trim_start_matches('\u{feff}').trim();
            let key = renamed.remove(header).unwrap_or(header).to_owned();
            if !key.is_empty() && !seen.insert(key.clone()) {
                return Err(format!("the header names `{key}` twice: rename one with --column, or leave it out"));
            }
            keys.push(Some(key).filter(|key| !key.is_empty()));
        }
        if let Some(column) = renamed.keys().next() {
            return Err(format!("--column names `{column}`, which the header does not have"));
        }
        for key in required(import.rows) {
            if !seen.contains(*key) {
                return Err(format!("the header has no `{key}`: name the column of it with --column HEADER={key}"));
            }
        }
        Ok(Self { reader, record: csv::ByteRecord::new(), keys, what: import.rows })
    }

    fn next(&mut self) -> io::Result<Option<Row>> {
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line = self.record.position().map_or(line, csv::Position::line);
                let json = self.object().map(|object| Value::Object(object).to_string().into_bytes());
                let json = json.map_err(|reason| (self.record.as_slice().to_vec(), reason));
                Ok(Some(Row { line, json, read: self.reader.position().byte() }))
            }
            Err(error) => Err(match error.into_kind() {
                csv::ErrorKind::Io(error) => error,
                other => io::Error::other(format!("{other:?}")),
            }),
        }
    }

    /// The item that a record describes. A cell without text is an attribute that is not given.
    fn object(&self) -> Result<Map<String, Value>, String> {
        if self.record.len() != self.keys.len() {
            return Err(format!("has {} cells, the header has {}", self.record.len(), self.keys.len()));
        }
        let (mut object, mut parameters) = (Map::new(), Map::new());
        for (cell, key) in self.record.iter().zip(&self.keys) {
            let Some(key) = key else { continue };
            let text = std::str::from_utf8(cell).map_err(|_| format!("the cell of `{key}` is not UTF-8"))?;
            if text.is_empty() {
                continue;
            }
            let is_parameter = self.what == What::Events && !key.starts_with('_');
            let (map, value) = match key.as_str() {
                "_client_tags" | "_client_lists" => (&mut object, text.split('|').map(str::trim).collect()),
                _ if is_parameter => (&mut parameters, text.into()),
                _ => (&mut object, text.into()),
            };
            map.insert(key.clone(), value);
        }
        if self.what == What::Events {
            object.insert("_event_parameters".to_owned(), parameters.into());
        }
        Ok(object)
    }
}

fn required(what: What) -> &'static [&'static str] {
    match what {
        What::Contacts => &["_user_id"],
        What::Events => &["_user_id", "_event_id", "_event_type"],
    }
}
