//! `/_keyfit/faults`: faults in JSON.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::AdminState;
use crate::mock::tool::error::MockError;
use crate::mock::tool::faults::{Fault, FaultRule};

/// A fault in requests and lists: members of other faults are omitted.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultBody {
    fault: FaultName,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reject: Option<BTreeSet<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executed: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum FaultName {
    Unauthorized,
    RateLimited,
    NoFunds,
    Partial,
    ServerError,
    Slow,
    Cut,
}

impl AdminState {
    /// Programs the fault that a body describes.
    pub(super) fn add_fault(&self, wire: FaultBody) -> Result<Value, MockError> {
        let rule = wire.rule()?;
        let shown = json!(FaultBody::of(&rule));
        self.program(rule)?;
        Ok(shown)
    }

    /// Returns the pending faults, with the number of remaining requests of each.
    pub(super) fn pending_faults(&self) -> Value {
        json!({ "faults": self.faults().pending().iter().map(FaultBody::of).collect::<Vec<_>>() })
    }
}

impl FaultBody {
    fn rule(self) -> Result<FaultRule, MockError> {
        self.check()?;
        let fault = match self.fault {
            FaultName::Unauthorized => Fault::Unauthorized,
            FaultName::RateLimited => Fault::RateLimited(Duration::from_secs(self.window_seconds.unwrap_or(1))),
            FaultName::NoFunds => Fault::NoFunds,
            FaultName::Partial => Fault::Partial(self.reject.unwrap_or_else(|| BTreeSet::from([0]))),
            FaultName::ServerError => {
                Fault::ServerError { status: self.status.unwrap_or(503), executed: self.executed.unwrap_or_default() }
            }
            FaultName::Slow => Fault::Slow(Duration::from_millis(self.delay_ms.unwrap_or(1000))),
            FaultName::Cut => Fault::Cut { executed: self.executed.unwrap_or_default() },
        };
        let rule = FaultRule::new(fault).times(self.times.unwrap_or(1));
        let path = self.path.unwrap_or_else(|| rule.path.clone());
        Ok(FaultRule { method: self.method, path, ..rule })
    }

    /// Returns an error for a member of another fault, which would otherwise be ignored.
    fn check(&self) -> Result<(), MockError> {
        let members = [
            ("window_seconds", self.window_seconds.is_some(), &[FaultName::RateLimited][..]),
            ("delay_ms", self.delay_ms.is_some(), &[FaultName::Slow]),
            ("status", self.status.is_some(), &[FaultName::ServerError]),
            ("reject", self.reject.is_some(), &[FaultName::Partial]),
            ("executed", self.executed.is_some(), &[FaultName::Cut, FaultName::ServerError]),
        ];
        match members.into_iter().find(|(_, is_given, faults)| *is_given && !faults.contains(&self.fault)) {
            Some((name, _, faults)) => {
                let faults = json!(faults).to_string();
                Err(MockError::value(format!("`{name}` does not belong to this fault"), format!("it is for {faults}")))
            }
            None => Ok(()),
        }
    }

    fn of(rule: &FaultRule) -> Self {
        let mut wire = Self {
            fault: FaultName::Unauthorized,
            method: rule.method.clone(),
            path: Some(rule.path.clone()),
            times: Some(rule.times),
            window_seconds: None,
            delay_ms: None,
            status: None,
            reject: None,
            executed: None,
        };
        match &rule.fault {
            Fault::Unauthorized => {}
            Fault::NoFunds => wire.fault = FaultName::NoFunds,
            Fault::RateLimited(window) => {
                (wire.fault, wire.window_seconds) = (FaultName::RateLimited, Some(window.as_secs()));
            }
            Fault::Partial(positions) => (wire.fault, wire.reject) = (FaultName::Partial, Some(positions.clone())),
            Fault::ServerError { status, executed } => {
                (wire.fault, wire.status, wire.executed) = (FaultName::ServerError, Some(*status), Some(*executed));
            }
            Fault::Slow(delay) => {
                (wire.fault, wire.delay_ms) = (FaultName::Slow, u64::try_from(delay.as_millis()).ok());
            }
            Fault::Cut { executed } => (wire.fault, wire.executed) = (FaultName::Cut, Some(*executed)),
        }
        wire
    }
}
