//! A file of the items that were not accepted, to look at, mend and write again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Delivery, Outcome, Reason};
use crate::error::Error;

/// Appends the items that were not accepted to a file, one JSON object a line: `item` (the item's number), `outcome`
/// (`rejected` or `unknown`), `reasons` (of rejected items: `field`, `message`, `code`), `why`, `status` and
/// `may_have_been_sent` (of unknown ones), and `value` (the item as it was written; a text where it is not JSON).
///
/// The lines in the file stay: it is never emptied, and a line that was cut off is ended first. After a crash an item may stand in it
/// twice. Items may be personal: a file that is made is its owner's alone.
#[derive(Debug)]
pub struct DeadLetters {
    file: File,
    /// Whether a line was cut off.
    is_torn: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    item: u64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reasons: Vec<Told<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    may_have_been_sent: Option<bool>,
    value: Value<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(Reason { field, message, code }: &'a Reason) -> Self {
        Self { field: field.as_deref(), message, code: code.as_deref() }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Json(&'a RawValue),
    Text(std::borrow::Cow<'a, str>),
}

impl DeadLetters {
    /// Opens the file behind what is in it, or makes it.
    ///
    /// # Errors
    /// Returns an error if it cannot be opened, or is not a regular file.
    pub fn append(path: impl AsRef<Path>) -> io::Result<Self> {
        // Before it is opened: opening a pipe would wait for who reads it.
        if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let mut is_torn = false;
        if file.metadata()?.len() > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            is_torn = last != *b"\n";
        }
        Ok(Self { file, is_torn })
    }

    /// Writes an item that was not accepted; of one that was, nothing.
    ///
    /// # Errors
    /// Returns an error if the line cannot be written whole.
    pub fn write(&mut self, delivery: &Delivery<'_>) -> io::Result<()> {
        let Some(line) = line(delivery.sequence(), delivery.item(), delivery.outcome())? else { return Ok(()) };
        let mut text = if self.is_torn { vec![b'\n'] } else { Vec::new() };
        text.extend(line);
        text.push(b'\n');
        // Until it is written whole.
        self.is_torn = true;
        self.file.write_all(&text)?;
        self.is_torn = false;
        Ok(())
    }

    /// Writes everything through to the disk.
    ///
    /// # Errors
    /// Returns an error if the disk does not take it.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// What is kept of an item that was not accepted, as JSON on one line; of one that was, nothing.
pub(super) fn line(item: u64, json: &[u8], outcome: &Outcome) -> io::Result<Option<Vec<u8>>> {
    let line = match outcome {
        Outcome::Accepted => return Ok(None),
        Outcome::Rejected(reasons) => Line {
            item,
            outcome: "rejected",
            reasons: reasons.iter().map(Told::of).collect(),
            why: None,
            status: None,
            may_have_been_sent: None,
            value: value(json),
        },
        Outcome::Unknown(why) => Line {
            item,
            outcome: "unknown",
            reasons: Vec::new(),
            why: Some(why.to_string()),
            status: why.error().and_then(Error::status).map(|status| status.as_u16()),
            may_have_been_sent: Some(why.may_have_been_sent()),
            value: value(json),
        },
    };
    Ok(Some(serde_json::to_vec(&line)?))
}

/// The item as it was written, on one line.
fn value(item: &[u8]) -> Value<'_> {
    match serde_json::from_slice::<&RawValue>(item) {
        Ok(json) if !json.get().contains(['\n', '\r']) => Value::Json(json),
        _ => Value::Text(String::from_utf8_lossy(item)),
    }
}

#[cfg(all(test, feature = "reqwest"))]
mod tests {
    use std::sync::{Arc, Mutex};

    use crate::Config;
    use crate::auth::Credential;
    use crate::client::DynamicClient;
    use crate::error::operation::Batching;
    use crate::error::{Api, Operation};

    use super::*;

    static API: Api = Api::new("parcels")
        .with_base_urls(&["http://127.0.0.1:1"])
        .with_operations(&[Operation::new("push", "push", "POST", "/parcels").with_batching(Batching::new(""))]);

    #[tokio::test]
    async fn a_file_that_cannot_be_written_stops_the_writer_and_leaves_its_item_unconfirmed() {
        let path = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(path.path(), "mine\n").expect("written");
        // As a disk that is full from here on: the file takes no more.
        let file = DeadLetters { file: File::open(path.path()).expect("a file"), is_torn: false };
        let client = DynamicClient::new(&API, Credential::<()>::none(), Config::default()).expect("a client");
        let writer = client.call("push").expect("an operation").writer();
        let outcomes: Arc<Mutex<Vec<u64>>> = Arc::default();
        let told = Arc::clone(&outcomes);
        let writer = writer.dead_letters(Arc::new(Mutex::new(file)));
        let writer = writer.start(move |delivery| told.lock().expect("no panic").push(delivery.sequence()));
        let writer = writer.expect("a writer");
        writer.write_unfit(0, b"{}", "is odd").await.expect("room");
        let stopped = writer.flush().await.expect_err("it stopped");
        assert!(stopped.to_string().contains("dead letters cannot be written"), "{stopped}");
        assert_eq!(*outcomes.lock().expect("no panic"), [0], "the outcome is told all the same");
        assert!(!writer.checkpoint().covers(0));
        assert_eq!(std::fs::read_to_string(path.path()).expect("a file"), "mine\n");
    }
}
