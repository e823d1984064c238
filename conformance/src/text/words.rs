//! The words in a name.

/// Returns the words of a name, in lower case: those of `resetPassword` and `reset-password` are the same.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        let begins = character.is_uppercase() && was_lower;
        if begins || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.extend(character.to_lowercase()));
        }
        was_lower = character.is_lowercase() || character.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_at_signs_and_where_a_capital_begins() {
        for name in ["resetPassword", "reset-password", "reset_password", "ResetPassword", "/reset//password"] {
            assert_eq!(words(name), ["reset", "password"], "{name}");
        }
        assert_eq!(words("oauth2Token"), ["oauth2", "token"]);
        assert_eq!(words("userID"), ["user", "id"]);
        assert_eq!(words("--"), [""; 0]);
    }
}
