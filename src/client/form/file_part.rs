//! A file in a form, and how it passes through the serialization of the form that holds it.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_core::Stream;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde::de::{self, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::part::Part;
use crate::client::Upload;
use crate::http_client::Body;

/// The name of a file that has no other one, as browsers have it: without a name, servers take a part for a plain value.
const UNNAMED: &str = "blob";
/// The media type of a file of which nothing is known.
const BYTES: &str = "application/octet-stream";

/// A file in a form that is sent in parts (`multipart/form-data`): its content, name and media type.
///
/// ```
/// use keyfit::FilePart;
///
/// let from_disk = FilePart::path("parcels.csv");
/// let from_memory = FilePart::bytes("id,grams\np-1,120\n").file_name("parcels.csv");
/// assert_eq!(format!("{from_memory:?}"), r#"FilePart { content: 17 bytes, file_name: Some("parcels.csv"), .. }"#);
/// # drop(from_disk);
/// ```
///
/// Content in memory or on disk can be sent again if the call may be repeated. A stream is sent once: a call with one has a single
/// attempt.
#[derive(Clone)]
pub struct FilePart {
    content: Content,
    file_name: Option<String>,
    content_type: Option<String>,
    headers: HeaderMap,
    /// The reason why it cannot be sent.
    refused: Option<String>,
}

#[derive(Clone)]
enum Content {
    Bytes(Bytes),
    #[cfg(not(target_family = "wasm"))]
    Path(std::path::PathBuf),
    /// Taken out by the attempt that sends it.
    Stream {
        body: Arc<Mutex<Option<Body>>>,
        length: Option<u64>,
    },
}

impl FilePart {
    /// A file of these bytes.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::of(Content::Bytes(bytes.into()))
    }

    /// The file at a path. It is opened when the call is sent, and read as it is sent: it is never in memory as a whole. Its name is
    /// the last part of the path.
    #[cfg(not(target_family = "wasm"))]
    pub fn path(path: impl Into<std::path::PathBuf>) -> Self {
        let path = path.into();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self { file_name, ..Self::of(Content::Path(path)) }
    }

    /// Makes a part from a stream. An error of it ends the call. If its length is known, use [`stream_of`](Self::stream_of): many
    /// servers refuse a form without one.
    pub fn stream<S, T, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: Into<Bytes>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let body = Upload::of(stream, None).into();
        Self::of(Content::Stream { body: Arc::new(Mutex::new(Some(body))), length: None })
    }

    /// As [`stream`](Self::stream), of so many bytes. Where another number comes, the call ends with an error.
    pub fn stream_of<S, T, E>(length: u64, stream: S) -> Self
    where
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: Into<Bytes>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let body = Upload::of(stream, Some(length)).into();
        Self::of(Content::Stream { body: Arc::new(Mutex::new(Some(body))), length: Some(length) })
    }

    /// The name that the server is told. Default: the last part of a path, and `blob` for everything else.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// The media type. Default: the one that the document says, the one that the end of the file's name is for, or
    /// `application/octet-stream`.
    #[must_use]
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.content_type = Some(media_type.into());
        self
    }

    /// A header of the part. What cannot be one is told when the call is sent.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => drop(self.headers.append(name, value)),
            _ => self.refused = Some(format!("`{}` or its value cannot stand in a header", name.escape_debug())),
        }
        self
    }

    fn of(content: Content) -> Self {
        Self { content, file_name: None, content_type: None, headers: HeaderMap::new(), refused: None }
    }

    /// Returns whether it can be sent more than once.
    pub(super) fn can_repeat(&self) -> bool {
        !matches!(self.content, Content::Stream { .. })
    }

    /// The part as it is sent. `documented` are the media types that the document names, with commas between them.
    ///
    /// # Errors
    /// Returns an error if it cannot be sent; it gives the reason.
    #[cfg_attr(target_family = "wasm", expect(clippy::unused_async, reason = "elsewhere it may be a file to open"))]
    pub(super) async fn open(&self, documented: Option<&str>) -> Result<Part, String> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        let (body, length) = match &self.content {
            Content::Bytes(bytes) => (bytes.clone().into(), Some(bytes.len() as u64)),
            #[cfg(not(target_family = "wasm"))]
            Content::Path(path) => {
                let failed = |error: std::io::Error| format!("the file `{}` cannot be read: {error}", path.display());
                // Anything else, such as a pipe, has no known length.
                if !tokio::fs::metadata(path).await.map_err(failed)?.is_file() {
                    return Err(format!("`{}` is not a file: give what comes of it as a stream", path.display()));
                }
                let (file, length) = Upload::open(path.clone()).await.map_err(failed)?;
                (file.into(), Some(length))
            }
            Content::Stream { body, length } => {
                let body = body.lock().unwrap_or_else(PoisonError::into_inner).take();
                (body.ok_or("its stream was sent before, and a stream is sent once")?, *length)
            }
        };
        let media_type = self.media_type(documented);
        let media_type = media_type.parse().map_err(|_| format!("`{media_type}` is not a media type"))?;
        let (name, headers) = (self.name(), self.headers.clone());
        Ok(Part { media_type: Some(media_type), file_name: Some(name), headers, body, length })
    }

    fn media_type(&self, documented: Option<&str>) -> String {
        if let Some(given) = &self.content_type {
            return given.clone();
        }
        let listed: Vec<&str> = documented.into_iter().flat_map(|list| list.split(',')).map(str::trim).collect();
        let is_open = |listed: &str| listed.is_empty() || listed.contains('*');
        let guess = self.file_name.as_deref().and_then(|name| mime_guess::from_path(name).first_raw());
        match (&*listed, guess) {
            ([one], _) if !is_open(one) => (*one).to_owned(),
            ([first, ..], guess) if !listed.iter().any(|listed| is_open(listed)) => {
                guess.filter(|guess| listed.contains(guess)).unwrap_or(first).to_owned()
            }
            (_, guess) => guess.unwrap_or(BYTES).to_owned(),
        }
    }

    /// The name as browsers write it: nothing that ends the text in quotes, or the line.
    fn name(&self) -> String {
        quoted(self.file_name.as_deref().unwrap_or(UNNAMED))
    }
}

