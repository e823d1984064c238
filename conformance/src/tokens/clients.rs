//! The user's OAuth clients and JWT signers for a live server.

use std::collections::BTreeSet;

use keyfit_openapi::{Error, Text};
use serde::Deserialize;

use super::environment::Environment;
use super::failure;
use super::source::Place;
use crate::contract::{AuthorizationServer, Carrier, ClientAuthentication, Contract, Endpoint, GrantType, Rotation};
use crate::identity::{Client, ClientKind, ClientNeed, Signer};
use crate::missing::Missing;
use crate::secret::{Redactor, Secret};

/// The clients that may request tokens, and the signer.
#[derive(Debug, Default)]
pub(super) struct Clients {
    known: Vec<Known>,
    signer: Option<Signer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ClientEntry {
    name: String,
    id: String,
    /// Absent for a public client.
    secret: Option<Place>,
    /// Required for authorization codes.
    redirect_uri: Option<String>,
    /// The permitted scopes; all scopes of the contract by default.
    scopes: Option<BTreeSet<String>>,
    /// The permitted grants.
    grants: BTreeSet<GrantType>,
    /// Its only authentication method; all methods of the contract by default.
    authentication: Option<ClientAuthentication>,
    /// True if its refresh tokens rotate; for servers on which that depends on the client.
    rotates: Option<bool>,
    /// The name and the password of a user, for the password grant.
    user: Option<UserEntry>,
    /// The token endpoint for the tokens of identities, in place of the contract's.
    token_url: Option<String>,
    /// The revocation endpoint for its tokens, in place of the contract's.
    revocation_url: Option<Endpoint>,
    /// The audience of its tokens (`audience`), which some servers require.
    audience: Option<String>,
    /// The audience in the form of RFC 8707.
    resource: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserEntry {
    name: String,
    password: Place,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignerEntry {
    name: String,
    /// `iss`.
    id: String,
    secret: Place,
    /// `sub`.
    subject: String,
}

/// A client of the file.
#[derive(Debug)]
pub(super) struct Known {
    name: String,
    token_url: Option<String>,
    audience: Option<String>,
    resource: Option<String>,
    scopes: Option<BTreeSet<String>>,
    grants: BTreeSet<GrantType>,
    rotates: Option<bool>,
    client: Client,
}

/// The context for reading the entries of a file.
pub(super) struct Reader<'a> {
    pub(super) text: &'a Text,
    pub(super) contract: &'a Contract,
    pub(super) redactor: &'a Redactor,
    pub(super) environment: &'a Environment,
}

impl Reader<'_> {
    /// Reads the clients and the signer of a file, with their secrets.
    pub(super) async fn read(&self, clients: Vec<ClientEntry>, signers: &[SignerEntry]) -> Result<Clients, Error> {
        let mut known = Vec::new();
        for entry in clients {
            known.push(self.client(entry).await?);
        }
        let signer = match signers {
            [] => None,
            [signer] => Some(self.signer(signer).await?),
            [_, second, ..] => {
                return Err(self.failure(&second.name, "the file names two signers", "name one: the probes use one"));
            }
        };
        Ok(Clients { known, signer })
    }

    async fn client(&self, entry: ClientEntry) -> Result<Known, Error> {
        let ClientEntry {
            name,
            id,
            secret,
            redirect_uri,
            scopes,
            grants,
            authentication,
            rotates,
            user,
            token_url,
            revocation_url,
            audience,
            resource,
        } = entry;
        let server = self.contract.authorization_server.as_ref();
        if server.is_none() && token_url.is_none() {
            let problem = "the contract has no authorization server, at which a client could ask for tokens";
            return Err(self.failure(&name, problem, "add `token-url`, where tokens are had, or remove the client"));
        }
        if let Some(server) = server {
            self.check(server, &name, (scopes.as_ref(), &grants, authentication))?;
        }
        if let Some(unsound) = revocation_url.as_ref().filter(|url| !url.is_sound()) {
            let problem = format!("the `revocation-url` of `{name}` is neither a path nor a URL");
            let help = "write a path from the root of the server, such as /oauth/revoke, or a URL with https://";
            return Err(self.failure(&unsound.to_string(), problem, help));
        }
        let is_led_back =
            [GrantType::AuthorizationCode, GrantType::Implicit].iter().any(|grant| grants.contains(grant));
        if is_led_back && redirect_uri.is_none() {
            let problem = format!("the client `{name}` has no `redirect-uri` to which users are led back");
            return Err(self.failure(&name, problem, "add the one that is registered, letter by letter"));
        }
        let secret = match &secret {
            Some(place) => Some(self.secret(&name, place).await?),
            None => None,
        };
        let user = match &user {
            Some(user) => Some((user.name.clone(), self.secret(&name, &user.password).await?)),
            None => None,
        };
        let rotates = match server.map(|server| server.rotation) {
            Some(Rotation::Off) => Some(false),
            Some(Rotation::On) => Some(true),
            Some(Rotation::ByClient) | None => rotates,
        };
        let redirect_uri = redirect_uri.unwrap_or_default();
        let client = Client { id, secret, authentication, redirect_uri, user, revocation_url };
        Ok(Known { name, token_url, audience, resource, scopes, grants, rotates, client })
    }

    /// Returns an error for values that the authorization server of the contract does not support.
    fn check(
        &self,
        server: &AuthorizationServer,
        name: &str,
        (scopes, grants, authentication): (
            Option<&BTreeSet<String>>,
            &BTreeSet<GrantType>,
            Option<ClientAuthentication>,
        ),
    ) -> Result<(), Error> {
        if let Some(unknown) = scopes.into_iter().flatten().find(|scope| !server.scopes.contains(*scope)) {
            let problem = format!("`{unknown}` is no scope of the contract");
            return Err(self.failure(unknown, problem, "correct it, or remove it"));
        }
        if let Some(unknown) = grants.iter().find(|grant| !server.grants(**grant)) {
            let problem = format!("`{}` is not a grant of the contract", unknown.word());
            let known: Vec<&str> = server.grant_types.iter().map(|grant| grant.word()).collect();
            let help = format!("correct it, or remove it; the contract has: {}", known.join(", "));
            return Err(self.failure(unknown.word(), problem, &help));
        }
        if let Some(way) = authentication.filter(|way| !server.takes(*way)) {
            let problem = format!("clients do not authenticate in this way by the contract: {}", named(way));
            return Err(self.failure(name, problem, "correct `authentication`, or remove it"));
        }
        Ok(())
    }

    async fn signer(&self, entry: &SignerEntry) -> Result<Signer, Error> {
        if self.contract.authorization_server.as_ref().is_none_or(|server| server.jwt.is_none()) {
            let problem = "the contract takes no JWTs that a client could sign";
            return Err(self.failure(&entry.name, problem, "remove the signer"));
        }
        let secret = self.secret(&entry.name, &entry.secret).await?;
        Ok(Signer { issuer: entry.id.clone(), subject: entry.subject.clone(), secret })
    }

    async fn secret(&self, name: &str, place: &Place) -> Result<Secret, Error> {
        let found = place.read(&Carrier::Header, self.environment).await.map_err(|error| {
            let problem = format!("`{name}` has no secret: {error}");
            self.failure(&place.quoted(), problem, &format!("{}; or remove the entry", place.how()))
        })?;
        self.redactor.learn(&found);
        Ok(found)
    }

    fn failure(&self, quoted: &str, problem: impl Into<String>, help: &str) -> Error {
        let place = crate::contract::place(self.text, self.text.text.find(&format!("\"{quoted}\"")));
        failure(place, problem, help)
    }
}

impl Clients {
    /// Returns a client that meets the need.
    pub(super) fn find(&self, need: &ClientNeed) -> Result<Client, Missing> {
        let mut fitting = self.known.iter().filter(|known| known.meets(need));
        let found = match need.kind {
            // The first one is compared with the other ones.
            ClientKind::Other => fitting.nth(1),
            _ => fitting.next(),
        };
        match found {
            Some(known) => Ok(known.client.clone()),
            None => Err(Missing::client(need)),
        }
    }

