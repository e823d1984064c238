//! The hint `x-keyfit: pages` of an operation.

use serde::Deserialize;
use serde_json::Value;

use super::guess::{PaginationGuess, guess};
use super::{NextPage, PageArgument, Pagination};
use crate::body_members::{items, member};
use crate::hint_error::{HintError, display_pointer, hint_error, no_such_member};
use crate::operation::{Body, Parameter, ParameterLocation};
use crate::walk;

/// The overlay's hint for the pages of an operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PaginationHint {
    by: HintForm,
    #[serde(default)]
    items: String,
    next: Option<String>,
    argument: Option<String>,
    first: Option<u64>,
    limit: Option<String>,
    size: Option<u64>,
    largest: Option<u64>,
    kept_limit: Option<String>,
    start: Option<String>,
    total: Option<String>,
    more: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum HintForm {
    Cursor,
    LastItem,
    Page,
    Start,
    Link,
    Url,
    Header,
    /// The operation does not return pages, whatever the document suggests.
    None,
}

/// The operation of a hint.
#[derive(Clone, Copy)]
pub(crate) struct CallParts<'a> {
    pub(crate) document: &'a Value,
    pub(crate) parameters: &'a [Parameter],
    pub(crate) body: Option<&'a Body>,
    /// The schema of its success.
    pub(crate) answer: Option<&'a Value>,
    /// An example of its success.
    pub(crate) example: Option<&'a Value>,
    /// The headers of its success.
    pub(crate) headers: &'a [String],
    /// The operation's node in the document.
    pub(crate) node: &'a Value,
}

impl PaginationHint {
    /// Returns the hint that describes a pagination.
    fn of(pagination: &Pagination) -> Self {
        let (by, next, first) = match &pagination.next {
            NextPage::Cursor { at, .. } => (HintForm::Cursor, Some(at.clone()), None),
            NextPage::LastItem { at, .. } => (HintForm::LastItem, Some(at.clone()), None),
            NextPage::Page { first, .. } => (HintForm::Page, None, Some(*first)),
            NextPage::Start { .. } => (HintForm::Start, None, None),
            NextPage::Link => (HintForm::Link, None, None),
            NextPage::Url { at } => (HintForm::Url, Some(at.clone()), None),
            NextPage::Header { name, .. } => (HintForm::Header, Some(name.clone()), None),
        };
        let name = |argument: &PageArgument| argument.name().to_owned();
        Self {
            by,
            items: pagination.items.clone(),
            next,
            argument: pagination.next.argument().map(name),
            first,
            limit: pagination.limit.as_ref().map(name),
            size: pagination.page_size,
            largest: None,
            kept_limit: pagination.kept_limit.clone(),
            start: pagination.start.clone(),
            total: pagination.total.clone(),
            more: pagination.more.clone(),
        }
    }

    /// Returns the pagination if it fits the document; `None` if the operation does not return pages.
    pub(crate) fn resolve(self, call: CallParts<'_>) -> Result<Option<Pagination>, HintError> {
        if self.by == HintForm::None {
            return Ok(None);
        }
        let answer = call.answer.ok_or_else(|| {
            hint_error("by", "the operation has no success with a JSON schema", "describe its answer, or drop the hint")
        })?;
        let list = member(call.document, answer, &self.items)
            .ok_or_else(|| no_such_member("items", &self.items, "the member of the answer that holds the items"))?;
        let item = items(call.document, list.schema).ok_or_else(|| {
            let problem = format!("what is at `{}` in the answer is not a list", display_pointer(&self.items));
            hint_error("items", problem, "name the member that holds the items, as a JSON pointer")
        })?;
        let next = self.next(call, answer, item)?;
        let limit = self.limit.as_deref().map(|name| call.argument("limit", name)).transpose()?;
        for (key, place) in
            [("kept-limit", &self.kept_limit), ("start", &self.start), ("total", &self.total), ("more", &self.more)]
        {
            if let Some(place) = place
                && member(call.document, answer, place).is_none()
            {
                return Err(no_such_member(key, place, "a member of the answer"));
            }
        }
        if limit.is_none() && (self.size.is_some() || self.largest.is_some()) {
            let key = if self.size.is_some() { "size" } else { "largest" };
            return Err(hint_error(
                key,
                "a size of pages without `limit`",
                "name the argument that says the size, under `limit`",
            ));
        }
        let declared =
            limit.as_ref().and_then(|limit| call.schema(limit)).and_then(|schema| schema.get("maximum")?.as_u64());
        let largest_page = self.largest.or(declared).filter(|largest| *largest > 0);
        if let (Some(size), Some(largest)) = (self.size, largest_page)
            && size > largest
        {
            let problem = format!("a page of {size} items is larger than the largest, {largest}");
            return Err(hint_error("size", problem, "ask for fewer"));
        }
        Ok(Some(Pagination {
            next,
            items_required: list.is_required,
            items: self.items,
            limit,
            page_size: self.size,
            largest_page,
            kept_limit: self.kept_limit,
            start: self.start,
            total: self.total,
            more: self.more,
        }))
    }

