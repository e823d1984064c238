//! The tokens of the naive client: requested, parsed, or signed.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::super::defect::Defect;
use super::naive_holder::NaiveHolder;
use crate::contract::{ClientAuthentication, GrantType, TokenBody};
use crate::credential::basic;
use crate::credential::jws;
use crate::credential::secret::Secret;

/// The shortest secret for signatures, in bytes (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;
/// The lifetime of a JWT, in seconds.
const LIFETIME: u64 = 3600;

/// The granted tokens. Their `Debug` output contains the secrets: that is one of the defects.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    /// The expiry in seconds since the Unix epoch.
    pub(super) expires: u64,
    /// The lifetime in seconds at the time of issue.
    pub(super) lifetime: u64,
}

impl NaiveHolder {
    /// Sends a token request.
    pub(super) async fn request_tokens(&self, mut fields: Vec<(&'static str, String)>) -> Result<Tokens, String> {
        let refreshes = fields.contains(&("grant_type", GrantType::RefreshToken.name().to_owned()));
        let laxity = if refreshes { Defect::StoresAnyRefresh } else { Defect::StoresAnyAnswer };
        let registration = &self.registration;
        let mut request = self.http.post(&registration.token_url).header(ACCEPT, "application/json");
        let secret = registration.secret.as_ref().map(Secret::reveal);
        let in_header =
            registration.authentication == ClientAuthentication::Basic || self.has(Defect::AuthenticatesTwice);
        let in_body = registration.authentication == ClientAuthentication::Body || self.has(Defect::AuthenticatesTwice);
        if let Some(secret) = secret.filter(|_| in_header) {
            request = if self.has(Defect::JoinsSecretsAsText) {
                request.basic_auth(&registration.id, Some(secret))
            } else {
                request.header(AUTHORIZATION, basic::header(&registration.id, secret))
            };
        }
        if secret.is_none() || in_body {
            fields.push(("client_id", registration.id.clone()));
        }
        match secret {
            Some(secret) if in_body => fields.push(("client_secret", secret.to_owned())),
            None if self.has(Defect::SendsEmptySecret) => fields.push(("client_secret", String::new())),
            _ => {}
        }
        let is_form = (registration.body == TokenBody::Form) != self.has(Defect::WritesOtherEncoding);
        let (kind, body) = if is_form {
            let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            ("application/x-www-form-urlencoded", form)
        } else {
            let members = fields.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value)));
            ("application/json", Value::Object(members.collect()).to_string())
        };
        let answer = request.header(CONTENT_TYPE, kind).body(body).send().await;
        let answer = answer.map_err(|error| error.without_url().to_string())?;
        let status = answer.status();
        let body = answer.text().await.map_err(|error| error.without_url().to_string())?;
        self.read(status.is_success(), &body, laxity)
    }

    /// Parses the tokens of an answer; with the defect `laxity`, any answer counts as tokens.
    fn read(&self, is_success: bool, body: &str, laxity: Defect) -> Result<Tokens, String> {
        let answer: Value = serde_json::from_str(body).unwrap_or_default();
        let access = match answer["access_token"].as_str() {
            Some(access) if is_success => access,
            _ if self.has(laxity) => "undefined",
            _ if self.has(Defect::PrintsTokens) => return Err(format!("there are no tokens: {body}")),
            _ => return Err("there are no tokens".to_owned()),
        };
        let lifetime = answer["expires_in"].as_u64().unwrap_or_default();
        Ok(Tokens {
            access: access.to_owned(),
            refresh: answer["refresh_token"].as_str().map(str::to_owned),
            expires: self.registration.clock.seconds().saturating_add(lifetime),
            lifetime,
        })
    }

    /// Signs a JWT.
    pub(super) fn signed(&self, subject: &str, audience: &str) -> Result<Tokens, String> {
        let secret = self.registration.secret.as_ref().map_or("", Secret::reveal);
        if secret.len() < SHORTEST_SECRET && !self.has(Defect::SignsWithShortSecrets) {
            return Err("the secret is too short to sign with".to_owned());
        }
        let issued = self.registration.clock.seconds();
        let start = if self.has(Defect::ReadsClockTwice) { self.registration.clock.seconds() } else { issued };
        let expires = start + LIFETIME;
        let mut claims =
            json!({ "iss": self.registration.id, "sub": subject, "aud": audience, "iat": issued, "exp": expires });
        if self.has(Defect::WritesFractionalTimes) {
            claims["iat"] = json!(format!("{issued}.5").parse::<f64>().unwrap_or_default());
        }
        if let Some(members) = claims.as_object_mut().filter(|_| self.has(Defect::OmitsSubject)) {
            members.remove("sub");
        }
        let access = jws::signed(&json!({ "alg": "HS256", "typ": "JWT" }), &claims, secret.as_bytes());
        Ok(Tokens { access, refresh: None, expires, lifetime: LIFETIME })
    }
}
