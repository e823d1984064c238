//! Where the answer to a call with many items tells which of them failed, as data: written by the document pipeline, from the
//! overlay of a document.

use std::fmt;

/// Where a success tells the outcome of the items of a call. Places are JSON pointers (RFC 6901) into its body; what it does not
/// tell is left out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Partial {
    /// The number of items received. Those that are not accepted count as rejected, if nothing else reports rejected ones.
    pub received: Option<&'static str>,
    /// The number of accepted items.
    pub accepted: Option<&'static str>,
    /// The number of rejected items.
    pub rejected: Option<&'static str>,
    /// The list of those that were accepted, or an object with a member for each.
    pub accepted_items: Option<&'static str>,
    /// The list of those that were rejected, or an object with a member for each.
    pub rejected_items: Option<&'static str>,
    /// The list with one outcome for each item, or an object with a member for each.
    pub outcomes: Option<&'static str>,
    /// Where an outcome says how its item ended, as a pointer into the outcome.
    pub outcome: Option<&'static str>,
    /// The value of an accepted item; numbers and booleans as their text.
    pub accepted_as: &'static [&'static str],
    /// Where an outcome says why its item was rejected, as a pointer into the outcome. Without [`outcome`](Self::outcome), one
    /// that holds anything there is of a rejected item.
    pub reason: Option<&'static str>,
    /// Where an entry of a list says which item it is about: its position among those that were sent, as a pointer into the entry.
    pub position: Option<&'static str>,
    /// The position of the first item: 0, or 1.
    pub first: u64,
    /// Where an entry repeats members of its item, or its id, as a pointer into the entry; empty where they stand in the entry
    /// itself.
    pub item: Option<&'static str>,
}

/// Code of the forms 1 and 2 names envelopes of a vendor that were built in. What they were is said by an overlay now.
///
/// ```compile_fail
/// static OPERATION: keyfit::Operation =
///     keyfit::Operation::new("push", "push", "POST", "/").with_partial(keyfit::operation::Partial::Lists);
/// ```
#[expect(non_upper_case_globals, reason = "the names are those of the variants that were")]
#[doc(hidden)]
impl Partial {
    pub const Items: &'static [Self] = Self::built_in();
    pub const Lists: &'static [Self] = Self::built_in();

    const fn built_in() -> &'static [Self] {
        panic!("this client was generated for an older version of keyfit: generate it again with `keyfit generate`")
    }
}

impl Partial {
    /// Nothing is told.
    pub const fn new() -> Self {
        Self {
            received: None,
            accepted: None,
            rejected: None,
            accepted_items: None,
            rejected_items: None,
            outcomes: None,
            outcome: None,
            accepted_as: &[],
            reason: None,
            position: None,
            first: 0,
            item: None,
        }
    }

    /// The same, with the place of the number that [came](Self::received).
    #[must_use]
    pub const fn with_received(self, at: &'static str) -> Self {
        Self { received: Some(at), ..self }
    }

    /// The same, with the place of the number that was [accepted](Self::accepted).
    #[must_use]
    pub const fn with_accepted(self, at: &'static str) -> Self {
        Self { accepted: Some(at), ..self }
    }

    /// The same, with the place of the number that was [rejected](Self::rejected).
    #[must_use]
    pub const fn with_rejected(self, at: &'static str) -> Self {
        Self { rejected: Some(at), ..self }
    }

    /// The same, with the place of the [accepted items](Self::accepted_items).
    #[must_use]
    pub const fn with_accepted_items(self, at: &'static str) -> Self {
        Self { accepted_items: Some(at), ..self }
    }

    /// The same, with the place of the [rejected items](Self::rejected_items).
    #[must_use]
    pub const fn with_rejected_items(self, at: &'static str) -> Self {
        Self { rejected_items: Some(at), ..self }
    }

    /// The same, with the place of the [outcomes](Self::outcomes).
    #[must_use]
    pub const fn with_outcomes(self, at: &'static str) -> Self {
        Self { outcomes: Some(at), ..self }
    }

    /// The same, with the place [in an outcome](Self::outcome) that says how its item ended, and what it says of accepted ones.
    #[must_use]
    pub const fn with_outcome(self, at: &'static str, accepted_as: &'static [&'static str]) -> Self {
        Self { outcome: Some(at), accepted_as, ..self }
    }

    /// The same, with the place of the [reason](Self::reason) in an outcome.
    #[must_use]
    pub const fn with_reason(self, at: &'static str) -> Self {
        Self { reason: Some(at), ..self }
    }

    /// The same, with the place of the [position](Self::position) in an entry, and that of the [first](Self::first) item.
    #[must_use]
    pub const fn with_position(self, at: &'static str, first: u64) -> Self {
        Self { position: Some(at), first, ..self }
    }

    /// The same, with where an entry repeats its [item](Self::item).
    #[must_use]
    pub const fn with_item(self, at: &'static str) -> Self {
        Self { item: Some(at), ..self }
    }
}

/// The numbers of accepted and rejected items of a call, as its answer reports them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ItemCounts {
    /// The number of accepted items, if the answer reports it.
    pub accepted: Option<u64>,
    /// The number of rejected items: the highest that any place of the answer reports.
    pub rejected: u64,
}

impl ItemCounts {
    pub(crate) fn new(accepted: Option<u64>, rejected: u64) -> Self {
        Self { accepted, rejected }
    }
}

impl fmt::Display for ItemCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(accepted) = self.accepted {
            write!(f, "{accepted} accepted, ")?;
        }
        write!(f, "{} rejected", self.rejected)
    }
}
