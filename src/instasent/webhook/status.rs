//! The statuses of delivery reports.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of a message in a report. The documented list is not complete: a status that is not known here is kept as
/// [`Other`](Self::Other).
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum DlrStatus {
    /// `sent`: it went to the carrier.
    Sent,
    /// `accepted`: the carrier took it.
    Accepted,
    /// `buffered`: the carrier keeps it until the handset can be reached.
    Buffered,
    /// `delivered`: the handset confirmed it.
    Delivered,
    /// `error`; the code says more.
    Error,
    /// `failed`; the code says more.
    Failed,
    /// `expired`: the carrier gave no answer in time.
    Expired,
    /// `canceled`: it was taken back before it was sent.
    Canceled,
    /// `rejected`: it was not taken.
    Rejected,
    /// `unknown`: the carrier does not know what became of it.
    Unknown,
    /// `stop`: an inbound message by which the recipient opts out.
    Stop,
    /// `inbound`: an inbound message. The documents name it in passing alone.
    Inbound,
    /// A status that is not known here.
    Other(String),
}

impl DlrStatus {
    /// The status on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Buffered => "buffered",
            Self::Delivered => "delivered",
            Self::Error => "error",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Canceled => "canceled",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Stop => "stop",
            Self::Inbound => "inbound",
            Self::Other(status) => status,
        }
    }

    /// Returns whether no further report is expected. `unknown` is not final: the carrier may report more later.
    pub fn is_final(&self) -> bool {
        self.rank().is_some_and(|(stage, _)| stage == FINAL)
    }

    /// Returns whether it comes from the recipient, and does not describe a delivery.
    pub fn is_inbound(&self) -> bool {
        matches!(self, Self::Stop | Self::Inbound)
    }

    /// Returns the progress of a message: a stage, and an order within it that decides if times do not. `None` for
    /// a status that has no place in that order, or no known one.
    pub(super) fn rank(&self) -> Option<(u8, u8)> {
        Some(match self {
            Self::Sent => (1, 0),
            Self::Accepted => (2, 0),
            Self::Buffered => (2, 1),
            Self::Unknown => (3, 0),
            Self::Error => (FINAL, 0),
            Self::Failed => (FINAL, 1),
            Self::Expired => (FINAL, 2),
            Self::Canceled => (FINAL, 3),
            Self::Rejected => (FINAL, 4),
            // Last: nobody confirms a delivery that was not.
            Self::Delivered => (FINAL, 5),
            Self::Stop | Self::Inbound | Self::Other(_) => return None,
        })
    }
}

const FINAL: u8 = 4;

impl From<String> for DlrStatus {
    fn from(status: String) -> Self {
        match status.as_str() {
            "sent" => Self::Sent,
            "accepted" => Self::Accepted,
            "buffered" => Self::Buffered,
            "delivered" => Self::Delivered,
            "error" => Self::Error,
            "failed" => Self::Failed,
            "expired" => Self::Expired,
            "canceled" => Self::Canceled,
            "rejected" => Self::Rejected,
            "unknown" => Self::Unknown,
            "stop" => Self::Stop,
            "inbound" => Self::Inbound,
            _ => Self::Other(status),
        }
    }
}

impl From<&str> for DlrStatus {
    fn from(status: &str) -> Self {
        status.to_owned().into()
    }
}

impl From<DlrStatus> for String {
    fn from(status: DlrStatus) -> Self {
        match status {
            DlrStatus::Other(status) => status,
            known => known.as_str().to_owned(),
        }
    }
}

impl fmt::Display for DlrStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 12] = [
        "sent",
        "accepted",
        "buffered",
        "delivered",
        "error",
        "failed",
        "expired",
        "canceled",
        "rejected",
        "unknown",
        "stop",
        "inbound",
    ];

    #[test]
    fn every_status_is_written_as_it_was_read() {
        for status in KNOWN {
            assert!(!matches!(DlrStatus::from(status), DlrStatus::Other(_)), "{status}");
            assert_eq!(String::from(DlrStatus::from(status)), status);
        }
        assert_eq!(DlrStatus::from("on-the-moon"), DlrStatus::Other("on-the-moon".to_owned()));
        assert_eq!(serde_json::to_string(&DlrStatus::from("on-the-moon")).ok().as_deref(), Some("\"on-the-moon\""));
    }

    #[test]
    fn six_statuses_are_final_and_no_two_share_a_rank() {
        let finals: Vec<_> = KNOWN.into_iter().filter(|status| DlrStatus::from(*status).is_final()).collect();
        assert_eq!(finals, ["delivered", "error", "failed", "expired", "canceled", "rejected"]);
        let mut ranks: Vec<_> = KNOWN.into_iter().filter_map(|status| DlrStatus::from(status).rank()).collect();
        ranks.sort_unstable();
        ranks.dedup();
        assert_eq!(ranks.len(), 10);
    }

    #[cfg(feature = "instasent-transactional")]
    #[test]
    fn the_statuses_of_the_document_are_all_known() {
        use crate::instasent::transactional::values::DlrEventStatus;

        for status in KNOWN {
            let of_document = DlrEventStatus::from(status.to_owned());
            assert_eq!(matches!(of_document, DlrEventStatus::Other(_)), status == "inbound", "{status}");
        }
    }
}
