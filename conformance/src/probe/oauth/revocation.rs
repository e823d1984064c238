//! Token revocation (RFC 7009). Each token is granted for this purpose: no token of an identity is revoked.

use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use tokio::time::Instant;

use super::super::reply::Reply;
use super::super::request::Draft;
use super::{CODE, OAuthFlow, OWN, Pairs, Stop, consent, member, own, redeem, verifier};
use crate::contract::{ClientAuthentication, Endpoint, GrantType, Level, OauthProbe, WELL_KNOWN};
use crate::credential::identity::{Client, ClientKind};

/// The wait before each further call with a revoked token: RFC 7009 permits a delay until all servers know about it.
const WAITS: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1)];

impl OAuthFlow<'_> {
    /// Revokes a token, and sends the requests of the probe around it.
    pub(super) async fn revocations(&mut self, probe: OauthProbe) -> Result<(), Stop> {
        let client = self.client(ClientKind::Confidential, self.own_grants(), &self.scope(false))?;
        let url = self.revocation_endpoint(&client).await?;
        if probe == OauthProbe::RevokeUnknown {
            return self.revoke(&url, &client, "keyfit-no-such-token").await.map(drop);
        }
        let (client, access) = self.token_to_give_up().await?;
        match probe {
            OauthProbe::RevokeWithoutSecret => {
                let pairs: Pairs = vec![("token", access)];
                let nobody = Client { secret: None, ..client };
                let draft = self.form_draft(url, &nobody, pairs, ClientAuthentication::Body);
                self.send(&draft).await.map(drop)
            }
            OauthProbe::RevokeAgain => {
                self.done(&url, &client, &access).await?;
                self.revoke(&url, &client, &access).await.map(drop)
            }
            OauthProbe::CallAfterRevocation => self.call_after_revocation(&url, &client, &access).await,
            _ => self.revoke(&url, &client, &access).await.map(drop),
        }
    }

    async fn call_after_revocation(&mut self, url: &Url, client: &Client, access: &str) -> Result<(), Stop> {
        self.call(access).await?;
        let before = self.sent.last().and_then(super::SentRequest::answer).map(|reply| reply.status);
        if !before.is_some_and(|status| (200..300).contains(&status)) {
            return Err(Stop::missing("a call with the token is not served before it is revoked"));
        }
        self.done(url, client, access).await?;
        // A self-contained token may be validated without asking its issuer.
        if access.split('.').count() == 3 {
            self.at_most = Level::Should;
        }
        self.call(access).await?;
        for wait in WAITS {
            let is_served = self.sent.last().and_then(super::SentRequest::answer).is_some_and(Reply::is_success);
            let Some(live) = self.maker.live.filter(|_| is_served) else { break };
            if !live.limit_windows.waits_until(Instant::now() + wait).await {
                break;
            }
            self.call(access).await?;
        }
        Ok(())
    }

    /// Revokes a token as a precondition: the answer is not judged.
    async fn done(&mut self, url: &Url, client: &Client, token: &str) -> Result<(), Stop> {
        match self.revoke(url, client, token).await?.status {
            200 => Ok(()),
            status => Err(Stop::missing(format!("the revocation of a token is answered with {status}"))),
        }
    }

    async fn revoke(&mut self, url: &Url, client: &Client, token: &str) -> Result<Reply, Stop> {
        let draft = self.form_draft(url.clone(), client, vec![("token", token.to_owned())], self.way(client));
        let reply = self.send(&draft).await?;
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if body["error"] == "unsupported_token_type" {
            return Err(Stop::missing(
                "the server does not revoke tokens of this type, as `unsupported_token_type` says",
            ));
        }
        Ok(reply)
    }

    fn own_grants(&self) -> &'static [GrantType] {
        if self.server.grants(GrantType::ClientCredentials) { &OWN } else { &CODE }
    }

    /// Requests a token for this purpose, which may be revoked without harm.
    async fn token_to_give_up(&mut self) -> Result<(Client, String), Stop> {
        let scope = self.scope(false);
        let client = self.client(ClientKind::Confidential, self.own_grants(), &scope)?;
        let pairs = if self.server.grants(GrantType::ClientCredentials) {
            own(&scope)
        } else {
            let code = self.code(&consent(&client, &scope, &verifier(7))).await?;
            redeem(&client, &code, &verifier(7))
        };
        let answer = self.token(&client, pairs).await?;
        let access = member(&answer, "access_token")?;
        if self.maker.identities.known().iter().any(|known| known.secret.reveal() == access) {
            return Err(Stop::missing("the server grants the token that an identity of the tokens file calls with"));
        }
        Ok((client, access))
    }

    /// Returns the revocation endpoint: from the client in the tokens file, from the contract, or from the server's metadata.
    async fn revocation_endpoint(&mut self, client: &Client) -> Result<Url, Stop> {
        if let Some(said) = client.revocation_url.as_ref().or(self.server.revocation_url.as_ref()) {
            return self.endpoint(Some(said), "revocation-url");
        }
        for described in self.descriptions() {
            let url = self.endpoint(Some(&described), "discovery-url")?;
            let reply = self.send(&Draft::outside("GET", url.clone())).await?;
            let metadata: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let metadata = metadata["revocation_endpoint"].as_str().filter(|_| reply.is_success());
            let Some(endpoint) = metadata.map(Endpoint::new).filter(Endpoint::is_sound) else { continue };
            // If it is at the host of the metadata, it is called there.
            let is_here = Url::parse(&endpoint.to_string()).is_ok_and(|there| there.origin() == url.origin());
            let endpoint = if is_here { Endpoint::new(endpoint.below("")) } else { endpoint };
            return self.endpoint(Some(&endpoint), "revocation-url");
        }
        Err(Stop::missing(
            "nothing says where tokens are revoked: name it as `revocation-url` under [authorization-server] in the contract, or at the [[client]] \
             of the tokens file",
        ))
    }

    /// Returns the possible locations of the server's metadata.
    fn descriptions(&self) -> Vec<Endpoint> {
        if let Some(described) = &self.server.discovery_url {
            return vec![described.clone()];
        }
        let origin = self.server.token_url.as_ref().and_then(Endpoint::origin).unwrap_or_default();
        WELL_KNOWN.iter().rev().map(|path| Endpoint::new(format!("{origin}{path}"))).collect()
    }
}