/// A text as HTML has browsers write it between quotes.
pub(super) fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = match &self.content {
            Content::Bytes(bytes) => format!("{} bytes", bytes.len()),
            #[cfg(not(target_family = "wasm"))]
            Content::Path(_) => "a path".to_owned(),
            Content::Stream { length: Some(length), .. } => format!("a stream of {length} bytes"),
            Content::Stream { length: None, .. } => "a stream".to_owned(),
        };
        f.debug_struct("FilePart")
            .field("content", &format_args!("{content}"))
            .field("file_name", &self.file_name)
            .finish_non_exhaustive()
    }
}

impl From<Vec<u8>> for FilePart {
    fn from(bytes: Vec<u8>) -> Self {
        Self::bytes(bytes)
    }
}

impl From<Bytes> for FilePart {
    fn from(bytes: Bytes) -> Self {
        Self::bytes(bytes)
    }
}

/// A text is a file with these bytes, as is a list of bytes: what calls by id and tests have.
impl<'de> Deserialize<'de> for FilePart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Given;
        impl<'de> Visitor<'de> for Given {
            type Value = FilePart;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the content of a file, as a text or a list of bytes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FilePart, E> {
                Ok(FilePart::bytes(text.as_bytes().to_vec()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FilePart, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = list.next_element::<u8>()? {
                    bytes.push(byte);
                }
                Ok(FilePart::bytes(bytes))
            }
        }
        deserializer.deserialize_any(Given)
    }
}

/// It is written by the form that holds it, and by nothing else.
impl Serialize for FilePart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let marker = FILES.with_borrow_mut(|files| files.as_mut().map(|files| files.keep(self)));
        let marker =
            marker.ok_or_else(|| S::Error::custom("a file is sent in a form of parts, and in nothing else"))?;
        serializer.serialize_str(&marker)
    }
}

thread_local! {
    /// The files of the form that this thread serializes.
    static FILES: RefCell<Option<Files>> = const { RefCell::new(None) };
}

