//! What a process took.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What one took, and what it said on its standard output.
pub(crate) struct Figures {
    pub(crate) wall: Duration,
    /// The most memory, where Linux tells it.
    pub(crate) megabytes: f64,
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Figures {
    let began = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let status = Path::new("/proc").join(child.id().to_string()).join("status");
    // The kernel keeps the peak, so that the last look counts; it ends with the process.
    let watch = thread::spawn(move || {
        let mut peak = 0.0;
        while let Some(now) = fs::read_to_string(&status).ok().as_deref().and_then(peak_of) {
            peak = now;
            thread::park_timeout(Duration::from_millis(5));
        }
        peak
    });
    let output = child.wait_with_output().expect("it is our child");
    let wall = began.elapsed();
    let megabytes = watch.join().expect("it only reads");
    Figures { wall, megabytes, code: output.status.code(), said: String::from_utf8_lossy(&output.stdout).into_owned() }
}

/// In megabytes.
fn peak_of(status: &str) -> Option<f64> {
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.map(|kilobytes: f64| kilobytes / 1024.0)
}
