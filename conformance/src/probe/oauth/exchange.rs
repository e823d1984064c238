//! Single requests of a flow, and what the next one needs of their answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, LOCATION};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::super::reply::Reply;
use super::super::request::{Draft, FORM, JSON};
use super::{Flow, Pairs, Stop};
use crate::contract::{Carrier, ClientAuthentication, GrantType, Probe, TokenBody};
use crate::identity::{Client, ClientKind, ClientNeed};
use crate::secret::Secret;

impl Flow<'_> {
    /// A call to the API with an access token.
    pub(super) async fn call(&mut self, access: &str) -> Result<(), Stop> {
        let draft = self.maker.draft(&Probe::Valid, self.operation, self.identity).map_err(Stop::Missing)?;
        let draft = draft.with(&Carrier::Header, access);
        self.send(&draft).await.map(drop)
    }

    pub(super) async fn code(&mut self, client: &Client, consent: &Pairs) -> Result<String, Stop> {
        let reply = self.authorize(client, consent).await?;
        in_redirect(&reply, "code").ok_or_else(|| Stop::Broken("there is no code to go on with".to_owned()))
    }

    pub(super) async fn authorize(&mut self, client: &Client, pairs: &Pairs) -> Result<Reply, Stop> {
        let mut url = endpoint(client, &self.server.authorize_path)?;
        url.query_pairs_mut().extend_pairs(pairs);
        let reply = self.send(&Draft::outside("GET", url)).await?;
        if let Some(code) = in_redirect(&reply, "code") {
            self.learn(&code);
        }
        Ok(reply)
    }

    pub(super) async fn token(&mut self, client: &Client, pairs: Pairs) -> Result<Value, Stop> {
        let draft = self.token_draft(client, pairs, self.way(client))?;
        self.granted(&draft).await
    }

    /// Sends a token request, and learns the secrets of the answer so that no report shows them.
    pub(super) async fn granted(&mut self, draft: &Draft) -> Result<Value, Stop> {
        let reply = self.send(draft).await?;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        for name in ["access_token", "refresh_token"] {
            if let Some(secret) = answer[name].as_str() {
                self.learn(secret);
            }
        }
        Ok(answer)
    }

    pub(super) fn token_draft(
        &self,
        client: &Client,
        mut pairs: Pairs,
        way: ClientAuthentication,
    ) -> Result<Draft, Stop> {
        let mut draft = Draft::outside("POST", endpoint(client, &self.server.token_path)?);
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
        Ok(Draft { body: Some(body.into_bytes()), media_type: media_type.into(), ..draft })
    }

    async fn send(&mut self, draft: &Draft) -> Result<Reply, Stop> {
        self.target.step(draft, &mut self.sent).await
    }

    /// A client of a kind that may ask for these scopes by these grants.
    pub(super) fn client(&self, kind: ClientKind, grants: &[GrantType], scope: &str) -> Result<Client, Stop> {
        self.client_with(kind, grants, scope, None)
    }

    /// The same, where it matters how the client authenticates.
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

    /// Keeps a secret out of reports, as it is and as URLs and forms hold it.
    fn learn(&self, secret: &str) {
        self.target.redactor.learn(&Secret::new(secret));
        self.target.redactor.learn(&Secret::new(encoded(secret)));
    }
}

/// A parameter of the redirect that an answer is.
pub(in super::super) fn in_redirect(reply: &Reply, name: &str) -> Option<String> {
    let location = Url::parse(reply.headers.get(LOCATION)?.to_str().ok()?).ok()?;
    location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn endpoint(client: &Client, path: &str) -> Result<Url, Stop> {
    let text = format!("{}{path}", client.server);
    Url::parse(&text).map_err(|error| Stop::Broken(format!("`{text}` is no URL: {error}")))
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
