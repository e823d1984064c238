//! What is kept between runs: what is confirmed, and how far the file of rejects belongs to it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use keyfit::ingest_writer::Checkpoint;
use serde::{Deserialize, Serialize};

use crate::options::Import;

/// The contents of the checkpoint file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct State {
    /// What was imported where: a checkpoint of another import would skip rows that were never sent.
    pub(crate) import: Identity,
    pub(crate) checkpoint: Checkpoint,
    /// Rows that were accepted and rejected, in all runs.
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    /// How long the file of rejects was.
    pub(crate) rejects_bytes: u64,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Identity {
    file: PathBuf,
    rows: String,
    project: String,
    datasource: String,
}

impl State {
    pub(crate) fn of(import: &Import) -> Self {
        let identity = Identity {
            file: import.file.file_name().map(PathBuf::from).unwrap_or_default(),
            rows: import.rows.name().to_owned(),
            project: import.project.clone(),
            datasource: import.datasource.clone(),
        };
        Self { import: identity, checkpoint: Checkpoint::default(), accepted: 0, rejected: 0, rejects_bytes: 0 }
    }

    /// The state of an earlier run of the same import, or a new one.
    pub(crate) fn load(import: &Import) -> Result<Self, String> {
        let new = Self::of(import);
        let Some(path) = &import.checkpoint else { return Ok(new) };
        let place = path.display();
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(new),
            Err(error) => return Err(format!("the checkpoint {place} cannot be read: {error}")),
        };
        let state: Self = serde_json::from_slice(&text)
            .map_err(|error| format!("{place} is no checkpoint of this program ({error}): name another file"))?;
        if state.import != new.import {
            return Err(format!("{place} is the checkpoint of another import: name another file, or remove it"));
        }
        Ok(state)
    }

    /// Replaces the file whole: one that was cut off would be worth nothing.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let mut file = File::create(&beside)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, path)
    }
}
