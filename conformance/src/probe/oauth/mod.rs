//! The requests of a probe to an authorization server: from consent to code to tokens to a call. The last answer is judged.

mod exchange;
mod revocation;

use keyfit_openapi::Operation;
use serde_json::Value;

pub(super) use self::exchange::{in_fragment, in_redirect};
use super::flow::Stop;
use super::request::{Draft, DraftBuilder};
use super::{SentRequest, TargetServer};
use crate::contract::{AuthorizationServer, ClientAuthentication, GrantType, Level, OauthProbe};
use crate::credential::identity::{Client, ClientKind, Identity};
use crate::credential::jws;
use crate::credential::secret::Secret;
use crate::judgement::missing::Missing;

/// The grants of an authorization code, of a later refresh, and of the client credentials.
const CODE: [GrantType; 1] = [GrantType::AuthorizationCode];
const REFRESH: [GrantType; 2] = [GrantType::AuthorizationCode, GrantType::RefreshToken];
const OWN: [GrantType; 1] = [GrantType::ClientCredentials];

/// The value of the `state` parameter.
const STATE: &str = "keyfit-state";

/// The state of one probe.
pub(super) struct OAuthFlow<'a> {
    pub(super) target: &'a TargetServer,
    pub(super) server: &'a AuthorizationServer,
    pub(super) maker: &'a DraftBuilder<'a>,
    pub(super) operation: &'a Operation,
    pub(super) identity: &'a Identity,
    pub(super) sent: Vec<SentRequest>,
    /// The highest level of the rule that the granted token permits.
    pub(super) at_most: Level,
}

