//! The servers under test: the one at the base URL, and those that operations have for themselves.

use keyfit_openapi::{Api, Operation};
use reqwest::Url;

use super::is_loopback;
use crate::UserError;
use crate::judgement::missing::Missing;

/// The destinations of requests. Tokens are sent only to hosts that the user names: the servers of a document may belong to another
/// environment.
#[derive(Clone, Debug)]
pub struct Servers {
    base: Url,
    /// The documented servers, with the URLs that replace them.
    others: Vec<(String, Url)>,
}

impl Servers {
    /// Creates the servers for an API below a base URL: for all operations if that is on the local machine, otherwise for those without a
    /// server of their own.
    pub fn new(base: Url) -> Self {
        Self { base, others: Vec::new() }
    }

    /// Adds URLs that replace documented servers.
    ///
    /// # Errors
    /// Returns an error if no operation of the API has such a server.
    pub fn with(mut self, api: &Api, others: &[(String, Url)]) -> Result<Self, UserError> {
        known(api, others)?;
        self.others.extend_from_slice(others);
        Ok(self)
    }

    /// Returns the base URL.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Returns the URL below which the path of an operation is.
    pub(super) fn of(&self, operation: &Operation) -> Result<&Url, Missing> {
        let Some(server) = &operation.server else { return Ok(&self.base) };
        let is_base = || Url::parse(server).is_ok_and(|url| trimmed(&url) == trimmed(&self.base));
        match self.others.iter().find(|(known, _)| known == server) {
            Some((_, url)) => Ok(url),
            // A replacement of an API on the local machine, such as a mock, serves all operations.
            None if is_loopback(&self.base) || is_base() => Ok(&self.base),
            None => Err(Missing::new("it has a server of its own, to which no token is sent unasked")
                .pass_value("--server", format!("'{server}=URL'"))),
        }
    }
}

fn trimmed(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

/// Checks that operations have the servers that URLs are to replace.
///
/// # Errors
/// Returns an error if no operation has such a server. It names the documented ones.
pub fn known(api: &Api, others: &[(String, Url)]) -> Result<(), UserError> {
    let is_unknown = |documented: &&String| api.servers.iter().all(|known| known.url != **documented);
    let Some(unknown) = others.iter().map(|(documented, _)| documented).find(is_unknown) else { return Ok(()) };
    let known: Vec<String> = api.servers.iter().map(|known| format!("`{}`", known.url)).collect();
    let help = match known.as_slice() {
        [] => "all of them are below the base URL: leave --server out".to_owned(),
        known => format!("the document has {}", known.join(", ")),
    };
    Err(UserError::new(format!("--server: no operation has a server `{unknown}` of its own")).help(help))
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};

    use super::*;

    const DOCUMENT: &str = "
openapi: 3.0.3
info: {title: Files, version: '1'}
servers: [{url: 'https://api.example/v1'}]
paths:
  /files:
    get: {operationId: list, responses: {'200': {description: ok}}}
    post:
      operationId: upload
      servers: [{url: 'https://upload.example/v1/'}]
      responses: {'200': {description: ok}}
";

    fn api() -> Api {
        let document = Text::new("openapi.yaml", DOCUMENT);
        Api::read(&Source { name: "files".to_owned(), document, overlay: None, contract: None }).expect("an API")
    }

    /// Returns the URL of the upload for this base URL, with this replacement of its server.
    fn upload(base: &str, other: Option<&str>) -> Result<String, String> {
        let url = |text: &str| text.parse::<Url>().expect("a URL");
        let others: Vec<(String, Url)> =
            other.into_iter().map(|other| ("https://upload.example/v1".to_owned(), url(other))).collect();
        let (api, servers) = (api(), Servers::new(url(base)));
        let servers = servers.with(&api, &others).expect("a server of the document");
        assert_eq!(servers.of(&api.operations[0]).map(Url::as_str).ok(), Some(url(base).as_str()));
        servers.of(&api.operations[1]).map(Url::to_string).map_err(|missing| missing.to_string())
    }

    #[test]
    fn no_token_is_sent_to_a_host_that_the_user_does_not_name() {
        for base in ["https://staging.example/v1", "https://api.example/v1"] {
            let refused = upload(base, None).expect_err(base);
            assert!(refused.contains("--server 'https://upload.example/v1=URL'"), "{refused}");
            assert_eq!(
                upload(base, Some("https://files.staging.example/")),
                Ok("https://files.staging.example/".into())
            );
        }
        assert_eq!(upload("https://upload.example/v1/", None), Ok("https://upload.example/v1/".into()));
        assert_eq!(upload("http://127.0.0.1:1/v1", None), Ok("http://127.0.0.1:1/v1".into()));
    }

    #[test]
    fn a_server_that_no_operation_has_is_refused_with_those_that_there_are() {
        let others = [("https://api.example/v1".to_owned(), "https://a.example".parse().expect("a URL"))];
        let error = known(&api(), &others).expect_err("the server of the API").to_string();
        assert!(error.contains("https://upload.example/v1"), "{error}");
    }
}