/// The files of a form, each of which has a text of its own in the form's JSON. The text is of chance, so that no value is taken for it.
#[derive(Debug, Default)]
pub(super) struct Files {
    chance: String,
    kept: Vec<FilePart>,
}

impl Files {
    /// The JSON of a form, and the files in it.
    ///
    /// # Errors
    /// Returns an error if the form cannot be serialized; it gives the reason.
    pub(super) fn of(form: &impl Serialize) -> Result<(String, Self), String> {
        /// Leaves nothing behind where serialization panics.
        struct Open;
        impl Drop for Open {
            fn drop(&mut self) {
                FILES.take();
            }
        }
        let mut chance = [0; 16];
        getrandom::fill(&mut chance).map_err(|error| format!("the system has no random numbers: {error}"))?;
        let chance = format!("{:032x}", u128::from_be_bytes(chance));
        FILES.set(Some(Self { chance, kept: Vec::new() }));
        let _open = Open;
        let json = serde_json::to_string(form).map_err(|error| error.to_string())?;
        Ok((json, FILES.take().unwrap_or_default()))
    }

    fn keep(&mut self, file: &FilePart) -> String {
        self.kept.push(file.clone());
        format!("{}-{}", self.chance, self.kept.len() - 1)
    }

    /// The file that stands for this JSON text.
    pub(super) fn find(&self, json: &str) -> Option<&FilePart> {
        let marker = json.strip_prefix('"')?.strip_suffix('"')?.strip_prefix(&self.chance)?;
        self.kept.get(marker.strip_prefix('-')?.parse::<usize>().ok()?)
    }

    /// Returns whether one of them occurs in this JSON text.
    pub(super) fn are_in(&self, json: &str) -> bool {
        json.contains(&self.chance)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_is_serialized_by_a_form_alone() {
        let file = FilePart::bytes("hidden");
        assert!(serde_json::to_string(&file).is_err_and(|error| error.to_string().contains("form of parts")));
        let (json, files) = Files::of(&[&file, &file]).expect("a form");
        let markers: Vec<String> = serde_json::from_str(&json).expect("texts");
        assert!(markers.iter().all(|marker| files.find(&format!("\"{marker}\"")).is_some()));
        assert!(files.find(r#""0-0""#).is_none() && files.find("1").is_none());
        // No text of another form stands for a file of this one.
        let (_, others) = Files::of(&[&file]).expect("a form");
        assert!(others.find(&format!("\"{}\"", markers[0])).is_none());
        assert!(serde_json::to_string(&file).is_err(), "the form is over");
    }

    #[test]
    fn its_content_is_not_printed() {
        let path = FilePart::path("/home/fixture/secret-name.csv").file_name("a.csv");
        let printed = format!("{:?} {path:?}", FilePart::bytes("hidden").header("x-key", "hidden"));
        assert!(!printed.contains("hidden") && !printed.contains("home"), "{printed}");
    }

    #[test]
    fn its_media_type_is_the_callers_the_documents_or_that_of_its_name() {
        let named = |name: &str| FilePart::bytes("x").file_name(name);
        for (part, documented, expected) in [
            (named("a.csv").content_type("text/plain"), Some("image/png"), "text/plain"),
            (named("a.csv"), Some("image/png"), "image/png"),
            (named("a.csv"), Some("image/*"), "text/csv"),
            (named("a.gif"), Some("image/png, image/gif"), "image/gif"),
            (named("a.csv"), Some("image/png, image/gif"), "image/png"),
            (named("a.csv"), None, "text/csv"),
            (named("a"), None, BYTES),
            (FilePart::bytes("x"), Some("*/*"), BYTES),
        ] {
            assert_eq!(part.media_type(documented), expected);
        }
    }

    #[test]
    fn texts_and_lists_of_bytes_are_files() {
        for value in [json!("ab"), json!([97, 98])] {
            let file: FilePart = serde_json::from_value(value).expect("a file");
            assert!(matches!(file.content, Content::Bytes(bytes) if bytes == "ab"));
        }
        assert!(serde_json::from_value::<FilePart>(json!({})).is_err());
    }
}
