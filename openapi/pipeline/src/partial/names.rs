//! What APIs call the parts of an outcome: the one place for names, compared by letters and digits alone, in lower case.

use crate::pagination::plain;

/// Counts of the items that came.
pub(super) const RECEIVED: &[&str] =
    &["received", "receivedcount", "submitted", "total", "totalcount", "totalreceived", "processed", "count"];

/// Counts of the items that were accepted.
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

/// Counts of the items that were rejected.
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

/// Lists of the items that were rejected.
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

/// Positions that programmers count from zero.
pub(super) const INDEXES: &[&str] = &["index", "idx", "itemindex", "recordindex", "arrayindex", "requestindex"];

/// Positions of which only their bounds say where they begin.
pub(super) const POSITIONS: &[&str] = &["position", "row", "rownumber", "line", "linenumber", "itemnumber", "ordinal"];

/// Why an item was rejected.
pub(super) const REASONS: &[&str] =
    &["reason", "error", "errors", "message", "errormessage", "detail", "description", "title"];

/// Members of an answer that tells of a task, whose items are looked at later.
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

/// Whether a name is one of these.
pub(super) fn has(known: &[&str], name: &str) -> bool {
    known.contains(&plain(name).as_str())
}
