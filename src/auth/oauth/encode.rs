//! Form encoding, by the URL library that is there anyway.

use url::Url;

/// The parameters of a token request.
pub(super) type Parameters<'a> = Vec<(&'a str, &'a str)>;

/// `name=value&…`, as `application/x-www-form-urlencoded`.
pub(super) fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut url = carrier();
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// One text, encoded alike, with a space as `%20`: every decoder of forms reads that, and servers that only percent-decode a header
/// take a `+` as it stands.
pub(super) fn form_text(text: &str) -> String {
    let mut url = carrier();
    url.query_pairs_mut().append_key_only(text);
    url.query().unwrap_or_default().replace('+', "%20")
}

/// The pairs of a query string, decoded.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    let mut url = carrier();
    url.set_query(Some(query));
    url.query_pairs().into_owned().collect()
}

fn carrier() -> Url {
    Url::parse("http://localhost/").expect("the URL is a constant")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_characters_survive() {
        let given = [("a b", "c+d&e=f%é"), ("x", "")];
        let text = form(given);
        assert_eq!(text, "a+b=c%2Bd%26e%3Df%25%C3%A9&x=");
        assert_eq!(pairs(&text), given.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(form_text("p:s w+"), "p%3As%20w%2B");
    }
}
