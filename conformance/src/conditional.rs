//! Detects conditional requests with entity tags (RFC 9110, section 13) in a document.

use keyfit_openapi::{Operation, ParameterLocation};

/// Returns whether reads with this operation may be conditional: it is a GET with an `ETag`, a 304, or an `If-None-Match`.
pub(crate) fn is_read_by_tag(operation: &Operation) -> bool {
    operation.method == "GET" && (tells_tag(operation) || operation.documents(304) || takes(operation, "If-None-Match"))
}

/// Returns whether changes with this operation may be conditional: it has a 412 or an `If-Match`, and is not a GET.
pub(crate) fn is_changed_by_tag(operation: &Operation) -> bool {
    operation.method != "GET"
        && (operation.documents(412) || takes(operation, "If-Match") || takes(operation, "If-None-Match"))
}

/// Returns whether its successes are documented with an `ETag`.
pub(crate) fn tells_tag(operation: &Operation) -> bool {
    let successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
    let mut headers = successes.flat_map(|(_, shape)| &shape.headers);
    headers.any(|name| name.eq_ignore_ascii_case("etag"))
}

fn takes(operation: &Operation, condition: &str) -> bool {
    let is_it = |name: &str| name.eq_ignore_ascii_case(condition);
    operation.parameters.iter().any(|one| one.location == ParameterLocation::Header && is_it(&one.name))
}

/// Returns whether a list of entity tags in a condition contains this one. `*` matches any. An invalid list matches none.
///
/// In a weak comparison, `W/"1"` equals `"1"`; in a strong one, a weak tag equals none (RFC 9110, section 8.8.3.2).
pub(crate) fn names(list: &str, tag: &str, weakly: bool) -> bool {
    let mut rest = list.trim();
    if rest == "*" {
        return true;
    }
    while !rest.is_empty() {
        let (is_weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
        let Some((opaque, behind)) = quoted.strip_prefix('"').and_then(|open| open.split_once('"')) else {
            return false;
        };
        let (known_weak, known) = tag.strip_prefix("W/").map_or((false, tag), |known| (true, known));
        if known.trim_matches('"') == opaque && (weakly || !(is_weak || known_weak)) {
            return true;
        }
        rest = behind.trim_start().trim_start_matches(',').trim_start();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_condition_names_the_tags_of_its_list_weakly_or_strongly() {
        for (list, tag, weakly, strongly) in [
            ("\"a\"", "\"a\"", true, true),
            ("\"b\" , W/\"a\"", "\"a\"", true, false),
            ("\"b\",\"a\"", "\"a\"", true, true),
            ("\"a\"", "W/\"a\"", true, false),
            ("*", "\"a\"", true, true),
            ("\"b\"", "\"a\"", false, false),
            ("\"a, b\"", "\"a\"", false, false),
            ("a", "\"a\"", false, false),
            ("", "\"a\"", false, false),
            ("\"b\", a", "\"a\"", false, false),
            ("\"never ends", "\"a\"", false, false),
        ] {
            assert_eq!(names(list, tag, true), weakly, "{list} {tag}");
            assert_eq!(names(list, tag, false), strongly, "{list} {tag}");
        }
    }
}
