//! The error of a filter that cannot be made.

/// The error of a filter that cannot be made: the place, the defect, the fix.
///
/// # Troubleshooting
/// A value that comes from a user, such as an empty choice, is best checked before a filter is made of it: no condition
/// at all is often what is meant.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}: {problem}: {help}")]
pub struct InvalidFilter {
    place: String,
    problem: String,
    help: &'static str,
}

impl InvalidFilter {
    pub(super) fn new(place: impl Into<String>, problem: impl Into<String>, help: &'static str) -> Self {
        Self { place: place.into(), problem: problem.into(), help }
    }

    /// Returns the part of the filter that is invalid.
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// A key that is not empty.
pub(super) fn key(place: &str, key: &str) -> Result<String, InvalidFilter> {
    if key.trim().is_empty() {
        return Err(InvalidFilter::new(place, "it is empty", "name it as the project's specifications do"));
    }
    Ok(key.to_owned())
}

/// At least one.
pub(super) fn some<T>(place: &str, items: impl IntoIterator<Item = impl Into<T>>) -> Result<Vec<T>, InvalidFilter> {
    let items: Vec<T> = items.into_iter().map(Into::into).collect();
    if items.is_empty() {
        return Err(InvalidFilter::new(place, "there is none", "give at least one, or leave the condition out"));
    }
    Ok(items)
}
