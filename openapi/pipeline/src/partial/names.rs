//! The names that APIs use for the parts of an outcome: the one place for them. Names are compared by letters and digits
//! alone, in lower case.

use crate::pagination::plain;

/// Counts of received items.
pub(super) const RECEIVED: &[&str] =
    &["received", "receivedcount", "submitted", "total", "totalcount", "totalreceived", "processed", "count"];

/// Counts of accepted items.
pub(super) const ACCEPTED: &[&str] = &[
    "accepted",
    "acceptedcount",
    "imported",
    "inserted",
    "stored",
    "succeeded",
    "success",
    "successcount",
    "successful",
    "successfulcount",
    "successes",
    "totalaccepted",
    "totalsucceeded",
];

/// Counts of rejected items.
pub(super) const REJECTED: &[&str] = &[
    "errorcount",
    "errorscount",
    "failed",
    "failedcount",
    "failure",
    "failurecount",
    "failures",
    "invalid",
    "invalidcount",
    "rejected",
    "rejectedcount",
    "totalfailed",
    "totalrejected",
];

/// Lists of rejected items.
pub(super) const FAILED: &[&str] = &[
    "errors",
    "failed",
    "faileditems",
    "failedrecords",
    "failures",
    "invaliditems",
    "itemerrors",
    "rejected",
    "rejecteditems",
    "rejections",
];

/// Positions that count from zero.
pub(super) const INDEXES: &[&str] = &["index", "idx", "itemindex", "recordindex", "arrayindex", "requestindex"];

/// Positions whose first value is known from their bounds only.
pub(super) const POSITIONS: &[&str] = &["position", "row", "rownumber", "line", "linenumber", "itemnumber", "ordinal"];

/// Reasons for a rejection.
pub(super) const REASONS: &[&str] =
    &["reason", "error", "errors", "message", "errormessage", "detail", "description", "title"];

/// Members of a response about a task whose items are processed later.
pub(super) const TASK: &[&str] = &[
    "status",
    "state",
    "progress",
    "jobid",
    "taskid",
    "batchid",
    "createdat",
    "startedat",
    "completedat",
    "finishedat",
];

/// Ids of items that the caller chooses.
pub(super) const IDS: &[&str] = &[
    "id",
    "externalid",
    "customid",
    "clientid",
    "clientreference",
    "clientreferenceid",
    "referenceid",
    "reference",
    "uniqueid",
    "recordid",
    "itemid",
    "key",
    "externalkey",
];

/// Returns whether a name is in a list.
pub(super) fn has(known: &[&str], name: &str) -> bool {
    known.contains(&plain(name).as_str())
}
