//! Checks the challenges in 401 and 403 answers: the grammar of RFC 9110, section 11.6.1, and the parameters of RFC 6750, section 3.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use crate::contract::Challenge as Expected;

/// A challenge: its scheme, and its parameters with names in lower case.
#[derive(Debug, Default, Eq, PartialEq)]
struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

/// Returns the flaw of the challenges in an answer.
pub(super) fn finding(expected: Expected, headers: &HeaderMap) -> Option<String> {
    let mut found = Vec::new();
    for value in headers.get_all(WWW_AUTHENTICATE) {
        match value.to_str().ok().and_then(read) {
            Some(challenges) => found.extend(challenges),
            None => return Some("a challenge cannot be read".to_owned()),
        }
    }
    let scheme = if expected == Expected::Basic { "Basic" } else { "Bearer" };
    let Some(challenge) = found.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme)) else {
        return Some(format!("there is no challenge of the scheme {scheme}"));
    };
    let error = challenge.parameters.iter().find(|(name, _)| name == "error").map(|(_, value)| value.as_str());
    match (expected, error) {
        (Expected::Basic, _)
        | (Expected::InvalidToken, Some("invalid_token"))
        | (Expected::InsufficientScope, Some("insufficient_scope")) => None,
        (Expected::Bearer, _) => challenge.parameters.is_empty().then(|| "the challenge has no parameter".to_owned()),
        (Expected::WellFormed, _) => challenge.fault(),
        (Expected::WithoutError, error) => error.map(|error| format!("the challenge says `{error}` of nothing")),
        (Expected::InvalidToken, _) => Some("the challenge does not say `invalid_token`".to_owned()),
        (Expected::InsufficientScope, _) => Some("the challenge does not say `insufficient_scope`".to_owned()),
    }
}

impl Challenge {
    fn fault(&self) -> Option<String> {
        for (index, (name, value)) in self.parameters.iter().enumerate() {
            if self.parameters[..index].iter().any(|(other, _)| other == name) {
                return Some(format!("the parameter `{name}` stands twice"));
            }
            let is_plain = |byte: u8| matches!(byte, 0x20..=0x7e) && !b"\"\\".contains(&byte);
            if ["scope", "error", "error_description"].contains(&name.as_str()) && !value.bytes().all(is_plain) {
                return Some(format!("the parameter `{name}` holds a character that it may not"));
            }
        }
        None
    }
}

/// Parses the challenges of one header; returns `None` if it does not follow the grammar.
fn read(text: &str) -> Option<Vec<Challenge>> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (name, behind) = token(rest)?;
        let value = behind.trim_start().strip_prefix('=').filter(|value| !value.starts_with('=') && !value.is_empty());
        match value {
            Some(value) if !challenges.is_empty() => {
                let (value, behind) = word(value.trim_start())?;
                challenges.last_mut()?.parameters.push((name.to_lowercase(), value));
                rest = separated(behind)?;
            }
            _ => {
                challenges.push(Challenge { scheme: name.to_owned(), ..Challenge::default() });
                rest = if behind.trim_start().starts_with(',') { separated(behind)? } else { behind.trim_start() };
            }
        }
    }
    Some(challenges)
}

fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let end = text.bytes().position(|byte| !is_token(byte)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Parses a token or a quoted string. Returns it with the rest of the text.
fn word(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(word, behind)| (word.to_owned(), behind));
    };
    let mut word = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((word, &quoted[at + 1..])),
            '\\' => word.push(characters.next()?.1),
            other => word.push(other),
        }
    }
    None
}

/// Returns the text after the comma: an empty text at the end, and `None` if there is no comma.
fn separated(text: &str) -> Option<&str> {
    let text = text.trim_start();
    if text.is_empty() {
        return Some(text);
    }
    text.starts_with(',').then(|| text.trim_start_matches([' ', '\t', ',']))
}

#[cfg(test)]
mod tests {
    use super::read;

    fn shown(text: &str) -> Option<String> {
        let challenges = read(text)?;
        Some(challenges.iter().map(|one| format!("{} {:?}", one.scheme, one.parameters)).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn several_challenges_are_told_apart() {
        let text = r#"Bearer realm="a, \"b\"" , error=invalid_token, Basic realm="c""#;
        let expected = r#"Bearer [("realm", "a, \"b\""), ("error", "invalid_token")]; Basic [("realm", "c")]"#;
        assert_eq!(shown(text).as_deref(), Some(expected));
        assert_eq!(shown("Bearer").as_deref(), Some("Bearer []"));
    }

    #[test]
    fn what_does_not_follow_the_grammar_is_not_guessed_at() {
        assert_eq!(shown(r#"Bearer realm="open"#), None);
        assert_eq!(shown(r#"Bearer realm="a" error="b""#), None);
        assert_eq!(shown("(Bearer)"), None);
    }
}
