//! Records of CSV by RFC 4180, each with its original text. An unclosed quote is an error with its line.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use super::text::{Text, failure, without_end};

/// Reads records.
pub(super) struct Csv {
    text: Text,
    pub(super) delimiter: u8,
    quote: Option<u8>,
}

/// One record. Its cells are ranges of its text.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The number of its first line.
    pub(super) line: u64,
    pub(super) raw: Vec<u8>,
    cells: Vec<Cell>,
    /// The cell that contains a quote without starting with one.
    pub(super) stray_quote: Option<usize>,
}

#[derive(Clone, Debug)]
struct Cell {
    place: Range<usize>,
    /// The quote that is doubled within it.
    doubled: Option<u8>,
}

/// The state of the scan of a record.
enum State {
    /// At the start of a cell.
    Start,
    Plain(usize),
    /// Within quotes that were opened there.
    Quoted(usize),
    /// After a quote within quotes: the end of the cell, or the first of two.
    Closed(usize),
}

impl Csv {
    pub(super) fn new(text: Text, delimiter: u8, quote: Option<u8>) -> Self {
        Self { text, delimiter, quote }
    }

    pub(super) fn text(&self) -> &Text {
        &self.text
    }

    /// Reads the next record that has any text. `false` at the end.
    pub(super) fn read(&mut self, record: &mut Record) -> io::Result<bool> {
        loop {
            record.raw.clear();
            record.line = self.text.lines() + 1;
            if !self.text.line(&mut record.raw)? {
                return Ok(false);
            }
            if !without_end(&record.raw).is_empty() {
                return self.scan(record).map(|()| true);
            }
        }
    }

    /// Finds the cells, and reads on as long as a quote is open.
    fn scan(&mut self, record: &mut Record) -> io::Result<()> {
        record.cells.clear();
        record.stray_quote = None;
        let (mut state, mut doubled, mut place) = (State::Start, None, 0);
        let mut opened_on = record.line;
        loop {
            let end = without_end(&record.raw).len();
            while place < end {
                let byte = record.raw[place];
                let is_quote = self.quote == Some(byte);
                let is_delimiter = byte == self.delimiter;
                state = match state {
                    State::Start if is_quote => {
                        opened_on = self.text.lines();
                        State::Quoted(place + 1)
                    }
                    State::Start if is_delimiter => {
                        record.push(place..place, None);
                        State::Start
                    }
                    State::Start => State::Plain(place),
                    State::Plain(start) if is_delimiter => {
                        record.push(start..place, None);
                        State::Start
                    }
                    State::Plain(start) => {
                        if is_quote {
                            record.stray_quote.get_or_insert(record.cells.len());
                        }
                        State::Plain(start)
                    }
                    State::Quoted(start) if is_quote => State::Closed(start),
                    State::Quoted(start) => State::Quoted(start),
                    State::Closed(start) if is_quote => {
                        doubled = Some(byte);
                        State::Quoted(start)
                    }
                    State::Closed(start) if is_delimiter => {
                        record.push(start..place - 1, doubled.take());
                        State::Start
                    }
                    State::Closed(_) => return Err(after_a_quote(record, opened_on, self.text.lines())),
                };
                place += 1;
            }
            match state {
                State::Start => record.push(end..end, None),
                State::Plain(start) => record.push(start..end, None),
                State::Closed(start) => record.push(start..end - 1, doubled.take()),
                State::Quoted(start) => {
                    // The end of the line is text.
                    place = record.raw.len();
                    match self.text.line(&mut record.raw) {
                        Ok(true) => {}
                        Ok(false) => return Err(not_closed(record, opened_on)),
                        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                            let reason = not_closed(record, opened_on);
                            return Err(io::Error::new(error.kind(), format!("{reason}; {error}")));
                        }
                        Err(error) => return Err(error),
                    }
                    state = State::Quoted(start);
                    continue;
                }
            }
            return Ok(());
        }
    }
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The texts of its cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.cells.iter().map(|Cell { place, doubled }| {
            // The whole text is UTF-8, and cells end at ASCII characters.
            let text = String::from_utf8_lossy(&self.raw[place.clone()]);
            match doubled.map(char::from) {
                Some(quote) => text.replace(&format!("{quote}{quote}"), &quote.to_string()).into(),
                None => text,
            }
        })
    }

    fn push(&mut self, place: Range<usize>, doubled: Option<u8>) {
        self.cells.push(Cell { place, doubled });
    }
}

