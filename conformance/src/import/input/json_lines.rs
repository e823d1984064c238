//! JSON objects, one a line.

use std::io;

use super::Row;
use super::text::{Text, without_end};

pub(crate) struct JsonLines {
    text: Text,
}

impl JsonLines {
    pub(super) fn new(text: Text) -> Self {
        Self { text }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Row>> {
        loop {
            let mut source = Vec::new();
            if !self.text.line(&mut source)? {
                return Ok(None);
            }
            let json = without_end(&source).trim_ascii().to_vec();
            if !json.is_empty() {
                let position = self.text.position().clone();
                return Ok(Some(Row { line: self.text.lines(), json: Ok(json), source, position }));
            }
        }
    }
}
