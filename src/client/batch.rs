//! Batches: many items in one request.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The items of one request, at least one and at most `MAX`. They are shared, not copied: cloning a batch to keep it
/// for looking up outcomes costs a reference count.
#[derive(Debug)]
pub struct Batch<T, const MAX: usize>(Arc<[T]>);

/// The reason why items are not a valid batch.
///
/// # Troubleshooting
/// Split the items into chunks of at most the limit; do not send an empty request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a batch takes 1 to {limit} items, not {count}")]
pub struct InvalidBatch {
    /// The number of items.
    pub count: usize,
    /// The maximum number of items of a batch.
    pub limit: usize,
}

impl<T, const MAX: usize> Batch<T, MAX> {
    fn checked(items: Arc<[T]>) -> Result<Self, InvalidBatch> {
        match items.len() {
            count if count == 0 || count > MAX => Err(InvalidBatch { count, limit: MAX }),
            _ => Ok(Self(items)),
        }
    }
}

impl<T, const MAX: usize> Clone for Batch<T, MAX> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T, const MAX: usize> Deref for Batch<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const MAX: usize> TryFrom<Vec<T>> for Batch<T, MAX> {
    type Error = InvalidBatch;

    fn try_from(items: Vec<T>) -> Result<Self, InvalidBatch> {
        Self::checked(items.into())
    }
}

impl<T: Clone, const MAX: usize> TryFrom<&[T]> for Batch<T, MAX> {
    type Error = InvalidBatch;

    fn try_from(items: &[T]) -> Result<Self, InvalidBatch> {
        Self::checked(items.into())
    }
}

impl<T, const MAX: usize> From<&Batch<T, MAX>> for Batch<T, MAX> {
    fn from(batch: &Batch<T, MAX>) -> Self {
        batch.clone()
    }
}

impl<T: Serialize, const MAX: usize> Serialize for Batch<T, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Batch<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_one_to_max_items_and_is_shared() {
        assert_eq!(Batch::<u8, 3>::try_from(vec![]).map(drop), Err(InvalidBatch { count: 0, limit: 3 }));
        assert_eq!(Batch::<u8, 3>::try_from(vec![1; 4]).map(drop), Err(InvalidBatch { count: 4, limit: 3 }));
        let batch = Batch::<u8, 3>::try_from(vec![1, 2]).expect("two items");
        assert!(std::ptr::eq(batch.as_ptr(), Batch::from(&batch).as_ptr()));
        assert_eq!(serde_json::to_string(&batch).ok().as_deref(), Some("[1,2]"));
    }
}