fn not_closed(record: &Record, opened_on: u64) -> io::Error {
    let cell = record.cells.len() + 1;
    let remedy =
        "close it, double quotes that are text, or give --quote none where the file has none that enclose cells";
    failure(opened_on, format!("the quote that opens cell {cell} is not closed: {remedy}"))
}

fn after_a_quote(record: &Record, opened_on: u64, line: u64) -> io::Error {
    let cell = record.cells.len() + 1;
    let closed = if line == opened_on { String::new() } else { format!(" on line {line}") };
    let remedy = "double quotes that are text";
    failure(opened_on, format!("the quote that opens cell {cell} is closed{closed}, and text follows: {remedy}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, delimiter: u8, quote: Option<u8>) -> io::Result<Vec<Vec<String>>> {
        let input = io::BufReader::with_capacity(3, io::Cursor::new(text.to_owned()));
        let mut csv = Csv::new(Text::new(Box::new(input)), delimiter, quote);
        let (mut record, mut records) = (Record::default(), Vec::new());
        while csv.read(&mut record)? {
            records.push(record.cells().map(Cow::into_owned).collect());
        }
        Ok(records)
    }

    #[test]
    fn quoted_cells_hold_delimiters_line_ends_and_quotes() {
        let text = "a,\"b,\r\nc\",\"d\"\"e\"\r\"\",,x\n\n\"last\"";
        let wanted = [vec!["a", "b,\r\nc", "d\"e"], vec!["", "", "x"], vec!["last"]];
        assert_eq!(read(text, b',', Some(b'"')).expect("records"), wanted);
        assert_eq!(read("\"a\",b\n", b',', None).expect("records"), [["\"a\"", "b"]]);
        assert_eq!(read("a;'b;c'", b';', Some(b'\'')).expect("records"), [["a", "b;c"]]);
    }

    #[test]
    fn a_quote_that_is_not_closed_is_an_error_with_its_place() {
        for (text, words) in [
            ("a,b\n1,\"x\ny\n", "line 2: the quote that opens cell 2 is not closed"),
            ("\"a", "line 1: the quote that opens cell 1 is not closed"),
            ("a,b\n1,\"5 foot\n2,x\n3,\"VIP\"\n", "line 2: the quote that opens cell 2 is closed on line 4, and text"),
            ("a\n\"x\"y\n", "line 2: the quote that opens cell 1 is closed, and text follows"),
            ("\"a\nb\",\"c\n", "line 2: the quote that opens cell 2 is not closed"),
        ] {
            let error = read(text, b',', Some(b'"')).expect_err(text).to_string();
            assert!(error.starts_with(words), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_text_of_a_record_is_kept_and_a_stray_quote_is_told() {
        let text = "a,\"b\nc\"\r\n6\" pipe,x\n";
        let mut csv = Csv::new(Text::new(Box::new(io::Cursor::new(text))), b',', Some(b'"'));
        let mut record = Record::default();
        assert!(csv.read(&mut record).expect("a record"));
        assert_eq!((record.line, record.raw.as_slice(), record.stray_quote), (1, &b"a,\"b\nc\"\r\n"[..], None));
        assert!(csv.read(&mut record).expect("a record"));
        assert_eq!((record.line, record.raw.as_slice(), record.stray_quote), (3, &b"6\" pipe,x\n"[..], Some(0)));
    }

    proptest! {
        #[test]
        fn what_another_writer_wrote_is_read_back(
            records in proptest::collection::vec(proptest::collection::vec("[a-c,;\"\r\n é]{0,6}", 2), 0..8),
            delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
        ) {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            for record in &records {
                writer.write_record(record).expect("a record");
            }
            let text = String::from_utf8(writer.into_inner().expect("a text")).expect("UTF-8");
            prop_assert_eq!(read(&text, delimiter, Some(b'"')).expect("records"), records);
        }
    }
}
