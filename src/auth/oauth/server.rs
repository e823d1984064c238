//! The metadata of an authorization server (RFC 8414, OpenID Connect Discovery 1.0).

use http::Method;
use http::header::{ACCEPT, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::{AuthorizationRequest, TokenEndpoint, TokenEndpointBuilder};
use crate::auth::http::{Http, checked_url};
use crate::error::Error;
use crate::error::body::{self, End};
use crate::http_client::{HttpClient, Own, Request, Sender};

/// The largest metadata document that is read, in bytes.
const BODY_LIMIT: usize = 1 << 20;

/// An authorization server, as it describes itself at a well-known place below its issuer identifier.
///
/// ```no_run
/// use keyfit::auth::oauth::{AuthorizationServer, ClientCredentials};
/// use keyfit::auth::source::EnvSource;
///
/// # async fn example() -> Result<(), keyfit::Error> {
/// let server = AuthorizationServer::discover("https://auth.example.com").await?;
/// let endpoint = server.token_endpoint("my-client")?.secret_in_header(EnvSource::new("MY_CLIENT_SECRET")).build()?;
/// let grant = ClientCredentials::new(endpoint).with_scopes(["read"]);
/// # drop(grant);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
pub struct AuthorizationServer {
    /// Its name, a URL.
    pub issuer: String,
    /// Where users are sent.
    pub authorization_endpoint: Option<String>,
    /// Where tokens are had.
    pub token_endpoint: Option<String>,
    /// Where tokens are revoked.
    pub revocation_endpoint: Option<String>,
    /// Where tokens are asked about.
    pub introspection_endpoint: Option<String>,
    /// Where codes for other devices are had.
    pub device_authorization_endpoint: Option<String>,
    /// Where authorization requests are pushed.
    pub pushed_authorization_request_endpoint: Option<String>,
    /// The scopes that it knows.
    #[serde(default)]
    pub scopes_supported: Vec<String>,
    /// The grants that it knows.
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    /// The methods of client authentication at the token endpoint.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// True if the server sends its issuer identifier with the callback (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl AuthorizationServer {
    /// Reads what the server with this issuer identifier says of itself, at `/.well-known/oauth-authorization-server` or
    /// `/.well-known/openid-configuration`.
    ///
    /// # Errors
    /// Returns an error if the issuer is neither https nor on a loopback host, or the server describes itself at neither place,
    /// or as another issuer (RFC 8414, section 3.3).
    pub async fn discover(issuer: &str) -> Result<Self, Error> {
        Self::discover_over(Http::default(), issuer).await
    }

    /// The same, asked by a client of your own, as that of [`Config::http_client`](crate::Config::http_client).
    ///
    /// # Errors
    /// Returns an error if [`discover`](Self::discover) would.
    pub async fn discover_by(client: impl HttpClient, issuer: &str) -> Result<Self, Error> {
        Self::discover_over(Http { own: Some(Own::new(client)), ..Http::default() }, issuer).await
    }

    async fn discover_over(http: Http, issuer: &str) -> Result<Self, Error> {
        let base = checked_url(issuer, "the issuer")?;
        Error::check_runtime()?;
        // All places are of one host.
        let sender = http.sender(&[&base])?;
        let mut why = String::new();
        for url in places(&base) {
            let mut request = Request::new(Method::GET, url);
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
            request.set_timeout(http.timeout);
            match Self::read(&sender, request).await {
                Ok(server) if server.issuer.trim_end_matches('/') == issuer.trim_end_matches('/') => return Ok(server),
                Ok(_) => "it names another issuer".clone_into(&mut why),
                Err(reason) if why.is_empty() => why = reason,
                Err(_) => {}
            }
        }
        let origin = base.origin().ascii_serialization();
        Err(Error::configuration(format!("the authorization server {origin} does not describe itself: {why}")))
    }

    async fn read(sender: &Sender, request: Request) -> Result<Self, String> {
        let asked = sender.send(request).await;
        let (head, mut body) = asked.map_err(|_| "it cannot be asked".to_owned())?.into_parts();
        if !head.status.is_success() {
            return Err(format!("it answers {}", head.status));
        }
        let body = body::read(&mut body, BODY_LIMIT).await;
        match body.end {
            End::Whole => serde_json::from_slice(&body.bytes).map_err(|_| "its answer is no metadata".to_owned()),
            End::Limit => Err("its answer is longer than 1 MiB".to_owned()),
            End::Broken(_) => Err("its answer ended early".to_owned()),
        }
    }

    /// Begins to describe its token endpoint, with all that it has beside it.
    ///
    /// # Errors
    /// Returns an error if the server has no token endpoint.
    pub fn token_endpoint(&self, client_id: impl Into<String>) -> Result<TokenEndpointBuilder, Error> {
        let url = self.token_endpoint.as_ref().ok_or_else(|| self.without("token_endpoint"))?;
        let mut builder = TokenEndpoint::builder(url, client_id);
        for (url, set) in [
            (&self.revocation_endpoint, TokenEndpointBuilder::revocation_endpoint as fn(_, String) -> _),
            (&self.introspection_endpoint, TokenEndpointBuilder::introspection_endpoint),
            (&self.device_authorization_endpoint, TokenEndpointBuilder::device_authorization_endpoint),
            (&self.pushed_authorization_request_endpoint, TokenEndpointBuilder::pushed_authorization_request_endpoint),
        ] {
            if let Some(url) = url {
                builder = set(builder, url.clone());
            }
        }
        Ok(builder)
    }

    /// Where users are sent to consent. A server that names itself on the way back is held to it.
    ///
    /// # Errors
    /// Returns an error if the server has no authorization endpoint, or [`AuthorizationRequest::new`] would.
    pub fn authorization(
        &self,
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Result<AuthorizationRequest, Error> {
        let url = self.authorization_endpoint.as_ref().ok_or_else(|| self.without("authorization_endpoint"))?;
        let request = AuthorizationRequest::new(url, client_id, redirect_uri)?;
        Ok(if self.authorization_response_iss_parameter_supported { request.issuer(&self.issuer) } else { request })
    }

    fn without(&self, member: &str) -> Error {
        Error::configuration(format!("the authorization server {} names no `{member}`", self.issuer))
    }
}

/// Where the metadata may be: by RFC 8414 between host and path, by OpenID Connect behind the path.
fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    let mut places = vec![
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("{path}/.well-known/openid-configuration")),
        at(format!("/.well-known/openid-configuration{path}")),
    ];
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_the_standards_put_it() {
        let places = |issuer: &str| -> Vec<String> {
            places(&Url::parse(issuer).expect("a URL")).into_iter().map(Into::into).collect()
        };
        assert_eq!(
            places("https://a.example/"),
            [
                "https://a.example/.well-known/oauth-authorization-server",
                "https://a.example/.well-known/openid-configuration"
            ]
        );
        assert_eq!(
            places("https://a.example/tenant"),
            [
                "https://a.example/.well-known/oauth-authorization-server/tenant",
                "https://a.example/tenant/.well-known/openid-configuration",
                "https://a.example/.well-known/openid-configuration/tenant"
            ]
        );
    }
}
