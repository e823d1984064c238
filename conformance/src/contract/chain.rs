//! The probes of a chain: a resource is created, read, changed, removed, and read again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked about something that the run made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChainProbe {
    /// A create, and whether what is read afterwards is what was sent and answered.
    ReadBack,
    /// A create, and whether its `Location` leads to what was made.
    Location,
    /// A create, and whether the list that it adds to holds what was made.
    Listed,
    /// A change of one member of what the run made, and whether it is read afterwards.
    Changed,
    /// The same by PATCH, and whether the members that were not sent are as before.
    Kept,
    /// Two changes of what the run made, the second under the `ETag` from before the first, and whether it is refused and undone.
    StaleChange,
    /// The removal of what the run made, whether it is read afterwards, and the removal once more.
    Gone,
}
