//! A secret that a command prints.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use futures_core::future::BoxFuture;
use secrecy::SecretString;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::{SecretSource, text};
use crate::error::Error;
use crate::runtime;

/// A command whose standard output is the secret, such as `pass show product/key`. It is started without a shell, with no
/// input; one line break at the end of the output is left out, up to 64 KiB are read. After the timeout, and when the
/// call is dropped, it is killed.
///
/// Its error output is discarded, because it may hold the secret; errors name the program and its exit code.
///
/// ```
/// use keyfit::auth::SecretSource as _;
/// use keyfit::auth::source::CommandSource;
/// use secrecy::ExposeSecret as _;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), keyfit::Error> {
/// let source = CommandSource::new("echo").arg("from-the-command");
/// assert_eq!(source.read().await?.expose_secret(), "from-the-command");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CommandSource {
    program: OsString,
    args: Vec<OsString>,
    timeout: Duration,
}

impl CommandSource {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), args: Vec::new(), timeout: Duration::from_secs(10) }
    }

    /// Adds an argument, as it is.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets the timeout of the command. Default: 10 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn run(&self, place: &str) -> Result<Vec<u8>, Error> {
        let failed = |error| Error::credential_from(format!("{place} cannot be run"), error);
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let mut bytes = Vec::with_capacity(text::LIMIT + 1);
        if let Some(output) = child.stdout.take() {
            // One byte over the limit is enough to see that there is more.
            output.take(text::LIMIT as u64 + 1).read_to_end(&mut bytes).await.map_err(failed)?;
        }
        if bytes.len() > text::LIMIT {
            return Ok(bytes);
        }
        match child.wait().await.map_err(failed)? {
            status if status.success() => Ok(bytes),
            // "exit status: 3", or the signal.
            status => Err(Error::credential(format!("{place} failed with {status}"))),
        }
    }
}

impl SecretSource for CommandSource {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async {
            let place = format!("the command {}", self.program.to_string_lossy());
            let bytes = runtime::timeout(self.timeout, self.run(&place)).await.map_err(|_| {
                Error::credential(format!("{place} took longer than {:?} and was stopped", self.timeout))
            })??;
            text::secret(bytes, &format!("the output of {place}"))
        })
    }
}

impl std::fmt::Debug for CommandSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The arguments may hold a password of the store.
        f.debug_struct("CommandSource")
            .field("program", &self.program)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn shell(script: &str) -> CommandSource {
        CommandSource::new("sh").arg("-c").arg(script)
    }

    #[tokio::test]
    async fn the_output_is_the_secret() {
        let secret = shell("echo hunter2; echo noise >&2").read().await.expect("a secret");
        assert_eq!(secret.expose_secret(), "hunter2");
    }

    #[tokio::test]
    async fn arguments_are_not_a_shells() {
        let secret = CommandSource::new("echo").arg("$HOME; ls").read().await.expect("a secret");
        assert_eq!(secret.expose_secret(), "$HOME; ls");
    }

    #[tokio::test]
    async fn a_failure_names_the_exit_code_and_neither_output_nor_arguments() {
        let source = shell("echo hunter2; echo hunter2 >&2; exit 3");
        let error = source.read().await.expect_err("it exits with 3");
        assert_eq!(error.to_string(), "the command sh failed with exit status: 3");
        assert!(!format!("{error:?} {source:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_missing_program_and_a_silent_one_are_named() {
        let error = CommandSource::new("keyfit-no-such-program").read().await.expect_err("no program");
        assert_eq!(error.to_string(), "the command keyfit-no-such-program cannot be run");
        let error = CommandSource::new("true").read().await.expect_err("no output");
        assert_eq!(error.to_string(), "the output of the command true is empty");
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_stopped() {
        let error = shell("exec sleep 60").timeout(Duration::from_millis(50)).read().await.expect_err("it hangs");
        assert_eq!(error.to_string(), "the command sh took longer than 50ms and was stopped");
    }

    #[tokio::test]
    async fn a_command_that_prints_without_end_is_stopped() {
        let error = CommandSource::new("yes").read().await.expect_err("endless");
        assert_eq!(error.to_string(), "the output of the command yes holds more than 64 KiB, which is no secret");
    }
}
