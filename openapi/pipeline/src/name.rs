//! Rust names, made from names on the wire as the generator makes them, so that both sides agree on them.

use std::collections::HashSet;

use heck::{ToPascalCase as _, ToSnakeCase as _};

/// The name of a type or a variant: `api-key` gives `ApiKey`, `3d` gives `X3d`, `self` gives `Self_`.
pub(crate) fn of_type(text: &str) -> String {
    sanitize(text, "X", str::to_pascal_case)
}

/// The name of an argument: `apiKey` gives `api_key`, `3d` gives `_3d`, `type` gives `type_`.
pub(crate) fn of_argument(text: &str) -> String {
    sanitize(text, "_", str::to_snake_case)
}

/// Whether Rust takes the text as a name; keywords are none.
pub fn is_identifier(text: &str) -> bool {
    syn::parse_str::<syn::Ident>(text).is_ok()
}

/// The wanted name, with a number where a type of that name is there already; the name is then taken.
pub(crate) fn fresh(wanted: &str, taken: &mut HashSet<String>) -> String {
    let mut name = wanted.to_owned();
    let mut count = 2;
    while !taken.insert(of_type(&name)) {
        name = format!("{wanted}{count}");
        count += 1;
    }
    name
}

fn sanitize(text: &str, prefix: &str, to_case: fn(&str) -> String) -> String {
    let may_follow = |letter: char| match letter {
        '_' => true,
        _ if letter.is_ascii() => letter.is_ascii_alphanumeric(),
        _ => is_identifier(&format!("xx{letter}")),
    };
    let plain: String = text
        .chars()
        .filter(|letter| *letter != '\'')
        .map(|letter| if may_follow(letter) { letter } else { '-' })
        .collect();
    let mut name = to_case(&plain);
    if name.is_empty() {
        name = to_case("x");
    } else if !name.starts_with(|letter: char| is_identifier(&letter.to_string())) {
        name.insert_str(0, prefix);
    }
    // `gen` is a keyword of this edition, which the parser does not know yet.
    if name == "gen" || !is_identifier(&name) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_gives_a_name() {
        let types = ["api-key", "self", "3d", "²", "", "gut & günstig", "don't"].map(of_type);
        assert_eq!(types, ["ApiKey", "Self_", "X3d", "X", "X", "GutGünstig", "Dont"]);
        let arguments = ["apiKey", "type", "3d", "_page", "gen", "", "r#in"].map(of_argument);
        assert_eq!(arguments, ["api_key", "type_", "_3d", "page", "gen_", "x", "r_in"]);
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let mut taken = HashSet::from(["CatAnswer".to_owned()]);
        assert_eq!(fresh("cat-answer", &mut taken), "cat-answer2");
        assert_eq!(fresh("CatAnswer", &mut taken), "CatAnswer3");
    }
}
