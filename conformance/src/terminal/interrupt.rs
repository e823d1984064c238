//! Interrupts: Ctrl-C, and the signals of service managers and closed terminals.

use std::io;
use std::process;

use crate::terminal::exit::INTERRUPTED;

/// Records interrupts from its creation on, before a call of `next`.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

#[cfg(unix)]
impl Interrupts {
    /// Installs the handlers. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the handlers cannot be installed.
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    /// Waits for the next interrupt.
    pub(crate) async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Interrupts {
    /// Installs the handler. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the handler cannot be installed.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next interrupt.
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler, only the system can end the process.
            std::future::pending::<()>().await;
        }
    }
}

impl Interrupts {
    /// Ends the process at the next interrupt, whatever it is doing.
    pub(crate) fn exit_with_next(mut self) {
        tokio::spawn(async move {
            self.next().await;
            process::exit(INTERRUPTED.into());
        });
    }
}
