//! The names that APIs use for the parts of their pagination: the one place for them. Names are compared by letters and
//! digits alone, in lower case: `page[cursor]` is `pagecursor`.

/// Arguments that take a cursor, each with the members of responses that provide it.
pub(super) const CURSORS: &[(&str, &[&str])] = &[
    ("cursor", &["nextcursor", "endcursor", "cursor", "next"]),
    ("pagecursor", &["nextcursor", "endcursor", "cursor", "next"]),
    ("nextcursor", &["nextcursor"]),
    ("after", &["nextcursor", "endcursor", "after", "next"]),
    ("marker", &["nextmarker", "marker"]),
    ("pagetoken", &["nextpagetoken", "nexttoken", "nextpageurl", "next"]),
    ("nextpagetoken", &["nextpagetoken"]),
    ("nexttoken", &["nexttoken"]),
    ("paginationtoken", &["nextpaginationtoken", "paginationtoken", "next"]),
    ("continuationtoken", &["nextcontinuationtoken", "continuationtoken"]),
    ("continue", &["continue"]),
    // A text and not a number: `page` takes the value of `next_page`.
    ("page", &["nextpage"]),
    ("offset", &["nextoffset", "offset"]),
];

/// Objects of responses that describe the continuation of a list.
pub(super) const AROUND: &[&str] =
    &["cursors", "links", "meta", "metadata", "next", "page", "pageinfo", "pagination", "paging", "responsemetadata"];

/// Members that are a cursor only within one of these objects.
pub(super) const ONLY_WITHIN: &[(&str, &[&str])] = &[("after", &["next", "cursors"])];

/// Response headers that provide a token, with the arguments that take it. A prefix `x-` is ignored.
pub(super) const HEADERS: &[(&str, &[&str])] = &[
    ("nextcursor", &["cursor", "pagecursor", "nextcursor", "after"]),
    ("nextpagetoken", &["pagetoken", "nextpagetoken"]),
    ("nexttoken", &["nexttoken", "pagetoken"]),
    ("continuationtoken", &["continuationtoken"]),
    ("nextpage", &["page"]),
];

/// Members that hold the URL of the next page, for lists without an argument for a cursor.
pub(super) const NEXT_URLS: &[&str] = &[
    "next",
    "nexturl",
    "nexturi",
    "nextlink",
    "nexthref",
    "nextpage",
    "nextpageurl",
    "nextpageuri",
    "nextpagelink",
    "odatanextlink",
];

/// Formats of URLs, absolute and relative.
pub(super) const URL_FORMATS: &[&str] = &["uri", "url", "uri-reference", "iri", "iri-reference"];

/// Members of an object `next` that hold its URL.
pub(super) const HREFS: &[&str] = &["href", "url", "uri", "link"];

/// Arguments that take the id of the last item.
pub(super) const LAST_ITEM: &[&str] = &["after", "afterid", "startingafter"];

/// Arguments that read a list backwards.
pub(super) const BACKWARDS: &[&str] = &["before", "beforeid", "around"];

/// Arguments that take the number of a page.
pub(super) const PAGES: &[&str] = &["page", "pagenumber", "pageno"];

/// Arguments that take the number of skipped items.
pub(super) const STARTS: &[&str] = &["offset", "skip", "start"];

/// Arguments that take the number of items of a page.
pub(super) const LIMITS: &[&str] =
    &["limit", "pagesize", "perpage", "pagelimit", "maxresults", "maxitems", "count", "size", "top"];

/// Members that hold the total number of items.
pub(super) const TOTALS: &[&str] =
    &["total", "totalcount", "totalhits", "totalitems", "totalresults", "totalsize", "totalrecords"];

/// Members that are true if there are more items.
pub(super) const MORE: &[&str] = &["hasmore", "hasnext", "hasnextpage"];

/// Members that hold the id of the last item.
pub(super) const LAST_IDS: &[&str] = &["lastid"];

/// Lists in responses that do not hold the requested items.
pub(super) const BESIDE: &[&str] = &["errors", "warnings", "included", "order", "links", "facets"];

/// Returns the normalized name of an argument or member.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}
