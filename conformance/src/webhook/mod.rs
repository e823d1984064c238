//! The calls that a server makes, as document and contract have them: which operation hands over the URL, and where.

mod expression;

use keyfit_openapi::{Api, Operation, Webhook};

pub(crate) use self::expression::{Exchanged, Expression, Part, member};
use crate::contract::{Contract, DeliveryCheck, WebhookTerms};

/// A webhook or a callback whose URL an operation hands over.
pub(crate) struct Hook<'a> {
    /// Its name in the document.
    pub(crate) name: &'a str,
    /// The calls that a delivery may be. Callbacks that go to the same URL cannot be told apart by it.
    pub(crate) documented: Vec<&'a Webhook>,
    /// Where the request has the URL.
    pub(crate) given_by: Part,
    /// The URL that deliveries go to, of a callback.
    pub(crate) url: Option<Expression>,
    /// What the contract says of it.
    pub(crate) terms: Option<&'a WebhookTerms>,
}

impl Hook<'_> {
    /// The id of the operation that makes the server deliver; `None` where it is the one that hands over the URL.
    pub(crate) fn trigger(&self, operation: &Operation) -> Option<&str> {
        let trigger = self.terms?.triggered_by.as_deref()?;
        (trigger != operation.id).then_some(trigger)
    }

    /// Whether somebody says what brings a delivery at once. Of a callback, its document alone does not.
    pub(crate) fn is_sure_to_come(&self) -> bool {
        self.url.is_none() || self.terms.is_some_and(|terms| terms.triggered_by.is_some())
    }

    /// Whether there is something to hold its deliveries to.
    pub(crate) fn promises(&self, check: DeliveryCheck) -> bool {
        check.is_promised(&self.documented, self.terms)
    }
}

/// The webhooks and callbacks whose URL an operation hands over, those of the document's order first.
pub(crate) fn hooks<'a>(api: &'a Api, contract: &'a Contract, operation: &'a Operation) -> Vec<Hook<'a>> {
    let mut hooks: Vec<Hook> = Vec::new();
    for callback in &operation.callbacks {
        let expression = callback.url.as_deref().and_then(Expression::read);
        let Some(given_by) = expression.as_ref().and_then(Expression::given_by).cloned() else { continue };
        // Of several URLs of one name the first stands for it.
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
            hooks.push(Hook { name, documented, given_by: Part::Body(at.clone()), url: None, terms: Some(terms) });
        }
    }
    hooks
}
