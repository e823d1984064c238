//! The batching of items, as data: written by the document pipeline, from the contract, the overlay and the document.

/// The way in which an operation takes many items in one call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Batching {
    /// Where the items stand in the body of a call, as a JSON pointer; empty where the body is the list.
    pub items_at: &'static str,
    /// The most items that one call takes, where somebody says so.
    pub maximum: Option<u64>,
    /// The most bytes of a body, where somebody says so.
    pub maximum_bytes: Option<u64>,
    /// The field by which an item is known again in the answer.
    pub id_field: Option<&'static str>,
}

impl Batching {
    /// Items stand at this pointer, and no more is known.
    pub const fn new(items_at: &'static str) -> Self {
        Self { items_at, maximum: None, maximum_bytes: None, id_field: None }
    }

    /// The same, with the [most items](Self::maximum) of a call.
    #[must_use]
    pub const fn with_maximum(self, items: u64) -> Self {
        Self { maximum: Some(items), ..self }
    }

    /// The same, with the [most bytes](Self::maximum_bytes) of a body.
    #[must_use]
    pub const fn with_maximum_bytes(self, bytes: u64) -> Self {
        Self { maximum_bytes: Some(bytes), ..self }
    }

    /// The same, with the [field](Self::id_field) by which an item is known again.
    #[must_use]
    pub const fn with_id_field(self, name: &'static str) -> Self {
        Self { id_field: Some(name), ..self }
    }
}
