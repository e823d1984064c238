//! The checkpoint file: its import, the confirmed rows, and the covered part of each file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use keyfit::batch_writer::Checkpoint;
use keyfit::redact::plain;
use keyfit_conformance::UserError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::import::args::InputArgs;
use crate::import::input::{Input, Position, ReadSettings, hex};
use crate::import::job::ImportJob;
use crate::import::output::{CoveredFile, lock, private};
use crate::import::roles::lock_of;

/// The largest checkpoint that is read, in bytes.
const MAX_CHECKPOINT_BYTES: u64 = 64 << 20;

/// The contents of the checkpoint file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// The destination of the rows.
    pub(crate) target: Target,
    /// The settings with which the rows are read; `None` before the first row.
    pub(crate) reading: Option<ReadSettings>,
    /// The part of the input that was read.
    pub(crate) input: ReadProgress,
    pub(crate) checkpoint: Checkpoint,
    /// Rows that were accepted and rejected, in all runs.
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) rejects: Option<CoveredFile>,
    pub(crate) reasons: Option<CoveredFile>,
}

/// The destination of rows, as names and values.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Target(BTreeMap<String, String>);

/// The part of an input that was read, with its hash.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct ReadProgress {
    bytes: u64,
    sha256: String,
    /// True if the last row had no line end.
    is_open: bool,
    /// The length of the whole text, in bytes.
    size: u64,
}

impl ReadProgress {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn to(position: &Position, size: u64) -> Self {
        Self { bytes: position.bytes(), sha256: position.sha256(), is_open: position.is_open(), size }
    }
}

impl State {
    pub(crate) fn new(target: Target) -> Self {
        let checkpoint = Checkpoint::default();
        let input = ReadProgress::default();
        Self { target, reading: None, input, checkpoint, accepted: 0, rejected: 0, rejects: None, reasons: None }
    }

    /// Loads the state of an earlier run of the same import, or creates a new one.
    ///
    /// # Errors
    /// Returns an error if the file is not a checkpoint, or the one of another import.
    pub(crate) fn load(job: &ImportJob, input: &Input, reading: &ReadSettings, size: u64) -> Result<Self, UserError> {
        let ImportJob { feed, target, .. } = job;
        let new = Self { reading: Some(reading.clone()), ..Self::new(target.clone()) };
        let Some(path) = &feed.checkpoint else { return Ok(new) };
        let refused = |problem: String| UserError::new(problem).at(path.display());
        let Some(text) = read(path)? else { return Ok(new) };
        let state: Self = serde_json::from_slice(&text).map_err(|error| {
            refused(format!("not a checkpoint of this version of the program: {error}")).help("name another file")
        })?;
        if feed.restart {
            return Ok(new);
        }
        if let Some(difference) = state.target.difference(&new.target) {
            return Err(refused(format!("this is the checkpoint of another import: {difference}")).help(
                "name another file with --checkpoint, or give --restart to begin with the first row and replace it",
            ));
        }
        let difference = match &state.reading {
            Some(before) if before != reading => {
                Some("the rows were read by other options for CSV or encoding".to_owned())
            }
            _ => state.input.difference(input, feed, size, state.checkpoint.through())?,
        };
        if let Some(difference) = difference.filter(|_| !feed.resume_changed) {
            return Err(refused(format!("this is the checkpoint of another file: {difference}")).help(format!(
                "give --restart to begin with the first row, or, if the confirmed rows are the same, --resume-changed to go \
                 on after line {}",
                state.checkpoint.first_open().saturating_sub(1)
            )));
        }
        Ok(Self { reading: Some(reading.clone()), ..state })
    }

    /// Replaces the whole file at once, since a truncated one would be useless.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        // A link stays, and the file that it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // A temporary name that no other file has, for the owner alone.
        let (start, end) = name_while_written(&path);
        let mut file = tempfile::Builder::new().prefix(&start).suffix(end).tempfile_in(folder)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    }
}

