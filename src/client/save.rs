//! A body into a file: whole under its name, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::client::ByteStream;
use crate::error::Error;
use crate::runtime;

impl ByteStream {
    /// Writes the body into a file, and returns its length in bytes. What stood under that name is replaced when the body has come
    /// whole; until then it is written beside it, under a name that ends in `.part`. After an error, and where the call is dropped,
    /// nothing of it is left. Memory holds a chunk at a time.
    ///
    /// # Errors
    /// Returns an error if the body breaks off, and of kind [`File`](crate::ErrorKind::File) if the file cannot be written.
    pub async fn save_to(mut self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let path = path.as_ref().to_owned();
        let (mut part, mut length) = (blocking(move || Part::beside(path)).await?, 0);
        while let Some(chunk) = self.next().await {
            let chunk = chunk?;
            length += chunk.len() as u64;
            part = blocking(move || part.file.write_all(&chunk).map(|()| part)).await?;
        }
        blocking(move || part.finish()).await?;
        Ok(length)
    }
}

/// Work with a file, which would hold up other calls.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Error> {
    let done = runtime::spawn_blocking(work).await;
    done.map_err(io::Error::other)
        .and_then(|done| done)
        .map_err(|error| Error::file("the file cannot be written", error))
}

/// A file that is being written, which goes with this unless it is finished.
struct Part {
    file: File,
    written: PathBuf,
    /// Where it goes when it is finished.
    path: Option<PathBuf>,
}

impl Part {
    fn beside(path: PathBuf) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it has no name"))?;
        let chance = getrandom::u64().map_err(io::Error::other)?;
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        part.push(format!(".{chance:016x}.part"));
        let written = path.with_file_name(part);
        let file = OpenOptions::new().write(true).create_new(true).open(&written)?;
        Ok(Self { file, written, path: Some(path) })
    }

    fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(path) = &self.path {
            fs::rename(&self.written, path)?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.path.is_some() {
            // Where it is gone already, nothing is left to do.
            let _ = fs::remove_file(&self.written);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::error::ErrorKind;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// A body that breaks off after four bytes.
    fn cut_off() -> ByteStream {
        struct Cut(bool);
        impl http_body::Body for Cut {
            type Data = Bytes;
            type Error = std::io::Error;

            fn poll_frame(
                mut self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
                let is_first = !std::mem::replace(&mut self.0, true);
                std::task::Poll::Ready(Some(if is_first {
                    Ok(http_body::Frame::data(Bytes::from_static(b"four")))
                } else {
                    Err(std::io::ErrorKind::ConnectionReset.into())
                }))
            }
        }
        ByteStream::of(crate::http_client::Body::new(Cut(false)), Duration::MAX)
    }

    #[tokio::test]
    async fn a_whole_body_takes_the_place_of_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.bin");
        fs::write(&path, "before").expect("a file");
        let length = ByteStream::whole(Bytes::from_static(b"four")).save_to(&path).await.expect("it is written");
        assert_eq!(length, 4);
        assert_eq!(fs::read(&path).expect("a file"), b"four");
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[tokio::test]
    async fn of_a_body_that_breaks_off_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.bin");
        fs::write(&path, "before").expect("a file");
        let error = cut_off().save_to(&path).await.expect_err("it is cut");
        assert_eq!(error.kind(), ErrorKind::Cut);
        assert_eq!(fs::read(&path).expect("a file"), b"before");
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in [folder.path().join("none/a.bin"), PathBuf::from("/")] {
            let error = ByteStream::whole(Bytes::new()).save_to(&path).await.expect_err("no such folder");
            assert_eq!(error.kind(), ErrorKind::File, "{path:?}");
        }
        assert_eq!(names(folder.path()), [""; 0]);
    }
}
