//! All pages of a list, as one stream of its items, where the overlay says how a list pages.

use std::collections::BTreeMap;

use keyfit::DynamicClient;
use keyfit::pagination::{Items, Listing, Page, by_cursor, by_page, by_start};
use keyfit_openapi::{Operation, Pagination, Place};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::value::{RawValue, to_raw_value};

use super::Arguments;
use crate::UserError;

/// The items of a list, each as it came.
type Item = Box<RawValue>;

/// A page, whatever the envelope: a list, or an object that holds one.
struct AnyPage(Page<Item>);

/// The members that may hold the list where there are several.
const LISTS: [&str; 4] = ["entities", "data", "items", "results"];
/// The members that hold what is said of the list.
const METADATA: [&str; 3] = ["metadata", "meta", "pagination"];
const CURSORS: [&str; 4] = ["cursor", "next_cursor", "nextCursor", "next"];

/// All items of a list, page by page.
///
/// # Errors
/// Returns an error if the overlay does not say how the list pages, or an argument would be replaced on the way.
pub fn items<'a>(
    client: &'a DynamicClient,
    operation: &'a Operation,
    arguments: &'a Arguments,
) -> Result<Items<'a, Item>, UserError> {
    let Some(pagination) = operation.pagination else {
        return Err(UserError::new(format!("how the pages of `{}` follow each other is not known", operation.id))
            .help("say it in the overlay of the API: `x-keyfit: { pagination: page }`; or leave --all out"));
    };
    let call = move |more: Arguments| {
        let call = client.call(&operation.id).map(|call| more.put_into(call));
        async move { call?.send_as::<AnyPage>().await }
    };
    match pagination {
        Pagination::Cursor => Ok(by_cursor(move |cursor| call(arguments.after(operation, cursor)))),
        Pagination::Page => {
            let items = by_page(move |page, size| call(arguments.with(&[("page", page), ("per_page", size)])));
            sized(items, arguments, "page", "per_page")
        }
        Pagination::StartLimit => {
            let items = by_start(move |start, limit| call(arguments.with(&[("_start", start), ("_limit", limit)])));
            sized(items, arguments, "_start", "_limit")
        }
    }
}

/// With pages of the size that was asked for.
fn sized<'a>(
    items: Items<'a, Item>,
    arguments: &Arguments,
    place: &str,
    size: &str,
) -> Result<Items<'a, Item>, UserError> {
    let given = |name: &str| arguments.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.get());
    if given(place).is_some() {
        return Err(UserError::new(format!("`{place}` names one page, and --all asks for all of them"))
            .help("leave one of them out"));
    }
    Ok(match given(size).and_then(|size| size.parse().ok()) {
        Some(size) => items.page_size(size),
        None => items,
    })
}

impl Arguments {
    /// The same, with these numbers in the query.
    fn with(&self, numbers: &[(&str, u64)]) -> Self {
        let mut arguments = self.clone();
        arguments.query.retain(|(name, _)| !numbers.iter().any(|(known, _)| known == name));
        for (name, number) in numbers {
            if let Ok(number) = to_raw_value(number) {
                arguments.query.push(((*name).to_owned(), number));
            }
        }
        arguments
    }

    /// The same, for the page behind a cursor: in the query where the operation has it there, else in the body.
    fn after(&self, operation: &Operation, cursor: Option<String>) -> Self {
        let Some(cursor) = cursor.and_then(|cursor| to_raw_value(&cursor).ok()) else { return self.clone() };
        let mut arguments = self.clone();
        let is_cursor = |name: &str| CURSORS[..3].contains(&name);
        let mut in_query = operation.parameters.iter().filter(|parameter| parameter.place == Place::Query);
        if let Some(parameter) = in_query.find(|parameter| is_cursor(&parameter.name)) {
            arguments.query.retain(|(name, _)| *name != parameter.name);
            arguments.query.push((parameter.name.clone(), cursor));
        } else if let Some(body) = &mut arguments.body {
            let members: Result<BTreeMap<String, Item>, _> = serde_json::from_slice(&body.bytes);
            if let Ok(mut members) = members {
                members.insert("cursor".to_owned(), cursor);
                body.bytes = serde_json::to_vec(&members).unwrap_or_default().into();
            }
        }
        arguments
    }
}

impl Listing for AnyPage {
    type Item = Item;

    fn into_page(self) -> Page<Item> {
        self.0
    }
}

impl<'de> Deserialize<'de> for AnyPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Item::deserialize(deserializer)?;
        let is_list = |text: &RawValue| text.get().starts_with('[');
        if is_list(&text) {
            let items = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
            return Ok(Self(Page { items, ..Page::default() }));
        }
        let envelope: BTreeMap<String, Item> = serde_json::from_str(text.get())
            .map_err(|_| D::Error::custom("expected a list, or an object that holds one"))?;
        let named = LISTS.iter().find_map(|name| envelope.get(*name).filter(|member| is_list(member)));
        let mut lists = envelope.values().filter(|member| is_list(member));
        let list = match (named, lists.next(), lists.next()) {
            (Some(named), ..) => named,
            (None, Some(only), None) => only,
            _ => return Err(D::Error::custom("expected an object that holds one list")),
        };
        let items = serde_json::from_str(list.get()).map_err(D::Error::custom)?;
        let metadata = METADATA.iter().find_map(|name| serde_json::from_str(envelope.get(*name)?.get()).ok());
        let metadata: BTreeMap<String, Item> = metadata.unwrap_or_default();
        let told = |names: &[&str]| names.iter().find_map(|name| metadata.get(*name).or_else(|| envelope.get(*name)));
        let number = |names: &[&str]| told(names).and_then(|value| value.get().parse().ok());
        Ok(Self(Page {
            items,
            next: told(&CURSORS).and_then(|cursor| serde_json::from_str(cursor.get()).ok()),
            start: number(&["start"]),
            limit: number(&["limit"]),
            total: number(&["total", "count"]),
        }))
    }
}