    fn next(&self, call: CallParts<'_>, answer: &Value, item: &Value) -> Result<NextPage, HintError> {
        let argument = || {
            let name = self.argument.as_deref().ok_or_else(|| {
                hint_error("by", "`argument` is missing", "name the parameter in which the next page is asked for")
            })?;
            call.argument("argument", name)
        };
        let next = |what| {
            let missing = || hint_error("by", "`next` is missing", what);
            self.next.as_deref().ok_or_else(missing)
        };
        let unused = |key: &'static str, is_there: bool| {
            let problem = format!("`{key}` says nothing where pages follow each other in this way");
            if is_there {
                Err(hint_error(key, problem, "drop it, or see the table of keys in openapi/README.md"))
            } else {
                Ok(())
            }
        };
        unused("first", self.first.is_some() && self.by != HintForm::Page)?;
        unused("argument", self.argument.is_some() && matches!(self.by, HintForm::Link | HintForm::Url))?;
        unused("next", self.next.is_some() && matches!(self.by, HintForm::Link | HintForm::Page | HintForm::Start))?;
        Ok(match self.by {
            HintForm::Cursor => {
                let at = next("name the member of the answer that holds the cursor, as a JSON pointer")?;
                member(call.document, answer, at)
                    .ok_or_else(|| no_such_member("next", at, "the member of the answer that holds the cursor"))?;
                NextPage::Cursor { at: at.to_owned(), argument: argument()? }
            }
            HintForm::Url => {
                let at = next("name the member of the answer that holds the URL, as a JSON pointer")?;
                member(call.document, answer, at)
                    .ok_or_else(|| no_such_member("next", at, "the member of the answer that holds the URL"))?;
                NextPage::Url { at: at.to_owned() }
            }
            HintForm::LastItem => {
                let at = next("name the member of the last item to go on from, as a JSON pointer")?;
                member(call.document, item, at).ok_or_else(|| no_such_member("next", at, "a member of the items"))?;
                NextPage::LastItem { at: at.to_owned(), argument: argument()? }
            }
            HintForm::Page => NextPage::Page { argument: argument()?, first: self.first.unwrap_or(1) },
            HintForm::Start => NextPage::Start { argument: argument()? },
            HintForm::Link | HintForm::None => NextPage::Link,
            HintForm::Header => {
                let name = next("name the header of the answer that holds the token")?;
                if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
                    return Err(hint_error(
                        "next",
                        format!("`{name}` is not the name of a header"),
                        "name the header that holds the token",
                    ));
                }
                NextPage::Header { name: name.to_owned(), argument: argument()? }
            }
        })
    }
}

impl<'a> CallParts<'a> {
    /// Guesses the pagination of an operation without a hint.
    pub(crate) fn guess(self) -> Option<PaginationGuess> {
        let guess = guess(self)?;
        let pagination = PaginationHint::of(&guess.pagination).resolve(self).ok().flatten()?;
        Some(PaginationGuess { pagination, ..guess })
    }

    /// Returns an argument by its name in a hint.
    fn argument(self, key: &'static str, name: &str) -> Result<PageArgument, HintError> {
        let argument = PageArgument::of_text(name);
        if self.schema(&argument).is_some() {
            return Ok(argument);
        }
        Err(match argument {
            PageArgument::Query(_) => hint_error(
                key,
                format!("the operation has no parameter `{name}` in its query"),
                "name a parameter of the query, or a member of the JSON body as a JSON pointer",
            ),
            PageArgument::Body(_) => no_such_member(key, name, "a member of the request's JSON body"),
        })
    }

    /// Returns the schema of an argument, if the operation has it.
    fn schema(self, argument: &PageArgument) -> Option<&'a Value> {
        match argument {
            PageArgument::Query(name) => {
                let mut parameters = self.parameters.iter();
                let known = parameters
                    .find(|parameter| parameter.location == ParameterLocation::Query && parameter.name == *name);
                known.map(|parameter| walk::resolve(self.document, &parameter.schema))
            }
            PageArgument::Body(at) => {
                let body = self.body.filter(|body| body.media_type.contains("json"))?;
                member(self.document, &body.schema, at).map(|member| member.schema)
            }
        }
    }
}
