//! The bodies of searches and scrolls.

use serde_json::{Map, Value, json};

use super::invalid::{InvalidFilter, key};
use super::{AudienceNode, Limit};

/// The body of a search: the entries that fit, in one answer. For contacts of [`AudienceNode`], for events of
/// [`EventNode`](super::EventNode).
///
/// With the feature of the Product API it converts into the body of `audience_search` or `event_search`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Search<N> {
    root: N,
    offset: Option<u64>,
    options: Options,
}

/// The body of a scroll: the entries that fit, page by page, or all there are.
///
/// With the feature of the Product API it converts into the body of `audience_scroll` or `event_scroll`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scroll<N> {
    root: Option<N>,
    cursor: Option<String>,
    options: Options,
}

/// A key to sort by, and the direction. `_email` and `_date_updated` are known to be taken for contacts.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Sort {
    key: String,
    is_ascending: bool,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Options {
    limit: Option<Limit>,
    sort: Option<Sort>,
    version: Option<String>,
    is_trimmed: bool,
}

impl Sort {
    /// From the smallest.
    ///
    /// # Errors
    /// Returns an error if the key is empty.
    pub fn ascending(sort_key: &str) -> Result<Self, InvalidFilter> {
        Ok(Self { key: key("sort key", sort_key)?, is_ascending: true })
    }

    /// From the greatest.
    ///
    /// # Errors
    /// Returns an error if the key is empty.
    pub fn descending(sort_key: &str) -> Result<Self, InvalidFilter> {
        Ok(Self { key: key("sort key", sort_key)?, is_ascending: false })
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns whether it sorts in ascending order.
    pub fn is_ascending(&self) -> bool {
        self.is_ascending
    }

    pub(super) fn direction(&self) -> &'static str {
        if self.is_ascending { "asc" } else { "desc" }
    }
}

/// The common options of searches and scrolls.
macro_rules! options {
    ($body:ident) => {
        impl<N> $body<N> {
            /// Most entries in the answer; 50 where it is left out.
            #[must_use]
            pub fn limit(mut self, limit: Limit) -> Self {
                self.options.limit = Some(limit);
                self
            }

            /// The order of the entries.
            #[must_use]
            pub fn sort(mut self, sort: Sort) -> Self {
                self.options.sort = Some(sort);
                self
            }

            /// The version of the filter language, such as `0.0.1`; left out by default.
            #[must_use]
            pub fn version(mut self, version: impl Into<String>) -> Self {
                self.options.version = Some(version.into());
                self
            }
        }

        impl $body<AudienceNode> {
            /// Leaves out of the answer what is not needed to tell contacts apart; whole contacts are the default.
            #[must_use]
            pub fn trimmed(mut self) -> Self {
                self.options.is_trimmed = true;
                self
            }
        }
    };
}

options!(Search);
options!(Scroll);

impl<N> Search<N> {
    /// The entries that fit.
    pub fn new(root: N) -> Self {
        Self { root, offset: None, options: Options::default() }
    }

    /// Skips entries. It stands in an example of the documents; by the vendor's own client a search cannot be paged: a
    /// scroll can.
    #[must_use]
    pub fn offset(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }
}

impl<N> Scroll<N> {
    /// The entries that fit.
    pub fn of(root: N) -> Self {
        Self { root: Some(root), ..Self::all() }
    }

    /// All entries.
    pub fn all() -> Self {
        Self { root: None, cursor: None, options: Options::default() }
    }

    /// The page after the one whose `metadata.cursor` this is. The end is reached where that is null.
    #[must_use]
    pub fn after(self, cursor: impl Into<String>) -> Self {
        Self { cursor: Some(cursor.into()), ..self }
    }
}

impl<N: Clone + Into<Map<String, Value>>> Search<N> {
    /// The body as JSON.
    pub fn to_json(&self) -> Value {
        let mut body = self.options.to_json();
        body.insert("root".to_owned(), Value::Object(self.root.clone().into()));
        body.extend(self.offset.map(|offset| ("offset".to_owned(), json!(offset))));
        Value::Object(body)
    }
}

impl<N: Clone + Into<Map<String, Value>>> Scroll<N> {
    /// The body as JSON.
    pub fn to_json(&self) -> Value {
        let mut body = self.options.to_json();
        body.extend(self.root.clone().map(|root| ("root".to_owned(), Value::Object(root.into()))));
        body.extend(self.cursor.as_ref().map(|cursor| ("cursor".to_owned(), json!(cursor))));
        Value::Object(body)
    }
}

impl Options {
    fn to_json(&self) -> Map<String, Value> {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
        if let Some(limit) = self.limit {
            set("limit", json!(limit.get()));
        }
        if let Some(sort) = &self.sort {
            set("sortField", json!(sort.key));
            set("sortAsc", json!(sort.is_ascending));
        }
        if let Some(version) = &self.version {
            set("version", json!(version));
        }
        if self.is_trimmed {
            set("includeAllData", json!(false));
        }
        body
    }
}

#[cfg(feature = "instasent-product")]
mod product {
    use super::{AudienceNode, Options, Scroll, Search};
    use crate::instasent::filter::EventNode;
    use crate::instasent::product::types;

    impl From<Search<AudienceNode>> for types::AudienceSearchFilter {
        fn from(Search { root, offset, options }: Search<AudienceNode>) -> Self {
            let Options { limit, sort, version, is_trimmed } = options;
            Self {
                include_all_data: is_trimmed.then_some(false),
                limit: limit.map(Into::into),
                offset,
                root: root.into(),
                sort_asc: sort.as_ref().map(|sort| sort.is_ascending),
                sort_field: sort.map(|sort| sort.key),
                version,
            }
        }
    }

    impl From<Scroll<AudienceNode>> for types::AudienceScrollFilter {
        fn from(Scroll { root, cursor, options }: Scroll<AudienceNode>) -> Self {
            let Options { limit, sort, version, is_trimmed } = options;
            Self {
                cursor,
                include_all_data: is_trimmed.then_some(false),
                limit: limit.map(Into::into),
                root: root.map(Into::into),
                sort_asc: sort.as_ref().map(|sort| sort.is_ascending),
                sort_field: sort.map(|sort| sort.key),
                version,
            }
        }
    }

    impl From<Search<EventNode>> for types::EventSearchFilter {
        fn from(Search { root, offset, options }: Search<EventNode>) -> Self {
            let Options { limit, sort, version, .. } = options;
            Self {
                limit: limit.map(Into::into),
                offset,
                root: root.into(),
                sort_asc: sort.as_ref().map(|sort| sort.is_ascending),
                sort_field: sort.map(|sort| sort.key),
                version,
            }
        }
    }

    impl From<Scroll<EventNode>> for types::EventScrollFilter {
        fn from(Scroll { root, cursor, options }: Scroll<EventNode>) -> Self {
            let Options { limit, sort, version, .. } = options;
            Self {
                cursor,
                limit: limit.map(Into::into),
                root: root.map(Into::into),
                sort_asc: sort.as_ref().map(|sort| sort.is_ascending),
                sort_field: sort.map(|sort| sort.key),
                version,
            }
        }
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