/// The parameters of a request.
type Pairs = Vec<(&'static str, String)>;

impl OAuthFlow<'_> {
    /// Sends the requests of a probe.
    pub(super) async fn run(&mut self, probe: OauthProbe) -> Result<(), Stop> {
        match probe {
            OauthProbe::Authorize
            | OauthProbe::UnregisteredRedirectUri
            | OauthProbe::PlainChallenge
            | OauthProbe::MissingChallenge
            | OauthProbe::UnknownResponseType => self.authorization(probe).await,
            OauthProbe::Discovery => {
                let url = self.endpoint(self.server.discovery_url.as_ref(), "discovery-url")?;
                self.send(&Draft::outside("GET", url)).await.map(drop)
            }
            OauthProbe::Implicit => self.implicit().await,
            OauthProbe::DeviceCodes | OauthProbe::DevicePending | OauthProbe::UnknownDeviceCode => {
                self.devices(probe).await
            }
            OauthProbe::Revoke
            | OauthProbe::RevokeAgain
            | OauthProbe::RevokeUnknown
            | OauthProbe::RevokeWithoutSecret
            | OauthProbe::CallAfterRevocation => self.revocations(probe).await,
            OauthProbe::Password | OauthProbe::UnknownUser => self.passwords(probe).await,
            OauthProbe::ScopesJoinedByPlus | OauthProbe::ScopesJoinedByPercent => self.joined_scopes(probe).await,
            OauthProbe::CallOutsideScope => self.call_within(self.other_scope()?).await,
            OauthProbe::CallWithResourceScope => self.call_within(self.resource_scope()).await,
            OauthProbe::Refresh
            | OauthProbe::RefreshRotating
            | OauthProbe::RotatedRefresh
            | OauthProbe::RefreshAtOnce
            | OauthProbe::RefreshAfterReuse
            | OauthProbe::RefreshWider
            | OauthProbe::RefreshOfAnother => self.refreshes(probe).await,
            OauthProbe::ClientCredentials
            | OauthProbe::ClientCredentialsOffline
            | OauthProbe::TokenByGet
            | OauthProbe::MissingGrantType
            | OauthProbe::UnknownGrantType
            | OauthProbe::UnknownClient
            | OauthProbe::WrongSecret
            | OauthProbe::WrongBasicSecret
            | OauthProbe::Basic
            | OauthProbe::UnauthorizedClient
            | OauthProbe::UnknownScope => self.own(probe).await,
            _ => self.codes(probe).await,
        }
    }

    /// Sends authorization requests that are judged themselves.
    async fn authorization(&mut self, probe: OauthProbe) -> Result<(), Stop> {
        let client = self.client(ClientKind::Confidential, &CODE, &self.scope(false))?;
        let mut pairs = consent(&client, &self.scope(false), &verifier(7));
        match probe {
            OauthProbe::UnregisteredRedirectUri => {
                set(&mut pairs, "redirect_uri", "https://elsewhere.example/callback");
            }
            OauthProbe::PlainChallenge => {
                set(&mut pairs, "code_challenge", &verifier(7));
                set(&mut pairs, "code_challenge_method", "plain");
            }
            OauthProbe::MissingChallenge => pairs.retain(|(name, _)| !name.starts_with("code_challenge")),
            OauthProbe::UnknownResponseType => set(&mut pairs, "response_type", "keyfit"),
            _ => {}
        }
        self.authorize(&pairs).await.map(drop)
    }

    /// Requests an access token with the implicit grant.
    async fn implicit(&mut self) -> Result<(), Stop> {
        let scope = self.scope(false);
        let client = self.client(ClientKind::Public, &[GrantType::Implicit], &scope)?;
        let pairs = vec![
            ("response_type", "token".to_owned()),
            ("client_id", client.id.clone()),
            ("redirect_uri", client.redirect_uri.clone()),
            ("scope", scope),
            ("state", STATE.to_owned()),
        ];
        self.authorize(&pairs).await.map(drop)
    }

    /// Sends requests of the device grant. No user gives consent.
    async fn devices(&mut self, probe: OauthProbe) -> Result<(), Stop> {
        let scope = self.scope(false);
        let client = self.client(ClientKind::Confidential, &[GrantType::DeviceCode], &scope)?;
        let code = if probe == OauthProbe::UnknownDeviceCode {
            "keyfit-no-such-code".to_owned()
        } else {
            let url = self.endpoint(self.server.device_authorization_url.as_ref(), "device-authorization-url")?;
            let draft = self.form_draft(url, &client, vec![("scope", scope)], self.way(&client));
            let answer = self.request_token(&draft).await?;
            if probe == OauthProbe::DeviceCodes {
                return Ok(());
            }
            member(&answer, "device_code")?
        };
        let grant = GrantType::DeviceCode.name().to_owned();
        self.token(&client, vec![("grant_type", grant), ("device_code", code)]).await.map(drop)
    }

    /// Sends password grants with good and bad passwords.
    async fn passwords(&mut self, probe: OauthProbe) -> Result<(), Stop> {
        let scope = self.scope(false);
        let client = self.client(ClientKind::Confidential, &[GrantType::Password], &scope)?;
        let (name, password) = match (probe, &client.user) {
            (OauthProbe::UnknownUser, _) => ("keyfit-no-such-user".to_owned(), "keyfit-no-such-password".to_owned()),
            (_, Some((name, password))) => {
                self.target.redactor.learn(password);
                (name.clone(), password.reveal().to_owned())
            }
            (_, None) => return Err(Stop::missing("no user of the OAuth client was given")),
        };
        let pairs = vec![
            ("grant_type", GrantType::Password.name().to_owned()),
            ("username", name),
            ("password", password),
            ("scope", scope),
        ];
        self.token(&client, pairs).await.map(drop)
    }

    /// Redeems good and bad authorization codes.
    async fn codes(&mut self, probe: OauthProbe) -> Result<(), Stop> {
        let made_from = if probe == OauthProbe::ShortVerifier { verifier(6) } else { verifier(7) };
        let scope = self.scope(probe != OauthProbe::CodeWithoutOffline);
        let client = self.client(ClientKind::Confidential, &CODE, &scope)?;
        let consent = consent(&client, &scope, &made_from);
        let code = match probe {
            OauthProbe::UnknownCode => "keyfit-no-such-code".to_owned(),
            _ => self.code(&consent).await?,
        };
        let mut pairs = redeem(&client, &code, &made_from);
        match probe {
            OauthProbe::OtherRedirectUri => set(&mut pairs, "redirect_uri", "https://client.example/other"),
            OauthProbe::WrongVerifier => set(&mut pairs, "code_verifier", &verifier(8)),
            OauthProbe::MissingVerifier => pairs.retain(|(name, _)| *name != "code_verifier"),
            _ => {}
        }
        if probe == OauthProbe::CodeOfAnother {
            let other = self.client(ClientKind::Other, &CODE, &scope)?;
            return self.token(&other, pairs).await.map(drop);
        }
        if probe == OauthProbe::CodeAtOnce {
            return self.twice_at_once(&client, pairs, "the code").await;
        }
        let answer = self.token(&client, pairs.clone()).await?;
        match probe {
            OauthProbe::Call => {
                let access = member(&answer, "access_token")?;
                self.call(&access).await
            }
            OauthProbe::CodeReuse => self.token(&client, pairs).await.map(drop),
            OauthProbe::CallAfterCodeReuse => {
                let access = member(&answer, "access_token")?;
                self.token(&client, pairs).await?;
                self.call(&access).await
            }
            _ => Ok(()),
        }
    }

    /// Redeems good and bad refresh tokens.
    async fn refreshes(&mut self, probe: OauthProbe) -> Result<(), Stop> {
        let kind = match probe {
            OauthProbe::RefreshRotating
            | OauthProbe::RotatedRefresh
            | OauthProbe::RefreshAtOnce
            | OauthProbe::RefreshAfterReuse => ClientKind::Rotating,
            OauthProbe::Refresh => ClientKind::Keeping,
            _ => ClientKind::Confidential,
        };
        let scope = self.scope(true);
        let client = self.client(kind, &REFRESH, &scope)?;
        let consent = consent(&client, &scope, &verifier(7));
        let code = self.code(&consent).await?;
        let answer = self.token(&client, redeem(&client, &code, &verifier(7))).await?;
        let first = member(&answer, "refresh_token")?;
        let mut pairs = refresh(&first);
        match probe {
            OauthProbe::RefreshWider => {
                pairs.push(("scope", format!("{} {}", self.scope(true), self.other_scope()?)));
            }
            OauthProbe::RefreshOfAnother => {
                let other = self.client(ClientKind::Other, &REFRESH, &scope)?;
                return self.token(&other, pairs).await.map(drop);
            }
            _ => {}
        }
        if probe == OauthProbe::RefreshAtOnce {
            return self.twice_at_once(&client, pairs, "the refresh token").await;
        }
        let answer = self.token(&client, pairs).await?;
        match probe {
            OauthProbe::RotatedRefresh => self.token(&client, refresh(&first)).await.map(drop),
            OauthProbe::RefreshAfterReuse => {
                let second = member(&answer, "refresh_token")?;
                self.token(&client, refresh(&first)).await?;
                self.token(&client, refresh(&second)).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Sends client credentials grants, and token requests with flaws that are independent of the grant.
    async fn own(&mut self, probe: OauthProbe) -> Result<(), Stop> {
        let kind = if probe == OauthProbe::UnauthorizedClient { ClientKind::Public } else { ClientKind::Confidential };
        let scope = self.scope(probe == OauthProbe::ClientCredentialsOffline);
        let needed = match probe {
            OauthProbe::WrongSecret => Some(ClientAuthentication::Body),
            OauthProbe::Basic | OauthProbe::WrongBasicSecret => Some(ClientAuthentication::Basic),
            // The body becomes a query, and queries are logged.
            OauthProbe::TokenByGet if self.server.takes(ClientAuthentication::Basic) => {
                Some(ClientAuthentication::Basic)
            }
            _ => None,
        };
        let has_own = self.server.grants(GrantType::ClientCredentials);
        let mut client = self.client_with(kind, if has_own { &OWN } else { &CODE }, &scope, needed)?;
        // A server without that grant gets a code that does not exist.
        let mut pairs = if has_own { own(&scope) } else { redeem(&client, "keyfit-no-such-code", &verifier(7)) };
        let way = needed.unwrap_or_else(|| self.way(&client));
        match probe {
            OauthProbe::MissingGrantType => pairs.retain(|(name, _)| *name != "grant_type"),
            OauthProbe::UnknownGrantType => set(&mut pairs, "grant_type", "keyfit"),
            OauthProbe::UnknownScope => set(&mut pairs, "scope", "keyfit-no-such-scope"),
            OauthProbe::UnknownClient => "keyfit-no-such-client".clone_into(&mut client.id),
            OauthProbe::WrongSecret | OauthProbe::WrongBasicSecret => client.secret = wrong(client.secret.as_ref()),
            _ => {}
        }
        let mut draft = self.token_draft(&client, pairs, way)?;
        if probe == OauthProbe::TokenByGet {
            let is_shown = way == ClientAuthentication::Body && client.secret.is_some();
            if is_shown && self.maker.live.is_some_and(|live| !live.policy.query_tokens) {
                let missing = Missing::new("the secret of a client would stand in a URL").pass("--query-tokens");
                return Err(Stop::Missing(missing));
            }
            let body = draft.body.take().unwrap_or_default();
            draft.url.set_query(Some(&String::from_utf8_lossy(&body)));
            "GET".clone_into(&mut draft.method);
        }
        self.request_token(&draft).await.map(drop)
    }

    /// Requests two scopes, of which the call needs the second.
    async fn joined_scopes(&mut self, probe: OauthProbe) -> Result<(), Stop> {
        let scopes = format!("{} {}", self.other_scope()?, self.scope(false));
        let client = self.client(ClientKind::Confidential, &OWN, &scopes)?;
        let mut draft = self.token_draft(&client, own(&scopes), self.way(&client))?;
        if let (OauthProbe::ScopesJoinedByPercent, Some(body)) = (probe, &draft.body) {
            // A literal plus is encoded as `%2B`.
            draft.body = Some(String::from_utf8_lossy(body).replace('+', "%20").into_bytes());
        }
        let answer = self.request_token(&draft).await?;
        let access = member(&answer, "access_token")?;
        self.call(&access).await
    }

    /// Calls the API with a token of the client credentials grant for this scope.
    async fn call_within(&mut self, scope: String) -> Result<(), Stop> {
        let client = self.client(ClientKind::Confidential, &OWN, &scope)?;
        let answer = self.token(&client, own(&scope)).await?;
        let access = member(&answer, "access_token")?;
        self.call(&access).await
    }

    fn way(&self, client: &Client) -> ClientAuthentication {
        if let Some(only) = client.authentication {
            return only;
        }
        self.server.client_authentication.first().copied().unwrap_or(ClientAuthentication::Body)
    }

    /// Returns the scopes of the operation, with the scope for refresh tokens if `offline` is true.
    fn scope(&self, offline: bool) -> String {
        let offline = self.server.offline_scope.iter().filter(|_| offline);
        self.operation.scopes.iter().chain(offline).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Returns the scopes of the operation for its resource alone.
    fn resource_scope(&self) -> String {
        let resource = self.operation.resource.as_deref().unwrap_or_default();
        let scopes = self.operation.scopes.iter().map(|scope| format!("{resource}:{scope}"));
        scopes.collect::<Vec<_>>().join(" ")
    }

    /// Returns a scope that does not cover the operation.
    fn other_scope(&self) -> Result<String, Stop> {
        let other = self.maker.contract.scope_besides(self.server, self.operation);
        other.cloned().ok_or_else(|| Stop::Broken("the contract knows no other scope".to_owned()))
    }
}

fn consent(client: &Client, scope: &str, verifier: &str) -> Pairs {
    vec![
        ("response_type", "code".to_owned()),
        ("client_id", client.id.clone()),
        ("redirect_uri", client.redirect_uri.clone()),
        ("scope", scope.to_owned()),
        ("state", STATE.to_owned()),
        ("code_challenge", jws::s256(verifier)),
        ("code_challenge_method", "S256".to_owned()),
    ]
}

fn redeem(client: &Client, code: &str, verifier: &str) -> Pairs {
    vec![
        ("grant_type", GrantType::AuthorizationCode.name().to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", client.redirect_uri.clone()),
        ("code_verifier", verifier.to_owned()),
    ]
}

fn refresh(token: &str) -> Pairs {
    vec![("grant_type", GrantType::RefreshToken.name().to_owned()), ("refresh_token", token.to_owned())]
}

fn own(scope: &str) -> Pairs {
    vec![("grant_type", GrantType::ClientCredentials.name().to_owned()), ("scope", scope.to_owned())]
}

/// Returns a PKCE verifier of seven characters times `times`.
fn verifier(times: usize) -> String {
    "keyfit.".repeat(times)
}

/// Returns a wrong secret if the client has one. It is not derived from the real one, since reports show it.
fn wrong(secret: Option<&Secret>) -> Option<Secret> {
    secret.map(|_| Secret::new("keyfit-no-such-secret"))
}

fn set(pairs: &mut Pairs, name: &str, value: &str) {
    for (_, known) in pairs.iter_mut().filter(|(known, _)| *known == name) {
        value.clone_into(known);
    }
}

fn member(answer: &Value, name: &str) -> Result<String, Stop> {
    let value = answer[name].as_str().map(str::to_owned);
    value.ok_or_else(|| Stop::Broken(format!("there is no `{name}` to go on with")))
}
