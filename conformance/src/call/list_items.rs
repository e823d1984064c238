//! All pages of a list as one sequence of unchanged items.

use std::collections::BTreeMap;

use keyfit::pagination::Pages;
use keyfit::{DynamicCall, Error};
use keyfit_openapi::Operation;
use serde_json::value::RawValue;

use crate::UserError;
use crate::text::pointer;

/// A part of an answer in its original text: numbers keep their digits.
type RawJson = Box<RawValue>;

/// The items of a list, page by page.
pub struct ListItems {
    pages: Pages<RawJson>,
    /// The pointer to the list in a page.
    at: String,
    /// The remaining items of the current page.
    page: std::vec::IntoIter<RawJson>,
}

/// Returns all items of a list, from the start that the arguments of the call select.
///
/// # Errors
/// Returns an error if the pagination of the list is unknown.
pub fn list_items(call: DynamicCall<'_>, operation: &Operation) -> Result<ListItems, UserError> {
    let unknown = || {
        UserError::new(format!("how the pages of `{}` follow each other is not known", operation.id))
            .help("say it in the overlay of the API, under `x-keyfit: pages`; or leave --all out")
    };
    let pagination = operation.pagination.as_ref().ok_or_else(unknown)?;
    let pages = call.pages().ok_or_else(unknown)?;
    Ok(ListItems { pages, at: pagination.items.clone(), page: Vec::new().into_iter() })
}

impl ListItems {
    /// Returns the next item.
    pub async fn next(&mut self) -> Option<Result<RawJson, Error>> {
        loop {
            if let Some(item) = self.page.next() {
                return Some(Ok(item));
            }
            match self.pages.next().await? {
                // A page without a list at the pointer was refused when it was read.
                Ok(page) => self.page = list(&page.into_inner(), &self.at).unwrap_or_default().into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Returns the items of the list at a pointer.
fn list(page: &RawValue, at: &str) -> Option<Vec<RawJson>> {
    let mut node = page.to_owned();
    for name in pointer::names(at) {
        let mut members: BTreeMap<String, RawJson> = serde_json::from_str(node.get()).ok()?;
        node = members.remove(&name)?;
    }
    serde_json::from_str(node.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_where_the_description_says_and_keep_their_digits() {
        let read = |page: &str, at: &str| {
            let page = RawValue::from_string(page.to_owned()).expect("JSON");
            list(&page, at).map(|items| items.iter().map(|item| item.get().to_owned()).collect::<Vec<_>>())
        };
        let items = || Some(vec!["1.10".to_owned(), "{\"a\": 12345678901234567890}".to_owned()]);
        assert_eq!(read(r#"[1.10, {"a": 12345678901234567890}]"#, ""), items());
        assert_eq!(read(r#"{"x": {"y/z": [1.10, {"a": 12345678901234567890}]}}"#, "/x/y~1z"), items());
        assert_eq!((read("null", ""), read("{}", "/x"), read("[]", "/x")), (None, None, None));
    }
}
