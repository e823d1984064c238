//! The webhooks and callbacks of a document and a contract: the operation that takes their URL, and its place there.

mod expression;

use keyfit_openapi::{Api, Operation, Webhook};

pub(crate) use self::expression::{CallContext, Expression, MessagePart, member};
use crate::contract::{Contract, DeliveryCheck, WebhookTerms};

/// A webhook or a callback whose URL an operation takes.
pub(crate) struct Hook<'a> {
    /// Its name in the document.
    pub(crate) name: &'a str,
    /// The calls that a delivery may be. Callbacks to the same URL cannot be distinguished by it.
    pub(crate) documented: Vec<&'a Webhook>,
    /// The place of the URL in the request.
    pub(crate) given_by: MessagePart,
    /// The URL of deliveries, for a callback.
    pub(crate) url: Option<Expression>,
    /// The terms of the contract.
    pub(crate) terms: Option<&'a WebhookTerms>,
}

impl Hook<'_> {
    /// Returns the id of the operation that causes deliveries; `None` if it is the one that takes the URL.
    pub(crate) fn trigger(&self, operation: &Operation) -> Option<&str> {
        let trigger = self.terms?.triggered_by.as_deref()?;
        (trigger != operation.id).then_some(trigger)
    }

    /// Returns whether the cause of an immediate delivery is known. For a callback, the document alone does not name it.
    pub(crate) fn has_known_cause(&self) -> bool {
        self.url.is_none() || self.terms.is_some_and(|terms| terms.triggered_by.is_some())
    }

    /// Returns whether this check applies to its deliveries.
    pub(crate) fn promises(&self, check: DeliveryCheck) -> bool {
        check.is_promised(&self.documented, self.terms)
    }
}

/// Returns the webhooks and callbacks whose URL an operation takes, those in the document's order first.
pub(crate) fn hooks<'a>(api: &'a Api, contract: &'a Contract, operation: &'a Operation) -> Vec<Hook<'a>> {
    let mut hooks: Vec<Hook> = Vec::new();
    for callback in &operation.callbacks {
        let expression = callback.url.as_deref().and_then(Expression::read);
        let Some(given_by) = expression.as_ref().and_then(Expression::given_by).cloned() else { continue };
        // If a name has several URLs, the first one represents it.
        if hooks.iter().any(|known| known.name == callback.name) {
            continue;
        }
        hooks.push(Hook {
            name: &callback.name,
            documented: operation.callbacks.iter().filter(|other| other.url == callback.url).collect(),
            given_by,
            url: expression,
            terms: contract.webhooks.get(&callback.name).filter(|terms| terms.registered_by.is_none()),
        });
    }
    for (name, terms) in &contract.webhooks {
        let (Some(id), Some(at)) = (&terms.registered_by, &terms.url_at) else { continue };
        let documented: Vec<&Webhook> = api.webhooks.iter().filter(|webhook| webhook.name == *name).collect();
        if *id == operation.id && !documented.is_empty() && hooks.iter().all(|known| known.name != name) {
            hooks.push(Hook {
                name,
                documented,
                given_by: MessagePart::Body(at.clone()),
                url: None,
                terms: Some(terms),
            });
        }
    }
    hooks
}