    /// Returns the client with this name.
    pub(super) fn named(&self, name: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.name == name)
    }

    /// Returns the signer.
    pub(super) fn signer(&self) -> Result<Signer, Missing> {
        self.signer.clone().ok_or_else(Missing::signer)
    }
}

impl Known {
    /// Returns the client itself.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns its token endpoint, if the file has one.
    pub(super) fn token_url(&self) -> Option<&str> {
        self.token_url.as_deref()
    }

    /// Returns the `audience` of its tokens.
    pub(super) fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    /// Returns the `resource` of its tokens.
    pub(super) fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// Returns its permitted scopes, if the file has them.
    pub(super) fn scopes(&self) -> Option<&BTreeSet<String>> {
        self.scopes.as_ref()
    }

    /// Returns whether it uses a grant.
    pub(super) fn grants(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    fn meets(&self, need: &ClientNeed) -> bool {
        let of_kind = match need.kind {
            ClientKind::Confidential | ClientKind::Other => self.client.secret.is_some(),
            ClientKind::Keeping => self.client.secret.is_some() && self.rotates == Some(false),
            ClientKind::Rotating => self.client.secret.is_some() && self.rotates == Some(true),
            // The grants in the need are those that it must not get, so they are not required. The implicit grant is an exception: it is meant
            // for such a client.
            ClientKind::Public if need.grants.contains(&GrantType::Implicit) => true,
            ClientKind::Public => return self.client.secret.is_none(),
        };
        let authenticates = match (need.authentication, self.client.authentication) {
            (Some(needed), Some(only)) => needed == only,
            _ => true,
        };
        of_kind
            && authenticates
            && need.grants.is_subset(&self.grants)
            && self.scopes.as_ref().is_none_or(|scopes| need.scopes.is_subset(scopes))
    }
}

fn named(way: ClientAuthentication) -> &'static str {
    match way {
        ClientAuthentication::Body => "in the body",
        ClientAuthentication::Basic => "by HTTP Basic",
    }
}
