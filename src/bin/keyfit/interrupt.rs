//! Ctrl-C, and what service managers and closed terminals send.

use std::io;
use std::sync::Arc;

use tokio::sync::Notify;

/// What shells say of a program that an interrupt ended.
pub(crate) const CODE: u8 = 130;

/// Tells of the first interrupt; a second one ends the program at once.
pub(crate) fn listen() -> Arc<Notify> {
    let first = Arc::new(Notify::new());
    let told = Arc::clone(&first);
    tokio::spawn(async move {
        if interrupted().await.is_ok() {
            eprintln!("interrupted: what is on its way is waited for; interrupt again to end at once");
            told.notify_one();
            if interrupted().await.is_ok() {
                std::process::exit(CODE.into());
            }
        }
    });
    first
}

async fn interrupted() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended,
            _ = terminate.recv() => Ok(()),
            _ = hangup.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
