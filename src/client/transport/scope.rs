//! Where a client's requests may go: its origin, below its base path, on the path of the operation that was called.

use url::Url;

use super::route::Route;
use crate::client::path_argument::has_dot_segment;
use crate::error::{Error, Operation};

/// The origin and base path that the credential belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    base: Url,
    /// The base URL as text, without a slash at its end.
    text: String,
}

impl Scope {
    pub(crate) fn new(base: Url) -> Self {
        let text = base.as_str().trim_end_matches('/').to_owned();
        Self { base, text }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.text
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The URL of a path below the base, for a request that no document describes.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Error> {
        let refuse = |why: &str| Error::invalid_request(format!("the path `{}` {why}", path.escape_debug()));
        if !path.starts_with('/') {
            return Err(refuse("does not begin with a slash"));
        }
        if path.contains(['?', '#', '\\']) || path.contains(char::is_control) {
            return Err(refuse("holds a query, a fragment, a backslash or a control character: give the path alone"));
        }
        if has_dot_segment(path) {
            return Err(refuse("holds a dot segment, which would make it another path"));
        }
        Url::parse(&format!("{}{path}", self.text)).map_err(|_| refuse("makes no URL"))
    }

    /// Refuses a URL that is not the operation's. Path arguments are checked when they are given; this is the second
    /// line of defence, on the URL as it would be sent.
    pub(super) fn check(&self, url: &Url, operation: &Operation, route: &Route) -> Result<(), Error> {
        match self.below(url) {
            // Several arguments may stand in one segment, and some are of types of their own: what is sent is what counts.
            Some(path) if has_dot_segment(path) => Err(Error::refused(format!(
                "refused: an argument makes a dot segment in the path of {}{}, which a server may resolve to another path",
                self.text, operation.path
            ))),
            Some(path) if route.fits(path) => Ok(()),
            _ => Err(Error::refused(format!("refused: the request does not go to {}{}", self.text, operation.path))),
        }
    }

    /// Refuses a URL that a server named for the next page of a list, if it does not lie below the base URL: the credential
    /// goes with the request.
    pub(crate) fn check_link(&self, url: &Url) -> Result<(), Error> {
        let is_plain = url.username().is_empty() && url.password().is_none();
        match self.below(url) {
            Some(path) if is_plain && !has_dot_segment(path) && (path.is_empty() || path.starts_with('/')) => Ok(()),
            // The rest of the URL may hold anything.
            _ => Err(Error::refused(format!(
                "refused: the next page is at {}, and the credential is not sent beyond {}",
                url.origin().ascii_serialization(),
                self.text
            ))),
        }
    }

    /// Whether a URL is of the same origin.
    pub(crate) fn has_origin(&self, url: &Url) -> bool {
        url.scheme() == self.base.scheme()
            && url.host_str() == self.base.host_str()
            && url.port_or_known_default() == self.base.port_or_known_default()
    }

    /// The path below the base path, of a URL with the same origin.
    fn below<'u>(&self, url: &'u Url) -> Option<&'u str> {
        let is_same_origin = self.has_origin(url);
        url.path().strip_prefix(self.base.path().trim_end_matches('/')).filter(|_| is_same_origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::operation::Retry;

    #[test]
    fn a_path_of_the_callers_stays_below_the_base() {
        let scope = Scope::new(Url::parse("https://api.example.com/v1").expect("a URL"));
        assert_eq!(scope.url("/reports/1").expect("a path").as_str(), "https://api.example.com/v1/reports/1");
        for path in [
            "",
            "reports",
            "/..",
            "/a/%2E%2e/b",
            "/a/..;/b",
            "/a/.%2e;x=1",
            "/a%2f..%5cb",
            "/%252e%252E/b",
            "/a/%2e%2e%3bx/b",
            "/a?b=1",
            "/a#b",
            "/a\\..\\b",
            "/a\n",
        ] {
            assert!(scope.url(path).is_err(), "{path}");
        }
        // Part of the path, and no other host.
        assert_eq!(scope.url("//evil.example").expect("a path").host_str(), Some("api.example.com"));
    }

    #[test]
    fn a_link_of_a_server_is_followed_below_the_base_alone() {
        let scope = Scope::new(Url::parse("https://api.example.com/v1").expect("a URL"));
        let check = |url: &str| scope.check_link(&Url::parse(url).expect("a URL"));
        for url in [
            "https://api.example.com/v1/sms?page=2",
            "https://api.example.com:443/v1/lists/7/sms",
            "https://api.example.com/v1?page=2",
        ] {
            assert!(check(url).is_ok(), "{url}");
        }
        for url in [
            "https://evil.example/v1/sms?page=2",
            "http://api.example.com/v1/sms?page=2",
            "https://api.example.com:8443/v1/sms",
            "https://api.example.com@evil.example/v1/sms",
            "https://user:pass@api.example.com/v1/sms",
            "https://api.example.com/v2/sms",
            "https://api.example.com/v11/sms",
            "https://api.example.com/v1/..;/admin",
            "https://api.example.com/v1/%252e%252e/admin",
        ] {
            let error = check(url).expect_err(url);
            assert!(!error.to_string().contains("admin") && !error.to_string().contains("pass"), "{error}");
        }
    }

    #[test]
    fn another_origin_or_base_path_is_refused() {
        let operation = Operation { path: "/sms/{id}", ..Operation::undocumented("GET", Retry::Safe) };
        let route = Route::of(&operation);
        let scope = Scope::new(Url::parse("https://api.example.com/v1").expect("a URL"));
        let check = |url: &str| scope.check(&Url::parse(url).expect("a URL"), &operation, &route).is_ok();
        assert!(check("https://api.example.com/v1/sms/1?x=1"));
        assert!(check("https://api.example.com:443/v1/sms/1"));
        assert!(check("https://api.example.com/v1/sms/a.b%2Fc;d"));
        for url in [
            "https://api.example.com/v1/sms/../../sms/1",
            "https://api.example.com/v1/sms/..;x=1",
            "https://api.example.com/v1/sms/a%2F..%2Fb",
            "https://api.example.com/v1/sms/%252e%252e",
            "https://api.example.com/v1/sms/%25252e.%253bx",
            "https://api.example.com/sms/1",
            "https://api.example.com.evil.example/v1/sms/1",
            "https://evil.example/v1/sms/1",
            "http://api.example.com/v1/sms/1",
            "https://api.example.com:8443/v1/sms/1",
        ] {
            assert!(!check(url), "{url}");
        }
    }
}
