//! Secrets as they come.

use proptest::prelude::*;

/// Keys, passwords, texts beyond ASCII, and secrets that look like an encoding.
pub(crate) fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{16,48}",
        "[A-Za-z0-9+/]{20,40}={0,2}",
        "[a-z]{8,12}",
        "[!-~]{8,24}",
        "[!-~][ -~]{8,20}[!-~]",
        "[a-zé日ñ😀]{6,12}",
        "[a-f0-9]{32}",
        "(%[2-7][0-9a-f]|&amp;|\\\\n|[a-z+/]){6,10}",
    ]
}
