//! The servers of an API: the one below the base URL, and those that operations have for themselves.

use url::Url;

use super::scope::Scope;
use crate::auth::http::{checked_base, is_loopback};
use crate::client::Config;
use crate::error::{Api, Error, Operation};

/// Where a client sends what. A base URL of the user's is another environment than the documented one, in which the servers of
/// operations are not known: a token of a test would reach the production.
pub(crate) struct Servers {
    base: Scope,
    /// The other servers that the document names, and where their operations are sent, or why they are not.
    others: Vec<(&'static str, Result<Scope, Refused>)>,
}

/// Why the operations of a server are not sent.
enum Refused {
    /// The documented URL is not one that a credential may be sent to.
    Unusable(String),
    /// The base URL is that of another environment.
    Unknown,
}

impl Servers {
    /// # Errors
    /// Returns an error if a URL may not be used, or the configuration has one for a server that no operation has.
    pub(super) fn new(api: &'static Api, config: &Config) -> Result<Self, Error> {
        let base = Scope::new(config.checked_base_url(api.base_url())?);
        let mut servers = Self { base, others: Vec::new() };
        for server in api.operations.iter().filter_map(|operation| operation.server) {
            if servers.others.iter().all(|(known, _)| *known != server) {
                let place = servers.place(api, config, server)?;
                servers.others.push((server, place));
            }
        }
        match config.servers().find(|documented| servers.others.iter().all(|(known, _)| known != documented)) {
            None => Ok(servers),
            Some(unknown) => Err(servers.unknown(unknown)),
        }
    }

    /// Where the operations of a server are sent.
    fn place(&self, api: &Api, config: &Config, server: &str) -> Result<Result<Scope, Refused>, Error> {
        if let Some(given) = config.checked_server(server)? {
            return Ok(Ok(Scope::new(given)));
        }
        let documented = checked_base(server, "it has a server of its own, which");
        let is_base = |url: Result<Url, Error>| url.is_ok_and(|url| url == *self.base.base());
        Ok(if is_base(checked_base(api.base_url(), "the base URL")) {
            documented.map(Scope::new).map_err(|error| Refused::Unusable(error.to_string()))
        } else if is_base(documented) || is_loopback(self.base.base()) {
            // What stands in for an API on this machine, such as a mock, does so for all of it.
            Ok(self.base.clone())
        } else {
            Err(Refused::Unknown)
        })
    }

    fn unknown(&self, unknown: &str) -> Error {
        let known: Vec<String> = self.others.iter().map(|(server, _)| format!("`{server}`")).collect();
        let known = if known.is_empty() { "none does".to_owned() } else { format!("they are {}", known.join(", ")) };
        Error::configuration(format!(
            "no operation of the API has `{}` as a server of its own: {known}; for all others there is `Config::base_url`",
            unknown.escape_debug()
        ))
    }

    /// The URLs that requests go to.
    pub(super) fn places(&self) -> Vec<&Url> {
        let others = self.others.iter().filter_map(|(_, place)| place.as_ref().ok());
        std::iter::once(&self.base).chain(others).map(Scope::base).collect()
    }

    /// The server of the operations that have none of their own.
    pub(super) fn base(&self) -> &Scope {
        &self.base
    }

    /// The server of an operation.
    ///
    /// # Errors
    /// Returns an error if it is not known in the environment of the base URL, or no credential may be sent to it.
    pub(super) fn of(&self, operation: &Operation) -> Result<&Scope, Error> {
        let Some(server) = operation.server else { return Ok(&self.base) };
        let known = self.others.iter().find(|(known, _)| *known == server);
        let why = match known.map(|(_, place)| place) {
            Some(Ok(scope)) => return Ok(scope),
            Some(Err(Refused::Unusable(why))) => why.clone(),
            Some(Err(Refused::Unknown)) | None => format!(
                "it has a server of its own, and the base URL {} is not the documented one",
                self.base.base_url()
            ),
        };
        Err(Error::configuration(format!(
            "the operation is not sent: {why}. Say where it goes: `Config::server(\"{server}\", url)`"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static OPERATIONS: [Operation; 4] = [
        Operation::new("list", "list", "GET", "/files"),
        Operation::new("upload", "upload", "POST", "/files").with_server("https://upload.example.com/v1"),
        Operation::new("fetch", "fetch", "GET", "/files/{id}").with_server("https://upload.example.com/v1"),
        Operation::new("plain", "plain", "GET", "/plain").with_server("http://plain.example.com"),
    ];
    static API: Api = Api::new("files").with_base_urls(&["https://api.example.com/v1"]).with_operations(&OPERATIONS);

    /// Where each operation goes.
    fn places(config: &Config) -> Vec<String> {
        let servers = Servers::new(&API, config).expect("a configuration");
        let place = |operation| match servers.of(operation) {
            Ok(scope) => scope.base_url().to_owned(),
            Err(error) => error.to_string(),
        };
        OPERATIONS.iter().map(place).collect()
    }

    #[test]
    fn the_documented_servers_are_used_with_the_documented_base_url() {
        for config in [Config::default(), Config::default().base_url("https://api.example.com/v1/")] {
            let [list, upload, fetch, plain] = &*places(&config) else { panic!("four operations") };
            assert_eq!(list, "https://api.example.com/v1");
            assert_eq!([upload, fetch], ["https://upload.example.com/v1"; 2]);
            assert!(plain.contains("plain http") && plain.contains("Config::server"), "{plain}");
        }
    }

    #[test]
    fn no_operation_leaves_the_environment_of_a_base_url() {
        let [list, upload, fetch, plain] = &*places(&Config::default().base_url("https://staging.example.com/v1"))
        else {
            panic!("four operations")
        };
        assert_eq!(list, "https://staging.example.com/v1");
        for refused in [upload, fetch] {
            assert!(refused.contains("Config::server(\"https://upload.example.com/v1\", url)"), "{refused}");
        }
        assert!(plain.contains("Config::server(\"http://plain.example.com\", url)"), "{plain}");
    }

    #[test]
    fn a_server_on_this_machine_stands_in_for_all_of_an_api() {
        assert_eq!(places(&Config::default().base_url("http://127.0.0.1:4010/v1")), ["http://127.0.0.1:4010/v1"; 4]);
    }

    #[test]
    fn a_base_url_that_is_the_server_of_an_operation_is_where_that_one_goes() {
        let upload = "https://upload.example.com/v1";
        assert_eq!(places(&Config::default().base_url(upload))[..3], [upload; 3]);
    }

    #[test]
    fn a_server_is_where_the_configuration_says() {
        let other = "https://upload.staging.example.com";
        for config in [Config::default(), Config::default().base_url("https://staging.example.com")] {
            let config =
                config.server("https://upload.example.com/v1", other).server("http://plain.example.com/", other);
            assert_eq!(places(&config)[1..], [other; 3]);
        }
    }

    #[test]
    fn a_server_that_no_operation_has_or_that_no_credential_may_reach_is_refused() {
        for (server, url, problem) in [
            ("https://uploads.example.com", "https://a.example", "they are `https://upload.example.com/v1`"),
            ("https://api.example.com/v1", "https://a.example", "for all others there is `Config::base_url`"),
            ("https://upload.example.com/v1", "http://a.example", "plain http"),
            ("https://upload.example.com/v1", "https://user:hunter2@a.example", "user name or password"),
        ] {
            let config = Config::default().server(server, url);
            let Err(error) = Servers::new(&API, &config) else { panic!("{server}: refused") };
            assert!(error.to_string().contains(problem), "{error}");
            assert!(!format!("{error}{config:?}").contains("hunter2"), "{error}");
        }
    }
}
