//! The destination of the body of a success: a terminal gets it without control sequences, a pipe or a file gets it unchanged.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use keyfit_conformance::UserError;
use keyfit_conformance::call::json::{JsonStyle, format_json};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_openapi::Operation;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::IgnoredAny;
use tempfile::NamedTempFile;

use super::session::Session;

/// The destination of the body of a success.
pub(super) enum Output {
    /// The standard output: whether a person reads it, and whether its reader has gone away.
    Standard { is_terminal: bool, is_closed: bool },
    /// A file that is not regular: a device or a pipe.
    Device(PathBuf, File),
    /// A file, which takes the place of the named one when it is complete.
    File(PathBuf, NamedTempFile),
}

/// The kind of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BodyKind {
    /// JSON, according to the server or the document.
    Json,
    /// Anything else.
    Other,
}

impl BodyKind {
    /// Determines the kind from the headers of the answer, or else from the document.
    pub(super) fn of(headers: &HeaderMap, status: u16, operation: &Operation) -> Self {
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_json = essence == "application/json" || essence.ends_with("+json");
        let responses = &operation.responses;
        let documented = [status.to_string().as_str(), "2XX", "default"].iter().find_map(|key| responses.get(*key));
        let is_documented = documented.is_some_and(|shape| shape.media_type.is_some() && shape.is_json());
        if is_json || is_documented { Self::Json } else { Self::Other }
    }
}

impl Output {
    /// Opens the output before anything is sent, so that no answer is requested that cannot be kept.
    pub(super) fn open(path: Option<&Path>, is_binary: bool) -> Result<Self, UserError> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            let is_terminal = io::stdout().is_terminal();
            if is_binary && is_terminal {
                return Err(UserError::new("the answer is not a text, and the standard output is a terminal")
                    .help("name a file with --output, or pass the answer on to a program"));
            }
            return Ok(Self::Standard { is_terminal, is_closed: false });
        };
        let refuse = |error: io::Error| {
            UserError::new(format!("the file cannot be written: {error}")).at(path.display()).help("check the path")
        };
        match fs::metadata(path) {
            Ok(there) if there.is_dir() => Err(refuse(io::ErrorKind::IsADirectory.into())),
            Ok(there) if !there.is_file() => {
                let file = OpenOptions::new().write(true).open(path).map_err(refuse)?;
                Ok(Self::Device(path.to_owned(), file))
            }
            _ => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                // For its owner alone: what APIs answer may be secrets and data of others.
                let file = tempfile::Builder::new().prefix(".keyfit-").tempfile_in(folder).map_err(refuse)?;
                Ok(Self::File(path.to_owned(), file))
            }
        }
    }

    /// Returns whether the reader has closed the output.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Standard { is_closed: true, .. })
    }

    /// Writes a whole body. Returns `false` if it should be JSON and is not.
    pub(super) fn write_body(&mut self, body: &[u8], kind: BodyKind, session: &Session) -> Result<bool, UserError> {
        let (shown, is_as_documented) = match self {
            Self::Standard { is_terminal, .. } => printed(body, kind, *is_terminal, &session.credentials_redactor),
            _ => (body.into(), kind == BodyKind::Other || is_json(body)),
        };
        self.bytes(&shown)?;
        Ok(is_as_documented)
    }

    /// Writes an item of a list in a line of its own.
    pub(super) fn item(&mut self, item: &str, session: &Session) -> Result<(), UserError> {
        let redactor = matches!(self, Self::Standard { .. }).then_some(&session.credentials_redactor);
        let line = format_json(item, JsonStyle { redactor, ..JsonStyle::default() }).unwrap_or_else(|| item.to_owned());
        self.bytes(format!("{line}\n").as_bytes())
    }

    /// Writes bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), UserError> {
        let all = |to: &mut dyn Write| to.write_all(bytes).and_then(|()| to.flush());
        match self {
            Self::Standard { is_closed, .. } => match all(&mut io::stdout()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => *is_closed = true,
                Err(error) => return Err(UserError::new(format!("the answer cannot be printed: {error}"))),
                Ok(()) => {}
            },
            Self::Device(path, file) => all(file).map_err(|error| write_error(path, &error))?,
            Self::File(path, file) => all(file).map_err(|error| write_error(path, &error))?,
        }
        Ok(())
    }

    /// Moves the file to its final place.
    pub(super) fn persist(self) -> Result<(), UserError> {
        let Self::File(path, file) = self else { return Ok(()) };
        file.as_file().sync_all().map_err(|error| write_error(&path, &error))?;
        file.persist(&path).map(drop).map_err(|error| write_error(&path, &error.error))
    }
}

/// A body as it is printed, and whether it is what it should be. JSON is written for people and programs alike: its values stay
/// as they are. Anything else is as it came, but for a terminal, which is not to obey it.
fn printed<'b>(body: &'b [u8], kind: BodyKind, is_terminal: bool, redactor: &Redactor) -> (Cow<'b, [u8]>, bool) {
    if body.trim_ascii().is_empty() {
        return (Cow::default(), true);
    }
    let style = JsonStyle { is_pretty: true, redactor: Some(redactor), hides_secrets: false };
    let json =
        std::str::from_utf8(body).ok().filter(|_| kind == BodyKind::Json).and_then(|text| format_json(text, style));
    let is_as_documented = kind == BodyKind::Other || json.is_some();
    let shown = match json {
        Some(json) => Cow::Owned(format!("{json}\n").into_bytes()),
        None if is_terminal => {
            let text = redactor.mask(&String::from_utf8_lossy(body));
            Cow::Owned(format!("{}\n", text.trim_end_matches('\n')).into_bytes())
        }
        None => Cow::Borrowed(body),
    };
    (shown, is_as_documented)
}

fn is_json(body: &[u8]) -> bool {
    body.trim_ascii().is_empty() || serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// The call was executed by now.
fn write_error(path: &Path, error: &io::Error) -> UserError {
    UserError::new(format!("the call was executed, and its answer cannot be written: {error}"))
        .at(path.display())
        .help("look up what the call did before you repeat it")
}

#[cfg(test)]
mod tests {
    use keyfit_conformance::credential::secret::Secret;

    use super::*;

    fn shown(body: &[u8], kind: BodyKind, is_terminal: bool) -> (String, bool) {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("swordfish-1"));
        let (bytes, is_as_documented) = printed(body, kind, is_terminal, &redactor);
        (String::from_utf8_lossy(&bytes).into_owned(), is_as_documented)
    }

    #[test]
    fn a_terminal_is_not_commanded_and_a_pipe_has_the_bytes_as_they_came() {
        let text = b"a\x1b[2J swordfish-1\xff\n";
        assert_eq!(shown(text, BodyKind::Other, true), ("a\\u{1b}[2J [redacted]\u{fffd}\n".to_owned(), true));
        let redactor = Redactor::default();
        assert_eq!(printed(text, BodyKind::Other, false, &redactor), (Cow::Borrowed(&text[..]), true));
    }

    #[test]
    fn json_is_the_same_for_both() {
        for is_terminal in [true, false] {
            let text = "{\"a\": 1.10, \"b\":\"\u{9b}swordfish-1\"}";
            let lines = "{\n  \"a\": 1.10,\n  \"b\": \"\\u009b[redacted]\"\n}\n";
            assert_eq!(shown(text.as_bytes(), BodyKind::Json, is_terminal), (lines.to_owned(), true));
            assert_eq!(shown(b" \n", BodyKind::Json, is_terminal), (String::new(), true));
            assert!(!shown(b"<html>", BodyKind::Json, is_terminal).1);
        }
    }
}
