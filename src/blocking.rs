//! Calls from code that is not async (feature `blocking`): whatever a client gives, waited for.
//!
//! ```no_run
//! use keyfit::blocking::{each, wait};
//!
//! # fn main() -> Result<(), keyfit::Error> {
//! let client = keyfit::scopien::Client::from_env()?;
//! println!("{:?}", wait(client.auth_test().send())?.scopes);
//! # #[cfg(feature = "instasent-product")]
//! # {
//! let client = keyfit::instasent::product::Client::from_env()?;
//! for contact in each(client.audience_scroll().project("proj_xxx").items()) {
//!     println!("{}", contact?.id);
//! }
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! All calls share one runtime with one thread beside those that wait, which is started by the first and lives as long as the program.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::OnceLock;
use std::thread;

use futures_core::Stream;
use tokio::runtime::{Builder, Handle, Runtime};

/// Waits for a call, on this thread. It works within a runtime too, whose thread it then holds up: where there is one, `await` is better.
///
/// # Panics
/// Panics if the system gives no thread, or the future panics.
pub fn wait<F>(future: F) -> F::Output
where
    F: Future + Send,
    F::Output: Send,
{
    if Handle::try_current().is_err() {
        return runtime().block_on(future);
    }
    // A thread of a runtime may not drive another one.
    let waited = thread::scope(|scope| scope.spawn(|| runtime().block_on(future)).join());
    waited.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The items of a stream, such as those of a list in pages or the events of an answer, each waited for as [`wait`] does.
pub fn each<S>(stream: S) -> Each<S>
where
    S: Stream + Send,
    S::Item: Send,
{
    Each(Box::pin(stream))
}

/// See [`each`].
#[derive(Debug)]
pub struct Each<S>(Pin<Box<S>>);

impl<S> Iterator for Each<S>
where
    S: Stream + Send,
    S::Item: Send,
{
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        wait(poll_fn(|context| self.0.as_mut().poll_next(context)))
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let built = Builder::new_multi_thread().worker_threads(1).thread_name("keyfit-blocking").enable_all().build();
        built.expect("the system gives a thread")
    })
}
