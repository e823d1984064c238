//! The comparison of the reports of several clients, rule by rule, and with expectations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

use keyfit_openapi::read_text;
use serde::Deserialize;

use crate::UserError;

/// The results of a client, by rule. Rules of several APIs that differ only in the name of the API are combined.
#[derive(Clone, Debug)]
pub struct Client {
    /// The name of the report's file, without its extension.
    pub name: String,
    rules: BTreeMap<String, Counts>,
}

/// The expectations of a client, from `expected.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// By the rule's id without the name of the API: `client.request`.
    rules: BTreeMap<String, Expected>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    result: Finding,
    /// The reason of a failure, in one line.
    because: Option<String>,
}

/// The result of a rule.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Finding {
    /// A case passed, and none failed.
    Passes,
    /// A case failed.
    Fails,
    /// A case was not reached, since a rule that it depends on fails, and none failed.
    NotReached,
    /// No case ran.
    Unsupported,
    /// The check itself failed. This cannot be expected.
    #[serde(skip)]
    Error,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    unreached: usize,
    errors: usize,
}

#[derive(Deserialize)]
struct Report {
    apis: Vec<Api>,
}

#[derive(Deserialize)]
struct Api {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    rule: String,
    verdict: String,
    follows: Option<String>,
}

impl Client {
    /// Reads a report.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is not a valid report.
    pub fn read(path: &Path) -> Result<Self, UserError> {
        let text = read_text(path).map_err(|error| unreadable("report", path, &error))?;
        let report: Report = serde_json::from_str(&text).map_err(|error| {
            UserError::new(format!("not a report of `keyfit check --report json=FILE`: {error}")).at(path.display())
        })?;
        let mut rules: BTreeMap<String, Counts> = BTreeMap::new();
        for case in report.apis.into_iter().flat_map(|api| api.cases) {
            let rule = case.rule.split_once('.').map_or(case.rule.as_str(), |(_, rule)| rule);
            let counts = rules.entry(rule.to_owned()).or_default();
            match case.verdict.as_str() {
                "pass" => counts.passed += 1,
                "skip" => counts.unreached += usize::from(case.follows.is_some()),
                "error" => counts.errors += 1,
                _ => counts.failed += 1,
            }
        }
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Self { name, rules })
    }

    /// Returns the differences from the expectations, one per line. An expectation of a rule that was not checked is a difference as well:
    /// it is stale.
    pub fn differences(&self, expectation: &Expectation) -> Vec<String> {
        let rules: BTreeSet<&String> = self.rules.keys().chain(expectation.rules.keys()).collect();
        let difference = |rule: &&String| {
            let (found, expected) = (self.rules.get(*rule).map(Counts::finding), expectation.rules.get(*rule));
            let difference = match (found, expected.map(|expected| expected.result)) {
                (Some(found), Some(expected)) if found == expected => return None,
                (Some(found), Some(expected)) => format!("{found}, and not {expected}, as expected"),
                (Some(found), None) => format!("{found}, and nothing is expected of it"),
                (None, _) => "is expected, and was not checked: the entry is stale".to_owned(),
            };
            Some(format!("{}: {rule} {difference}", self.name))
        };
        rules.iter().filter_map(difference).collect()
    }
}

impl Expectation {
    /// Reads an `expected.toml`; if it does not exist, all rules are expected to pass.
    ///
    /// # Errors
    /// Returns an error if the file is not valid, or if a failing rule has no reason, or another rule has one.
    pub fn read(path: &Path, client: &Client) -> Result<Self, UserError> {
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::of_a_good_client(client)),
            Err(error) => return Err(unreadable("expectation", path, &error)),
        };
        let expectation: Self = toml::from_str(&text).map_err(|error| {
            UserError::new(format!("not a file of expectations: {}", error.message())).at(path.display())
        })?;
        for (rule, Expected { result, because }) in &expectation.rules {
            if (*result == Finding::Fails) != because.as_ref().is_some_and(|because| !because.is_empty()) {
                let problem = format!("`{rule}`: a rule that fails has its reason in `because`, and no other has");
                return Err(UserError::new(problem).at(path.display()));
            }
        }
        Ok(expectation)
    }

    fn of_a_good_client(client: &Client) -> Self {
        let passes = || Expected { result: Finding::Passes, because: None };
        Self { rules: client.rules.keys().map(|rule| (rule.clone(), passes())).collect() }
    }
}

/// Returns a table with a row per rule and a column per client. The cells contain the number of failed cases of those that ran.
pub fn table(clients: &[Client]) -> String {
    let rules: BTreeSet<&String> = clients.iter().flat_map(|client| client.rules.keys()).collect();
    let width = rules.iter().map(|rule| rule.len()).max().unwrap_or_default();
    let mut table = format!("{:width$}", "");
    for client in clients {
        let _ = write!(table, "  {:>18}", client.name);
    }
    for rule in rules {
        let _ = write!(table, "\n{rule:width$}");
        for client in clients {
            let cell = client.rules.get(rule).map_or_else(|| "-".to_owned(), Counts::cell);
            let _ = write!(table, "  {cell:>18}");
        }
    }
    table.push('\n');
    table
}

impl Counts {
    fn finding(&self) -> Finding {
        match *self {
            Self { errors: 1.., .. } => Finding::Error,
            Self { failed: 1.., .. } => Finding::Fails,
            Self { unreached: 1.., .. } => Finding::NotReached,
            Self { passed: 1.., .. } => Finding::Passes,
            _ => Finding::Unsupported,
        }
    }

    fn cell(&self) -> String {
        match self.finding() {
            Finding::Fails => format!("fails {} of {}", self.failed, self.failed + self.passed + self.unreached),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passes => "passes",
            Self::Fails => "fails",
            Self::NotReached => "not reached",
            Self::Unsupported => "unsupported",
            Self::Error => "error",
        })
    }
}

fn unreadable(what: &str, path: &Path, error: &io::Error) -> UserError {
    UserError::new(format!("the {what} cannot be read: {error}")).at(path.display()).help("check the path")
}
