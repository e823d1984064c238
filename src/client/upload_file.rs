//! Files as bodies, where there are files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::task::JoinHandle;

use super::upload::{CHUNK, Upload};
use crate::error::Error;
use crate::runtime;

impl Upload {
    /// The content of a file, read while it is sent. Its length now is what is sent: one that has become shorter breaks the request
    /// off.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened, of kind [`File`](crate::ErrorKind::File).
    pub async fn file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let opened = Self::open(path.as_ref().to_owned()).await;
        let (file, _) = opened.map_err(|error| Error::file("the file cannot be read", error))?;
        Ok(file)
    }

    /// The content of a file, and its length in bytes.
    pub(super) async fn open(path: PathBuf) -> io::Result<(Self, u64)> {
        let opened = runtime::spawn_blocking(move || {
            let file = File::open(path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        });
        let (file, length) = opened.await.map_err(io::Error::other).and_then(|opened| opened)?;
        Ok((Self::stream_of(FileChunks::Idle(file), length), length))
    }
}

/// The content of a file, read where it holds up nobody.
enum FileChunks {
    Idle(File),
    Reading(JoinHandle<io::Result<(File, Bytes)>>),
    Over,
}

impl Stream for FileChunks {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Self::Idle(_) = *self
            && let Self::Idle(mut file) = std::mem::replace(&mut *self, Self::Over)
        {
            *self = Self::Reading(runtime::spawn_blocking(move || {
                let mut chunk = vec![0; CHUNK];
                let length = file.read(&mut chunk)?;
                chunk.truncate(length);
                Ok((file, chunk.into()))
            }));
        }
        let Self::Reading(reading) = &mut *self else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(context)).map_err(io::Error::other).and_then(|read| read);
        Poll::Ready(match read {
            Ok((_, chunk)) if chunk.is_empty() => {
                *self = Self::Over;
                None
            }
            Ok((file, chunk)) => {
                *self = Self::Idle(file);
                Some(Ok(chunk))
            }
            Err(error) => {
                *self = Self::Over;
                Some(Err(error))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_client::Body;

    #[tokio::test]
    async fn a_file_is_sent_whole_with_its_length() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.bin");
        let content = vec![b'x'; 3 * CHUNK + 1];
        std::fs::write(&path, &content).expect("a file");
        let body: Body = Upload::file(&path).await.expect("a file").into();
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(content.len() as u64));
        assert!(body.whole().await.expect("it is read") == content);
        let error = Upload::file(folder.path().join("none")).await.expect_err("there is none");
        assert_eq!(error.kind(), crate::error::ErrorKind::File);
    }
}
