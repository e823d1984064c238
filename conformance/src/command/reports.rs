//! The destinations of the report, and the earlier report that it is compared with.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_conformance::report::{Changes, Format, Report, read, text};

use super::file;
use crate::terminal::console;

/// Where the report goes, and the earlier one that it is compared with.
#[derive(Args, Debug)]
#[group(id = "report-options")]
pub(super) struct ReportArgs {
    /// Write the report in another form as well; may be given more than once. Formats: json, junit, sarif, github
    /// (annotations), markdown (a summary), badge (shields.io), html (one page). The file `-` is the standard output;
    /// the text then goes to the standard error.
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<Destination>,
    /// Say what is different from an earlier run: a report that it wrote as JSON.
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
}

/// A format of the report with its destination.
#[derive(Clone, Debug)]
struct Destination {
    format: Format,
    /// `None` for the standard output.
    file: Option<PathBuf>,
}

/// The destinations and the earlier report, checked before the run, so that a mistyped path does not cost a second run.
pub(super) struct PreparedReports<'a> {
    destinations: &'a [Destination],
    previous: Option<Report>,
}

impl ReportArgs {
    /// Reads the earlier report and checks that each file can be written, before anything runs.
    pub(super) fn ready(&self) -> Result<PreparedReports<'_>, UserError> {
        for (at, destination) in self.report.iter().enumerate() {
            if self.report.iter().skip(at + 1).any(|other| other.file == destination.file) {
                return Err(UserError::new(format!("two reports go to {}", destination.name()))
                    .help("give each format a file of its own"));
            }
            if let Some(file) = &destination.file {
                check_writable(file).map_err(|error| write_error(file, &error))?;
            }
        }
        let previous = self.previous.as_deref().map(read_previous).transpose()?;
        Ok(PreparedReports { destinations: &self.report, previous })
    }
}

impl PreparedReports<'_> {
    /// Prints the text and writes all other formats. `narrow` removes the cases from the earlier report that this run did not select, and that
    /// therefore are not missing.
    pub(super) fn write(
        self,
        mut report: Report,
        narrow: impl FnOnce(&mut Report, &Report),
    ) -> Result<Report, UserError> {
        if let Some(mut previous) = self.previous {
            narrow(&mut previous, &report);
            report.changes = Some(Changes::between(&previous, &report));
        }
        let takes_stdout = self.destinations.iter().any(|destination| destination.file.is_none());
        // First what is seen: a disk that is full loses the files only.
        if takes_stdout {
            console::print_to(io::stderr(), &text(&report))?;
        } else {
            console::print(&text(&report))?;
        }
        for Destination { format, file } in self.destinations {
            let rendered = format.render(&report);
            match file {
                Some(file) => file::write_report(file, &rendered).map_err(|error| write_error(file, &error))?,
                None => console::print(&rendered)?,
            }
        }
        Ok(report)
    }
}

impl Destination {
    fn name(&self) -> String {
        self.file.as_ref().map_or_else(|| "the standard output".to_owned(), |file| file.display().to_string())
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((format, file)) = text.split_once('=') else {
            return Err("write FORMAT=FILE, as in `html=report.html`".to_owned());
        };
        let format = format.parse()?;
        match file {
            "" => Err(format!("`{format}=` names no file; `-` is the standard output")),
            "-" => Ok(Self { format, file: None }),
            file => Ok(Self { format, file: Some(PathBuf::from(file)) }),
        }
    }
}

/// Checks that a file can be written, and leaves no empty file behind. A file that is not regular, such as a pipe, is not opened twice.
fn check_writable(file: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(_) => fs::remove_file(file),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Err(_) => {
            let kind = fs::metadata(file)?.file_type();
            if kind.is_file() || kind.is_dir() { OpenOptions::new().append(true).open(file).map(drop) } else { Ok(()) }
        }
    }
}

fn read_previous(file: &Path) -> Result<Report, UserError> {
    let text = file::read_or(file, "earlier report", "name a file that `--report json=FILE` wrote")?;
    Ok(read(&text)?)
}

fn write_error(file: &Path, error: &io::Error) -> UserError {
    UserError::new(format!("the report cannot be written: {error}"))
        .at(file.display())
        .help("check that its folder exists and that you may write there")
}
