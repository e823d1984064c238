//! What a process has used so far.

use std::fmt;
use std::fs;

/// CPU time of all its threads, and memory at its largest.
pub(crate) struct Usage {
    pub(crate) seconds: f64,
    /// In MB.
    pub(crate) memory: u32,
}

impl Usage {
    /// Of this process. Zero where the system does not say it in `/proc`.
    pub(crate) fn now() -> Self {
        /// The unit of times there, whatever the kernel's own is.
        const TICKS: f64 = 100.0;
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let largest = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = largest.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u32>().ok());
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name of the program, in parentheses, may hold spaces. User and system time are the 12th and 13th after it.
        let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|time| time.parse::<f64>().ok()).sum();
        Self { seconds: ticks / TICKS, memory: kilobytes.unwrap_or_default() / 1024 }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.seconds, self.memory)
    }
}
