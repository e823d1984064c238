//! Limits on the targets of an overlay's actions. The JSONPath parser is recursive in brackets, and a query with several `..`
//! visits a node once for each of its ancestors. Neither is needed to name a part of a document.

/// The maximum length of a target, in bytes: enough for the longest path of a document with every letter escaped.
const MAX_LENGTH: usize = 20_000;
/// The maximum number of segments of a target: the maximum depth of a document.
const MAX_SEGMENTS: usize = crate::yaml::MAX_DEPTH;
/// The maximum nesting depth of brackets.
const MAX_NESTING: usize = 12;
/// The maximum number of searches below a node (`..`) in a target.
const MAX_SEARCHES: usize = 2;

/// Returns an error with the problem if a target must not be parsed.
pub(crate) fn check(target: &str) -> Result<(), String> {
    if target.len() > MAX_LENGTH {
        return Err(format!("is longer than {MAX_LENGTH} bytes"));
    }
    let (mut segments, mut searches, mut open) = (0, 0, 0_usize);
    let mut quote = None;
    let mut letters = target.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(_), '\\') => drop(letters.next()),
            (Some(mark), _) if letter == mark => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, '[' | '(') => {
                segments += usize::from(letter == '[');
                open += 1;
                if open > MAX_NESTING {
                    return Err(format!("has brackets in each other more than {MAX_NESTING} deep"));
                }
            }
            (None, ']' | ')') => open = open.saturating_sub(1),
            (None, '.') if letters.next_if_eq(&'.').is_some() => {
                searches += 1;
                segments += 1;
            }
            (None, '.') => segments += 1,
            _ => {}
        }
        if segments > MAX_SEGMENTS {
            return Err(format!("has more than {MAX_SEGMENTS} segments"));
        }
        if searches > MAX_SEARCHES {
            return Err(format!("searches with `..` more than {MAX_SEARCHES} times"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_part_of_a_document_is_let_through() {
        for target in [
            "$",
            "$.paths['/sms'].post",
            "$.paths['/a.b[c](d)..e'][\"it's\"].get.parameters[?@.name == 'page' && (@.in == 'query' || !@.a && !(@.b || !@.c))]",
            "$..responses..schema",
            r"$['it\'s']['(((((((((((((((((((((((']",
        ] {
            assert_eq!(check(target), Ok(()), "{target}");
        }
    }

    #[test]
    fn what_a_parser_would_not_survive_is_refused_before_it_is_parsed() {
        for (target, problem) in [
            (format!("${}", ".a".repeat(3000)), "has more than 128 segments"),
            (format!("${}", "[0]".repeat(2000)), "has more than 128 segments"),
            (format!("$['{}']", "a".repeat(21_000)), "is longer than 20000 bytes"),
            (format!("${}", "[?@".repeat(2500)), "has brackets in each other more than 12 deep"),
            (format!("$[?{}@{}]", "(".repeat(2500), ")".repeat(2500)), "has brackets in each other more than 12 deep"),
            ("$..*..*..*".to_owned(), "searches with `..` more than 2 times"),
        ] {
            assert_eq!(check(&target), Err(problem.to_owned()), "{}", &target[..9]);
        }
    }
}
