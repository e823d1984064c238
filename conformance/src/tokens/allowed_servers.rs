//! The authorization servers that a run may call: at the host of the API, and those that the user names.

use std::collections::BTreeSet;

use reqwest::Url;

use crate::contract::{AuthorizationServer, Endpoint};
use crate::judgement::missing::Missing;

/// The authorization servers that a run may call.
#[derive(Clone, Debug)]
pub struct AllowedServers {
    api: String,
    /// Without a trailing slash, each with its origin.
    named: Vec<(String, String)>,
}

impl AllowedServers {
    /// Creates the roots from the host of an API and the user's roots. If there are any, the first one is the root of all endpoints for which
    /// the contract has no host.
    pub fn new(base_url: &Url, named: &[Url]) -> Self {
        let root = |url: &Url| (url.as_str().trim_end_matches('/').to_owned(), origin(url));
        Self { api: origin(base_url), named: named.iter().map(root).collect() }
    }

    /// Returns whether the user named the host of a URL.
    pub(super) fn names(&self, url: &Url) -> bool {
        self.named.iter().any(|(_, named)| *named == origin(url))
    }

    /// Returns the URL of an endpoint. If the contract has its own host for it, it is called there once the user names that host. If the user
    /// only names hosts that the contract does not know, the first of them replaces it.
    pub(super) fn url(&self, endpoint: &Endpoint, server: &AuthorizationServer) -> Result<String, Missing> {
        let first = self.named.first().map_or(self.api.as_str(), |(root, _)| root.as_str());
        let Some(own) = endpoint.origin().and_then(|own| Some(origin(&own.parse().ok()?))) else {
            return Ok(endpoint.below(first));
        };
        let known: BTreeSet<String> =
            server.endpoints().filter_map(|(_, endpoint)| Some(origin(&endpoint.origin()?.parse().ok()?))).collect();
        let is_named = |host: &String| self.named.iter().any(|(_, named)| named == host);
        if own == self.api || is_named(&own) {
            return Ok(endpoint.below(&own));
        }
        if self.named.is_empty() || known.iter().any(is_named) {
            let what = format!("the authorization server is at {own}, which is asked only where the run names it");
            return Err(Missing::new(what).pass_value("--authorization-server", own));
        }
        Ok(endpoint.below(first))
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;
    use keyfit_openapi::Text;

    fn server(urls: &str) -> AuthorizationServer {
        let text = format!(
            "name = 'a'\ncredential = [{{ kind = 'token', carriers = ['header'], source = {{ page = 'p' }} }}]\nerrors = {{}}\nrule = []\n\
             [sources]\np = {{ title = 'p', url = 'p' }}\n[authorization-server]\n{urls}\ntoken-body = 'form'\n\
             client-authentication = ['basic']\nlifetime-seconds = 60\nrotation = 'off'\ngrant-types = ['client_credentials']\n\
             issues = 'token'\nscopes = []\nsource = {{ page = 'p' }}\n"
        );
        let contract = Contract::read(&Text::new("contract.toml", text)).unwrap_or_else(|failure| panic!("{failure}"));
        contract.authorization_server.expect("it has one")
    }

    fn asked(named: &[&str], urls: &str) -> Result<String, String> {
        let named: Vec<Url> = named.iter().map(|url| url.parse().expect("a URL")).collect();
        let roots = AllowedServers::new(&"https://api.example/v1".parse().expect("a URL"), &named);
        let server = server(urls);
        roots.url(server.token_url.as_ref().expect("it has one"), &server).map_err(|missing| missing.to_string())
    }

    #[test]
    fn an_endpoint_is_asked_where_the_user_lets_it() {
        let path = "token-url = '/token'";
        assert_eq!(asked(&[], path), Ok("https://api.example/token".to_owned()));
        assert_eq!(asked(&["https://id.example/t/"], path), Ok("https://id.example/t/token".to_owned()));
        let query = "token-url = '/token?for=https://id.example'";
        assert_eq!(asked(&[], query), Ok("https://api.example/token?for=https://id.example".to_owned()));
        let whole = "token-url = 'https://id.example/token'";
        let refused = "the authorization server is at https://id.example, which is asked only where the run names it: pass --authorization-server https://id.example";
        assert_eq!(asked(&[], whole), Err(refused.to_owned()));
        assert_eq!(asked(&["https://id.example"], whole), Ok("https://id.example/token".to_owned()));
        assert_eq!(asked(&["http://127.0.0.1:9"], whole), Ok("http://127.0.0.1:9/token".to_owned()));
        let two = "token-url = 'https://id.example/token'\nauthorization-url = 'https://login.example/consent'";
        assert_eq!(asked(&["https://login.example"], two), Err(refused.to_owned()), "the other one was not named");
        let both = asked(&["https://login.example", "https://id.example"], two);
        assert_eq!(both, Ok("https://id.example/token".to_owned()));
        assert_eq!(
            asked(&[], "token-url = 'https://API.example:443/token'"),
            Ok("https://api.example/token".to_owned())
        );
    }
}
