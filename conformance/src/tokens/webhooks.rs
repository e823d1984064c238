//! The secrets with which a server signs deliveries.

use std::collections::{BTreeMap, HashMap};

use keyfit_openapi::{Error, did_you_mean};

use super::clients::Reader;
use super::failure;
use super::source::Place as SecretPlace;
use crate::contract::Carrier;
use crate::missing::Missing;
use crate::secret::{Secret, shown, without_quotes};

/// The secrets by the names of webhooks.
#[derive(Debug, Default)]
pub(super) struct WebhookSecrets(HashMap<String, Secret>);

impl WebhookSecrets {
    pub(super) async fn read(places: BTreeMap<String, SecretPlace>, reader: &Reader<'_>) -> Result<Self, Error> {
        let mut secrets = HashMap::new();
        for (name, place) in places {
            let offset = reader
                .text
                .text
                .find("[webhook-secrets]")
                .and_then(|start| reader.text.text[start..].find(&name).map(|at| start + at));
            let at = || crate::contract::place(reader.text, offset);
            let signed = reader.contract.webhooks.iter().filter(|(_, terms)| terms.signature.is_some());
            let signed: Vec<&str> = signed.map(|(name, _)| name.as_str()).collect();
            if !signed.contains(&name.as_str()) {
                let problem = format!("the contract does not say how a webhook `{}` is signed", shown(&name));
                let help = did_you_mean(&name, signed, "name one of the contract that has a `signature`");
                return Err(failure(at(), problem, help));
            }
            let secret = place.read(&Carrier::Header, reader.environment).await.map_err(|error| {
                let problem = format!("the webhook `{name}` has no secret: {}", without_quotes(&error));
                failure(at(), problem, format!("{}; or remove the line", place.how()))
            })?;
            reader.redactor.learn(&secret);
            secrets.insert(name, secret);
        }
        Ok(Self(secrets))
    }

    pub(super) fn find(&self, name: &str) -> Result<Secret, Missing> {
        self.0.get(name).cloned().ok_or_else(|| Missing::webhook_secret(name))
    }
}
