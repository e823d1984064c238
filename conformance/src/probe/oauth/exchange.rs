//! Single requests of an OAuth flow, and the values that the next request needs from their answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, LOCATION};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::super::at_once::used_twice;
use super::super::reply::Reply;
use super::super::request::{Draft, FORM, JSON};
use super::{OAuthFlow, Pairs, SentRequest, Stop};
use crate::contract::{Carrier, ClientAuthentication, Endpoint, GrantType, Probe, TokenBody};
use crate::credential::identity::{Client, ClientKind, ClientNeed};
use crate::credential::secret::Secret;

impl OAuthFlow<'_> {
    /// Calls the API with an access token.
    pub(super) async fn call(&mut self, access: &str) -> Result<(), Stop> {
        let draft = self.maker.draft(&Probe::Valid, self.operation, self.identity).map_err(Stop::Missing)?;
        let draft = draft.with(&Carrier::Header, access);
        self.send(&draft).await.map(drop)
    }

    pub(super) async fn code(&mut self, consent: &Pairs) -> Result<String, Stop> {
        let reply = self.authorize(consent).await?;
        in_redirect(&reply, "code").ok_or_else(|| Stop::Broken("there is no code to go on with".to_owned()))
    }

    pub(super) async fn authorize(&mut self, pairs: &Pairs) -> Result<Reply, Stop> {
        let mut url = self.endpoint(self.server.authorization_url.as_ref(), "authorization-url")?;
        url.query_pairs_mut().extend_pairs(pairs);
        let reply = self.send(&Draft::outside("GET", url)).await?;
        let secrets =
            [in_redirect(&reply, "code"), in_redirect(&reply, "access_token"), in_fragment(&reply, "access_token")];
        secrets.into_iter().flatten().for_each(|secret| self.learn(&secret));
        Ok(reply)
    }

    pub(super) async fn token(&mut self, client: &Client, pairs: Pairs) -> Result<Value, Stop> {
        let draft = self.token_draft(client, pairs, self.way(client))?;
        self.request_token(&draft).await
    }

    /// Sends a token request, and registers the secrets of its answer for redaction.
    pub(super) async fn request_token(&mut self, draft: &Draft) -> Result<Value, Stop> {
        let reply = self.send(draft).await?;
        Ok(self.learned(&reply))
    }

    /// Sends a token request for a single-use value twice concurrently. Of the two answers, a refusal is judged.
    pub(super) async fn twice_at_once(&mut self, client: &Client, pairs: Pairs, what: &str) -> Result<(), Stop> {
        let draft = self.token_draft(client, pairs, self.way(client))?;
        let mut both = self.target.send_together(&[draft.clone(), draft]).await?;
        both.iter().filter_map(SentRequest::answer).for_each(|reply| drop(self.learned(reply)));
        both.sort_by_key(|one| one.answer().map(|reply| reply.status));
        let judged = used_twice(&both, what);
        self.sent.append(&mut both);
        judged
    }

    /// Returns the body of an answer as JSON, and registers its secrets for redaction.
    fn learned(&self, reply: &Reply) -> Value {
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        for name in ["access_token", "refresh_token", "device_code"] {
            if let Some(secret) = answer[name].as_str() {
                self.learn(secret);
            }
        }
        answer
    }

    pub(super) fn token_draft(&self, client: &Client, pairs: Pairs, way: ClientAuthentication) -> Result<Draft, Stop> {
        let url = match pairs.iter().find(|(name, _)| *name == "grant_type").map(|(_, grant)| grant.as_str()) {
            Some("refresh_token") => self.endpoint(self.server.refresh_endpoint(), "token-url")?,
            _ => self.endpoint(self.server.token_url.as_ref(), "token-url")?,
        };
        Ok(self.form_draft(url, client, pairs, way))
    }

    /// Returns a request of a client to an endpoint that requires client authentication.
    pub(super) fn form_draft(&self, url: Url, client: &Client, mut pairs: Pairs, way: ClientAuthentication) -> Draft {
        let mut draft = Draft::outside("POST", url);
        match (way, &client.secret) {
            (ClientAuthentication::Basic, Some(secret)) => {
                let pair = STANDARD.encode(format!("{}:{}", encoded(&client.id), encoded(secret.reveal())));
                self.target.redactor.learn(&Secret::new(&*pair));
                draft.secrets.push(Secret::new(&*pair));
                draft.credentials.push((AUTHORIZATION, format!("Basic {pair}")));
            }
            (_, secret) => {
                if let Some(secret) = secret {
                    self.learn(secret.reveal());
                }
                pairs.push(("client_id", client.id.clone()));
                pairs.extend(secret.as_ref().map(|secret| ("client_secret", secret.reveal().to_owned())));
            }
        }
        let (body, media_type) = match self.server.token_body {
            TokenBody::Form => (Serializer::new(String::new()).extend_pairs(&pairs).finish(), FORM),
            TokenBody::Json => {
                let members = pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value)));
                (Value::Object(members.collect()).to_string(), JSON)
            }
        };
        Draft { body: Some(body.into_bytes()), media_type: media_type.into(), ..draft }
    }

    /// Returns the URL of an endpoint, if requests to it are allowed.
    pub(super) fn endpoint(&self, endpoint: Option<&Endpoint>, name: &str) -> Result<Url, Stop> {
        let missing = || Stop::missing(format!("the contract names no `{name}` of the authorization server"));
        let endpoint = endpoint.ok_or_else(missing)?;
        let text = self.maker.identities.endpoint(endpoint, self.server).map_err(Stop::Missing)?;
        Url::parse(&text).map_err(|error| Stop::Broken(format!("`{text}` is no URL: {error}")))
    }

    pub(super) async fn send(&mut self, draft: &Draft) -> Result<Reply, Stop> {
        self.target.step(draft, &mut self.sent).await
    }

    /// Returns a client of a kind that may request these scopes with these grants.
    pub(super) fn client(&self, kind: ClientKind, grants: &[GrantType], scope: &str) -> Result<Client, Stop> {
        self.client_with(kind, grants, scope, None)
    }

    /// Returns a client of a kind that authenticates in this way.
    pub(super) fn client_with(
        &self,
        kind: ClientKind,
        grants: &[GrantType],
        scope: &str,
        authentication: Option<ClientAuthentication>,
    ) -> Result<Client, Stop> {
        let scopes = scope.split_whitespace().map(str::to_owned).collect();
        let need = ClientNeed { kind, grants: grants.iter().copied().collect(), authentication, scopes };
        self.maker.identities.client(&need).map_err(Stop::Missing)
    }

    /// Registers a secret for redaction, both verbatim and form-encoded.
    fn learn(&self, secret: &str) {
        self.target.redactor.learn(&Secret::new(secret));
        self.target.redactor.learn(&Secret::new(encoded(secret)));
    }
}

/// Returns a parameter from the query of a redirect.
pub(in super::super) fn in_redirect(reply: &Reply, name: &str) -> Option<String> {
    let location = Url::parse(reply.headers.get(LOCATION)?.to_str().ok()?).ok()?;
    location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Returns a parameter from the fragment of a redirect.
pub(in super::super) fn in_fragment(reply: &Reply, name: &str) -> Option<String> {
    let location = Url::parse(reply.headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let mut pairs = url::form_urlencoded::parse(location.fragment()?.as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
