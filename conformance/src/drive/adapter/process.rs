//! A child process that answers line by line. The caller always gets an answer or an error within the time limit.

use std::collections::VecDeque;
use std::fmt;
use std::io::Write as _;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::credential::secret::Redactor;
use crate::judgement::verdict::cut;

/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 16 << 20;
/// The longest line of stderr that is passed on, in bytes.
const LONGEST_STDERR_LINE: usize = 64 << 10;
/// The number of last lines of stderr that are kept for error reports.
const MAX_TAIL_LINES: usize = 5;
/// The time in which a process that closed its output may end and write its last lines.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A running process. It is killed when this is dropped.
pub(super) struct Process {
    child: Child,
    /// `None` once no more requests are sent.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// The task that passes on the process's stderr.
    listener: JoinHandle<()>,
    stderr_tail: StderrTail,
}

/// The reason why there is no answer.
pub(super) enum ProcessError {
    /// Its output ended.
    Ended(Option<ExitStatus>),
    /// It did not answer within this time.
    Silent(Duration),
    /// Its line did not end.
    TooLong,
    /// The pipe broke.
    Pipe(std::io::Error),
}

type StderrTail = Arc<Mutex<VecDeque<String>>>;

impl Process {
    /// Starts a program with arguments, without a shell and with the environment of this process.
    pub(super) fn start(command: &[String], redactor: &Redactor) -> Result<Self, String> {
        let Some((program, arguments)) = command.split_first() else {
            return Err("it has no program to start".to_owned());
        };
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = child.map_err(|error| format!("it cannot be started: {error}"))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("it has no pipes".to_owned());
        };
        let stderr_tail = StderrTail::default();
        let listener = tokio::spawn(forward_stderr(BufReader::new(stderr), redactor.clone(), Arc::clone(&stderr_tail)));
        Ok(Self { child, stdin: Some(stdin), stdout: BufReader::new(stdout), listener, stderr_tail })
    }

    /// Writes a line and reads the next one.
    pub(super) async fn ask(&mut self, line: &str, time_limit: Duration) -> Result<Vec<u8>, ProcessError> {
        let answer = timeout(time_limit, async {
            // A process that ended cannot be written to; its last output is more informative than the broken pipe.
            if let Some(stdin) = &mut self.stdin
                && stdin.write_all(line.as_bytes()).await.is_ok()
            {
                drop(stdin.flush().await);
            }
            match read_line(&mut self.stdout, LONGEST_LINE).await {
                Ok(Line::Whole(answer)) => Ok(answer),
                Ok(Line::TooLong) => Err(ProcessError::TooLong),
                Ok(Line::End) => Err(ProcessError::Ended(None)),
                Err(error) => Err(ProcessError::Pipe(error)),
            }
        });
        match answer.await {
            Ok(Err(ProcessError::Ended(_))) => {
                // The process may end by itself, so that its exit status is known.
                self.stdin = None;
                let ended = timeout(EXIT_TIMEOUT, self.child.wait()).await;
                Err(ProcessError::Ended(ended.ok().and_then(Result::ok)))
            }
            Ok(answer) => answer,
            Err(_) => Err(ProcessError::Silent(time_limit)),
        }
    }

    /// Ends the process. Returns the last lines of its stderr, masked.
    pub(super) async fn end(mut self) -> String {
        self.stdin = None;
        drop(self.child.start_kill());
        // A grandchild may keep stderr open.
        drop(timeout(EXIT_TIMEOUT, &mut self.listener).await);
        let words = self.stderr_tail.lock().unwrap_or_else(PoisonError::into_inner);
        cut(&words.iter().cloned().collect::<Vec<_>>().join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(Some(status)) => write!(f, "it ended ({status})"),
            Self::Ended(None) => f.write_str("it closed its standard output"),
            Self::Silent(time_limit) => write!(f, "it did not answer within {} s", time_limit.as_secs_f64()),
            Self::TooLong => write!(f, "its answer is a line of more than {} MiB", LONGEST_LINE >> 20),
            Self::Pipe(error) => write!(f, "its standard output cannot be read: {error}"),
        }
    }
}

/// Passes each line on to this process's stderr, masked, and keeps the last ones.
async fn forward_stderr(mut stderr: impl AsyncBufRead + Unpin, redactor: Redactor, stderr_tail: StderrTail) {
    loop {
        let words = match read_line(&mut stderr, LONGEST_STDERR_LINE).await {
            Ok(Line::Whole(line)) => redactor.mask(&String::from_utf8_lossy(&line)),
            // A secret that is cut off could not be found, so no part of such a line is shown.
            Ok(Line::TooLong) => "(a line that is too long to be shown)".to_owned(),
            Ok(Line::End) | Err(_) => return,
        };
        let _ = writeln!(std::io::stderr(), "{words}");
        let mut kept = stderr_tail.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MAX_TAIL_LINES {
            kept.pop_front();
        }
        kept.push_back(words);
    }
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
    End,
}

/// Reads the next line without its line break; a last line without one is complete as well.
async fn read_line(input: &mut (impl AsyncBufRead + Unpin), longest: usize) -> std::io::Result<Line> {
    let mut line = Vec::new();
    input.take(longest as u64 + 1).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(Line::End);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > longest {
        return Ok(Line::TooLong);
    }
    Ok(Line::Whole(line))
}
