//! Exchanges with a server that are recorded once and played back in tests.

mod exchange;
mod secrets;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;

use crate::error::Error;
use crate::http_client::{Body, HttpClient, SendError, Sending};

use exchange::{Asked, Content, Exchange};
use secrets::Secrets;

/// An HTTP client that records what another one sends and is answered, or plays that back without a network. It is given to
/// [`Config::http_client`](crate::Config::http_client), and to token endpoints in the same way.
///
/// ```no_run
/// use keyfit::testing::Cassette;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// // With a file that is not there yet: recorded by the server. With one that is: played back.
/// let own = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
/// let config = keyfit::Config::default().http_client(Cassette::open("tests/cassettes/accounts.jsonl", own)?);
/// let client = keyfit::scopien::Client::with_config(keyfit::scopien::Key::from_env()?, config)?;
/// println!("{}", client.accounts_list().send().await?.len());
/// # Ok(())
/// # }
/// ```
///
/// The file has a line of JSON for each exchange, with method, URL, both bodies, status and the headers of the answer. Secrets in it
/// are masked: the credential, cookies, and what a member or a parameter is called that holds one, such as `access_token` or
/// `client_secret`, wherever they are repeated. What else an answer holds stands there as it came: look before you commit it.
///
/// A request is answered by the first exchange that is left for its method, URL and body; JSON is compared by value, and forms in parts
/// are taken as they are. Without one it fails, and the error names the request. A request that failed without an answer is not
/// recorded.
pub struct Cassette {
    path: PathBuf,
    mode: Mode,
    secrets: Mutex<Secrets>,
}

enum Mode {
    Recording(Box<dyn HttpClient>, Mutex<File>),
    /// The exchanges that are left.
    Playing(Mutex<Vec<Exchange>>),
}

impl Cassette {
    /// Plays the file back where it is there, else records it.
    ///
    /// # Errors
    /// Returns an error if [`record`](Self::record) or [`replay`](Self::replay) does.
    pub fn open(path: impl Into<PathBuf>, client: impl HttpClient) -> Result<Self, Error> {
        let path = path.into();
        if path.exists() { Self::replay(path) } else { Self::record(path, client) }
    }

    /// Records what this client sends. Folders that are missing are made.
    ///
    /// # Errors
    /// Returns an error if the file exists already or cannot be written, of kind [`File`](crate::ErrorKind::File).
    pub fn record(path: impl Into<PathBuf>, client: impl HttpClient) -> Result<Self, Error> {
        let path = path.into();
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        let file = made.and_then(|()| OpenOptions::new().append(true).create_new(true).open(&path));
        let file = file.map_err(|error| Error::file(&format!("{} cannot be recorded", path.display()), error))?;
        Ok(Self { path, mode: Mode::Recording(Box::new(client), Mutex::new(file)), secrets: Mutex::default() })
    }

    /// Plays back what was recorded.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or a line of it is not a valid exchange, of kind [`File`](crate::ErrorKind::File).
    pub fn replay(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| Error::file(&format!("{} cannot be played", path.display()), error))?;
        let read = |(number, line): (usize, &str)| {
            let place = || format!("{}, line {}, is no exchange", path.display(), number + 1);
            serde_json::from_str(line).map_err(|error| Error::file(&place(), error.into()))
        };
        let exchanges = text.lines().enumerate().map(read).collect::<Result<Vec<Exchange>, Error>>()?;
        Ok(Self { mode: Mode::Playing(Mutex::new(exchanges)), path, secrets: Mutex::default() })
    }

    /// Returns the number of exchanges that were not requested yet, during playback; else 0.
    pub fn left(&self) -> usize {
        match &self.mode {
            Mode::Recording(..) => 0,
            Mode::Playing(left) => locked(left).len(),
        }
    }

    /// A request, read whole. What it carries is masked from now on.
    async fn heard(&self, request: http::Request<Body>) -> Result<(Parts, Bytes), SendError> {
        let (parts, body) = request.into_parts();
        let body = body.whole().await.map_err(SendError::of)?;
        locked(&self.secrets).learn_request(&parts, &body);
        Ok((parts, body))
    }

    async fn recorded(
        &self,
        client: &dyn HttpClient,
        file: &Mutex<File>,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, SendError> {
        let (parts, body) = self.heard(request).await?;
        let asked = Asked::of(&parts, &body);
        let answer = client.send(http::Request::from_parts(parts, body.into())).await?;
        let (parts, body) = answer.into_parts();
        let body = body.whole().await.map_err(SendError::of)?;
        let line = {
            let mut secrets = locked(&self.secrets);
            secrets.learn_answer(&parts.headers, &body);
            let (method, url, sent) = asked.masked(&secrets);
            Exchange {
                method,
                url,
                sent,
                status: parts.status.as_u16(),
                headers: exchange::headers(&parts.headers, &secrets),
                answer: Content::of(&body, &secrets),
            }
            .line()
        };
        let written = locked(file).write_all(line.as_bytes());
        written.map_err(|error| {
            SendError::new(Error::file(&format!("{} cannot be written", self.path.display()), error))
        })?;
        Ok(http::Response::from_parts(parts, body.into()))
    }

    async fn played(
        &self,
        left: &Mutex<Vec<Exchange>>,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, SendError> {
        let (parts, body) = self.heard(request).await?;
        let (method, url, sent) = Asked::of(&parts, &body).masked(&locked(&self.secrets));
        let mut left = locked(left);
        let fitting =
            left.iter().position(|exchange| exchange.method == method && exchange.url == url && exchange.sent == sent);
        let Some(fitting) = fitting else {
            let place = url.split('?').next().unwrap_or_default();
            return Err(SendError::connect(format!(
                "{} has no exchange left for {method} {place}: remove the file to record it anew",
                self.path.display()
            )));
        };
        left.remove(fitting).into_answer().map_err(SendError::new)
    }
}

impl HttpClient for Cassette {
    fn send(&self, request: http::Request<Body>) -> Sending<'_> {
        match &self.mode {
            Mode::Recording(client, file) => Box::pin(self.recorded(&**client, file, request)),
            Mode::Playing(left) => Box::pin(self.played(left, request)),
        }
    }
}

impl fmt::Debug for Cassette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cassette").field("path", &Path::new(&self.path)).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