impl Target {
    /// With these names and values.
    pub(crate) fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn difference(&self, now: &Self) -> Option<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        let shown = |value: Option<&String>| value.map_or_else(|| "not given".to_owned(), |value| plain(value));
        names.into_iter().find(|name| self.0.get(*name) != now.0.get(*name)).map(|name| {
            let (before, after) = (shown(self.0.get(name)), shown(now.0.get(name)));
            let label = match name.as_str() {
                "base_url" => "base URL",
                "datasource" => "data source",
                other => other,
            };
            format!("its {label} is {before}, not {after}")
        })
    }
}

impl ReadProgress {
    /// Returns the reason why the input may not begin with the confirmed rows. An input that only grew is the same.
    /// `through` is the line of the last row that is covered.
    fn difference(
        &self,
        input: &Input,
        feed: &InputArgs,
        size: u64,
        through: Option<u64>,
    ) -> Result<Option<String>, UserError> {
        if size < self.size {
            return Ok(Some(format!("it has {size} bytes of text, and had {}", self.size)));
        }
        let mut text = input.open(feed.encoding)?;
        let mut digest = Sha256::new();
        let (mut left, mut lines, mut last) = (self.bytes, u64::from(self.is_open), 0);
        while left > 0 {
            let buffer = text.fill_buf().map_err(|error| input.failure(&error))?;
            let length = usize::try_from(left).map_or(buffer.len(), |left| buffer.len().min(left));
            if length == 0 {
                break;
            }
            digest.update(&buffer[..length]);
            for byte in &buffer[..length] {
                lines += u64::from(*byte == b'\r' || (*byte == b'\n' && last != b'\r'));
                last = *byte;
            }
            text.consume(length);
            left -= length as u64;
        }
        if self.bytes > 0 && (left > 0 || hex(&digest.finalize()) != self.sha256) {
            return Ok(Some("what comes before the confirmed place has changed".to_owned()));
        }
        if through.is_some_and(|through| through > lines) {
            return Ok(Some("it covers rows that were never read".to_owned()));
        }
        let next = text.fill_buf().map_err(|error| input.failure(&error))?.first();
        let has_grown = self.is_open && next.is_some_and(|next| !matches!(next, b'\n' | b'\r'));
        Ok(has_grown.then(|| "the last confirmed row has grown".to_owned()))
    }
}

/// Returns the parts of the name of a checkpoint around the random part while it is written.
fn name_while_written(path: &Path) -> (OsString, &'static str) {
    let mut start = OsString::from(".");
    start.push(path.file_name().unwrap_or_default());
    start.push(".");
    (start, ".tmp")
}

/// Removes the temporary files of runs that were killed while they wrote the checkpoint. Only the owner of the lock writes it.
fn remove_leftovers(path: &Path) {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (start, end) = name_while_written(&path);
    let is_random = |part: &[u8]| part.len() == 6 && part.iter().all(u8::is_ascii_alphanumeric);
    let is_leftover = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        let inner = name.strip_prefix(start.as_encoded_bytes()).and_then(|name| name.strip_suffix(end.as_bytes()));
        inner.is_some_and(is_random)
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_leftover(&entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            // A file that cannot be removed does no harm.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// Locks a checkpoint against a second run as long as the file is open.
pub(crate) fn lock_checkpoint(path: &Path) -> Result<File, UserError> {
    let name: PathBuf = lock_of(path);
    let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&name);
    let file = file.map_err(|error| {
        UserError::new(format!("the lock of --checkpoint cannot be made: {error}")).at(name.display())
    })?;
    lock(&file, "--checkpoint", path)?;
    remove_leftovers(path);
    Ok(file)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, UserError> {
    let refused = |problem: String| UserError::new(problem).at(path.display());
    let failed = |error: io::Error| refused(format!("the checkpoint cannot be read: {error}"));
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.is_file() => {
            return Err(refused("the checkpoint is not a regular file".to_owned()).help("name another"));
        }
        Ok(_) => {}
    }
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_CHECKPOINT_BYTES).read_to_end(&mut text)).map_err(failed)?;
    Ok(Some(text))
}
