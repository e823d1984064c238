//! What APIs call the parts of their pages: the one place for names. A name is compared by its letters and digits alone, in
//! lower case: `page[cursor]` is `pagecursor`.

/// Arguments that take a cursor, each with the members of answers that hand one out.
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
    // A text, not a number: `next_page` is what it takes.
    ("page", &["nextpage"]),
    ("offset", &["nextoffset", "offset"]),
];

/// Objects in which answers say where a list goes on.
pub(super) const AROUND: &[&str] =
    &["cursors", "links", "meta", "metadata", "next", "page", "pageinfo", "pagination", "paging", "responsemetadata"];

/// Members that are a cursor only where they stand in one of these objects.
pub(super) const ONLY_WITHIN: &[(&str, &[&str])] = &[("after", &["next", "cursors"])];

/// Headers of answers that hand out a token, and the arguments that take it. `x-` before them does not count.
pub(super) const HEADERS: &[(&str, &[&str])] = &[
    ("nextcursor", &["cursor", "pagecursor", "nextcursor", "after"]),
    ("nextpagetoken", &["pagetoken", "nextpagetoken"]),
    ("nexttoken", &["nexttoken", "pagetoken"]),
    ("continuationtoken", &["continuationtoken"]),
    ("nextpage", &["page"]),
];

/// Members that hold the URL of the next page, by which a list is read that takes nothing of theirs.
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

/// Arguments that go back.
pub(super) const BACKWARDS: &[&str] = &["before", "beforeid", "around"];

/// Arguments that take the number of a page.
pub(super) const PAGES: &[&str] = &["page", "pagenumber", "pageno"];

/// Arguments that take how many items are skipped.
pub(super) const STARTS: &[&str] = &["offset", "skip", "start"];

/// Arguments that take how many items a page has.
pub(super) const LIMITS: &[&str] =
    &["limit", "pagesize", "perpage", "pagelimit", "maxresults", "maxitems", "count", "size", "top"];

/// Members that count all items.
pub(super) const TOTALS: &[&str] =
    &["total", "totalcount", "totalhits", "totalitems", "totalresults", "totalsize", "totalrecords"];

/// Members that say whether there are more.
pub(super) const MORE: &[&str] = &["hasmore", "hasnext", "hasnextpage"];

/// Members that hold the id of the last item.
pub(super) const LAST_IDS: &[&str] = &["lastid"];

/// Lists in answers that are not what was asked for.
pub(super) const BESIDE: &[&str] = &["errors", "warnings", "included", "order", "links", "facets"];

/// What an argument or member is called, for comparing.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}
