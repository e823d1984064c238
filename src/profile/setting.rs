//! The settings of a [`Config`] that a file can hold: the one table that the reader, the schema and the page follow.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;

use super::source::Source;
use crate::client::{Config, RetryPolicy};

/// A setting by its key.
pub(super) struct Setting {
    /// Its key in the file; behind a point that in a table of the name before it.
    pub(super) key: &'static str,
    /// One sentence for whoever writes it.
    #[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "the schema has it"))]
    pub(super) doc: &'static str,
    pub(super) kind: Kind,
}

/// The type of a setting, and how it is put into a [`Config`].
#[derive(Clone)]
pub(super) enum Kind {
    Duration(fn(Config, Duration) -> Config),
    Count(RangeInclusive<u32>, fn(Config, u32) -> Config),
    Bytes(fn(Config, usize) -> Config),
    Flag(fn(Config, bool) -> Config),
    Text(fn(Config, String) -> Config),
    Statuses(fn(RetryPolicy, StatusCode) -> RetryPolicy),
    RootCertificates,
    ClientCertificate,
}

/// A value that was read, of its setting's kind.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Duration(Duration),
    Count(u32),
    Bytes(usize),
    Flag(bool),
    Text(String),
    Statuses(Vec<StatusCode>),
    RootCertificates(Vec<PathBuf>),
    ClientCertificate { file: PathBuf, key: Option<Source> },
}

/// All of them, in the order in which they are put in.
pub(super) static SETTINGS: [Setting; 17] = [
    Setting::new("connect-timeout", "How long connecting may take.", Kind::Duration(Config::connect_timeout)),
    Setting::new("timeout", "How long one attempt may take.", Kind::Duration(Config::timeout)),
    Setting::new(
        "deadline",
        "How long a call may take, with all attempts and waits.",
        Kind::Duration(Config::deadline),
    ),
    Setting::new("idle-timeout", "How long a stream may be silent.", Kind::Duration(Config::idle_timeout)),
    Setting::new("response-limit", "The longest answer that is read into memory.", Kind::Bytes(Config::response_limit)),
    Setting::new("item-limit", "The longest item of a stream.", Kind::Bytes(Config::item_limit)),
    Setting::new(
        "user-agent",
        "The name and version of your application, in front of keyfit's.",
        Kind::Text(Config::user_agent),
    ),
    Setting::new(
        "retry.attempts",
        "How many attempts a call may take, the first one included.",
        Kind::Count(1..=100, |config, attempts| config.with_retry(|retry| retry.attempts(attempts))),
    ),
    Setting::new(
        "retry.first-wait",
        "The wait before the second attempt, doubled for each one after that.",
        Kind::Duration(|config, wait| config.with_retry(|retry| retry.first_wait(wait))),
    ),
    Setting::new(
        "retry.longest-wait",
        "What the doubled waits grow to.",
        Kind::Duration(|config, wait| config.with_retry(|retry| retry.longest_wait(wait))),
    ),
    Setting::new(
        "retry.budget",
        "How many retries all calls of a client may take before enough of them succeed again.",
        Kind::Count(0..=1_000_000, |config, retries| config.with_retry(|retry| retry.budget(retries))),
    ),
    Setting::new(
        "retry.also-after",
        "Statuses after which a call is tried again as well.",
        Kind::Statuses(RetryPolicy::also_after),
    ),
    Setting::new(
        "retry.never-after",
        "Statuses after which a call is not tried again.",
        Kind::Statuses(RetryPolicy::never_after),
    ),
    Setting::new(
        "wait-for-rate-limits",
        "Whether calls wait where the server has said that none is left in this window.",
        Kind::Flag(|config, waits| if waits { config } else { config.ignore_rate_limits() }),
    ),
    Setting::new(
        "allow-query-keys",
        "Whether a key is sent in the query of URLs, which are logged on their way.",
        Kind::Flag(|config, allows| if allows { config.allow_query_keys() } else { config }),
    ),
    Setting::new(
        "root-certificates",
        "Files with certificate authorities that are trusted beside the system's: PEM.",
        Kind::RootCertificates,
    ),
    Setting::new(
        "client-certificate",
        "The certificate that a server is shown which asks for one: PEM.",
        Kind::ClientCertificate,
    ),
];

/// The keys of an API beside the settings.
pub(super) const OF_API: [&str; 4] = ["base-url", "servers", "credential", "credentials"];

impl Setting {
    const fn new(key: &'static str, doc: &'static str, kind: Kind) -> Self {
        Self { key, doc, kind }
    }

    /// The setting with this key.
    pub(super) fn named(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }
}
