//! Rust names, derived from names on the wire in the way of the generator, so that both agree.

use std::collections::HashSet;

use heck::{ToPascalCase as _, ToSnakeCase as _};

/// Returns the name of a type or a variant: `api-key` gives `ApiKey`, `3d` gives `X3d`, `self` gives `Self_`.
pub(crate) fn of_type(text: &str) -> String {
    sanitize(text, "X", str::to_pascal_case)
}

/// Returns the name of an argument: `apiKey` gives `api_key`, `3d` gives `_3d`, `type` gives `type_`.
pub(crate) fn of_argument(text: &str) -> String {
    sanitize(text, "_", str::to_snake_case)
}

/// Returns whether the text is a valid Rust identifier and not a keyword.
pub fn is_identifier(text: &str) -> bool {
    // The fast path, since each derived name is checked. `Self` is the only keyword with a capital letter.
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word && text.starts_with(|first: char| first.is_ascii_uppercase()) {
        return text != "Self";
    }
    syn::parse_str::<syn::Ident>(text).is_ok()
}

/// Returns the name of a module for an API: `instasent-ingest` gives `instasent_ingest`.
///
/// # Errors
/// Returns the reason, as the end of a sentence, if no module of a crate can have that name.
pub fn module(text: &str) -> Result<String, &'static str> {
    let name = text.to_snake_case();
    if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Err("is not a valid name for a module: use letters, digits and hyphens");
    }
    if name.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err("is not a valid name for a module: it begins with a digit");
    }
    if name == "gen" || !is_identifier(&name) {
        return Err("is a word that Rust reserves, which no module can have as its name");
    }
    if CRATE_NAMES.contains(&name.as_str()) {
        return Err("is the name of a crate that code of a client refers to");
    }
    Ok(name)
}

/// The crates that a module of the same name would shadow.
const CRATE_NAMES: [&str; 4] = ["alloc", "core", "keyfit", "std"];

/// Returns the wanted name, with a number if a type of that name exists already, and marks the name as taken.
pub(crate) fn unique(wanted: &str, taken: &mut HashSet<String>) -> String {
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
    } else if !name.starts_with(|letter: char| letter.is_ascii_alphabetic() || is_identifier(&letter.to_string())) {
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
    fn a_module_has_a_name_that_rust_takes() {
        assert_eq!(module("instasent-ingest").as_deref(), Ok("instasent_ingest"));
        assert_eq!(module("Klaviyo Stable").as_deref(), Ok("klaviyo_stable"));
        // Tables of Cargo.toml are no modules.
        assert_eq!(module("members").as_deref(), Ok("members"));
        for (name, reason) in [
            ("box", "is a word that Rust reserves"),
            ("gen", "is a word that Rust reserves"),
            ("std", "is the name of a crate"),
            ("3scale", "begins with a digit"),
            ("größe", "use letters"),
            ("--", "use letters"),
        ] {
            assert!(module(name).expect_err(name).contains(reason), "{name}");
        }
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let mut taken = HashSet::from(["CatAnswer".to_owned()]);
        assert_eq!(unique("cat-answer", &mut taken), "cat-answer2");
        assert_eq!(unique("CatAnswer", &mut taken), "CatAnswer3");
    }
}
