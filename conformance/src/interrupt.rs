//! Ctrl-C, and what service managers and closed terminals send.

use std::io;
use std::process;

use crate::ending::INTERRUPTED;

/// Hears interrupts from when it is made, before anybody waits for one.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

#[cfg(unix)]
impl Interrupts {
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the system takes no handler.
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    /// Returns when the next one comes.
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
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the system takes no handler.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns when the next one comes.
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler nothing ends it but the system.
            std::future::pending::<()>().await;
        }
    }
}

impl Interrupts {
    /// Ends the process with the next one, whatever it is doing.
    pub(crate) fn exit_with_next(mut self) {
        tokio::spawn(async move {
            self.next().await;
            process::exit(INTERRUPTED.into());
        });
    }
}
